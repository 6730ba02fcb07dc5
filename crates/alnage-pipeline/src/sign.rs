//! Signing alone: hash a model's files and write their signature.

use std::path::{Path, PathBuf};

use alnage_fs::{Sidecars, Tree, TreeFile, walk};
use alnage_sign::{IgnoredPaths, SigningKey, VerifyingKey, sign_file, sign_model};
use alnage_types::{Manifest, ManifestFile};

use crate::{Error, Progress, parallel};

/// More than any key or signature of a model with a hundred thousand files needs.
const MAX_SIGNATURE: u64 = 64 << 20;
const MAX_KEY: u64 = 64 << 10;

/// A signature that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Where.
    pub signature: PathBuf,
    /// How many files it covers.
    pub files: usize,
}

/// Signs the model at `path`; the signature goes to `signature`, or beside the model.
pub fn sign(
    path: &Path,
    key: &SigningKey,
    signature: Option<&Path>,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Signed, Error> {
    let tree = walk(path)?;
    let target = signature.map_or_else(|| Sidecars::of(path, tree.single_file).signature, Path::to_owned);
    refuse_unsignable(&tree)?;
    let ignored = ignored_paths(&tree, &target)?;
    let manifest = hash(&tree, jobs, progress, |name| !ignored.contains(name));
    if let Some(file) = manifest.files.iter().find(|file| file.sha256.is_none()) {
        let reason = "it could not be read, or was written to meanwhile".to_owned();
        return Err(Error::Unsignable { path: file.path.clone(), reason });
    }
    let text = bundle(&tree, &manifest, &ignored, key)?;
    alnage_fs::write_atomic(&target, text.as_bytes())?;
    Ok(Signed { signature: target, files: manifest.files.len() })
}

/// The signature over `manifest`, which is that of `tree`.
pub(crate) fn bundle(
    tree: &Tree,
    manifest: &Manifest,
    ignored: &IgnoredPaths,
    key: &SigningKey,
) -> Result<String, Error> {
    let name = tree.name()?;
    match manifest.files.as_slice() {
        [ManifestFile { sha256: Some(digest), .. }] if tree.single_file => {
            Ok(sign_file(&name, *digest, key)?)
        }
        _ => Ok(sign_model(&name, manifest, ignored, key)?),
    }
}

/// Reads a private key.
pub fn signing_key(path: &Path) -> Result<SigningKey, Error> {
    Ok(SigningKey::from_pem(&read_text(path, MAX_KEY)?)?)
}

/// Reads a public key.
pub fn verifying_key(path: &Path) -> Result<VerifyingKey, Error> {
    Ok(VerifyingKey::from_pem(&read_text(path, MAX_KEY)?)?)
}

/// Where a key pair was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The private key.
    pub private: PathBuf,
    /// The public key.
    pub public: PathBuf,
}

/// Makes a key pair in `directory`. A private key that is there already is left alone and is an error.
pub fn keygen(directory: &Path) -> Result<KeyPair, Error> {
    let key = SigningKey::from_seed(&alnage_fs::random_seed()?);
    let pair = KeyPair { private: directory.join("signing.pem"), public: directory.join("signing.pub.pem") };
    alnage_fs::create_dir(directory)?;
    alnage_fs::write_secret(&pair.private, key.to_pem()?.as_bytes())?;
    alnage_fs::write_atomic(&pair.public, key.verifying_key()?.to_pem().as_bytes())?;
    Ok(pair)
}

fn read_text(path: &Path, limit: u64) -> Result<String, Error> {
    let bytes = alnage_fs::read_small(path, limit)?;
    String::from_utf8(bytes)
        .map_err(|_| alnage_sign::Error::Key(format!("`{}` is not PEM", path.display())).into())
}

pub(crate) fn read_signature(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(alnage_fs::read_small(path, MAX_SIGNATURE)?)
}

/// What a signature of `tree` leaves out besides what every signature does: the files of a seal, and the signature
/// itself when it lies somewhere else in the model.
pub(crate) fn ignored_paths(tree: &Tree, signature: &Path) -> Result<IgnoredPaths, Error> {
    let mut names: Vec<String> = Sidecars::NAMES.map(str::to_owned).to_vec();
    names.extend(inside(tree, signature));
    Ok(IgnoredPaths::new(names)?)
}

/// The name of `file` in the model `tree`, when it lies in it.
pub(crate) fn inside(tree: &Tree, file: &Path) -> Option<String> {
    if tree.single_file {
        return None;
    }
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = alnage_fs::canonical(folder).ok().or_else(|| absolute(folder))?;
    let root = alnage_fs::canonical(&tree.path).ok()?;
    let relative = folder.join(file.file_name()?).strip_prefix(&root).ok()?.to_str()?.to_owned();
    Some(relative)
}

/// An error when something in the tree would be used by a loader and cannot be covered by digests of files.
pub(crate) fn refuse_unsignable(tree: &Tree) -> Result<(), Error> {
    let refuse = |path: &str, reason: &str| {
        Err(Error::Unsignable { path: path.to_owned(), reason: reason.to_owned() })
    };
    if let Some(entry) = tree.unread().next() {
        return refuse(
            entry.path.as_str(),
            "it is no file of this model, but a link elsewhere or a special file",
        );
    }
    if let Some((path, error)) = tree.unreadable.first() {
        return refuse(path.as_str(), &error.to_string());
    }
    match tree.files.iter().find(|file| file.name.is_none()) {
        Some(file) => refuse(file.path.as_str(), "its name is not UTF-8"),
        None => Ok(()),
    }
}

/// Hashes the files of `tree` that are `wanted`. A file that could not be read has no digest.
pub(crate) fn hash(
    tree: &Tree,
    jobs: usize,
    progress: &dyn Progress,
    wanted: impl Fn(&str) -> bool,
) -> Manifest {
    let files: Vec<(&TreeFile, &String)> = (tree.files.iter())
        .filter_map(|file| Some((file, file.name.as_ref()?)))
        .filter(|(_, name)| wanted(name))
        .collect();
    progress.expect(files.iter().map(|(file, _)| file.size).sum());
    Manifest::new(parallel::map(jobs, files.len(), |index| {
        let (file, name) = files[index];
        let content = tree.read(file, true, &|bytes| progress.advance(bytes)).ok();
        let content = content.filter(|content| !content.has_changed());
        let size = content.as_ref().map_or(file.size, |content| content.source.len());
        ManifestFile { path: name.clone(), size, sha256: content.and_then(|content| content.sha256) }
    }))
}
