//! `cargo xtask fuzz`: coverage-guided fuzzing of every parser with libFuzzer, on the stable toolchain.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{root, setup::run};

/// What makes LLVM count the edges a run takes; sanitizers would need a nightly toolchain and `unsafe` is forbidden.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Arguments: seconds for each target, then a target's name. The kept corpus is read; what is found goes to
/// `fuzz/target/corpus`.
pub(crate) fn fuzz(arguments: &[&str]) -> Result<()> {
    let seconds: u64 =
        arguments.first().map_or(Ok(300), |text| text.parse()).context("SECONDS is a whole number")?;
    let directory = root().join("fuzz");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--target", "x86_64-unknown-linux-gnu", "--manifest-path"]);
    run(build.arg(directory.join("Cargo.toml")).env("RUSTFLAGS", COVERAGE))?;
    for target in targets()? {
        if arguments.get(1).is_some_and(|wanted| *wanted != target) {
            continue;
        }
        let corpus = directory.join("corpus").join(&target);
        let found = directory.join("target/corpus").join(&target);
        let artifacts = directory.join("artifacts").join(&target);
        for place in [&corpus, &found, &artifacts] {
            fs::create_dir_all(place).with_context(|| format!("cannot make `{}`", place.display()))?;
        }
        let mut fuzz = Command::new(directory.join("target/x86_64-unknown-linux-gnu/release").join(&target));
        fuzz.arg(&found).arg(&corpus).arg(format!("-max_total_time={seconds}"));
        fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
        run(fuzz.args(["-rss_limit_mb=2048", "-timeout=10", "-max_len=65536", "-print_final_stats=1"]))?;
    }
    Ok(())
}

/// One a file in `fuzz/fuzz_targets`.
fn targets() -> Result<Vec<String>> {
    let directory = root().join("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for file in fs::read_dir(&directory).with_context(|| format!("cannot read `{}`", directory.display()))? {
        let path = file?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    if targets.is_empty() {
        bail!("`{}` has no targets", directory.display());
    }
    targets.sort();
    Ok(targets)
}
