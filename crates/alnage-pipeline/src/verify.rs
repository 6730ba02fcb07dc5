//! Verifying a model against its signature, and against the rest of its seal where there is one.

use std::path::{Path, PathBuf};

use alnage_fs::{LogDir, Sidecars, Tree, walk};
use alnage_log::{LogVerifier, Receipt};
use alnage_sign::{
    Difference, DifferenceKind, KeyHint, SignedManifest, SignedStatement, VERDICT_PREDICATE, VerifyingKey,
    verify_attestation, verify_model,
};
use alnage_types::Digest;

use crate::{Error, Progress, seal::LOG_VERIFIER, sign};

/// What verifying found, part by part, in the order it was checked.
#[derive(Debug)]
pub struct Verification {
    /// The parts.
    pub checks: Vec<Check>,
    /// Every file that is not as it was signed.
    pub differences: Vec<Difference>,
}

/// One part of a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub part: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, one sentence.
    pub message: String,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold: the model is not what was signed.
    Refused,
    /// There was nothing to check.
    NotChecked,
}

impl Verification {
    /// Whether nothing was refused.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Refused)
    }

    /// Whether every part of a seal was there and holds.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|check| check.outcome == Outcome::Holds)
    }

    fn say(&mut self, part: &'static str, outcome: Outcome, message: impl Into<String>) {
        self.checks.push(Check { part, outcome, message: message.into() });
    }
}

/// What to verify, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Verifying<'a> {
    /// The model.
    pub path: &'a Path,
    /// The signer's public key.
    pub key: &'a VerifyingKey,
    /// The signature, when it is not beside the model.
    pub signature: Option<&'a Path>,
    /// The directory of the log.
    pub log: &'a Path,
    /// Threads.
    pub jobs: usize,
}

/// Verifies. An error is something that could not be read; everything else is in the result.
pub fn verify(what: Verifying<'_>, progress: &dyn Progress) -> Result<Verification, Error> {
    let tree = walk(what.path)?;
    let sidecars = Sidecars::of(what.path, tree.single_file);
    let signature = what.signature.unwrap_or(&sidecars.signature);
    let bundle = sign::read_signature(signature)?;
    let mut found = Verification { checks: Vec::new(), differences: Vec::new() };
    let signed = match verify_model(&bundle, what.key, KeyHint::MustMatch) {
        Ok(signed) => signed,
        Err(error) => {
            found.say("signature", Outcome::Refused, format!("`{}`: {error}", signature.display()));
            return Ok(found);
        }
    };
    found.say("signature", Outcome::Holds, format!("made with the key {}", what.key.hint()));
    let signed = match sign::inside(&tree, signature) {
        Some(name) => signed.also_ignoring(&name)?,
        None => signed,
    };
    verify_files(&tree, &signed, what.jobs, progress, &mut found);
    if let Some(verdict) = verify_verdict(&sidecars, &signed, what.key, &mut found)? {
        verify_log(&sidecars, &verdict, &signed, what.log, &mut found)?;
    }
    Ok(found)
}

fn verify_files(
    tree: &Tree,
    signed: &SignedManifest,
    jobs: usize,
    progress: &dyn Progress,
    found: &mut Verification,
) {
    let named: std::collections::HashSet<&str> =
        signed.resources().iter().map(|resource| resource.name.as_str()).collect();
    let counts = |name: &str| named.contains(name) || !signed.ignored_paths().contains(name);
    let manifest = sign::hash(tree, jobs, progress, counts);
    found.differences = signed.compare(&manifest);
    // A link elsewhere, a pipe or a name that is not UTF-8 was never signed, and a loader could still use it.
    let strange = tree.unread().map(|entry| &entry.path);
    let unnamed = tree.files.iter().filter(|file| file.name.is_none()).map(|file| &file.path);
    let unlisted = tree.unreadable.iter().map(|(path, _)| path);
    for path in strange.chain(unnamed).chain(unlisted) {
        if counts(path.as_str()) && !named.contains(path.as_str()) {
            found
                .differences
                .push(Difference { path: path.as_str().to_owned(), kind: DifferenceKind::Extra });
        }
    }
    if found.differences.is_empty() {
        let files = signed.resources().len();
        found.say("files", Outcome::Holds, format!("{files} of {files} are as they were signed"));
    } else {
        let message = format!("{} not as they were signed", found.differences.len());
        found.say("files", Outcome::Refused, message);
    }
}

/// The file's bytes; `None` when there is no such file.
fn optional(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match sign::read_signature(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::Files(alnage_fs::Error::NotFound(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Verifies the signed verdict and the bill of materials it names; gives the statement when it holds.
fn verify_verdict(
    sidecars: &Sidecars,
    signed: &SignedManifest,
    key: &VerifyingKey,
    found: &mut Verification,
) -> Result<Option<SignedStatement>, Error> {
    let bom = optional(&sidecars.bom)?;
    let Some(envelope) = optional(&sidecars.verdict)? else {
        found.say("verdict", Outcome::NotChecked, format!("there is no `{}`", shown(&sidecars.verdict)));
        let message = match bom {
            Some(_) => format!("no signed verdict names `{}`", shown(&sidecars.bom)),
            None => format!("there is no `{}`", shown(&sidecars.bom)),
        };
        found.say("bill of materials", Outcome::NotChecked, message);
        found.say("log", Outcome::NotChecked, "there is no verdict that could have been logged");
        return Ok(None);
    };
    let statement = match verify_attestation(&envelope, key) {
        Ok(statement) => statement,
        Err(error) => {
            found.say("verdict", Outcome::Refused, format!("`{}`: {error}", shown(&sidecars.verdict)));
            return Ok(None);
        }
    };
    if !statement.is_about(signed.root()) {
        found.say("verdict", Outcome::Refused, "it is about another model");
        return Ok(None);
    }
    let claim = statement.statement();
    let verdict = claim.predicate.get("alnage_verdict").and_then(|verdict| verdict.as_str());
    let time = claim.predicate.get("timeCreated").and_then(|time| time.as_str()).unwrap_or("an unknown time");
    let passed = claim.predicate_type == VERDICT_PREDICATE && verdict == Some("pass");
    let outcome = if passed { Outcome::Holds } else { Outcome::Refused };
    let word = verdict.unwrap_or("unknown");
    found.say("verdict", outcome, format!("`{}`, {}", word.escape_debug(), time.escape_debug()));
    let bom_name = shown(&sidecars.bom);
    match bom {
        Some(bytes) if statement.is_about(Digest::of(&bytes)) => {
            found.say(
                "bill of materials",
                Outcome::Holds,
                format!("`{bom_name}` is the one that was signed"),
            );
        }
        Some(_) => found.say("bill of materials", Outcome::Refused, format!("`{bom_name}` was changed")),
        None if claim.subjects.iter().any(|subject| subject.name == bom_name) => {
            found.say(
                "bill of materials",
                Outcome::Refused,
                format!("`{bom_name}` was signed and is missing"),
            );
        }
        None => found.say("bill of materials", Outcome::NotChecked, format!("there is no `{bom_name}`")),
    }
    Ok(Some(statement))
}

fn verify_log(
    sidecars: &Sidecars,
    verdict: &SignedStatement,
    signed: &SignedManifest,
    log: &Path,
    found: &mut Verification,
) -> Result<(), Error> {
    let Some(receipt) = optional(&sidecars.receipt)? else {
        found.say("log", Outcome::NotChecked, format!("there is no `{}`", shown(&sidecars.receipt)));
        return Ok(());
    };
    let verifier_file: PathBuf = log.join(LOG_VERIFIER);
    let Some(verifier) = optional(&verifier_file)? else {
        found.say("log", Outcome::NotChecked, format!("there is no log at `{}`", log.display()));
        return Ok(());
    };
    match check_log(&receipt, &verifier, verdict, signed, log) {
        Ok((index, size)) => {
            found.say("log", Outcome::Holds, format!("the verdict is entry {index} of {size}"));
        }
        Err(alnage_log::Error::Store { name, source }) => {
            return Err(alnage_log::Error::Store { name, source }.into());
        }
        Err(error) => found.say("log", Outcome::Refused, error.to_string()),
    }
    Ok(())
}

/// The entry's index and the log's size now.
fn check_log(
    receipt: &[u8],
    verifier: &[u8],
    verdict: &SignedStatement,
    signed: &SignedManifest,
    log: &Path,
) -> Result<(u64, u64), alnage_log::Error> {
    let verifier = LogVerifier::from_text(&String::from_utf8_lossy(verifier))?;
    let logged = Receipt::parse(&String::from_utf8_lossy(receipt))?.verify(&verifier)?;
    if logged.entry.statement != verdict.digest() || logged.entry.subject != signed.root() {
        return Err(alnage_log::Error::Unproven("the receipt is for another verdict".into()));
    }
    // The log as it is now must still begin with what the receipt saw.
    let store = LogDir::open(log);
    let now = alnage_log::current(&store, &verifier)?
        .ok_or_else(|| alnage_log::Error::Damaged("it has no checkpoint".into()))?;
    let then = &logged.checkpoint;
    if now.size < then.size {
        let message = format!("it had {} entries and has {} now", then.size, now.size);
        return Err(alnage_log::Error::Damaged(message));
    }
    let proof = alnage_log::prove_consistency(&store, then.size, now.size)?;
    alnage_log::verify_consistency(then.size, now.size, &proof, then.root, now.root)?;
    Ok((logged.index, now.size))
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
