//! What serving costs: a long file and small metadata, against nginx without sendfile; and admission reviews.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{root, setup};

/// Measures and writes the table.
pub(super) fn measure(text: &mut String, alnage: &Path, python: &Path, directory: &Path) -> Result<()> {
    eprintln!("measuring: serving");
    setup::programs(&[("curl", "curl"), ("nginx", "nginx-light"), ("wrk", "wrk")])?;
    let mut script = Command::new(python);
    script.arg(root().join("xtask/bench/serving.py")).arg(alnage).arg(directory);
    let output = script.stderr(Stdio::inherit()).output().context("cannot start Python")?;
    ensure!(output.status.success(), "serving could not be measured");
    let found: Value = serde_json::from_slice(&output.stdout).context("the measurement is no JSON")?;
    let number = |server: &str, what: &str| found[server][what].as_f64().unwrap_or(f64::NAN);
    let _ = write!(
        text,
        "\n## Serving\n\nOne server, clients on the same machine; nginx with one worker and without sendfile.\n\n\
         | | nginx | `alnage serve` | ratio |\n|---|---|---|---|\n"
    );
    for (what, shown, decimals) in [
        ("cpu", "a cached file of 1 GiB, CPU s", 2),
        ("rps", "a file of 2 kB at 16 connections, requests/s", 0),
    ] {
        let (theirs, ours) = (number("nginx", what), number("alnage", what));
        let _ =
            writeln!(text, "| {shown} | {theirs:.decimals$} | {ours:.decimals$} | {:.2} |", ours / theirs);
    }
    let _ = writeln!(
        text,
        "\nAn admission review of a Pod takes at most {:.1} ms, 99 times in a hundred.",
        number("alnage", "review")
    );
    Ok(())
}
