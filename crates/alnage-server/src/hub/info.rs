//! What a repository is, in the JSON of the hub. It is made from our records; nothing of the upstream's is handed on.

use std::collections::BTreeMap;

use alnage_pipeline::rfc3339;
use alnage_registry::{FileRecord, Kind, Ref, RefKind, Repo, Version, pull::PulledFile};
use alnage_types::{Digest, Verdict};
use serde_json::{Value, json};

/// A repository at a version. `files` are all there are, those withheld too; `blobs` asks for their sizes and digests.
pub(crate) fn repository(repo: &Repo, version: &Version, files: &[FileRecord], blobs: bool) -> Value {
    let siblings: Vec<Value> = served(files).map(|file| sibling(file, blobs)).collect();
    let bad: Vec<Value> = files
        .iter()
        .filter(|file| is_bad(file))
        .map(|file| json!({ "path": file.path, "level": level(file.verdict) }))
        .collect();
    let mut info = base(repo.kind, &repo.name, Some(repo.created));
    set(&mut info, "sha", json!(version.commit));
    set(&mut info, "lastModified", json!(time(version.created)));
    set(&mut info, "downloads", json!(repo.pulls));
    set(&mut info, "siblings", json!(siblings));
    set(&mut info, "usedStorage", json!(version.size));
    set(
        &mut info,
        "securityRepoStatus",
        json!({ "scansDone": version.scan.is_some(), "filesWithIssues": bad }),
    );
    info
}

/// What is known of a repository whose files are still on their way, or being judged: names alone.
pub(crate) fn awaited(kind: Kind, name: &str, commit: &str, paths: &[&str]) -> Value {
    let siblings: Vec<Value> = paths.iter().map(|path| json!({ "rfilename": path })).collect();
    let mut info = base(kind, name, None);
    set(&mut info, "sha", json!(commit));
    set(&mut info, "siblings", json!(siblings));
    info
}

/// A repository that nothing was sent to yet.
pub(crate) fn empty(kind: Kind, name: &str) -> Value {
    let mut info = base(kind, name, None);
    set(&mut info, "sha", json!(super::door::EMPTY));
    set(&mut info, "siblings", json!([]));
    info
}

/// A repository in a list.
pub(crate) fn listed(repo: &Repo) -> Value {
    let mut info = base(repo.kind, &repo.name, Some(repo.created));
    set(&mut info, "lastModified", json!(time(repo.updated)));
    set(&mut info, "downloads", json!(repo.pulls));
    info
}

fn base(kind: Kind, name: &str, created: Option<u64>) -> Value {
    let author = name.split_once('/').map(|(author, _)| author);
    let id = Digest::of(format!("{}/{name}", kind.as_str()).as_bytes()).to_string();
    let mut info = json!({
        "_id": id.get(..24),
        "id": name,
        "author": author,
        "private": false,
        "gated": false,
        "disabled": false,
        "downloads": 0,
        "likes": 0,
        "tags": [],
    });
    if let Some(created) = created {
        set(&mut info, "createdAt", json!(time(created)));
        set(&mut info, "lastModified", json!(time(created)));
    }
    if kind == Kind::Model {
        set(&mut info, "modelId", json!(name));
    }
    info
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn sibling(file: &FileRecord, blobs: bool) -> Value {
    let mut sibling = json!({ "rfilename": file.path });
    if blobs {
        set(&mut sibling, "size", json!(file.size));
        set(&mut sibling, "blobId", json!(file.git_oid));
        if file.lfs {
            let lfs = json!({ "sha256": file.sha256, "size": file.size, "pointerSize": pointer_size(file) });
            set(&mut sibling, "lfs", lfs);
        }
    }
    sibling
}

/// The entries of a tree below `folder`, folders included, in order.
pub(crate) fn tree(
    version: &Version,
    files: &[FileRecord],
    folder: &str,
    recursive: bool,
    expand: bool,
) -> Vec<Value> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    for file in served(files) {
        let Some(rest) = file.path.strip_prefix(&prefix) else { continue };
        let mut slashes = rest.match_indices('/').map(|(place, _)| place);
        let depth = if recursive { usize::MAX } else { 1 };
        for place in slashes.by_ref().take(depth) {
            let Some(inner) = rest.get(..place) else { continue };
            let path = format!("{prefix}{inner}");
            entries.entry(path.clone()).or_insert_with(|| directory(version, &path, expand));
        }
        if recursive || !rest.contains('/') {
            entries.insert(file.path.clone(), entry(version, file, expand));
        }
    }
    entries.into_values().collect()
}

/// The entries of these paths; those that are not there are left out.
pub(crate) fn paths(version: &Version, files: &[FileRecord], paths: &[String], expand: bool) -> Vec<Value> {
    let mut entries = Vec::new();
    for path in paths {
        let path = path.trim_matches('/');
        let below = format!("{path}/");
        if let Some(file) = served(files).find(|file| file.path == path) {
            entries.push(entry(version, file, expand));
        } else if served(files).any(|file| file.path.starts_with(&below)) {
            entries.push(directory(version, path, expand));
        }
    }
    entries
}

fn entry(version: &Version, file: &FileRecord, expand: bool) -> Value {
    let mut entry = json!({ "type": "file", "oid": file.git_oid, "size": file.size, "path": file.path });
    if file.lfs {
        let lfs = json!({ "oid": file.sha256, "size": file.size, "pointerSize": pointer_size(file) });
        set(&mut entry, "lfs", lfs);
    }
    if expand {
        set(&mut entry, "lastCommit", last_commit(version));
        set(&mut entry, "securityFileStatus", security(file.verdict));
    }
    entry
}

fn directory(version: &Version, path: &str, expand: bool) -> Value {
    // A name that changes with its content is all that is asked of it.
    let oid = Digest::of(format!("{}/{path}", version.commit).as_bytes()).to_string();
    let mut entry = json!({ "type": "directory", "oid": oid.get(..40), "size": 0, "path": path });
    if expand {
        set(&mut entry, "lastCommit", last_commit(version));
    }
    entry
}

fn last_commit(version: &Version) -> Value {
    let title = version.message.lines().next().unwrap_or_default();
    json!({ "id": version.commit, "title": title, "date": time(version.created) })
}

/// The verdict in the words that the hub has for those of its own scanners.
fn security(verdict: Option<Verdict>) -> Value {
    let (status, message) = match verdict {
        Some(Verdict::Pass) => ("safe", "no issue found"),
        Some(Verdict::Block) => ("unsafe", "blocked"),
        Some(_) => ("suspicious", "needs a review"),
        None => ("unscanned", "not scanned"),
    };
    let scan = json!({ "status": status, "message": message, "scanner": "alnage" });
    json!({ "status": status, "avScan": scan, "pickleImportScan": scan })
}

fn level(verdict: Option<Verdict>) -> &'static str {
    if verdict == Some(Verdict::Block) { "unsafe" } else { "suspicious" }
}

fn is_bad(file: &FileRecord) -> bool {
    !file.served || matches!(file.verdict, Some(Verdict::Block | Verdict::Review))
}

/// Branches and tags.
pub(crate) fn refs(refs: &[Ref]) -> Value {
    let of = |kind: RefKind, prefix: &str| -> Vec<Value> {
        refs.iter()
            .filter(|one| one.kind == kind && !one.name.starts_with("refs/"))
            .map(|one| json!({ "name": one.name, "ref": format!("{prefix}{}", one.name), "targetCommit": one.commit }))
            .collect()
    };
    json!({
        "branches": of(RefKind::Branch, "refs/heads/"),
        "tags": of(RefKind::Tag, "refs/tags/"),
        "converts": [],
        "pullRequests": [],
    })
}

/// A version in a list of commits.
pub(crate) fn commit(version: &Version) -> Value {
    let (title, message) = version.message.split_once('\n').unwrap_or((&version.message, ""));
    json!({
        "id": version.commit,
        "title": title,
        "message": message.trim(),
        "authors": [{ "user": version.author }],
        "date": time(version.created),
    })
}

/// The paths of files that are on their way.
pub(crate) fn names(files: &[PulledFile]) -> Vec<&str> {
    files.iter().map(|file| file.listed.path.as_str()).collect()
}

fn served(files: &[FileRecord]) -> impl Iterator<Item = &FileRecord> {
    files.iter().filter(|file| file.served)
}

fn pointer_size(file: &FileRecord) -> usize {
    alnage_registry::blobs::pointer(file.sha256, file.size).len()
}

/// Clients read fractions of a second, and some insist on them.
fn time(seconds: u64) -> String {
    rfc3339(seconds).replace('Z', ".000Z")
}
