//! Never blind: every global that CPython resolves in a generated or damaged pickle is in our facts.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, BufWriter, Write},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use alnage_formats::{Facts, analyse};
use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::pickle::generate;

/// How many pickles, unless `ALNAGE_DIFFERENTIAL_COUNT` says otherwise.
const COUNT: u64 = 3_000;

/// The globals of all pickles found in `bytes`.
fn our_globals(bytes: &[u8]) -> BTreeSet<(String, String)> {
    let source = Arc::new(MemorySource::new(bytes));
    let analysis = analyse(ArtifactPath::file("generated.pkl"), source, &Budget::default());
    let globals = analysis.artifacts.iter().filter_map(|artifact| match &artifact.facts {
        Facts::Pickle(facts) => Some(facts.globals.iter()),
        _ => None,
    });
    globals.flatten().map(|global| (global.module.clone(), global.name.clone())).collect()
}

/// A name but for its characters beyond ASCII, which loaders decode in several ways.
fn bare(name: &str) -> String {
    let mut bare: String = name.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    while bare.contains("??") {
        bare = bare.replace("??", "?");
    }
    bare
}

#[test]
fn every_global_that_cpython_resolves_is_reported() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let count = setting("ALNAGE_DIFFERENTIAL_COUNT").unwrap_or(COUNT);
    let first = setting("ALNAGE_DIFFERENTIAL_SEED").unwrap_or(1);
    let mut python = Command::new(testkit::peers::python())
        .args(["-I", "-c", include_str!("differential.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = python.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        let mut input = BufWriter::new(input);
        for seed in first..first + count {
            let pickle = generate(seed);
            input.write_all(&(pickle.len() as u32).to_le_bytes()).unwrap();
            input.write_all(&pickle).unwrap();
        }
    });
    let mut missed = Vec::new();
    let (mut lines, mut resolved, mut computed) = (0, 0u64, 0u64);
    for (line, seed) in BufReader::new(python.stdout.take().unwrap()).lines().zip(first..) {
        let names: Vec<[String; 5]> = serde_json::from_str(&line.unwrap()).unwrap();
        lines += 1;
        resolved += names.len() as u64;
        if names.is_empty() {
            continue;
        }
        let ours = our_globals(&generate(seed));
        for [module, name, new_module, new_name, moved] in names {
            let modules = [bare(&module), bare(&new_module), bare(&moved)];
            let spellings = [bare(&name), bare(&new_name)];
            let spelled = |(module, name): &(String, String)| {
                modules.contains(&bare(module)) && spellings.contains(&bare(name))
            };
            if ours.iter().any(spelled) {
                continue;
            }
            // A name that cannot be computed is reported as such, and a person must look.
            let open = "<computed>";
            let left_open = |(known_module, known_name): &(String, String)| {
                (known_module == open || modules.contains(&bare(known_module)))
                    && (known_name == open || spellings.contains(&bare(known_name)))
            };
            if ours.iter().any(left_open) {
                computed += 1;
            } else {
                missed.push((seed, module, name));
            }
        }
    }
    writer.join().unwrap();
    python.wait().unwrap();
    assert_eq!(lines, count, "the peer stopped early");
    assert!(resolved > count / 2, "only {resolved} globals in {count} pickles");
    println!(
        "{count} pickles from seed {first}: {resolved} globals, {computed} of them reported as computed"
    );
    // Some names are put together in ways of which only that much is known.
    assert!(computed < resolved / 20, "{computed} of {resolved} names were not computed");
    let shown: Vec<_> = missed
        .iter()
        .take(12)
        .map(|(seed, module, name)| (seed, module, name, generate(*seed).escape_ascii().to_string()))
        .collect();
    assert!(missed.is_empty(), "{} of {resolved} globals missed: {shown:#?}", missed.len());
}
