//! What the records are about: repositories, versions, files, and who does what to them.

use alnage_policy::Effect;
use alnage_types::{Digest, Verdict};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A model.
    Model,
    /// A dataset.
    Dataset,
}

impl Kind {
    /// `model`, `dataset`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "model" => Ok(Self::Model),
            "dataset" => Ok(Self::Dataset),
            _ => Err(Error::Invalid(format!("`{text:.40}` is no kind of repository"))),
        }
    }
}

/// Where a version is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Not scanned yet, or waits for a person.
    Quarantined,
    /// The policy refuses it.
    Rejected,
    /// It may be used.
    Approved,
    /// It is what production uses.
    Production,
    /// It may be used still, and should not any more.
    Deprecated,
    /// It may not be used any more, and who has it is told.
    Revoked,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Quarantined,
        Self::Rejected,
        Self::Approved,
        Self::Production,
        Self::Deprecated,
        Self::Revoked,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Rejected => "rejected",
            Self::Approved => "approved",
            Self::Production => "production",
            Self::Deprecated => "deprecated",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| Error::Invalid(format!("`{text:.40}` is no stage")))
    }

    /// Whether bytes of such a version are given out.
    pub fn is_served(self) -> bool {
        matches!(self, Self::Approved | Self::Production | Self::Deprecated)
    }
}

/// Who does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account.
    pub name: String,
    /// What it is.
    pub kind: ActorKind,
    /// Where the request came from; empty for the system.
    pub address: String,
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person.
    User,
    /// A service account.
    Service,
    /// Alnage itself.
    System,
}

impl ActorKind {
    /// `user`, `service`, `system`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::System => "system",
        }
    }
}

impl Actor {
    /// A part of Alnage.
    pub fn system(name: &str) -> Self {
        Self { name: name.to_owned(), kind: ActorKind::System, address: String::new() }
    }
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Repo {
    /// Its number.
    pub id: i64,
    /// What it holds.
    pub kind: Kind,
    /// `owner/name`, or one segment.
    pub name: String,
    /// The name space: the first of two segments, or `_`.
    pub project: String,
    /// Who answers for it.
    pub owner: String,
    /// `upload`, or the address of the hub it was pulled from.
    pub origin: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When something about it changed last.
    pub updated: u64,
    /// How often a version of it was given out.
    pub pulls: u64,
    /// The newest version.
    pub head: Option<Box<Version>>,
    /// The newest version that is given out.
    pub served: Option<i64>,
}

/// An immutable commit of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Version {
    /// Its number.
    pub id: i64,
    /// The repository.
    pub repo: i64,
    /// What the repository holds.
    pub kind: Kind,
    /// The name of the repository.
    pub name: String,
    /// 40 hexadecimal digits.
    pub commit: String,
    /// The reference it was committed to.
    pub refname: String,
    /// The digest of the manifest of its files, which seals sign.
    pub manifest: String,
    /// What whoever made it says.
    pub message: String,
    /// Who made it.
    pub author: String,
    /// The commit before.
    pub parent: Option<String>,
    /// When it came here, in seconds since 1970.
    pub created: u64,
    /// Bytes of all files.
    pub size: u64,
    /// How many files.
    pub files: u64,
    /// Where it is on its way.
    pub stage: Stage,
    /// Since when.
    pub staged: u64,
    /// Who decided that.
    pub staged_by: String,
    /// Until when the approval holds.
    pub expires: Option<u64>,
    /// What was made a condition of the approval.
    pub conditions: String,
    /// What the newest scan says; absent before the first.
    pub verdict: Option<Verdict>,
    /// What the policy says; absent before the first scan.
    pub effect: Option<Effect>,
    /// Why it is in its stage, one line.
    pub reason: String,
    /// The newest scan.
    pub scan: Option<i64>,
    /// Since when it was given out, if it ever was.
    pub released: Option<u64>,
}

impl Version {
    /// Where a person decides about it, below the public address of the registry.
    pub fn path(&self) -> String {
        format!("/console/{}s/{}/versions/{}", self.kind.as_str(), self.name, self.commit)
    }
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileRecord {
    /// Relative to the root, `/`-separated.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Digest of the content.
    pub sha256: Digest,
    /// The name git gives it; of the pointer when it is kept by LFS.
    pub git_oid: String,
    /// Whether a hub shows it as kept by LFS.
    pub lfs: bool,
    /// The verdict about this file alone.
    pub verdict: Option<Verdict>,
    /// The format's id.
    pub format: Option<String>,
    /// Whether it is given out with the version.
    pub served: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// A version that is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewVersion {
    /// The commit it is elsewhere; made from the content when there is none.
    pub commit: Option<String>,
    /// What whoever makes it says.
    pub message: String,
    /// The reference that leads to it from now on; none when empty.
    pub refname: String,
    /// The commit before.
    pub parent: Option<String>,
    /// What the reference may lead to before, when there is no parent.
    pub onto: Onto,
    /// Every file; the content must be in the blobs.
    pub files: Vec<NewFile>,
    /// `upload`, or the address of the hub it was pulled from. `upload` when empty.
    pub origin: String,
}

/// A file of a version that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Relative to the root, `/`-separated.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Digest of the content.
    pub sha256: Digest,
    /// The name git gives it, 40 hexadecimal digits; that of the LFS pointer for a file kept by LFS.
    pub git_oid: String,
}

/// What the reference of a new version without a parent may lead to before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Onto {
    /// To anything: the version is what it leads to from now on.
    #[default]
    Anything,
    /// To nothing: the version is the first.
    Nothing,
}

/// A branch or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ref {
    /// `main`, `v1.0`, `refs/pr/1`.
    pub name: String,
    /// What it is.
    pub kind: RefKind,
    /// Where it leads.
    pub commit: String,
}

/// What a reference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RefKind {
    /// It moves on.
    Branch,
    /// It stays.
    Tag,
}

impl RefKind {
    /// `branch`, `tag`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }
}

/// What every door of the registry is told when somebody wants a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This version is given out.
    Serve(Box<Version>),
    /// It is here and not judged yet.
    Wait {
        /// The version.
        version: Box<Version>,
        /// Since when, in seconds since 1970.
        since: u64,
    },
    /// It is not given out unless a person decides so.
    Ask {
        /// The version.
        version: Box<Version>,
        /// Why, one line.
        reason: String,
        /// Where a person decides, below the public address.
        approval_path: String,
    },
    /// It was given out and must not be used any more.
    Recalled {
        /// The version.
        version: Box<Version>,
        /// Why, one line.
        reason: String,
    },
    /// There is no such thing here.
    Unknown,
}

/// A page of a list: what comes after `after`, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// The key of the last row that was seen: a number, or a name; empty for the beginning.
    pub after: &'a str,
    /// How many rows.
    pub limit: u32,
}

impl Page<'_> {
    /// The beginning.
    pub fn first(limit: u32) -> Self {
        Self { after: "", limit }
    }

    /// As a database takes it: one page never empties a server.
    pub(crate) fn rows(self) -> i64 {
        i64::from(self.limit.clamp(1, 10_000))
    }

    /// Rows older than this number.
    pub(crate) fn before(self) -> Result<i64> {
        if self.after.is_empty() {
            return Ok(i64::MAX);
        }
        self.after
            .parse()
            .map_err(|_| Error::Invalid(format!("`{:.40}` is no place in this list", self.after)))
    }
}

/// A time or size of the database as we have it.
pub(crate) fn read(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn parse_verdict(text: &str) -> Result<Verdict> {
    [Verdict::Pass, Verdict::Unknown, Verdict::Review, Verdict::Block]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
        .ok_or_else(|| Error::internal(format!("`{text:.40}` is no verdict")))
}

pub(crate) fn parse_effect(text: &str) -> Result<Effect> {
    [Effect::Allow, Effect::Quarantine, Effect::Deny]
        .into_iter()
        .find(|effect| effect.as_str() == text)
        .ok_or_else(|| Error::internal(format!("`{text:.40}` is no effect")))
}
