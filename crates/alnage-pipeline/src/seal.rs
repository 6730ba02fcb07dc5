//! Sealing what passed: bill of materials, signed verdict, signature, and an entry in the log.

use std::path::Path;

use alnage_bom::{Declared, Format};
use alnage_fs::{Link, Sidecars, Tree};
use alnage_log::Entry;
use alnage_sign::{
    Dialect, HashedFile, IgnoredPaths, Serialization, Signer, Signing, Subject, Symlinks, VERDICT_PREDICATE,
    VerdictClaim, attest, attested_digest, model_subjects, sign_model, timestamp::TimestampSource,
};
use alnage_types::{Digest, HashAlgorithm, Manifest, Verdict};

use crate::{
    Error, GitPaths, Options, Vetted,
    bom::{Document, compose},
    log::OpenLog,
    sign,
};

/// With what and where to seal.
#[derive(Debug, Clone, Copy)]
pub struct Sealing<'a> {
    /// Signs the files and the verdict.
    pub signer: &'a dyn Signer,
    /// The signer's certificates in DER, its own first; none when verifiers know the key.
    pub certificates: &'a [Vec<u8>],
    /// Who says when it was sealed; none for a signature that does not tell.
    pub timestamps: Option<&'a dyn TimestampSource>,
    /// The directory of the log.
    pub log: &'a Path,
    /// What the user says of the model.
    pub declared: &'a Declared,
    /// Now, as [`rfc3339`](crate::rfc3339) writes it.
    pub time: &'a str,
}

/// Seals the model at `index` of `vetted`; gives where the parts are.
///
/// The digests are those of the bytes that were vetted: nothing is read again.
pub fn seal(
    vetted: &mut Vetted,
    index: usize,
    options: &Options,
    sealing: Sealing<'_>,
) -> Result<Sidecars, Error> {
    let (Some(record), Some(known)) = (vetted.record.models.get_mut(index), vetted.models.get_mut(index))
    else {
        return Err(Error::NoPlace);
    };
    if record.verdict != Verdict::Pass {
        return Err(Error::NotPassed(record.verdict));
    }
    let Some(tree) = &known.tree else { return Err(Error::NoPlace) };
    let sidecars = Sidecars::of(&tree.path, tree.single_file);
    let name = tree.name()?;
    let ignored = sign::ignored_paths(tree, &sidecars.signature, &[], GitPaths::Ignored)?;
    sign::refuse_unsignable(tree, &ignored, Symlinks::Followed)?;

    let [signature_name, bom_name, verdict_name, _] =
        [&sidecars.signature, &sidecars.bom, &sidecars.verdict, &sidecars.receipt]
            .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    // The document is made from the model as the rules saw it, whose parts the record holds by now.
    let model = alnage_formats::Model {
        tree: tree.entries.clone(),
        artifacts: std::mem::take(&mut record.artifacts),
        issues: Vec::new(),
    };
    let document = Document {
        name: &name,
        time: sealing.time,
        version: None,
        declared: sealing.declared,
        beside: Some([&signature_name, &verdict_name]),
    };
    let bom = alnage_bom::write(&compose(record, &model, document), Format::CycloneDx17);
    record.artifacts = model.artifacts;

    let signature = model_signature(tree, &record.manifest, &ignored, sealing)?;
    let mut subjects = model_subjects(&name, &record.manifest)?;
    let root = subjects.first().map(|subject| subject.digest).ok_or(Error::NoPlace)?;
    subjects.push(Subject { name: bom_name, digest: Digest::of(bom.as_bytes()) });
    let claim = VerdictClaim {
        tool_version: env!("CARGO_PKG_VERSION"),
        time: sealing.time,
        verdict: record.verdict,
        level: options.level,
        findings: record.findings.len(),
        issues: record.issues.len(),
        policy: options.policy_digest(),
    };
    let verdict = attest(&claim.statement(subjects), sealing.signer)?;

    let entry = Entry {
        statement: attested_digest(verdict.as_bytes())?,
        subject: root,
        predicate_type: VERDICT_PREDICATE.to_owned(),
        time: sealing.time.to_owned(),
    };
    let receipt = OpenLog::lock(sealing.log)?.append_witnessed(entry)?;

    for (path, text) in [
        (&sidecars.bom, bom),
        (&sidecars.verdict, verdict),
        (&sidecars.receipt, receipt.to_string()),
        (&sidecars.signature, signature),
    ] {
        alnage_fs::write_atomic(path, text.as_bytes())?;
    }
    Ok(sidecars)
}

/// The signature over `manifest`, which is that of `tree`. Links were followed when the model was vetted, so the
/// signature says so where there are any.
fn model_signature(
    tree: &Tree,
    manifest: &Manifest,
    ignored: &IgnoredPaths,
    sealing: Sealing<'_>,
) -> Result<String, Error> {
    let files: Vec<HashedFile> = manifest.files.iter().map(HashedFile::from).collect();
    let linked = tree.files.iter().any(|file| file.link == Some(Link::Inside));
    let signing = Signing {
        name: &tree.name()?,
        files: &files,
        shape: sign::shape(tree),
        hash: HashAlgorithm::Sha256,
        serialization: Serialization::Files,
        symlinks: if linked { Symlinks::Followed } else { Symlinks::Refused },
        ignored,
        dialect: Dialect::Specification,
        certificates: sealing.certificates,
        timestamps: sealing.timestamps,
    };
    Ok(sign_model(&signing, sealing.signer)?)
}
