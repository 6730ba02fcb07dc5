//! OpenSSF Model Signing v1.0: what a bundle says of a model, once its signature is verified.

mod payload;
mod signing;

use std::{collections::BTreeSet, num::NonZeroU64};

use alnage_types::{ContentDigest, Digest, HashAlgorithm};
use serde_json::Value;

pub(crate) use payload::{PREDICATE_TYPE, PREDICATE_TYPE_V0_2};
pub use signing::{Dialect, Shape, Signing, Symlinks, sign_model};

use crate::{
    Bundle, Error, IgnoredPaths, Resource, Serialization, VerifyingKey, path,
    serialization::{parse_shard, python_shard_algorithm},
    statement::STATEMENT_TYPE,
};
use payload::{Descriptor, ModelSubject, Payload, PayloadV0_2, Predicate, PredicateTypeOnly, SubjectV0_2};

/// What the only file of a model that is no folder is named.
pub(crate) const ONLY_FILE: &str = ".";

/// The files of a model as somebody signed them. Only verifying a signature makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    name: String,
    root: Digest,
    resources: Vec<Resource>,
    hash: HashAlgorithm,
    serialization: Serialization,
    symlinks: Symlinks,
    ignored: IgnoredPaths,
}

impl SignedManifest {
    /// The model's name when it was signed: the last component of its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest over all resources, in the signer's order.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// What was signed, in the signer's order.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// By which algorithm files were hashed.
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// In which parts files were hashed.
    pub fn serialization(&self) -> Serialization {
        self.serialization
    }

    /// What the signer did about symbolic links.
    pub fn symlinks(&self) -> Symlinks {
        self.symlinks
    }

    /// What the signature leaves out.
    pub fn ignored_paths(&self) -> &IgnoredPaths {
        &self.ignored
    }

    /// The same, leaving out these paths too: the verifier's own signature file, and what the user names.
    pub fn also_ignoring(mut self, others: &IgnoredPaths) -> Self {
        self.ignored = self.ignored.and(others);
        self
    }
}

impl Bundle {
    /// Verifies the signature and reads what was signed.
    ///
    /// Nothing of the payload is believed before the signature over it is verified. Resources may come in any order:
    /// producers differ, and the root digest is over the order they stand in.
    pub fn verify(&self, key: &VerifyingKey) -> Result<SignedManifest, Error> {
        let payload: Payload = parse(&self.open(key)?)?;
        read(payload)
    }

    /// Verifies a bundle as `model_signing` 0.2.0 made them, before there was a specification, and later ones too.
    ///
    /// That version signed other bytes than the envelope's format says, always through SHA-256; keyless, it signed the
    /// right ones.
    pub fn verify_legacy(&self, key: &VerifyingKey) -> Result<SignedManifest, Error> {
        // Not believed, only looked at for the way to verify: either way the signature has to hold.
        let claimed = serde_json::from_slice::<PredicateTypeOnly>(&self.unverified_payload()?);
        if claimed.is_ok_and(|claimed| claimed.predicate_type == PREDICATE_TYPE_V0_2) {
            let payload = self.open(key).or_else(|_| self.open_v0_2(key))?;
            return read_v0_2(parse(&payload)?);
        }
        self.verify(key)
    }
}

/// What a payload says, whoever signed it: for a report alone.
pub(crate) fn read_any(payload: &[u8]) -> Result<SignedManifest, Error> {
    let claimed = serde_json::from_slice::<PredicateTypeOnly>(payload);
    if claimed.is_ok_and(|claimed| claimed.predicate_type == PREDICATE_TYPE_V0_2) {
        return read_v0_2(parse(payload)?);
    }
    read(parse(payload)?)
}

fn parse<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(payload)
        .map_err(|error| Error::Malformed(format!("not a model signature's statement: {error}")))
}

fn read(payload: Payload) -> Result<SignedManifest, Error> {
    expect("statement type", &payload.statement_type, STATEMENT_TYPE)?;
    expect("predicate type", &payload.predicate_type, PREDICATE_TYPE)?;
    let Predicate { resources, serialization } = payload.predicate;
    let hash: HashAlgorithm = (serialization.hash_type.parse()).map_err(|unknown| {
        Error::Malformed(format!("the hash type `{}` is {unknown}", path::shown(&serialization.hash_type)))
    })?;
    let form = read_serialization(&serialization.method, serialization.shard_size.as_ref())?;
    let Ok([subject]) = <[ModelSubject; 1]>::try_from(payload.subject) else {
        return Err(Error::Malformed("the statement does not have exactly one subject".into()));
    };
    let resources = resources
        .into_iter()
        .map(|resource| read_resource(resource, hash, form))
        .collect::<Result<Vec<_>, _>>()?;
    check_names(&resources)?;
    let root = root_digest(resources.iter().map(|resource| &resource.digest));
    if root != subject.digest.sha256 {
        let message =
            format!("the files lead to the root digest {root}, the subject is {}", subject.digest.sha256);
        return Err(Error::Malformed(message));
    }
    let symlinks = if serialization.allow_symlinks { Symlinks::Followed } else { Symlinks::Refused };
    Ok(SignedManifest {
        name: subject.name,
        root,
        resources,
        hash,
        serialization: form,
        symlinks,
        ignored: IgnoredPaths::exactly(serialization.ignore_paths)?,
    })
}

fn read_serialization(method: &str, shard_size: Option<&Value>) -> Result<Serialization, Error> {
    match method {
        "files" => Ok(Serialization::Files),
        "shards" => shard_size
            .and_then(whole_number)
            .map(|size| Serialization::Shards { size })
            .ok_or_else(|| Error::Malformed("it does not say how long a shard is".into())),
        other => Err(Error::Malformed(format!(
            "the method `{}` is neither `files` nor `shards`",
            path::shown(other)
        ))),
    }
}

/// A positive whole number, with or without a fraction of nought.
fn whole_number(value: &Value) -> Option<NonZeroU64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = |float: f64| (float.fract() == 0.0 && (0.0..EXACT).contains(&float)).then_some(float as u64);
    NonZeroU64::new(value.as_u64().or_else(|| whole(value.as_f64()?))?)
}

fn read_resource(written: Descriptor, hash: HashAlgorithm, form: Serialization) -> Result<Resource, Error> {
    let shown = path::shown(&written.name);
    let digest = ContentDigest::from_hex(hash, &written.digest)
        .map_err(|error| Error::Malformed(format!("the digest of `{shown}` is {error}")))?;
    let spelled = match form {
        Serialization::Files => written.algorithm == hash.as_str(),
        Serialization::Shards { size } => {
            written.algorithm == hash.as_str() || written.algorithm == python_shard_algorithm(hash, size)
        }
    };
    if !spelled {
        let algorithm = path::shown(&written.algorithm);
        return Err(Error::Malformed(format!("`{shown}` is hashed by `{algorithm}`")));
    }
    let Serialization::Shards { size } = form else {
        return Ok(Resource { path: written.name, shard: None, digest });
    };
    let Some((path, shard)) = parse_shard(&written.name) else {
        return Err(Error::Malformed(format!("`{shown}` does not say which part of a file it is")));
    };
    let whole_shards = shard.start.checked_rem(size.get()) == Some(0);
    let length = shard.end.checked_sub(shard.start).filter(|length| (1..=size.get()).contains(length));
    if !whole_shards || length.is_none() {
        return Err(Error::Malformed(format!("`{shown}` is no shard of {size} bytes")));
    }
    Ok(Resource { path: path.to_owned(), shard: Some(shard), digest })
}

/// Every name is a plain relative path and names one thing once, and the shards of a file follow on each other.
fn check_names(resources: &[Resource]) -> Result<(), Error> {
    if resources.is_empty() {
        return Err(Error::Malformed("it names no files".into()));
    }
    let only_file = resources.iter().all(|resource| resource.path == ONLY_FILE);
    let mut seen = BTreeSet::new();
    for resource in resources {
        if let Some(flaw) = path::flaw(&resource.path).filter(|_| !only_file) {
            return Err(Error::Malformed(format!("the file name `{}` {flaw}", path::shown(&resource.path))));
        }
        if !seen.insert((resource.path.as_str(), resource.shard)) {
            return Err(Error::Malformed(format!("`{}` is named twice", path::shown(&resource.name()))));
        }
    }
    // Sorted by file and place: a gap would be content that nobody signed.
    let mut before: Option<(&str, u64)> = None;
    for &(path, shard) in &seen {
        let Some(shard) = shard else { continue };
        let expected = before.filter(|&(file, _)| file == path).map_or(0, |(_, end)| end);
        if shard.start != expected {
            return Err(Error::Malformed(format!("the shards of `{}` leave out bytes", path::shown(path))));
        }
        before = Some((path, shard.end));
    }
    Ok(())
}

fn read_v0_2(payload: PayloadV0_2) -> Result<SignedManifest, Error> {
    expect("statement type", &payload.statement_type, STATEMENT_TYPE)?;
    expect("predicate type", &payload.predicate_type, PREDICATE_TYPE_V0_2)?;
    let resource = |subject: SubjectV0_2| match subject.annotations.actual_hash_algorithm.as_deref() {
        None | Some("file-sha256" | "sha256") => {
            Ok(Resource { path: subject.name, shard: None, digest: subject.digest.sha256.into() })
        }
        Some(other) => Err(Error::Unsupported(format!("files hashed by `{}`", path::shown(other)))),
    };
    let resources = payload.subject.into_iter().map(resource).collect::<Result<Vec<_>, _>>()?;
    check_names(&resources)?;
    Ok(SignedManifest {
        name: String::new(),
        root: root_digest(resources.iter().map(|resource| &resource.digest)),
        resources,
        hash: HashAlgorithm::Sha256,
        serialization: Serialization::Files,
        symlinks: Symlinks::Refused,
        ignored: IgnoredPaths::default(),
    })
}

fn expect(what: &str, found: &str, wanted: &str) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::Malformed(format!("the {what} is `{}`, not `{wanted}`", path::shown(found))))
}

/// SHA-256 over the raw digests in the order they stand in.
pub(crate) fn root_digest<'a>(digests: impl Iterator<Item = &'a ContentDigest>) -> Digest {
    let digests: Vec<u8> = digests.flat_map(ContentDigest::as_bytes).copied().collect();
    Digest::of(&digests)
}

#[cfg(test)]
mod tests;
