//! `alnage log verify`: a receipt, a continuation, an exported log, or the log at hand.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::ExitCode,
};

use alnage_log::{
    Checkpoint, Error, ExportHead, LogVerifier, Policy, Receipt, Update, audit, checkpoint_text,
    prove_consistency, verify_export,
};
use alnage_pipeline::{log_verifier, read_log, read_log_verifier, read_policy, rfc3339, statement_digest};
use anyhow::Context as _;

use super::{grammar::VerifyLogArgs, no_log, text_of};
use crate::{exit, output};

/// Verifies and says what holds; what does not hold is exit code 1.
pub(super) fn run(arguments: &VerifyLogArgs, log: &Path) -> anyhow::Result<ExitCode> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let verifiers = verifiers(arguments, policy.as_ref(), log)?;
    let mut refusal = None;
    // Any log that is accepted will do; the last refusal is as good as the first.
    for verifier in &verifiers {
        match verify(arguments, verifier, policy.as_ref(), log) {
            Ok(text) => {
                output::print(&format!("verified: {text}\n"))?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => match error.downcast::<Error>() {
                Ok(Error::Store { name, source }) => return Err(Error::Store { name, source }.into()),
                Ok(refused) => refusal = Some(refused.to_string()),
                Err(error) => return Err(error),
            },
        }
    }
    let refusal = refusal.unwrap_or_else(|| "no log is accepted".to_owned());
    output::print(&format!("not verified: {refusal}\n"))?;
    Ok(ExitCode::from(exit::REFUSED))
}

fn verifiers(
    arguments: &VerifyLogArgs,
    policy: Option<&Policy>,
    log: &Path,
) -> anyhow::Result<Vec<LogVerifier>> {
    if let Some(path) = &arguments.log_key {
        return Ok(vec![read_log_verifier(path)?]);
    }
    match policy.map(Policy::log_verifiers).transpose()? {
        Some(verifiers) if !verifiers.is_empty() => Ok(verifiers),
        _ => Ok(vec![log_verifier(log).map_err(|error| no_log(error, log))?]),
    }
}

fn verify(
    arguments: &VerifyLogArgs,
    verifier: &LogVerifier,
    policy: Option<&Policy>,
    log: &Path,
) -> anyhow::Result<String> {
    let Some(path) = &arguments.file else { return whole_log(arguments, verifier, policy, log) };
    let mut start = Vec::new();
    let file = File::open(path).with_context(|| format!("`{}`", path.display()))?;
    file.take(1).read_to_end(&mut start)?;
    match start.as_slice() {
        b"{" => exported(path, verifier, policy),
        b"o" => {
            let since = arguments.since.as_ref().context("the older checkpoint is needed: `--since FILE`")?;
            let old = Checkpoint::open(&text_of(since)?, verifier)?;
            let update = Update::parse(&text_of(path)?)?;
            let new = update.verify(&old, verifier)?;
            let witnessed = witnessed(&update.checkpoint, policy)?;
            Ok(format!("`{}` grew from {} to {} entries{witnessed}", new.origin, old.size, new.size))
        }
        _ => receipt(path, arguments, verifier, policy),
    }
}

fn receipt(
    path: &Path,
    arguments: &VerifyLogArgs,
    verifier: &LogVerifier,
    policy: Option<&Policy>,
) -> anyhow::Result<String> {
    let receipt = Receipt::parse(&text_of(path)?)?;
    let logged = receipt.verify(verifier)?;
    if let Some(envelope) = &arguments.statement
        && statement_digest(envelope)? != logged.entry.statement
    {
        return Err(Error::Unproven("the receipt is for another statement".into()).into());
    }
    let witnessed = witnessed(receipt.checkpoint(), policy)?;
    let entry = &logged.entry;
    Ok(format!(
        "entry {} of `{}`: statement {} about {}, logged {}{witnessed}",
        logged.index,
        logged.checkpoint.origin,
        entry.statement,
        entry.subject,
        entry.time.escape_debug()
    ))
}

fn exported(path: &Path, verifier: &LogVerifier, policy: Option<&Policy>) -> anyhow::Result<String> {
    /// Longer than an entry with its escapes, and than a checkpoint with all its signatures.
    const MAX_LINE: u64 = 2 << 20;
    let mut reader = BufReader::new(File::open(path).with_context(|| format!("`{}`", path.display()))?);
    let mut next = move || {
        let mut line = String::new();
        match reader.by_ref().take(MAX_LINE).read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line.strip_suffix('\n').map(str::to_owned).unwrap_or(line))),
            Err(source) => Some(Err(Error::Store { name: "export".into(), source })),
        }
    };
    let head = ExportHead::parse(&next().transpose()?.unwrap_or_default())?;
    let checkpoint = verify_export(&head, &mut std::iter::from_fn(next), verifier, &mut |_, _| {})?;
    let witnessed = witnessed(&head.checkpoint, policy)?;
    Ok(format!("all {} entries of `{}`{witnessed}", checkpoint.size, checkpoint.origin))
}

fn whole_log(
    arguments: &VerifyLogArgs,
    verifier: &LogVerifier,
    policy: Option<&Policy>,
    log: &Path,
) -> anyhow::Result<String> {
    let (store, _) = read_log(log).map_err(|error| no_log(error, log))?;
    let new = audit(&store, verifier, &mut |_, _| {})?;
    if let Some(since) = &arguments.since {
        let old = Checkpoint::open(&text_of(since)?, verifier)?;
        let checkpoint = checkpoint_text(&store)?.unwrap_or_default();
        if old.size > new.size {
            let message = format!("the log had {} entries and has {} now", old.size, new.size);
            return Err(Error::Unproven(message).into());
        }
        let proof = prove_consistency(&store, old.size, new.size)?;
        Update { old_size: old.size, proof, checkpoint }.verify(&old, verifier)?;
    }
    let witnessed = match policy {
        Some(_) => witnessed(&checkpoint_text(&store)?.unwrap_or_default(), policy)?,
        None => String::new(),
    };
    Ok(format!("all {} entries of `{}`{witnessed}", new.size, new.origin))
}

/// Who cosigned, when a policy asks.
fn witnessed(checkpoint: &str, policy: Option<&Policy>) -> Result<String, Error> {
    let Some(policy) = policy else { return Ok(String::new()) };
    let cosigned = policy.verify(checkpoint)?;
    let names: Vec<String> =
        cosigned.iter().map(|cosigned| format!("{} {}", cosigned.witness, rfc3339(cosigned.time))).collect();
    Ok(if names.is_empty() { String::new() } else { format!("; cosigned by {}", names.join(", ")) })
}
