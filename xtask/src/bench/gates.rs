//! What the gates cost: opening files and loading a model without them, behind `alnage run`, under `alnage guard-host`.

use std::{fmt::Write as _, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::root;

/// What is measured: its name in the script's answer, for a person, and the decimals that mean something.
const LINES: &[(&str, &str, usize)] = &[
    ("no model", "opening a file that is no model, µs", 1),
    ("small sealed", "opening a sealed file of 64 kB, µs", 1),
    ("long sealed", "opening a sealed file of 2 GiB, µs", 1),
    ("load", "loading the 2 GiB of safetensors in Python, s", 3),
];

/// Measures and writes the table.
pub(super) fn measure(text: &mut String, alnage: &Path, python: &Path, directory: &Path) -> Result<()> {
    eprintln!("measuring: the gates");
    let mut script = Command::new(python);
    script.arg(root().join("xtask/bench/gates.py")).arg(alnage).arg(directory);
    let output =
        script.env("XDG_DATA_HOME", directory.join("data")).stderr(std::process::Stdio::inherit()).output();
    let output = output.context("cannot start Python")?;
    ensure!(output.status.success(), "the gates could not be measured");
    let found: Value = serde_json::from_slice(&output.stdout).context("the measurement is no JSON")?;
    let _ = write!(
        text,
        "\n## Gates\n\nMedians of five processes; each file was opened, and so verified, before.\n\n\
         | | without | `alnage run` | without, again | `alnage guard-host` |\n|---|---|---|---|---|\n"
    );
    for (name, shown, decimals) in LINES {
        let cell = |way: &str| {
            found[way][name].as_f64().map_or("not root".into(), |value| format!("{value:.decimals$}"))
        };
        let cells = ["without", "run", "without again", "guard"].map(cell).join(" | ");
        let _ = writeln!(text, "| {shown} | {cells} |");
    }
    Ok(())
}
