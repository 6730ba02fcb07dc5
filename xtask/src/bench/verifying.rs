//! Verifying models: against the reference implementation, against hashing alone, and again when nothing was touched.

use std::{ffi::OsStr, path::Path, process::Command};

use anyhow::Result;

use super::table::{Row, row, table};
use crate::setup::run;

/// The directories, which `fixtures.py` writes. The first has few long files, which are hashed in as few streams.
const MODELS: &[(&str, &str, &[&str])] = &[
    ("Verifying 2 GB: three long files, and 309 others", "long", &[]),
    ("Verifying 2 GB: the same files, signed in shards of 64 MiB", "long", &["--shard-size", "64MiB"]),
    ("Verifying 2 GB: 20 files of 100 MB", "even", &[]),
    ("Verifying 20,000 files of 1 kB", "many", &[]),
];

/// Measures and writes the tables.
pub(super) fn measure(text: &mut String, alnage: &Path, python: &Path, directory: &Path) -> Result<()> {
    let keys = directory.join("keys");
    let public = keys.join("signing.pub.pem");
    if !public.exists() {
        run(Command::new(alnage).args(["keygen", "--out"]).arg(&keys))?;
    }
    let reference = python.with_file_name("model_signing");
    let mut again = Vec::new();
    for &(title, model, options) in MODELS {
        eprintln!("measuring: {title}");
        let path = directory.join("files").join(model);
        let signature = directory.join(format!("{model}{}.sig", options.len()));
        let mut sign = Command::new(alnage);
        sign.arg("sign").arg(&path).arg("--key").arg(keys.join("signing.pem")).args(options);
        run(sign.arg("--signature").arg(&signature).stdout(std::process::Stdio::null()))?;
        let verify: Vec<&OsStr> = vec![
            alnage.as_ref(),
            "verify".as_ref(),
            path.as_ref(),
            "--key".as_ref(),
            public.as_ref(),
            "--signature".as_ref(),
            signature.as_ref(),
        ];
        let mut rows = vec![row(python, "alnage verify", &[&verify[..], &["--no-cache".as_ref()]].concat())?];
        if options.is_empty() {
            let words: [&OsStr; 8] = [
                reference.as_ref(),
                "verify".as_ref(),
                "key".as_ref(),
                path.as_ref(),
                "--signature".as_ref(),
                signature.as_ref(),
                "--public_key".as_ref(),
                public.as_ref(),
            ];
            rows.push(row(python, "model_signing 1.1.1", &words)?);
            again.push(unchanged(python, title, &verify)?);
        }
        let every = "find \"$0\" -type f -print0 | xargs -0 openssl dgst -sha256";
        let hash: [&OsStr; 4] = ["sh".as_ref(), "-c".as_ref(), every.as_ref(), path.as_ref()];
        rows.push(row(python, "openssl dgst -sha256", &hash)?);
        table(text, title, &rows);
    }
    table(text, "Verifying again what nobody touched", &again);
    Ok(())
}

/// The first run, which is not counted, remembers the digests; the files have settled since they were written.
fn unchanged(python: &Path, title: &str, verify: &[&OsStr]) -> Result<Row> {
    row(python, &title.replace("Verifying", "alnage verify,"), verify)
}
