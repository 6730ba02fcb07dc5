//! `cargo xtask bench`: times Alnage and other scanners on the same files in one run, and writes the table.
//!
//! Only ratios mean something on a shared machine; `openssl dgst` stands for the physical limit of one SHA-256 stream.

mod converting;
mod gates;
mod serving;
mod table;
mod verifying;

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use table::{row, table};

use crate::{
    root,
    setup::{self, run},
};

/// The other scanners: package, version, program, and the arguments before the path.
const RIVALS: &[(&str, &str, &str, &[&str])] = &[
    ("picklescan", "1.0.5", "picklescan", &["--path"]),
    ("hayward", "1.4.1", "hayward", &["scan"]),
    ("modelscan", "0.8.8", "modelscan", &["--path"]),
    ("fickling", "0.1.12", "fickling", &["--check-safety"]),
    ("modelaudit", "0.2.54", "modelaudit", &["scan", "--no-cache"]),
];

/// Builds, installs, measures, and writes `docs/benchmarks.md`.
pub(crate) fn bench() -> Result<()> {
    let alnage = crate::release_binary()?;
    let directory = root().join("target/bench");
    let files = directory.join("files");
    let python = setup::peers()?.join("bin/python");
    run(Command::new(&python).arg(root().join("xtask/bench/fixtures.py")).arg(&files))?;
    let rivals = rivals(&directory)?;
    let one_process =
        [directory.join("fickling/bin/python"), root().join("xtask/bench/fickling_directory.py")];
    let mut text = String::from(INTRODUCTION);
    for (title, file) in [
        ("2,000 small pickles", "small"),
        ("1 GiB PyTorch checkpoint", "checkpoint.pt"),
        ("1 GiB safetensors", "model.safetensors"),
    ] {
        eprintln!("measuring: {title}");
        let path = files.join(file);
        let mut rows = Vec::new();
        if path.is_file() {
            rows.push(row(
                &python,
                "openssl dgst -sha256",
                &["openssl".as_ref(), "dgst".as_ref(), "-sha256".as_ref(), path.as_ref()],
            )?);
        }
        let vet: [&OsStr; 4] = [alnage.as_ref(), "vet".as_ref(), "--no-config".as_ref(), path.as_ref()];
        rows.push(row(&python, "alnage vet", &vet)?);
        rows.push(row(&python, "alnage vet --no-hash", &[&vet[..], &["--no-hash".as_ref()]].concat())?);
        for (name, program, arguments) in &rivals {
            let mut command: Vec<&OsStr> = vec![program.as_ref()];
            command.extend(arguments.iter().map(OsStr::new));
            if *name == "fickling" && path.is_dir() {
                command = vec![one_process[0].as_ref(), one_process[1].as_ref()];
            }
            command.push(path.as_ref());
            rows.push(row(&python, name, &command)?);
        }
        table(&mut text, title, &rows);
    }
    verifying::measure(&mut text, &alnage, &python, &directory)?;
    converting::measure(&mut text, &alnage, &python, &directory)?;
    gates::measure(&mut text, &alnage, &python, &directory)?;
    serving::measure(&mut text, &alnage, &python, &directory)?;
    eprintln!("measuring: cold start");
    let version = row(&python, "alnage --version", &[alnage.as_ref(), "--version".as_ref()])?;
    table(&mut text, "Cold start", &[version]);
    let size = fs::metadata(&alnage).context("no release binary")?.len();
    let _ = writeln!(text, "\nThe release binary is {:.1} MB.", size as f64 / 1e6);
    print!("{text}");
    fs::write(root().join("docs/benchmarks.md"), text).context("cannot write docs/benchmarks.md")
}

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench`: whole processes, the same files, one run, medians of five (fewer for the slow ones), page
cache warm. A run is cut after a time limit, and the table then says so. On shared machines only the ratios mean something.
`openssl dgst -sha256` is the physical limit of one SHA-256 stream. An exit code other than 0 from another scanner is its
own business: a false alarm, or a format it does not read.
";

/// Installs each rival into an environment of its own: their requirements conflict.
fn rivals(directory: &Path) -> Result<Vec<(&'static str, PathBuf, &'static [&'static str])>> {
    let mut rivals = Vec::new();
    for &(package, version, program, arguments) in RIVALS {
        let place = directory.join(package);
        let list = directory.join(format!("{package}.txt"));
        // fickling imports typing_extensions and does not declare it.
        fs::write(&list, format!("{package}=={version}\ntyping_extensions\n"))
            .context("cannot write a list")?;
        setup::environment(&place, &list)?;
        rivals.push((package, place.join("bin").join(program), arguments));
    }
    Ok(rivals)
}
