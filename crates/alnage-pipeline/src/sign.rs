//! Signing alone: hash a model's files and write their signature.

use std::path::{Path, PathBuf};

use alnage_fs::{Git, Link, Sidecars, Tree, walk_with};
use alnage_sign::{
    Curve, Dialect, HashedFile, IgnoredPaths, Serialization, Shape, Signer, Signing, SigningKey, Symlinks,
    VerifyingKey, sign_model, timestamp::TimestampSource,
};
use alnage_types::HashAlgorithm;

use crate::{
    Error, Progress,
    digest::{Hashing, hash},
    oci,
};

/// More than any key or signature of a model with a hundred thousand files needs.
const MAX_SIGNATURE: u64 = 64 << 20;
const MAX_KEY: u64 = 64 << 10;

/// What to sign, and how.
#[derive(Debug, Clone, Copy)]
pub struct SignRequest<'a> {
    /// The model.
    pub path: &'a Path,
    /// Signs.
    pub signer: &'a dyn Signer,
    /// Certificates in DER, the signer's own first; none for a signature that names the key alone.
    pub certificates: &'a [Vec<u8>],
    /// Who says when it was signed; none for a signature that does not tell.
    pub timestamps: Option<&'a dyn TimestampSource>,
    /// Where the signature goes, when not beside the model.
    pub signature: Option<&'a Path>,
    /// By which algorithm files are hashed.
    pub hash: HashAlgorithm,
    /// In which parts.
    pub serialization: Serialization,
    /// For which verifiers.
    pub dialect: Dialect,
    /// What is done about symbolic links.
    pub symlinks: Symlinks,
    /// What is left out, in the model or relative to it.
    pub ignore_paths: &'a [PathBuf],
    /// Whether git's files at the top are left out.
    pub git: GitPaths,
    /// What lies at the path.
    pub form: ModelForm,
    /// Threads.
    pub jobs: usize,
}

/// What a model lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelForm {
    /// Files, which are hashed.
    Files,
    /// An OCI image, a layout or a manifest: its parts are signed by the digests that it names.
    OciImage,
}

/// Whether a signature leaves out git's files at the top of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitPaths {
    /// They are left out, as the specification has it.
    Ignored,
    /// They are signed like all others.
    Covered,
}

impl<'a> SignRequest<'a> {
    /// A signature that every verifier takes.
    pub fn new(path: &'a Path, signer: &'a dyn Signer) -> Self {
        Self {
            path,
            signer,
            certificates: &[],
            timestamps: None,
            signature: None,
            hash: HashAlgorithm::Sha256,
            serialization: Serialization::Files,
            dialect: Dialect::Specification,
            symlinks: Symlinks::Refused,
            ignore_paths: &[],
            git: GitPaths::Ignored,
            form: ModelForm::Files,
            jobs: 1,
        }
    }
}

/// A signature that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Where.
    pub signature: PathBuf,
    /// How many files it covers.
    pub files: usize,
    /// Files that a signature of this kind cannot cover: empty ones, when it is over shards.
    pub uncovered: Vec<String>,
}

/// Signs a model.
pub fn sign(what: &SignRequest<'_>, progress: &dyn Progress) -> Result<Signed, Error> {
    if what.form == ModelForm::OciImage {
        return sign_image(what);
    }
    let tree = walk_with(what.path, what.git.walked())?;
    let beside = || Sidecars::of(what.path, tree.single_file).signature;
    let target = what.signature.map_or_else(beside, Path::to_owned);
    let ignored = ignored_paths(&tree, &target, what.ignore_paths, what.git)?;
    refuse_unsignable(&tree, &ignored, what.symlinks)?;
    let how = Hashing { algorithm: what.hash, serialization: what.serialization, jobs: what.jobs };
    let files = hash(&tree, how, progress, None, |name| !ignored.contains(name));
    refuse_unread(&tree, &files)?;
    let signing = Signing {
        name: &tree.name()?,
        files: &files,
        shape: shape(&tree),
        hash: what.hash,
        serialization: what.serialization,
        symlinks: what.symlinks,
        ignored: &ignored,
        dialect: what.dialect,
        certificates: what.certificates,
        timestamps: what.timestamps,
    };
    let text = sign_model(&signing, what.signer)?;
    alnage_fs::write_atomic(&target, text.as_bytes())?;
    let (empty, covered): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.parts.as_ref().is_some_and(Vec::is_empty));
    Ok(Signed {
        signature: target,
        files: covered.len(),
        uncovered: empty.into_iter().map(|file| file.path).collect(),
    })
}

/// Signs the parts of an OCI image by the digests that it names; nothing of them is read.
fn sign_image(what: &SignRequest<'_>) -> Result<Signed, Error> {
    let image = oci::open(what.path)?;
    let beside = || Sidecars::of(what.path, image.is_manifest()).signature;
    let target = what.signature.map_or_else(beside, Path::to_owned);
    let files = image.described();
    let named = what.ignore_paths.iter().filter_map(|path| path.to_str()).map(str::to_owned);
    let ignored = IgnoredPaths::new(named)?;
    let signing = Signing {
        name: &image.name,
        files: &files,
        shape: Shape::Directory,
        hash: HashAlgorithm::Sha256,
        serialization: Serialization::Files,
        symlinks: Symlinks::Refused,
        ignored: &ignored,
        dialect: what.dialect,
        certificates: what.certificates,
        timestamps: what.timestamps,
    };
    let text = sign_model(&signing, what.signer)?;
    alnage_fs::write_atomic(&target, text.as_bytes())?;
    let covered = files.iter().filter(|file| !ignored.contains(&file.path)).count();
    Ok(Signed { signature: target, files: covered, uncovered: Vec::new() })
}

impl GitPaths {
    /// How the tree is walked for it.
    pub(crate) fn walked(self) -> Git {
        match self {
            Self::Ignored => Git::Counted,
            Self::Covered => Git::Walked,
        }
    }
}

/// What kind of model `tree` is.
pub(crate) fn shape(tree: &Tree) -> Shape {
    if tree.single_file { Shape::File } else { Shape::Directory }
}

/// Reads a private key; `password` is asked for only when the key is under one.
pub fn signing_key(
    path: &Path,
    password: impl FnOnce() -> Result<String, String>,
) -> Result<SigningKey, Error> {
    Ok(SigningKey::from_pem_with(&read_text(path, MAX_KEY)?, password)?)
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

/// Makes a key pair over `curve` in `directory`. A private key that is there already is left alone and is an error.
pub fn keygen(directory: &Path, curve: Curve) -> Result<KeyPair, Error> {
    let key = SigningKey::from_seed(curve, &alnage_fs::random_seed()?)?;
    let pair = KeyPair { private: directory.join("signing.pem"), public: directory.join("signing.pub.pem") };
    alnage_fs::create_dir(directory)?;
    alnage_fs::write_secret(&pair.private, key.to_pem()?.as_bytes())?;
    alnage_fs::write_atomic(&pair.public, key.verifying_key().to_pem().as_bytes())?;
    Ok(pair)
}

fn read_text(path: &Path, limit: u64) -> Result<String, Error> {
    let bytes = alnage_fs::read_small(path, limit)?;
    String::from_utf8(bytes)
        .map_err(|_| alnage_sign::Error::Key(format!("`{}` is not PEM", path.display())).into())
}

/// Reads a signature file.
pub fn read_signature(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(alnage_fs::read_small(path, MAX_SIGNATURE)?)
}

/// What a signature of `tree` leaves out: the files of a seal, the signature itself when it lies somewhere else in
/// the model, what the user names, and git's files.
pub(crate) fn ignored_paths(
    tree: &Tree,
    signature: &Path,
    named: &[PathBuf],
    git: GitPaths,
) -> Result<IgnoredPaths, Error> {
    let mut names: Vec<String> = Sidecars::NAMES.map(str::to_owned).to_vec();
    names.extend(inside(tree, signature));
    names.extend(named.iter().filter_map(|path| named_inside(tree, path)));
    Ok(match git {
        GitPaths::Ignored => IgnoredPaths::new(names)?,
        GitPaths::Covered => IgnoredPaths::exactly(names)?,
    })
}

/// What a verifier leaves out besides what the signature does: its `own` signature file, what the user names, and git's
/// files.
pub(crate) fn verifier_ignores(
    tree: &Tree,
    own: &[String],
    named: &[PathBuf],
    git: GitPaths,
) -> Result<IgnoredPaths, Error> {
    let named = named.iter().filter_map(|path| named_inside(tree, path));
    let names = own.iter().cloned().chain(named);
    Ok(match git {
        GitPaths::Ignored => IgnoredPaths::new(names)?,
        GitPaths::Covered => IgnoredPaths::exactly(names)?,
    })
}

/// What the user's `path` is called in the model: it may be seen from the working directory or from the model. A place
/// outside the model needs no leaving out.
fn named_inside(tree: &Tree, path: &Path) -> Option<String> {
    let from_here = inside(tree, path);
    if from_here.is_some() || path.is_absolute() || tree.single_file {
        return from_here;
    }
    inside(tree, &tree.path.join(path))
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
    Some(relative).filter(|relative| !relative.is_empty())
}

/// An error when something in the tree would be used by a loader and cannot be covered by digests of files.
pub(crate) fn refuse_unsignable(
    tree: &Tree,
    ignored: &IgnoredPaths,
    symlinks: Symlinks,
) -> Result<(), Error> {
    let refuse = |path: &str, reason: &str| {
        Err(Error::Unsignable { path: path.to_owned(), reason: reason.to_owned() })
    };
    let counts = |path: &str| !ignored.contains(path);
    if let Some(entry) = tree.unread().find(|entry| counts(entry.path.as_str())) {
        let reason = "it is no file of this model, but a link to a directory or elsewhere, or a special file";
        return refuse(entry.path.as_str(), reason);
    }
    let linked = |link: &Option<Link>| matches!(link, Some(Link::Inside));
    if let Some(file) = tree.files.iter().find(|file| linked(&file.link) && counts(file.path.as_str()))
        && symlinks == Symlinks::Refused
    {
        return refuse(file.path.as_str(), "it is a symbolic link, and many verifiers refuse those");
    }
    if let Some((path, error)) = tree.unreadable.iter().find(|(path, _)| counts(path.as_str())) {
        return refuse(path.as_str(), &error.to_string());
    }
    match tree.files.iter().find(|file| file.name.is_none() && counts(file.path.as_str())) {
        Some(file) => refuse(file.path.as_str(), "its name is not UTF-8"),
        None => Ok(()),
    }
}

/// An error when a file could not be hashed, or is not what the cache it lies in says it is.
fn refuse_unread(tree: &Tree, files: &[HashedFile]) -> Result<(), Error> {
    let refuse = |path: &str, reason: String| Err(Error::Unsignable { path: path.to_owned(), reason });
    if let Some(file) = files.iter().find(|file| file.parts.is_none()) {
        return refuse(&file.path, "it could not be read, or was written to meanwhile".to_owned());
    }
    match misnamed(tree, files).first() {
        Some(path) => refuse(path, "the cache keeps it under another digest than it has".to_owned()),
        None => Ok(()),
    }
}

/// Files that a cache keeps under another SHA-256 than they have.
pub(crate) fn misnamed(tree: &Tree, files: &[HashedFile]) -> Vec<String> {
    let cached = tree.files.iter().filter_map(|file| match file.link {
        Some(Link::Cached { sha256: Some(digest) }) => Some((file.name.as_deref()?, digest)),
        _ => None,
    });
    let named: std::collections::BTreeMap<&str, _> = cached.collect();
    let differs = |file: &&HashedFile| match (named.get(file.path.as_str()), file.parts.as_deref()) {
        (Some(&named), Some([(None, digest)])) => digest.sha256().is_some_and(|digest| digest != named),
        _ => false,
    };
    files.iter().filter(differs).map(|file| file.path.clone()).collect()
}
