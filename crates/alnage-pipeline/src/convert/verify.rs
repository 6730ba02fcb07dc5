//! Verifying the attestation of a conversion: the source is planned again, and every file compared with the plan.

use std::path::{Component, Path};

use alnage_convert::{Checked, Options as Reading, Plan, UnknownCalls, check, prepare};
use alnage_fs::{Content, read_small, walk};
use alnage_sign::{CONVERSION_PREDICATE, Statement, VerifyingKey, read_unsigned, verify_attestation};
use alnage_types::{Budget, Digest};
use serde_json::Value;

use super::{at, report};
use crate::{Error, Progress};

/// What is to be verified.
#[derive(Debug)]
pub struct VerifyingConversion<'a> {
    /// What was converted: a file.
    pub source: &'a Path,
    /// The attestation; the files it is about stand beside it.
    pub attestation: &'a Path,
    /// Whose signature it must have; when absent, it must have none and proves nothing of who converted.
    pub key: Option<&'a VerifyingKey>,
    /// Limits for what is unpacked.
    pub budget: Budget,
}

/// What was found.
#[derive(Debug, Default)]
pub struct VerifiedConversion {
    /// Digest of the source.
    pub source: Option<Digest>,
    /// The files that the attestation is about.
    pub outputs: Vec<(String, Digest)>,
    /// What was compared, element by element.
    pub checked: Checked,
    /// What does not hold; empty when everything does.
    pub flaws: Vec<String>,
}

/// The longest attestation that is read.
const MAX_ATTESTATION: u64 = 256 << 20;

/// Checks that the source is the one that was converted, that each file has the digest that is attested, and that each
/// tensor holds what the source says, by other code than that which wrote it.
pub fn verify_conversion(
    request: &VerifyingConversion<'_>,
    progress: &dyn Progress,
) -> Result<VerifiedConversion, Error> {
    let bytes = read_small(request.attestation, MAX_ATTESTATION)?;
    let statement = match request.key {
        Some(key) => verify_attestation(&bytes, key)?.statement().clone(),
        None => read_unsigned(&bytes)?,
    };
    let mut found = VerifiedConversion::default();
    if let Err(flaw) = compare(request, &statement, &mut found, progress)? {
        found.flaws.push(flaw);
    }
    Ok(found)
}

/// Adds what does not hold; the inner error is a flaw after which nothing else can be compared.
fn compare(
    request: &VerifyingConversion<'_>,
    statement: &Statement,
    found: &mut VerifiedConversion,
    progress: &dyn Progress,
) -> Result<Result<(), String>, Error> {
    if statement.predicate_type != CONVERSION_PREDICATE {
        return Ok(Err("it is no attestation of a conversion".to_owned()));
    }
    let claimed = |pointer: &str| statement.predicate.pointer(pointer).unwrap_or(&Value::Null);
    let source = opened(request.source, progress)?;
    found.source = source.sha256;
    if source.sha256.map(|digest| digest.to_string()).as_deref() != claimed("/source/digest/sha256").as_str()
    {
        return Ok(Err("the source is not the one that was converted".to_owned()));
    }
    let reading = reading(claimed("/conversion/options"), request.budget.clone());
    let path = alnage_types::ArtifactPath::file(claimed("/source/name").as_str().unwrap_or_default());
    let plan = match crate::parallel::guarded(|| prepare(&path, &source.source, &reading)) {
        Ok(Ok(plan)) => plan,
        Ok(Err(refusal)) => return Ok(Err(format!("the source is not converted here: {refusal}"))),
        Err(said) => return Ok(Err(format!("internal error: {said}"))),
    };
    let Some((tensors, others)) = statement.subjects.split_at_checked(plan.files.len()) else {
        return Ok(Err("it is about fewer files than the source gives".to_owned()));
    };
    let names: Vec<String> = tensors.iter().map(|subject| subject.name.clone()).collect();
    let folder = request.attestation.parent().unwrap_or(Path::new(""));
    for (number, subject) in statement.subjects.iter().enumerate() {
        found.outputs.push((subject.name.clone(), subject.digest));
        let shown: String = subject.name.chars().take(120).flat_map(char::escape_debug).collect();
        let mut parts = Path::new(&subject.name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            found.flaws.push(format!("`{shown}` is no name of a file beside the attestation"));
            continue;
        }
        let output = opened(&folder.join(&subject.name), progress)?;
        if output.sha256 != Some(subject.digest) {
            found.flaws.push(format!("`{shown}` was changed since"));
            continue;
        }
        let Some(file) = plan.files.get(number) else { continue };
        match check(&plan, file, &output.source) {
            Ok(same) => {
                found.checked.tensors += same.tensors;
                found.checked.bytes += same.bytes;
            }
            Err(refusal) => found.flaws.push(format!("`{shown}`: {refusal}")),
        }
    }
    let (made, left_out) = beside(&plan, &names);
    if others.iter().map(|subject| subject.digest).ne(made) {
        found.flaws.push("index or side-car are not what the source gives".to_owned());
    }
    let expected = report::claims(&plan, &names, &left_out);
    let differ = |key: &&String| claimed("/conversion").get(key.as_str()) != expected.get(key.as_str());
    for key in expected.as_object().into_iter().flat_map(serde_json::Map::keys).filter(differ) {
        found.flaws.push(format!("what it says of `{key}` is not what the source gives"));
    }
    Ok(Ok(()))
}

/// The digests of index and side-car as they would be written, and everything that is left out.
fn beside(plan: &Plan, names: &[String]) -> (Vec<Digest>, Vec<String>) {
    let mut made = Vec::new();
    let mut left_out = plan.left_out().to_vec();
    if plan.files.len() > 1 {
        made.push(Digest::of(plan.index(names).as_bytes()));
    }
    if plan.has_state() {
        let mut hashed = super::digests::Counted::new(std::io::sink());
        left_out.extend(plan.write_state(&mut hashed).unwrap_or_default());
        made.extend(hashed.finish().map(|(_, digest)| digest));
    }
    (made, left_out)
}

/// How it was converted, as the attestation says.
fn reading(options: &Value, budget: Budget) -> Reading {
    let is = |key: &str| options.get(key).and_then(Value::as_bool).unwrap_or(false);
    Reading {
        max_shard_size: options.get("maxShardSize").and_then(Value::as_u64),
        unknown_calls: if is("dropUnknownCalls") { UnknownCalls::LeftOut } else { UnknownCalls::Refused },
        allow_expansion: is("allowExpansion"),
        copy_aliases: is("copyAliases"),
        budget,
    }
}

/// A file with its digest.
fn opened(path: &Path, progress: &dyn Progress) -> Result<Content, Error> {
    let tree = walk(path)?;
    let Some(file) = tree.files.first().filter(|_| tree.single_file) else {
        return Err(at(path, std::io::ErrorKind::IsADirectory.into()));
    };
    tree.read(file, true, &|count| progress.advance(count)).map_err(|source| at(path, source))
}
