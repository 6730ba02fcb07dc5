//! OpenSSF Model Signing v1.0, key method: sign a manifest, verify a bundle.

use std::collections::BTreeSet;

use alnage_types::{Digest, Manifest};
use serde::{Deserialize, Serialize};

use crate::{Error, IgnoredPaths, SigningKey, VerifyingKey, bundle::Bundle, path, statement::STATEMENT_TYPE};

const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

/// Whether the key that the bundle names must be the key it is verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHint {
    /// It must be.
    MustMatch,
    /// Only the signature counts.
    Ignored,
}

/// A file as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Relative to the model's root; `.` for the only file of a model that is no folder.
    pub name: String,
    /// SHA-256 of its content.
    pub digest: Digest,
}

/// The files of a model as somebody signed them. Only [`verify_model`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    name: String,
    root: Digest,
    resources: Vec<Resource>,
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

    /// The files, in the signer's order.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// What the signature leaves out.
    pub fn ignored_paths(&self) -> &IgnoredPaths {
        &self.ignored
    }

    /// The same, also leaving out `path`: the verifier's own signature file, under whatever name.
    pub fn also_ignoring(mut self, path: &str) -> Result<Self, Error> {
        let paths = self.ignored.paths().chain([path]).map(str::to_owned).collect::<Vec<_>>();
        self.ignored = IgnoredPaths::new(paths)?;
        Ok(self)
    }
}

/// Signs the files of `manifest` that are not ignored; gives the text of `model.sig`.
///
/// The same manifest, name and key give the same bytes.
pub fn sign_model(
    name: &str,
    manifest: &Manifest,
    ignored: &IgnoredPaths,
    key: &SigningKey,
) -> Result<String, Error> {
    let mut resources = Vec::new();
    for file in manifest.files.iter().filter(|file| !ignored.contains(&file.path)) {
        if let Some(flaw) = path::flaw(&file.path) {
            return Err(Error::Unsignable(format!("the path `{}` {flaw}", path::shown(&file.path))));
        }
        let Some(digest) = file.sha256 else {
            return Err(Error::Unsignable(format!("`{}` was not hashed", path::shown(&file.path))));
        };
        resources.push(ResourceDescriptor { algorithm: SHA256.into(), digest, name: file.path.clone() });
    }
    if resources.is_empty() {
        return Err(Error::Unsignable("the model has no files".into()));
    }
    resources.sort_by(|a, b| a.name.cmp(&b.name));
    sign_resources(name, resources, ignored, key)
}

/// Signs a model that is one file and no folder; gives the text of its signature.
///
/// The file is named `.`, as the reference implementation names and expects it, and not by its own name
/// as the specification has it: a signature that the verifiers in use refuse is worth nothing.
pub fn sign_file(name: &str, digest: Digest, key: &SigningKey) -> Result<String, Error> {
    let resource = ResourceDescriptor { algorithm: SHA256.into(), digest, name: ONLY_FILE.into() };
    sign_resources(name, vec![resource], &IgnoredPaths::default(), key)
}

fn sign_resources(
    name: &str,
    resources: Vec<ResourceDescriptor>,
    ignored: &IgnoredPaths,
    key: &SigningKey,
) -> Result<String, Error> {
    if name.is_empty() {
        return Err(Error::Unsignable("the model has no name".into()));
    }
    let root = root_digest(&resources);
    let payload = Payload {
        statement_type: STATEMENT_TYPE.to_owned(),
        predicate: Predicate {
            resources,
            serialization: Serialization {
                allow_symlinks: false,
                hash_type: SHA256.into(),
                ignore_paths: ignored.paths().map(str::to_owned).collect(),
                method: FILES.into(),
            },
        },
        predicate_type: PREDICATE_TYPE.to_owned(),
        subject: vec![ModelSubject { digest: SubjectDigest { sha256: root }, name: name.to_owned() }],
    };
    let payload = serde_json::to_vec(&payload).map_err(|error| Error::Unsignable(error.to_string()))?;
    serde_json::to_string(&Bundle::seal(&payload, key)?).map_err(|error| Error::Unsignable(error.to_string()))
}

/// Verifies a bundle's signature and reads what was signed.
///
/// Nothing of the payload is looked at before the signature over it is verified. Resources may come in any order:
/// producers differ, and the root digest is over the order they stand in.
pub fn verify_model(bundle: &[u8], key: &VerifyingKey, hint: KeyHint) -> Result<SignedManifest, Error> {
    let bundle = Bundle::parse(bundle)?;
    if hint == KeyHint::MustMatch {
        let given = key.hint().to_string();
        if bundle.hint().is_empty() {
            return Err(Error::Malformed("it does not say which key signed it".into()));
        }
        if bundle.hint() != given {
            return Err(Error::WrongKey { signed_by: path::shown(bundle.hint()), given });
        }
    }
    let payload = bundle.dsse_envelope.open(key)?;
    let payload: Payload = serde_json::from_slice(&payload)
        .map_err(|error| Error::Malformed(format!("not a model signature's statement: {error}")))?;
    read(payload)
}

fn read(payload: Payload) -> Result<SignedManifest, Error> {
    expect("statement type", &payload.statement_type, STATEMENT_TYPE)?;
    expect("predicate type", &payload.predicate_type, PREDICATE_TYPE)?;
    let Predicate { resources, serialization } = payload.predicate;
    supported("method", &serialization.method, FILES)?;
    supported("hash type", &serialization.hash_type, SHA256)?;
    if serialization.allow_symlinks {
        return Err(Error::Unsupported("a signature that follows symbolic links".into()));
    }
    let Ok([subject]) = <[ModelSubject; 1]>::try_from(payload.subject) else {
        return Err(Error::Malformed("the statement does not have exactly one subject".into()));
    };
    if resources.is_empty() {
        return Err(Error::Malformed("it names no files".into()));
    }
    let mut names = BTreeSet::new();
    let only_file = resources.len() == 1 && resources.iter().all(|resource| resource.name == ONLY_FILE);
    for resource in &resources {
        let shown = || path::shown(&resource.name);
        if let Some(flaw) = path::flaw(&resource.name).filter(|_| !only_file) {
            return Err(Error::Malformed(format!("the file name `{}` {flaw}", shown())));
        }
        if resource.algorithm != serialization.hash_type {
            let algorithm = path::shown(&resource.algorithm);
            return Err(Error::Malformed(format!("`{}` is hashed by `{algorithm}`", shown())));
        }
        if !names.insert(resource.name.as_str()) {
            return Err(Error::Malformed(format!("`{}` is named twice", shown())));
        }
    }
    let root = root_digest(&resources);
    if root != subject.digest.sha256 {
        let message =
            format!("the files lead to the root digest {root}, the subject is {}", subject.digest.sha256);
        return Err(Error::Malformed(message));
    }
    Ok(SignedManifest {
        name: subject.name,
        root,
        resources: resources.into_iter().map(|resource| resource.into()).collect(),
        ignored: IgnoredPaths::new(serialization.ignore_paths)?,
    })
}

fn expect(what: &str, found: &str, wanted: &str) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::Malformed(format!("the {what} is `{}`, not `{wanted}`", path::shown(found))))
}

fn supported(what: &str, found: &str, wanted: &str) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::Unsupported(format!("the {what} `{}`; this version verifies `{wanted}`", path::shown(found))))
}

/// SHA-256 over the raw digests in the order they stand in.
fn root_digest(resources: &[ResourceDescriptor]) -> Digest {
    let digests: Vec<u8> = resources.iter().flat_map(|resource| *resource.digest.as_bytes()).collect();
    Digest::of(&digests)
}

/// What the only file of a model that is no folder is named.
pub(crate) const ONLY_FILE: &str = ".";
const FILES: &str = "files";
const SHA256: &str = "sha256";

/// The statement; fields in the order of their names, which is the order they are written in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payload {
    #[serde(rename = "_type")]
    statement_type: String,
    predicate: Predicate,
    predicate_type: String,
    subject: Vec<ModelSubject>,
}

// Unknown keys are allowed here and in resources: the specification tells verifiers to pass over them.
#[derive(Debug, Serialize, Deserialize)]
struct ModelSubject {
    digest: SubjectDigest,
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct SubjectDigest {
    sha256: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    resources: Vec<ResourceDescriptor>,
    serialization: Serialization,
}

#[derive(Debug, Serialize, Deserialize)]
struct ResourceDescriptor {
    algorithm: String,
    digest: Digest,
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Serialization {
    #[serde(default)]
    allow_symlinks: bool,
    hash_type: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
    method: String,
}

impl From<ResourceDescriptor> for Resource {
    fn from(resource: ResourceDescriptor) -> Self {
        Self { name: resource.name, digest: resource.digest }
    }
}
