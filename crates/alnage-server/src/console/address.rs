//! Where things are: the addresses of pages, and what an address below `models` or `datasets` names.

use alnage_registry::{Kind, Version};

use super::parts::{InPath, Link, Short};

/// What stands after `/console/models/` or `/console/datasets/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// `owner/name`, or one segment.
    pub(super) name: String,
    /// A commit, a branch, a tag; `main` when nothing is said.
    pub(super) revision: String,
    /// What is to be seen or done there: `files`, `revoke`; the version itself when empty.
    pub(super) part: String,
}

impl Place {
    /// Reads `acme/tiny`, `acme/tiny/versions/main`, `acme/tiny/versions/main/files`; the owner may be missing.
    pub(super) fn parse(kind: Kind, rest: &str) -> Option<Self> {
        let segments: Vec<&str> = rest.split('/').collect();
        let place = |name: String, revision: &str, part: &str| {
            Some(Self { kind, name, revision: revision.to_owned(), part: part.to_owned() })
        };
        let pair = |owner: &str, name: &str| format!("{owner}/{name}");
        match segments.as_slice() {
            [owner, name, "versions", revision] => place(pair(owner, name), revision, ""),
            [owner, name, "versions", revision, part] => place(pair(owner, name), revision, part),
            [name, "versions", revision] => place((*name).to_owned(), revision, ""),
            [name, "versions", revision, part] => place((*name).to_owned(), revision, part),
            [name] if !name.is_empty() => place((*name).to_owned(), "main", ""),
            [owner, name] => place(pair(owner, name), "main", ""),
            _ => None,
        }
    }
}

/// The page of a repository's newest version.
pub(super) fn repo(kind: Kind, name: &str) -> String {
    format!("/console/{}s/{}", kind.as_str(), InPath(name))
}

/// The page of a version.
pub(super) fn version(kind: Kind, name: &str, commit: &str) -> String {
    format!("{}/versions/{}", repo(kind, name), InPath(commit))
}

/// Something of a version: `files`, `revoke`.
pub(super) fn part(of: &Version, part: &str) -> String {
    format!("{}/{part}", version(of.kind, &of.name, &of.commit))
}

/// Something of a version, for programs: `findings`, `bom`.
pub(super) fn api(of: &Version, part: &str) -> String {
    let name = if of.name.contains('/') { of.name.clone() } else { format!("_/{}", of.name) };
    let (name, commit, kind) = (InPath(&name), InPath(&of.commit), of.kind.as_str());
    format!("/api/v1/models/{name}/versions/{commit}/{part}?kind={kind}")
}

/// A version by its name.
pub(super) fn link(of: &Version) -> Link {
    Link::new(&*of.name, version(of.kind, &of.name, &of.commit))
}

/// A version's commit, cut.
pub(super) fn short(of: &Version) -> Short {
    Short(of.commit.clone())
}

/// What `model/acme/tiny@commit` names, and the commit where one is named.
pub(super) fn subject(text: &str) -> Option<(Kind, &str, Option<&str>)> {
    let (kind, rest) = text.split_once('/')?;
    let kind = match kind {
        "model" => Kind::Model,
        "dataset" => Kind::Dataset,
        _ => return None,
    };
    Some(rest.split_once('@').map_or((kind, rest, None), |(name, commit)| (kind, name, Some(commit))))
}

/// A link to what a subject names; plain text where it is no page of ours.
pub(super) fn subject_link(text: &str) -> Link {
    match subject(text) {
        Some((kind, name, Some(commit))) => Link::new(name, version(kind, name, commit)),
        Some((kind, name, None)) => Link::new(name, repo(kind, name)),
        None => Link::new(text, ""),
    }
}
