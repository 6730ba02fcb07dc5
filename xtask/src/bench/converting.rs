//! Converting a checkpoint: against copying it.

use std::{ffi::OsStr, fmt::Write as _, path::Path};

use anyhow::Result;

use super::table::{row, table};

/// What is run, with the program as `$0`, the checkpoint as `$1` and a new file as `$2`. What the file is made of is freed
/// in every row, and the second copy waits for the disk, as converting does.
const ROWS: &[(&str, &str)] = &[
    ("cp", r#"cp "$1" "$2"; rm "$2""#),
    ("cp, then sync", r#"cp "$1" "$2" && sync "$2"; rm "$2""#),
    ("alnage convert", r#""$0" convert "$1" -o "$2" --quiet > /dev/null; rm "$2"*"#),
    (
        "alnage convert --no-attestation",
        r#""$0" convert "$1" -o "$2" --quiet --no-attestation > /dev/null; rm "$2"*"#,
    ),
    ("openssl dgst -sha256", r#"openssl dgst -sha256 "$1""#),
];

/// Measures and writes the table.
pub(super) fn measure(text: &mut String, alnage: &Path, python: &Path, directory: &Path) -> Result<()> {
    eprintln!("measuring: converting");
    let (source, target) = (directory.join("files/checkpoint.pt"), directory.join("converted"));
    let mut rows = Vec::new();
    for (name, script) in ROWS {
        let command: [&OsStr; 6] = [
            "sh".as_ref(),
            "-c".as_ref(),
            script.as_ref(),
            alnage.as_ref(),
            source.as_ref(),
            target.as_ref(),
        ];
        rows.push(row(python, name, &command)?);
    }
    table(text, "Converting a 1 GiB PyTorch checkpoint", &rows);
    if let [copy, synced, with, without, hash] = rows.as_slice() {
        let _ = writeln!(
            text,
            "\nThroughput over that of `cp`: {:.2} with digests and attestation, {:.2} without; over that of `cp` and \
             `sync`: {:.2} and {:.2}. One SHA-256 stream alone has {:.2} of the throughput of `cp`: that is the limit with \
             digests, of which converting takes two.",
            copy.wall() / with.wall(),
            copy.wall() / without.wall(),
            synced.wall() / with.wall(),
            synced.wall() / without.wall(),
            copy.wall() / hash.wall(),
        );
    }
    Ok(())
}
