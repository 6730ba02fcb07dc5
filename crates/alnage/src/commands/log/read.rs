//! `alnage log prove`, `list`, `export` and `fsck`.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use alnage_log::{
    Checkpoint, Entry, Error, Update, Weight, audit, checkpoint_text, prove_consistency, receipt_for,
};
use alnage_pipeline::{read_log, statement_digest};
use serde_json::json;

use super::{grammar::ProveArgs, no_log, text_of};
use crate::{
    exit,
    output::{self, hinted, warn},
};

/// Writes a receipt or a continuation.
pub(super) fn prove(arguments: &ProveArgs, log: &Path) -> anyhow::Result<()> {
    let (store, verifier) = read_log(log).map_err(|error| no_log(error, log))?;
    let text = match (&arguments.what.index, &arguments.what.statement, &arguments.what.since) {
        (Some(index), ..) => receipt_for(&store, &verifier, *index)?.to_string(),
        (_, Some(envelope), _) => {
            let digest = statement_digest(envelope)?;
            let mut found = None;
            audit(&store, &verifier, &mut |index, entry| {
                if entry.statement == digest {
                    found.get_or_insert(index);
                }
            })?;
            let index = found.ok_or_else(|| {
                let message = format!("the statement in `{}` is not in the log", envelope.display());
                hinted(message, "`alnage log append` puts it there")
            })?;
            receipt_for(&store, &verifier, index)?.to_string()
        }
        (_, _, Some(since)) => {
            let old = Checkpoint::open(&text_of(since)?, &verifier)?;
            let checkpoint =
                checkpoint_text(&store)?.ok_or(Error::NoSuchEntry { index: old.size, size: 0 })?;
            let new = Checkpoint::open(&checkpoint, &verifier)?;
            let proof = prove_consistency(&store, old.size, new.size)?;
            Update { old_size: old.size, proof, checkpoint }.to_string()
        }
        (None, None, None) => anyhow::bail!("nothing is asked for"),
    };
    match &arguments.output {
        Some(path) => Ok(alnage_fs::write_atomic(path, text.as_bytes())?),
        None => Ok(output::print(&text)?),
    }
}

/// Lists the entries once all of them are verified.
pub(super) fn list(log: &Path, as_json: bool) -> anyhow::Result<()> {
    let (store, verifier) = read_log(log).map_err(|error| no_log(error, log))?;
    let mut lines = Vec::new();
    audit(&store, &verifier, &mut |index, entry| lines.push(shown(index, entry, as_json)))?;
    Ok(output::print_with(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?)
}

fn shown(index: u64, entry: &Entry, as_json: bool) -> String {
    let Entry { statement, subject, predicate_type, time } = entry;
    if as_json {
        return json!({"index": index, "time": time, "statement": statement, "subject": subject,
                      "predicateType": predicate_type})
        .to_string();
    }
    let time = time.escape_debug();
    format!("{index} {time} statement {statement} about {subject} ({})", predicate_type.escape_debug())
}

/// Writes the whole log to one file.
pub(super) fn export(log: &Path, output: &Path) -> anyhow::Result<()> {
    let (store, verifier) = read_log(log).map_err(|error| no_log(error, log))?;
    let mut bytes = Vec::new();
    let checkpoint = alnage_log::export(&store, &verifier, &mut |line| {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        Ok(())
    })?;
    alnage_fs::write_atomic(output, &bytes)?;
    warn(format_args!("exported {} entries of `{}`", checkpoint.size, checkpoint.origin));
    Ok(())
}

/// Checks everything.
pub(super) fn fsck(log: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let (store, verifier) = read_log(log).map_err(|error| no_log(error, log))?;
    let mut problems = Vec::new();
    let state = alnage_log::fsck(&store, &verifier, &mut |_, _| {}, &mut |problem| problems.push(problem))?;
    let word = |weight| match weight {
        Weight::Damage => "damage",
        Weight::Leftover => "leftover",
    };
    output::print_with(|out: &mut dyn Write| -> io::Result<()> {
        for problem in &problems {
            let weight = word(problem.weight);
            if as_json {
                writeln!(
                    out,
                    "{}",
                    json!({"place": problem.place, "message": problem.message, "weight": weight})
                )?;
            } else {
                writeln!(out, "{weight}: {problem}")?;
            }
        }
        Ok(())
    })?;
    let damaged = problems.iter().any(|problem| problem.weight == Weight::Damage);
    match (damaged, state) {
        (false, Some(state)) => warn(format_args!("{} entries, all as they were signed", state.size)),
        (false, None) => warn(format_args!("the log is empty")),
        (true, _) => warn(format_args!("the log is damaged")),
    }
    Ok(if damaged { ExitCode::from(exit::REFUSED) } else { ExitCode::SUCCESS })
}
