//! Verifying a model against its signature, and against the rest of its seal where there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use alnage_fs::{Link, LogDir, Seen, Sidecars, Tree, walk_with};
use alnage_log::{LogVerifier, Receipt};
use alnage_sign::{
    Bundle, Difference, DifferenceKind, HashedFile, Serialization, SignedManifest, SignedStatement,
    SignerPolicy, Symlinks, VERDICT_PREDICATES, VerifyingKey, verify_attestation,
};
use alnage_types::{Digest, HashAlgorithm};

use crate::{
    Error, GitPaths, ModelForm, Progress, Reuse,
    digest::{Hashing, hash},
    log::LOG_VERIFIER,
    oci, reuse, sign,
};

/// What verifying found, part by part, in the order it was checked.
#[derive(Debug, Default)]
pub struct Verification {
    /// The parts.
    pub checks: Vec<Check>,
    /// Every file that is not as it was signed.
    pub differences: Vec<Difference>,
    /// What lies in the model and is not covered by the signature: ignored paths, and what no signature of its kind
    /// covers. Each with how many files it stands for.
    pub uncovered: Vec<(String, u64)>,
    /// What was and was not remembered of earlier verifications.
    pub notes: Vec<String>,
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
    /// It holds, and the user should know.
    Noted,
}

impl Verification {
    /// Whether nothing was refused.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Refused)
    }

    /// Whether a signed verdict was there and holds.
    pub fn has_verdict(&self) -> bool {
        self.checks.iter().any(|check| check.part == "verdict" && check.outcome == Outcome::Holds)
    }

    /// Whether every part of a seal was there and holds.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|check| matches!(check.outcome, Outcome::Holds | Outcome::Noted))
    }

    pub(crate) fn say(&mut self, part: &'static str, outcome: Outcome, message: impl Into<String>) {
        self.checks.push(Check { part, outcome, message: message.into() });
    }
}

/// What to verify, and against what.
#[derive(Clone, Copy)]
pub struct Verifying<'a> {
    /// The model.
    pub path: &'a Path,
    /// Whose signatures count.
    pub signers: &'a dyn SignerPolicy,
    /// The signature, when it is not beside the model.
    pub signature: Option<&'a Path>,
    /// What is left out besides what the signature leaves out, in the model or relative to it.
    pub ignore_paths: &'a [PathBuf],
    /// Whether git's files at the top are left out though the signature does not say so.
    pub git: GitPaths,
    /// Which forms of signatures are taken.
    pub forms: Forms,
    /// What a file that was not signed leads to.
    pub unsigned: Unsigned,
    /// What content that the signature leaves out leads to.
    pub ignored: Unsigned,
    /// What lies at the path.
    pub form: ModelForm,
    /// Whether nobody writes to the files any more.
    pub settled: bool,
    /// What is done about links inside the model; `None` for what the signature says.
    pub symlinks: Option<Symlinks>,
    /// The directory of the log.
    pub log: &'a Path,
    /// Threads.
    pub jobs: usize,
    /// What of earlier verifications is used; nothing when there is none.
    pub reuse: Option<Reuse<'a>>,
}

/// Which forms of signatures are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// Those of the specification.
    Specified,
    /// Also what was made before there was one.
    Historic,
}

/// What content that is not covered by the signature leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// The model is refused.
    Refused,
    /// It is told.
    Reported,
}

impl<'a> Verifying<'a> {
    /// Whether the model at `path` is what one of `signers` signed, files left out by the signature told.
    pub fn new(path: &'a Path, signers: &'a dyn SignerPolicy, log: &'a Path) -> Self {
        Self {
            path,
            signers,
            signature: None,
            ignore_paths: &[],
            git: GitPaths::Ignored,
            forms: Forms::Specified,
            unsigned: Unsigned::Refused,
            ignored: Unsigned::Reported,
            form: ModelForm::Files,
            settled: false,
            symlinks: None,
            log,
            jobs: 1,
            reuse: None,
        }
    }
}

/// Verifies. An error is something that could not be read; everything else is in the result.
pub fn verify(what: Verifying<'_>, progress: &dyn Progress) -> Result<Verification, Error> {
    // Everything in `.git` is listed too: a signature may name it.
    let mut tree = walk_with(what.path, GitPaths::Covered.walked())?;
    tree.settled = what.settled;
    let sidecars = Sidecars::of(what.path, tree.single_file);
    let signature = what.signature.unwrap_or(&sidecars.signature);
    let bytes = sign::read_signature(signature)?;
    let mut found = Verification::default();
    let (signed, key) = match open(&bytes, &what) {
        Ok((signed, signer)) => {
            found.say("signature", Outcome::Holds, format!("made with {}", signer.description));
            (signed, signer.key)
        }
        Err(error) => {
            found.say("signature", Outcome::Refused, format!("`{}`: {error}", signature.display()));
            return Ok(found);
        }
    };
    let own: Vec<String> = sign::inside(&tree, signature).into_iter().collect();
    let signed = signed.also_ignoring(&sign::verifier_ignores(&tree, &own, what.ignore_paths, what.git)?);
    match what.form {
        ModelForm::Files => {
            let hint = key.hint().to_string();
            let mut seen =
                what.reuse.map(|reuse| reuse.open(&tree, &bytes, &hint, &signed, &what, &mut found));
            verify_files(&tree, &signed, &own, &what, progress, seen.as_mut(), &mut found);
        }
        ModelForm::OciImage => verify_image(&signed, &what, progress, &mut found)?,
    }
    if let Some(verdict) = verify_verdict(&sidecars, &signed, &key, &mut found)? {
        verify_log(&sidecars, &verdict, &signed, what.log, &mut found)?;
    }
    Ok(found)
}

/// What `bytes` say of the model, and who signed it.
pub(crate) fn open(
    bytes: &[u8],
    what: &Verifying<'_>,
) -> Result<(SignedManifest, alnage_sign::AcceptedSigner), alnage_sign::Error> {
    let bundle = Bundle::parse(bytes)?;
    let signer = what.signers.accept(&bundle)?;
    let signed = match what.forms {
        Forms::Specified => bundle.verify(&signer.key)?,
        Forms::Historic => bundle.verify_legacy(&signer.key)?,
    };
    what.signers.accept_content(&signed)?;
    Ok((signed, signer))
}

fn verify_files(
    tree: &Tree,
    signed: &SignedManifest,
    own: &[String],
    what: &Verifying<'_>,
    progress: &dyn Progress,
    mut seen: Option<&mut Seen>,
    found: &mut Verification,
) {
    let named: BTreeSet<&str> = signed.resources().iter().map(|resource| resource.path.as_str()).collect();
    let counts = |name: &str| {
        let unsigned = what.unsigned == Unsigned::Refused && !signed.ignored_paths().contains(name);
        tree.single_file || named.contains(name) || unsigned
    };
    let how = Hashing { algorithm: signed.hash(), serialization: signed.serialization(), jobs: what.jobs };
    let hashed = hash(tree, how, progress, seen.as_deref_mut(), counts);
    found.differences = signed.compare(&hashed);
    if what.symlinks.unwrap_or(signed.symlinks()) == Symlinks::Refused {
        refuse_links(tree, counts, &mut found.differences);
    }
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
        let files = named.len();
        let mut message = format!("{files} of {files} are as they were signed");
        match seen.as_deref().map_or(0, Seen::reused) {
            0 => {}
            1 => message.push_str("; 1 was not read again, as nobody touched it since"),
            count => {
                message.push_str(&format!("; {count} were not read again, as nobody touched them since"))
            }
        }
        found.say("files", Outcome::Holds, message);
    } else {
        let message = format!("{} not as they were signed", found.differences.len());
        found.say("files", Outcome::Refused, message);
    }
    if let Some(seen) = seen {
        reuse::close(seen, found);
    }
    found.uncovered = uncovered(tree, signed, &named, own, &hashed);
    if !found.uncovered.is_empty() {
        let files: u64 = found.uncovered.iter().map(|(_, files)| files).sum();
        let outcome = if what.ignored == Unsigned::Refused { Outcome::Refused } else { Outcome::Noted };
        found.say("coverage", outcome, format!("the signature says nothing about {files} of the files"));
    }
    let misnamed = sign::misnamed(tree, &hashed);
    if !misnamed.is_empty() {
        let message = format!("{} files are kept under another digest than they have", misnamed.len());
        found.say("cache", Outcome::Refused, message);
    }
}

/// Verifies the parts of an OCI image, by content when they are there.
fn verify_image(
    signed: &SignedManifest,
    what: &Verifying<'_>,
    progress: &dyn Progress,
    found: &mut Verification,
) -> Result<(), Error> {
    let image = oci::open(what.path)?;
    if (signed.hash(), signed.serialization()) != (HashAlgorithm::Sha256, Serialization::Files) {
        found.say(
            "files",
            Outcome::Refused,
            "an image names its layers by SHA-256, and the signature does not",
        );
        return Ok(());
    }
    let mut differences = signed.compare(&image.found(what.jobs, progress));
    if what.unsigned == Unsigned::Reported {
        differences.retain(|difference| difference.kind != DifferenceKind::Extra);
    }
    let (outcome, message) = match differences.len() {
        0 if image.is_manifest() => {
            (Outcome::Holds, "the manifest names what was signed; no layer was read".to_owned())
        }
        0 => (Outcome::Holds, "the layers are as they were signed".to_owned()),
        count => (Outcome::Refused, format!("{count} not as they were signed")),
    };
    found.differences = differences;
    found.say("files", outcome, message);
    Ok(())
}

/// Every link counts as a difference: whoever made it may point it elsewhere tomorrow.
fn refuse_links(tree: &Tree, counts: impl Fn(&str) -> bool, differences: &mut Vec<Difference>) {
    for file in tree.files.iter().filter(|file| file.link == Some(Link::Inside)) {
        let path = file.path.as_str();
        if counts(path) && !differences.iter().any(|other| other.path == path) {
            differences.push(Difference { path: path.to_owned(), kind: DifferenceKind::Linked });
        }
    }
}

/// What lies in the model and is not covered, by the path that leaves it out.
fn uncovered(
    tree: &Tree,
    signed: &SignedManifest,
    named: &BTreeSet<&str>,
    own: &[String],
    hashed: &[HashedFile],
) -> Vec<(String, u64)> {
    let mut uncovered: BTreeMap<String, u64> = BTreeMap::new();
    let covered = hashed.iter().filter(|file| !signed.cannot_cover(file)).map(|file| file.path.as_str());
    let covered: BTreeSet<&str> = covered.collect();
    for entry in &tree.entries {
        let path = entry.path.as_str();
        let accounted = named.contains(path) || own.iter().any(|own| own == path);
        if tree.single_file || accounted || Sidecars::NAMES.contains(&path) {
            continue;
        }
        let reason = match signed.ignored_paths().reason(path) {
            Some(folder) => folder,
            None if covered.contains(path) => continue,
            None => path,
        };
        let files = uncovered.entry(reason.to_owned()).or_default();
        *files = files.saturating_add(1);
    }
    uncovered.into_iter().collect()
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
pub(crate) fn verify_verdict(
    sidecars: &Sidecars,
    signed: &SignedManifest,
    key: &VerifyingKey,
    found: &mut Verification,
) -> Result<Option<SignedStatement>, Error> {
    let bom = optional(&sidecars.bom)?;
    let Some(envelope) = optional(&sidecars.verdict)? else {
        // Nothing in the signature says that there was one, so a verdict that was taken away looks just the same.
        let missing = format!(
            "there is no `{}`: the signature says what the files are, and nothing says that they were ever vetted",
            shown(&sidecars.verdict)
        );
        found.say("verdict", Outcome::NotChecked, missing);
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
    let passed = VERDICT_PREDICATES.contains(&claim.predicate_type.as_str()) && verdict == Some("pass");
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

pub(crate) fn verify_log(
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
