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
    let (mut lines, mut resolved) = (0, 0u64);
    for (line, seed) in BufReader::new(python.stdout.take().unwrap()).lines().zip(first..) {
        let names: Vec<(String, String, String, String)> = serde_json::from_str(&line.unwrap()).unwrap();
        lines += 1;
        resolved += names.len() as u64;
        if names.is_empty() {
            continue;
        }
        let ours = our_globals(&generate(seed));
        for (module, name, new_module, new_name) in names {
            if !ours.contains(&(module.clone(), name.clone())) && !ours.contains(&(new_module, new_name)) {
                missed.push((seed, module, name));
            }
        }
    }
    writer.join().unwrap();
    python.wait().unwrap();
    assert_eq!(lines, count, "the peer stopped early");
    assert!(resolved > count / 2, "only {resolved} globals in {count} pickles");
    let shown: Vec<_> = missed
        .iter()
        .take(5)
        .map(|(seed, module, name)| (seed, module, name, generate(*seed).escape_ascii().to_string()))
        .collect();
    assert!(missed.is_empty(), "{} of {resolved} globals missed: {shown:#?}", missed.len());
}
