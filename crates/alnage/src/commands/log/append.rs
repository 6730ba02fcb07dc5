//! `alnage log append` and `alnage log cosign`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use alnage_log::Entry;
use alnage_pipeline::{OpenLog, Witnessing, entry_of_envelope, rfc3339, verifying_key};
use alnage_types::Digest;
use anyhow::{Context as _, bail};

use super::grammar::AppendArgs;
use crate::{
    commands::vet::now,
    exit,
    output::{self, hinted, warn},
};

/// An entry has 64 KiB at most; its JSON may escape.
const MAX_LINE: u64 = 1 << 20;

/// Appends, has the result witnessed, and says what is where.
pub(super) fn run(arguments: &AppendArgs, log: &Path) -> anyhow::Result<ExitCode> {
    match (&arguments.entries, &arguments.key) {
        (Some(entries), _) => append_entries(entries, arguments.each, log),
        (None, Some(key)) => append_envelopes(&arguments.envelopes, key, log),
        (None, None) => bail!("the public key of whoever signed is needed: `--key FILE`"),
    }
}

fn append_envelopes(envelopes: &[PathBuf], key: &Path, log: &Path) -> anyhow::Result<ExitCode> {
    let key = verifying_key(key)?;
    let time = rfc3339(now());
    let mut entries = Vec::with_capacity(envelopes.len());
    for path in envelopes {
        let entry = entry_of_envelope(path, &key, &time);
        entries.push(entry.with_context(|| format!("`{}`", path.display()))?);
    }
    let mut log = OpenLog::lock(log)?;
    let indices = log.append(&mut entries.into_iter().map(Ok))?;
    let code = tell(log.cosign()?);
    for (index, path) in indices.zip(envelopes) {
        let receipt = receipt_path(path);
        alnage_fs::write_atomic(&receipt, log.receipt(index)?.to_string().as_bytes())?;
        output::print(&format!("{index} {}\n", receipt.display()))?;
    }
    Ok(code)
}

/// `verdict.intoto.json` has its receipt in `verdict.tlog-proof`.
fn receipt_path(envelope: &Path) -> PathBuf {
    let name = envelope.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".intoto.json").or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    envelope.with_file_name(format!("{stem}.tlog-proof"))
}

fn append_entries(path: &Path, each: bool, log: &Path) -> anyhow::Result<ExitCode> {
    let reader: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).with_context(|| format!("`{}`", path.display()))?))
    };
    let time = rfc3339(now());
    let mut entries = Lines { reader, number: 0 }.map(|line| {
        let (number, line) = line?;
        let place = || alnage_log::Error::Malformed(format!("line {number} is no entry"));
        parse_entry(&line, &time).ok_or_else(place)
    });
    let mut log = OpenLog::lock(log)?;
    if !each {
        let indices = log.append(&mut entries)?;
        let code = tell(log.cosign()?);
        output::print(&format!("{} entries from {} on\n", indices.end - indices.start, indices.start))?;
        return Ok(code);
    }
    let mut code = ExitCode::SUCCESS;
    for entry in entries {
        let indices = log.append(&mut std::iter::once(entry))?;
        if tell(log.cosign()?) != ExitCode::SUCCESS {
            code = ExitCode::from(exit::REFUSED);
        }
        output::print(&format!("{}\n", indices.start))?;
    }
    Ok(code)
}

fn parse_entry(line: &str, now: &str) -> Option<Entry> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value.get(name)?.as_str();
    let digest = |name: &str| text(name)?.parse::<Digest>().ok();
    Some(Entry {
        statement: digest("statement")?,
        subject: digest("subject")?,
        predicate_type: text("predicateType")?.to_owned(),
        time: text("time").unwrap_or(now).to_owned(),
    })
}

/// The lines of a reader, with their numbers; none is longer than [`MAX_LINE`].
struct Lines {
    reader: Box<dyn BufRead>,
    number: u64,
}

impl Iterator for Lines {
    type Item = Result<(u64, String), alnage_log::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        use std::io::Read as _;
        self.number += 1;
        let mut line = String::new();
        let read = self.reader.by_ref().take(MAX_LINE).read_line(&mut line);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok((self.number, line))),
            Err(source) => Some(Err(alnage_log::Error::Store { name: "entries".into(), source })),
        }
    }
}

/// Has the newest checkpoint cosigned.
pub(super) fn cosign(log: &Path) -> anyhow::Result<ExitCode> {
    let policy = alnage_pipeline::policy_path(log);
    let Some(witnessing) = OpenLog::lock(log)?.cosign()? else {
        return Err(hinted(
            "there is nothing to cosign, or nobody to ask",
            format!("an entry is needed, and witnesses in `{}` (c2sp.org/tlog-policy)", policy.display()),
        ));
    };
    for cosigned in &witnessing.cosigned {
        output::print(&format!("{} {}\n", cosigned.witness, rfc3339(cosigned.time)))?;
    }
    Ok(tell(Some(witnessing)))
}

/// Tells what went wrong with the witnesses; not meeting the policy is a refusal, as the entry stays all the same.
fn tell(witnessing: Option<Witnessing>) -> ExitCode {
    let Some(witnessing) = witnessing else { return ExitCode::SUCCESS };
    for complaint in &witnessing.complaints {
        warn(format_args!("warning: {complaint}"));
    }
    match witnessing.unmet {
        None => ExitCode::SUCCESS,
        Some(unmet) => {
            warn(format_args!(
                "error: what was appended is in the log, but {unmet}\n\nhint: `alnage log cosign` asks again"
            ));
            ExitCode::from(exit::REFUSED)
        }
    }
}
