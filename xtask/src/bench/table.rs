//! Measuring one command, and the table of several.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::root;

/// Seconds after which a run is cut. The slowest scanner needs about 24 for the small pickles on a quiet machine.
const LIMIT: u32 = 60;

/// What the kernel accounted for one command.
struct Cost {
    wall: f64,
    cpu: f64,
    peak: f64,
    /// `None` when it was cut.
    code: Option<i64>,
}

/// One line of a table.
pub(super) struct Row {
    name: String,
    cost: Cost,
}

impl Row {
    /// Seconds from beginning to end.
    pub(super) fn wall(&self) -> f64 {
        self.cost.wall
    }
}

/// Measures `command`.
pub(super) fn row(python: &Path, name: &str, command: &[&OsStr]) -> Result<Row> {
    let mut measure = Command::new(python);
    let limit = LIMIT.to_string();
    measure.arg(root().join("xtask/bench/measure.py")).args(["5", &limit]).args(command);
    // Some scanners leave a report where they were started.
    measure.current_dir(root().join("target/bench"));
    for (variable, value) in [("PROMPTFOO_DISABLE_TELEMETRY", "1"), ("DO_NOT_TRACK", "1"), ("NO_COLOR", "1")]
    {
        measure.env(variable, OsString::from(value));
    }
    // What Alnage remembers belongs to the measurement, not to who measures.
    measure.env("XDG_DATA_HOME", root().join("target/bench/data"));
    let output = measure.output().context("cannot start Python")?;
    if !output.status.success() {
        bail!("measuring {name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let cost: Value = serde_json::from_slice(&output.stdout).context("the measurement is no JSON")?;
    let number = |field: &str| cost[field].as_f64().unwrap_or(f64::NAN);
    let cost =
        Cost { wall: number("wall"), cpu: number("cpu"), peak: number("peak"), code: cost["code"].as_i64() };
    eprintln!("  {name}: {:.3} s", cost.wall);
    Ok(Row { name: name.to_owned(), cost })
}

/// Ratios are to the first line of Alnage.
pub(super) fn table(text: &mut String, title: &str, rows: &[Row]) {
    let own = rows.iter().find(|row| row.name.starts_with("alnage")).map_or(f64::NAN, |row| row.cost.cpu);
    let _ = write!(
        text,
        "\n## {title}\n\n| | CPU s | wall s | peak MB | CPU, Alnage = 1 | exit |\n|---|---|---|---|---|---|\n"
    );
    for Row { name, cost } in rows {
        let (over, code) = match cost.code {
            Some(code) => ("", code.to_string()),
            None => ("over ", "cut".to_owned()),
        };
        let ratio = cost.cpu / own;
        let Cost { wall, cpu, peak, .. } = cost;
        let _ = writeln!(
            text,
            "| {name} | {over}{cpu:.3} | {over}{wall:.3} | {peak:.0} | {over}{ratio:.2} | {code} |"
        );
    }
}
