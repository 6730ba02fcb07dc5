//! `cargo xtask gadgets`: derives which Python callables reach a process, code, a file or the network, and which
//! classes models are made of, from the sources of the standard library and of the listed packages.
//!
//! Nothing is imported or run: every file is parsed. What it writes, `capability/generated.tsv` and
//! `capability/harvested.tsv`, is committed, and this generator is the truth about both.
//!
//! `--harvest` first runs `gadgets/harvest.py` in a virtual environment of its own, which pickles real models and
//! notes the globals in them. `--check` says whether the committed tables are what the sources give; the rows of the
//! standard library depend on this machine's Python, so it is an error only under the Python version that the tables
//! name, and only a note under another.

mod dangerous;
mod effects;
mod program;
mod resolve;
mod safe;
mod source;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use program::Program;

/// What pickles of real models named, as `--harvest` found it.
const SEEN: &str = "xtask/gadgets/seen.tsv";

/// Writes both tables.
pub(crate) fn write() -> Result<()> {
    let tables = derive()?;
    for (path, text) in &tables {
        fs::write(path, text).with_context(|| path.display().to_string())?;
        println!("{}: {} rows, {} KiB", path.display(), text.lines().count(), text.len() / 1024);
    }
    Ok(())
}

/// Says whether the committed tables are what the sources give.
pub(crate) fn check() -> Result<()> {
    for (path, text) in derive()? {
        let committed = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if committed == text {
            continue;
        }
        if committed.lines().nth(1) != text.lines().nth(1) {
            println!("{}: made under another Python, not compared", path.display());
            continue;
        }
        bail!("{} is stale: run `cargo xtask gadgets`", path.display());
    }
    Ok(())
}

/// Pickles real models and notes what they name, then writes both tables.
pub(crate) fn harvest() -> Result<()> {
    let environment = work().join("venv");
    let python = environment.join("bin/python");
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let packages = source::packages().into_iter().map(|package| package.requirement);
        let wanted = [
            "numpy",
            "scipy",
            "scikit-learn",
            "pandas",
            "joblib",
            "xgboost-cpu",
            "lightgbm",
            "skops",
            "dill",
        ];
        let packages =
            packages.filter(|package| wanted.iter().any(|name| package.split("==").next() == Some(name)));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    }
    let output = Command::new(&python).arg(root().join("xtask/gadgets/harvest.py")).output()?;
    ensure!(output.status.success(), "harvest.py failed: {}", String::from_utf8_lossy(&output.stderr));
    fs::write(root().join(SEEN), output.stdout)?;
    write()
}

fn run(command: &mut Command) -> Result<()> {
    ensure!(command.status()?.success(), "{command:?} failed");
    Ok(())
}

/// Both tables, with where they belong.
fn derive() -> Result<Vec<(PathBuf, String)>> {
    let trees = source::trees(&work())?;
    let mut program = Program::default();
    for tree in &trees {
        for file in &tree.files {
            let (Ok(text), Ok(path)) = (fs::read_to_string(file), file.strip_prefix(&tree.root)) else {
                continue;
            };
            if let Some(module) = module_name(path) {
                program.add(module, format!("{} {}", tree.label, path.display()), tree.safe, &text);
            }
        }
    }
    let sinks = effects::Sinks::read();
    let effects = effects::analyse(&program, &sinks);
    let seen = fs::read_to_string(root().join(SEEN)).unwrap_or_default();
    let python = trees.first().map_or("", |tree| &tree.label);
    let home = root().join("crates/alnage-scan/src/capability");
    Ok(vec![
        (
            home.join("generated.tsv"),
            heading("Dangerous", python, dangerous::rows(&program, &effects, &sinks)),
        ),
        (home.join("harvested.tsv"), heading("Safe", python, safe::rows(&program, &effects, &seen))),
    ])
}

fn heading(what: &str, python: &str, rows: Vec<String>) -> String {
    let mut text =
        format!("# {what} callables, written by `cargo xtask gadgets`: do not edit.\n# From {python}.\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

/// `pandas/io/__init__.py` as `pandas.io`; nothing for files that cannot be imported.
fn module_name(path: &Path) -> Option<String> {
    let text = path.to_str()?.strip_suffix(".py")?;
    let text = text.strip_suffix("/__init__").unwrap_or(text);
    if text.contains("/_tf_keras/") {
        return None; // the same names again
    }
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with(|first: char| first.is_ascii_digit())
            && segment.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    text.split('/').all(plain).then(|| text.replace('/', "."))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

fn work() -> PathBuf {
    root().join("target/gadgets")
}
