use std::{fs, path::Path};

use alnage_formats::formats;

use super::*;

fn fuzz() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn every_format_is_fuzzed() {
    let missing: Vec<_> = formats()
        .map(|format| format.id)
        .filter(|id| {
            !TARGETS.iter().any(|target| {
                matches!(target.work, Work::Formats(formats) if formats.iter().any(|(format, _)| format == id))
            })
        })
        .collect();
    assert!(missing.is_empty(), "no target for {missing:?}");
}

#[test]
fn every_target_has_its_file() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let path = fuzz().join("fuzz_targets").join(target.name).with_extension("rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("`{}` is missing", path.display()));
        assert!(
            text.contains(&format!("run(\"{}\"", target.name)),
            "`{}` runs another target",
            path.display()
        );
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{}.rs\"", target.name)),
            "the manifest misses `{}`",
            target.name
        );
    }
}

#[test]
fn the_kept_corpus_is_replayed() {
    let mut inputs = 0;
    for target in TARGETS {
        let Ok(corpus) = fs::read_dir(fuzz().join("corpus").join(target.name)) else { continue };
        for file in corpus {
            let path = file.unwrap().path();
            run(target.name, &fs::read(path).unwrap());
            inputs += 1;
        }
    }
    assert!(inputs > 0, "there is no corpus");
}
