//! A model's tree: which files there are, which links lead where.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use alnage_formats::{EntryKind, TreeEntry};
use alnage_types::{ArtifactPath, Digest};

use crate::{
    Content, Error, Stamp, git, hub,
    root::{RegularFile, Root},
    seen::file_system,
};

/// A model on disk.
#[derive(Debug)]
pub struct Tree {
    /// As the user named it.
    pub path: PathBuf,
    /// Whether the model is one file.
    pub single_file: bool,
    /// Everything in it that is no directory, sorted by path.
    pub entries: Vec<TreeEntry>,
    /// The entries that are read.
    pub files: Vec<TreeFile>,
    /// Git's own files, which no loader reads: counted, not read.
    pub excluded: u64,
    /// Directories that could not be listed, and why.
    pub unreadable: Vec<(ArtifactPath, io::Error)>,
    /// Whether nobody writes to the files any more, as in a store that never changes what it has. Their names may still
    /// come and go, and the times that the kernel keeps of them with these.
    pub settled: bool,
    root: Place,
}

/// Where a tree's files are opened.
#[derive(Debug)]
enum Place {
    /// As the user named the single file.
    Named,
    /// Below an open directory.
    Below(Root),
    /// Nowhere any more.
    Closed,
}

/// A file of the tree that is read.
#[derive(Debug)]
pub struct TreeFile {
    /// Its path as the manifest spells it, relative to the model, `/`-separated; `None` when it is not UTF-8.
    pub name: Option<String>,
    /// The same, for findings.
    pub path: ArtifactPath,
    /// In bytes, when the tree was walked.
    pub size: u64,
    /// Whether it is a link, and to what.
    pub link: Option<Link>,
    /// Whether the manifest lists it: not what OpenSSF Model Signing leaves out, nor what a seal writes.
    pub in_manifest: bool,
    /// As it was when the tree was walked.
    pub(crate) stamp: Stamp,
    /// Where its bytes are, below the root's descriptor.
    location: PathBuf,
}

impl TreeFile {
    /// Where its bytes are. Two files with the same place are one.
    pub fn location(&self) -> &Path {
        &self.location
    }
}

/// What kind of link a file of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// To another file of the model.
    Inside,
    /// From a snapshot of the Hugging Face cache to where the cache keeps the content.
    Cached {
        /// The digest that the cache says the content has: large files are kept under it as their name.
        sha256: Option<Digest>,
    },
}

impl Tree {
    /// The model's name in a signature: the last part of its path.
    pub fn name(&self) -> Result<String, Error> {
        let named = |path: &Path| path.file_name().and_then(OsStr::to_str).map(str::to_owned);
        match named(&self.path) {
            Some(name) => Ok(name),
            None => {
                let canonical = fs::canonicalize(&self.path).map_err(Error::at(&self.path))?;
                Ok(named(&canonical).unwrap_or_else(|| "model".to_owned()))
            }
        }
    }

    /// Entries that stand for something that is not read: links out of the model, to nothing or to a directory,
    /// pipes and devices.
    pub fn unread(&self) -> impl Iterator<Item = &TreeEntry> {
        let read: HashSet<&ArtifactPath> = self.files.iter().map(|file| &file.path).collect();
        self.entries.iter().filter(move |entry| !read.contains(&entry.path))
    }

    /// Gives the directory's descriptor back; nothing can be read any more.
    pub fn close(&mut self) {
        self.root = Place::Closed;
    }

    /// Opens and reads a file of this tree.
    pub fn read(&self, file: &TreeFile, hash: bool, progress: &dyn Fn(u64)) -> io::Result<Content> {
        let content = Content::read(self.open(file)?, hash, progress)?;
        Ok(if self.settled { content.settled() } else { content })
    }

    /// The device and the kind of the file system that the tree lies on.
    pub(crate) fn file_system(&self) -> Option<(u64, u64)> {
        match (&self.root, self.files.first()) {
            (Place::Below(root), _) => file_system(root.descriptor()),
            (Place::Named, Some(file)) => file_system(self.open(file).ok()?.file),
            (Place::Named | Place::Closed, _) => None,
        }
    }

    pub(crate) fn open(&self, file: &TreeFile) -> io::Result<RegularFile> {
        match &self.root {
            Place::Below(root) => root.file(&file.location),
            Place::Named => Root::named(&file.location),
            Place::Closed => Err(io::Error::other("the model is no longer open")),
        }
    }
}

/// What `alnage vet --seal` writes beside a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecars {
    /// The OpenSSF Model Signing bundle.
    pub signature: PathBuf,
    /// The bill of materials.
    pub bom: PathBuf,
    /// The signed verdict.
    pub verdict: PathBuf,
    /// The log's receipt for the verdict.
    pub receipt: PathBuf,
}

impl Sidecars {
    /// Their names at the top of a model's directory.
    pub const NAMES: [&str; 4] = ["model.sig", "bom.cdx.json", "verdict.intoto.json", "verdict.tlog-proof"];

    /// In the directory `path`, or beside the single file `path` with its name in front: `x.gguf.sig`.
    pub fn of(path: &Path, single_file: bool) -> Self {
        let [signature, bom, verdict, receipt] = Self::NAMES.map(|name| {
            if !single_file {
                return path.join(name);
            }
            let mut beside = path.as_os_str().to_owned();
            beside.push(".");
            beside.push(name.strip_prefix("model.").unwrap_or(name));
            PathBuf::from(beside)
        });
        Self { signature, bom, verdict, receipt }
    }

    /// Where further signers put their signatures, in order: `model.NAME.sig` beside `model.sig`, `x.gguf.NAME.sig` beside
    /// `x.gguf.sig`. What has such a name need not be one.
    pub fn further_signatures(&self) -> Vec<PathBuf> {
        const MOST: usize = 16;
        let (Some(folder), Some(own)) = (self.signature.parent(), self.signature.file_name()) else {
            return Vec::new();
        };
        let own = own.as_encoded_bytes();
        let stem = own.strip_suffix(b"sig").unwrap_or(own);
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let named = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            name != own && name.starts_with(stem) && name.ends_with(b".sig")
        });
        let mut found: Vec<PathBuf> =
            named.map(|entry| self.signature.with_file_name(entry.file_name())).collect();
        found.sort();
        found.truncate(MOST);
        found
    }
}

/// What the manifest of a directory leaves out, at the top level only: OpenSSF Model Signing §A4 and the files
/// that a seal writes.
const OUTSIDE_MANIFEST: &[&str] = &[".git", ".gitattributes", ".github", ".gitignore"];

/// What of `.git` at the top is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Git {
    /// What no loader reads is counted and passed over.
    Counted,
    /// Everything.
    Walked,
}

/// Walks the model at `path`, a file or a directory; a link given by the user is followed, the links found inside
/// are followed only to places inside.
pub fn walk(path: &Path) -> Result<Tree, Error> {
    walk_with(path, Git::Counted)
}

/// The same, with a say in what is walked.
pub fn walk_with(path: &Path, git: Git) -> Result<Tree, Error> {
    let metadata = fs::metadata(path).map_err(Error::at(path))?;
    if metadata.is_dir() {
        walk_directory(path, fs::canonicalize(path).map_err(Error::at(path))?, git)
    } else if metadata.is_file() {
        Ok(single_file(path, &metadata))
    } else {
        Err(Error::Special(path.to_owned()))
    }
}

fn single_file(path: &Path, metadata: &fs::Metadata) -> Tree {
    let (size, executable) = (metadata.len(), is_executable(metadata.mode()));
    // The name the user gave, not that of the cache blob it links to: loaders see the former.
    let name = path.file_name().unwrap_or(path.as_os_str());
    let artifact = artifact_path(Path::new(name));
    let entry = TreeEntry { path: artifact.clone(), kind: EntryKind::File, size, executable };
    let file = TreeFile {
        name: manifest_name(Path::new(name)),
        path: artifact,
        size,
        link: None,
        in_manifest: true,
        stamp: Stamp::of(metadata),
        location: path.to_owned(),
    };
    Tree {
        path: path.to_owned(),
        single_file: true,
        entries: vec![entry],
        files: vec![file],
        excluded: 0,
        unreadable: Vec::new(),
        settled: false,
        root: Place::Named,
    }
}

fn walk_directory(path: &Path, canonical: PathBuf, git: Git) -> Result<Tree, Error> {
    let repository = hub::repository_of(&canonical);
    let blobs = repository.as_ref().map(|repository| repository.join("blobs"));
    let confines = repository.unwrap_or_else(|| canonical.clone());
    let mut tree = Tree {
        path: path.to_owned(),
        single_file: false,
        entries: Vec::new(),
        files: Vec::new(),
        excluded: 0,
        unreadable: Vec::new(),
        settled: false,
        root: Place::Below(Root::open(confines.clone())?),
    };
    fs::read_dir(&canonical).map_err(Error::at(path))?;
    let bounds = Bounds { base: &canonical, blobs: blobs.as_deref(), confines: &confines };
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        let listed =
            fs::read_dir(canonical.join(&directory)).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                tree.unreadable.push((artifact_path(&directory), error));
                continue;
            }
        };
        for entry in listed {
            let relative = directory.join(entry.file_name());
            if git == Git::Counted && git::is_internal(&relative) {
                tree.excluded += 1;
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(relative),
                Ok(kind) => tree.add(&bounds, relative, kind),
                Err(error) => tree.unreadable.push((artifact_path(&relative), error)),
            }
        }
    }
    tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
    tree.files.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    Ok(tree)
}

/// Canonical paths that say what is inside.
struct Bounds<'a> {
    /// The model.
    base: &'a Path,
    /// The cache's folder of blobs, when the model is a snapshot.
    blobs: Option<&'a Path>,
    /// What the tree's descriptor is open on: the model, or the repository in the cache.
    confines: &'a Path,
}

impl Bounds<'_> {
    /// A canonical path as seen from the tree's descriptor.
    fn below<'a>(&self, location: &'a Path) -> &'a Path {
        location.strip_prefix(self.confines).unwrap_or(location)
    }

    /// What kind of link leads to `location`.
    fn link_to(&self, location: &Path) -> Link {
        match self.blobs.and_then(|blobs| location.strip_prefix(blobs).ok()) {
            Some(name) => Link::Cached { sha256: name.to_str().and_then(|name| name.parse().ok()) },
            None => Link::Inside,
        }
    }
}

impl Tree {
    /// Adds what is no directory.
    fn add(&mut self, bounds: &Bounds<'_>, relative: PathBuf, kind: fs::FileType) {
        let artifact = artifact_path(&relative);
        let mut entry =
            TreeEntry { path: artifact.clone(), kind: EntryKind::File, size: 0, executable: false };
        let location = if kind.is_symlink() {
            let resolved;
            (entry.kind, resolved) = follow(&bounds.base.join(&relative), bounds);
            resolved
        } else if kind.is_file() {
            Some(bounds.base.join(&relative))
        } else {
            debug_assert!(
                kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device()
            );
            entry.kind = EntryKind::Special;
            None
        };
        let metadata = location.as_deref().map(fs::symlink_metadata);
        match (location, metadata) {
            (Some(location), Some(Ok(metadata))) if metadata.is_file() => {
                entry.size = metadata.len();
                entry.executable = is_executable(metadata.mode());
                self.files.push(TreeFile {
                    link: kind.is_symlink().then(|| bounds.link_to(&location)),
                    in_manifest: in_manifest(&relative),
                    name: manifest_name(&relative),
                    path: artifact,
                    size: entry.size,
                    stamp: Stamp::of(&metadata),
                    location: bounds.below(&location).to_owned(),
                });
            }
            (_, Some(Err(error))) => self.unreadable.push((artifact, error)),
            _ => {}
        }
        self.entries.push(entry);
    }
}

/// Where a link leads, and the place to read when that is inside. A link to a directory inside is only listed:
/// what it holds is read where it is.
fn follow(link: &Path, bounds: &Bounds<'_>) -> (EntryKind, Option<PathBuf>) {
    let target = fs::read_link(link).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default();
    match fs::canonicalize(link) {
        Err(_) => (EntryKind::SymlinkBroken { target }, None),
        Ok(real)
            if real.starts_with(bounds.base) || bounds.blobs.is_some_and(|blobs| real.starts_with(blobs)) =>
        {
            (EntryKind::SymlinkInside { target }, Some(real))
        }
        Ok(_) => (EntryKind::SymlinkOutside { target }, None),
    }
}

fn is_executable(mode: u32) -> bool {
    mode & 0o100 != 0
}

fn in_manifest(relative: &Path) -> bool {
    // Joined of names, the path has one spelling.
    let name = relative.as_os_str().as_encoded_bytes();
    let first = name.split(|&byte| byte == b'/').next().unwrap_or_default();
    !OUTSIDE_MANIFEST.iter().any(|outside| outside.as_bytes() == first)
        && !Sidecars::NAMES.iter().any(|sidecar| sidecar.as_bytes() == name)
}

fn manifest_name(relative: &Path) -> Option<String> {
    relative.to_str().map(str::to_owned)
}

/// The path findings name. Control characters and bytes that are not UTF-8 are escaped.
fn artifact_path(relative: &Path) -> ArtifactPath {
    let text = relative.to_string_lossy();
    if text.chars().any(char::is_control) {
        let escape = |character: char| match character.is_control() {
            true => character.escape_default().to_string(),
            false => character.to_string(),
        };
        return ArtifactPath::file(text.chars().map(escape).collect::<String>());
    }
    ArtifactPath::file(text)
}

#[cfg(test)]
mod tests;
