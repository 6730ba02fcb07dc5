//! What a dependency file says, whatever its format.

use alnage_facts::python_purl;
use alnage_types::Span;

/// One package that a file asks for or pins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependency {
    /// Its name, normalised as PEP 503 says.
    pub name: String,
    /// The one version it is pinned to.
    pub version: Option<String>,
    /// What versions are asked for, as written; empty for a lock file.
    pub specifier: String,
    /// Digests of the files it may be, as `sha256:…`.
    pub hashes: Vec<String>,
    /// Where it comes from.
    pub source: Source,
    /// When it is wanted: an environment marker, as written.
    pub marker: Option<String>,
    /// What files a lock names for it.
    pub files: Files,
    /// Whether the file says that the release was withdrawn.
    pub yanked: bool,
    /// Whether the file names who must have attested its files (PEP 751).
    pub attested: bool,
    /// The bytes that say so.
    pub span: Option<Span>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Whatever index is configured.
    #[default]
    Unstated,
    /// This index.
    Index(String),
    /// A file at an address.
    Address(String),
    /// A repository, at a commit when one is named.
    Repository {
        /// Where.
        url: String,
        /// The commit, branch or tag.
        revision: Option<String>,
    },
    /// A directory or file beside the project.
    Path(String),
}

/// The files of a package that a lock names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Files {
    /// Source distributions: their build runs code.
    pub sdists: usize,
    /// Wheels.
    pub wheels: usize,
}

/// An index that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its address.
    pub url: String,
    /// Whether it is asked beside another one, for any name.
    pub extra: bool,
    /// The bytes that say so.
    pub span: Option<Span>,
}

/// One dependency file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DependencyFile {
    /// Its path, relative to what was looked at.
    pub path: String,
    /// Which format: `requirements.txt`, `uv.lock`, …
    pub format: &'static str,
    /// Whether it is a lock: it is to name exact versions and files.
    pub is_lock: bool,
    /// The packages.
    pub dependencies: Vec<Dependency>,
    /// The indexes.
    pub indexes: Vec<Index>,
    /// Hosts whose certificates are not to be checked, with the bytes that say so.
    pub trusted_hosts: Vec<(String, Option<Span>)>,
    /// Files it includes, relative to itself.
    pub includes: Vec<String>,
    /// What was not understood, with the offset.
    pub problems: Vec<(u64, String)>,
}

impl Dependency {
    /// The package URL.
    pub fn purl(&self) -> String {
        python_purl(&self.name, self.version.as_deref())
    }
}
