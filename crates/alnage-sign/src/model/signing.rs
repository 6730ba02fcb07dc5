//! Signing a model's files.

use std::num::NonZeroU64;

use alnage_types::HashAlgorithm;

use super::{
    ONLY_FILE,
    payload::{
        Descriptor, ModelSubject, PREDICATE_TYPE, Payload, Predicate, SubjectDigest, WrittenSerialization,
    },
    root_digest,
};
use crate::{
    Bundle, Error, HashedFile, IgnoredPaths, Resource, Serialization, Signer, path,
    serialization::python_shard_algorithm, statement::STATEMENT_TYPE, timestamp::TimestampSource,
};

/// What is to be signed of a model, and in which form.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The model's name: the last component of its path.
    pub name: &'a str,
    /// Its files. Those that are ignored are passed over.
    pub files: &'a [HashedFile],
    /// Whether it is one file or a directory of them.
    pub shape: Shape,
    /// By which algorithm the files were hashed.
    pub hash: HashAlgorithm,
    /// In which parts.
    pub serialization: Serialization,
    /// What was done about symbolic links.
    pub symlinks: Symlinks,
    /// What the signature leaves out.
    pub ignored: &'a IgnoredPaths,
    /// For which verifiers.
    pub dialect: Dialect,
    /// Certificates in DER, the signer's own first; none for a signature that names the key alone.
    pub certificates: &'a [Vec<u8>],
    /// Who says when it was signed; none for a signature that does not tell.
    pub timestamps: Option<&'a dyn TimestampSource>,
}

/// What a model is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A directory.
    Directory,
    /// One file and no directory.
    File,
}

/// What is done about symbolic links in a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symlinks {
    /// A link is an error.
    Refused,
    /// A link stands for what it leads to.
    Followed,
}

/// For which verifiers a signature is made, where no form suits all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As the specification has it.
    Specification,
    /// As `model_signing`, the reference implementation in Python, wants shards labelled.
    Python,
}

/// Signs; gives the text of `model.sig`.
///
/// The same content, name and key give the same bytes. Resources are in the order of the code points of their names,
/// which every verifier takes.
pub fn sign_model(what: &Signing<'_>, signer: &dyn Signer) -> Result<String, Error> {
    if what.name.is_empty() {
        return Err(Error::Unsignable("the model has no name".into()));
    }
    let resources = resources(what)?;
    let shard_size = match what.serialization {
        Serialization::Files => None,
        Serialization::Shards { size } => Some(size),
    };
    let algorithm = match (what.dialect, shard_size) {
        (Dialect::Python, Some(size)) => python_shard_algorithm(what.hash, size),
        _ => what.hash.as_str().to_owned(),
    };
    let root = root_digest(resources.iter().map(|(_, resource)| &resource.digest));
    let descriptor = |(name, resource): (String, Resource)| Descriptor {
        algorithm: algorithm.clone(),
        digest: resource.digest.to_string(),
        name,
    };
    let payload = Payload {
        statement_type: STATEMENT_TYPE.to_owned(),
        predicate: Predicate {
            resources: resources.into_iter().map(descriptor).collect(),
            serialization: WrittenSerialization {
                allow_symlinks: what.symlinks == Symlinks::Followed,
                hash_type: what.hash.as_str().to_owned(),
                ignore_paths: what.ignored.paths().map(str::to_owned).collect(),
                method: what.serialization.as_str().to_owned(),
                shard_size: shard_size.map(|size: NonZeroU64| size.get().into()),
            },
        },
        predicate_type: PREDICATE_TYPE.to_owned(),
        subject: vec![ModelSubject { digest: SubjectDigest { sha256: root }, name: what.name.to_owned() }],
    };
    let payload = serde_json::to_vec(&payload).map_err(|error| Error::Unsignable(error.to_string()))?;
    Bundle::seal(&payload, signer, what.certificates, what.timestamps)
}

/// What is signed, by name, in order.
fn resources(what: &Signing<'_>) -> Result<Vec<(String, Resource)>, Error> {
    let mut resources = Vec::new();
    for file in what.files.iter().filter(|file| !what.ignored.contains(&file.path)) {
        if let Some(flaw) = path::flaw(&file.path) {
            return Err(Error::Unsignable(format!("the path `{}` {flaw}", path::shown(&file.path))));
        }
        if file.parts.is_none() {
            return Err(Error::Unsignable(format!("`{}` was not hashed", path::shown(&file.path))));
        }
        for mut resource in file.resources() {
            if resource.digest.algorithm() != what.hash {
                let algorithm = resource.digest.algorithm().title();
                let message = format!("`{}` was hashed by {algorithm}", path::shown(&file.path));
                return Err(Error::Unsignable(message));
            }
            // The file is named `.`, as the reference implementation names and expects it, and not by its own name
            // as the specification has it: a signature that the verifiers in use refuse is worth nothing.
            if what.shape == Shape::File {
                resource.path = ONLY_FILE.to_owned();
            }
            resources.push((resource.name(), resource));
        }
    }
    if resources.is_empty() {
        return Err(Error::Unsignable(
            "the model has no files, or only empty ones that shards leave out".into(),
        ));
    }
    resources.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(resources)
}
