//! Versions: immutable commits, made of files whose content is in the blobs.

use crate::columns::{bigint, hex};
use alnage_types::{Digest, Manifest, ManifestFile};
use sha1::{Digest as _, Sha1};

use super::{
    Actor, FileRecord, Kind, NewFile, NewVersion, Onto, Page, Ref, RefKind, Stage, Version,
    repos::{self, check_name, project_of},
    types::{parse_effect, parse_verdict, read},
};
use crate::{
    Error, Registry, Result,
    blobs::{Blobs, pointer_oid},
    database::{Connection, Database, Row, Transaction},
    jobs,
    sweep::refuse_swept,
};

/// The columns of a version.
pub(crate) const VERSION: &str = "v.id, v.repo, v.commit_id, v.refname, v.manifest, v.message, v.author, v.parent, \
     v.created, v.size, v.files, v.stage, v.staged, v.staged_by, v.expires, v.conditions, v.verdict, v.effect, v.reason, \
     v.scan, v.released";
pub(crate) const VERSION_COLUMNS: usize = 21;

/// What belongs to git at the top of a model.
const OUTSIDE_MANIFEST: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];
/// Files that a version may have.
const MAX_FILES: usize = 500_000;

impl Registry {
    /// Adds a version, quarantined until it is scanned. A commit that is here already is given as it is.
    pub fn add_version(&self, kind: Kind, name: &str, new: NewVersion, actor: &Actor) -> Result<Version> {
        check_name(name)?;
        let files = checked_files(new.files)?;
        let now = self.now();
        let manifest = manifest_of(&files);
        let commit = match new.commit {
            Some(commit) if is_commit(&commit) => commit,
            Some(commit) => return Err(Error::Invalid(format!("`{commit:.60}` is no commit"))),
            None => commit_of(
                kind,
                name,
                &manifest,
                new.parent.as_deref(),
                &new.message,
                &actor.name,
                now,
                &files,
            ),
        };
        let size = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        let origin = if new.origin.is_empty() { "upload" } else { &new.origin };
        self.write(|transaction| {
            let (repo, _) = repos::find_or_make(transaction, kind, name, origin, actor, now)?;
            repos::refuse_other_origin(transaction, repo, name, origin)?;
            let leads = resolve_ref(transaction, repo, &new.refname)?;
            // Of two commits at once the second would undo the first without having seen it.
            let is_as_seen = match (&new.parent, new.onto) {
                (Some(parent), _) => leads.as_ref().is_none_or(|leads| leads == parent),
                (None, Onto::Nothing) => leads.is_none(),
                (None, Onto::Anything) => true,
            };
            if !is_as_seen && leads.as_ref() != Some(&commit) {
                let parent = new.parent.as_deref().unwrap_or("nothing");
                return Err(Error::Conflict(format!("`{:.100}` has moved on from {parent:.12}", new.refname)));
            }
            if version_in(transaction, repo, &commit)?.is_some() {
                return set_ref(transaction, repo, &new.refname, RefKind::Branch, &commit);
            }
            match self.blobs() {
                Blobs::Local(_) => refuse_missing(self.blobs(), &files)?,
                // Each question to a bucket costs a request: it is asked only for what was swept of late.
                Blobs::S3(_) => {
                    refuse_swept(transaction, self.blobs(), files.iter().map(|file| file.sha256))?;
                }
            }
            let id = Database::next_id(transaction)?;
            transaction.execute(
                "INSERT INTO versions (id, repo, commit_id, refname, manifest, message, author, parent, created, size,
                     files, stage, staged, staged_by, conditions, reason)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'quarantined', $9, $7, '', 'not scanned yet')",
                &[
                    id.into(),
                    repo.into(),
                    (&commit).into(),
                    (&new.refname).into(),
                    (&manifest).into(),
                    new.message.replace('\0', " ").as_str().into(),
                    (&actor.name).into(),
                    new.parent.as_ref().into(),
                    bigint(now).into(),
                    bigint(size).into(),
                    bigint(files.len() as u64).into(),
                ],
            )?;
            for file in &files {
                add_file(transaction, id, file)?;
            }
            set_ref(transaction, repo, &new.refname, RefKind::Branch, &commit)?;
            if new.refname.is_empty() || new.refname == "main" {
                transaction
                    .execute("UPDATE repos SET head = $2, updated = $3 WHERE id = $1", &[repo.into(), id.into(), bigint(now).into()])?;
            }
            self.log_transition(transaction, &Moved {
                version: id,
                name: &format!("{}/{name}", kind.as_str()),
                commit: &commit,
                manifest: &manifest,
                before: "",
                after: Stage::Quarantined,
                reason: "it came here",
                actor,
            })?;
            jobs::enqueue(transaction, "scan", &id.to_string(), &id.to_string(), now)?;
            let subject = format!("{}/{name}@{commit}", kind.as_str());
            super::events::add(transaction, now, "version.added", project_of(name), &subject, actor, "{}")?;
            super::touch(transaction)
        })?;
        self.version(kind, name, &commit)?.ok_or_else(|| Error::internal("a version vanished"))
    }

    /// The version that `revision` names: a commit, or a reference, which leads to its newest commit, given out or not.
    pub fn version(&self, kind: Kind, name: &str, revision: &str) -> Result<Option<Version>> {
        self.read(|connection| {
            let Some(repo) = repos::id_of(connection, kind, name)? else { return Ok(None) };
            let Some(commit) = resolve(connection, repo, revision)? else { return Ok(None) };
            let sql = format!("SELECT {VERSION} FROM versions v WHERE v.repo = $1 AND v.commit_id = $2");
            let row = connection.query_one(&sql, &[repo.into(), (&commit).into()])?;
            row.map(|row| version_of(&row, 0, kind, name)).transpose()
        })
    }

    /// The version with this number.
    pub fn version_by_id(&self, id: i64) -> Result<Option<Version>> {
        self.read(|connection| by_id(connection, id))
    }

    /// Versions of a repository, the newest first; the page goes on after a number.
    pub fn versions(&self, kind: Kind, name: &str, page: Page<'_>) -> Result<Vec<Version>> {
        let before = page.before()?;
        self.read(|connection| {
            let Some(repo) = repos::id_of(connection, kind, name)? else {
                return Err(Error::NotFound(format!("`{name}`")));
            };
            let sql = format!(
                "SELECT {VERSION} FROM versions v WHERE v.repo = $1 AND v.id < $2 ORDER BY v.id DESC LIMIT $3"
            );
            let rows = connection.query(&sql, &[repo.into(), before.into(), page.rows().into()])?;
            rows.iter().map(|row| version_of(row, 0, kind, name)).collect()
        })
    }

    /// Versions in a stage, of all repositories, the newest first; the page goes on after a number.
    pub fn versions_in(&self, stage: Stage, page: Page<'_>) -> Result<Vec<Version>> {
        let before = page.before()?;
        let sql = format!(
            "SELECT {VERSION}, r.kind, r.name FROM versions v JOIN repos r ON r.id = v.repo
             WHERE v.stage = $1 AND v.id < $2 ORDER BY v.id DESC LIMIT $3"
        );
        self.read(|connection| {
            let rows = connection.query(&sql, &[stage.as_str().into(), before.into(), page.rows().into()])?;
            rows.iter().map(with_repo).collect()
        })
    }

    /// Versions whose manifest has this digest: the same files under any name.
    pub fn versions_of_manifest(&self, manifest: &str) -> Result<Vec<Version>> {
        let sql = format!(
            "SELECT {VERSION}, r.kind, r.name FROM versions v JOIN repos r ON r.id = v.repo
             WHERE v.manifest = $1 ORDER BY v.id DESC LIMIT 1000"
        );
        self.read(|connection| connection.query(&sql, &[manifest.into()])?.iter().map(with_repo).collect())
    }

    /// Files of a version whose path begins with `prefix`, by path; those after `after`.
    pub fn files(&self, version: i64, prefix: &str, after: &str, limit: u32) -> Result<Vec<FileRecord>> {
        let from = if after > prefix { after } else { prefix };
        let sql = format!(
            "SELECT {FILE} FROM files WHERE version = $1 AND path >= $2 AND path <> $3 AND path < $4
             ORDER BY path LIMIT $5"
        );
        // Every path that begins with the prefix comes before the prefix with the last character there is.
        let end = format!("{prefix}\u{10ffff}");
        let limit = i64::from(limit.clamp(1, 500_000));
        self.read(|connection| {
            let rows = connection
                .query(&sql, &[version.into(), from.into(), after.into(), (&end).into(), limit.into()])?;
            rows.iter().map(file_of).collect()
        })
    }

    /// One file of a version.
    pub fn file(&self, version: i64, path: &str) -> Result<Option<FileRecord>> {
        let sql = format!("SELECT {FILE} FROM files WHERE version = $1 AND path = $2");
        self.read(|connection| {
            connection.query_one(&sql, &[version.into(), path.into()])?.as_ref().map(file_of).transpose()
        })
    }

    /// Branches and tags.
    pub fn refs(&self, kind: Kind, name: &str) -> Result<Vec<Ref>> {
        self.read(|connection| {
            let Some(repo) = repos::id_of(connection, kind, name)? else {
                return Err(Error::NotFound(format!("`{name}`")));
            };
            let rows = connection.query(
                "SELECT name, kind, commit_id FROM refs WHERE repo = $1 ORDER BY name",
                &[repo.into()],
            )?;
            rows.iter()
                .map(|row| {
                    let kind = if row.text(1)? == "tag" { RefKind::Tag } else { RefKind::Branch };
                    Ok(Ref { name: row.text(0)?, kind, commit: row.text(2)? })
                })
                .collect()
        })
    }

    /// Lets a branch lead to a commit.
    pub fn set_ref(&self, kind: Kind, name: &str, refname: &str, commit: &str) -> Result<()> {
        self.add_ref(kind, name, refname, RefKind::Branch, commit)
    }

    /// Lets a branch or tag lead to a commit.
    pub fn add_ref(&self, kind: Kind, name: &str, refname: &str, what: RefKind, commit: &str) -> Result<()> {
        self.write(|transaction| {
            let repo =
                repos::id_of(transaction, kind, name)?.ok_or_else(|| Error::NotFound(format!("`{name}`")))?;
            lead_ref(transaction, repo, refname, what, commit)
        })
    }

    /// Makes a branch or tag that is not there yet.
    pub fn make_ref(&self, kind: Kind, name: &str, refname: &str, what: RefKind, commit: &str) -> Result<()> {
        self.write(|transaction| {
            let repo =
                repos::id_of(transaction, kind, name)?.ok_or_else(|| Error::NotFound(format!("`{name}`")))?;
            if resolve_ref(transaction, repo, refname)?.is_some() {
                return Err(Error::Conflict(format!("the reference `{refname:.100}` exists already")));
            }
            lead_ref(transaction, repo, refname, what, commit)
        })
    }

    /// Forgets a branch or tag; what it led to stays.
    pub fn delete_ref(&self, kind: Kind, name: &str, refname: &str) -> Result<()> {
        if refname == "main" {
            return Err(Error::Forbidden("`main` cannot be deleted".into()));
        }
        self.write(|transaction| {
            let repo =
                repos::id_of(transaction, kind, name)?.ok_or_else(|| Error::NotFound(format!("`{name}`")))?;
            let gone = transaction
                .execute("DELETE FROM refs WHERE repo = $1 AND name = $2", &[repo.into(), refname.into()])?;
            if gone == 0 {
                return Err(Error::NotFound(format!("the reference `{refname:.100}`")));
            }
            super::touch(transaction)
        })
    }

    /// Counts that a version was given out.
    pub fn count_pull(&self, repo: i64) -> Result<()> {
        self.database().write_aside(|transaction| {
            transaction
                .execute("UPDATE repos SET pulls = pulls + 1 WHERE id = $1", &[repo.into()])
                .map(|_| ())
        })
    }

    /// Whether some version that is given out has this content, in a file that is.
    pub fn is_served(&self, sha256: Digest) -> Result<bool> {
        self.read(|connection| {
            let row = connection.query_one(
                "SELECT 1 FROM files f JOIN versions v ON v.id = f.version
                 WHERE f.sha256 = $1 AND f.served = 1 AND v.stage IN ('approved', 'production', 'deprecated') LIMIT 1",
                &[(&sha256.as_bytes()[..]).into()],
            )?;
            Ok(row.is_some())
        })
    }
}

/// Refuses a version whose content is not here.
fn refuse_missing(blobs: &Blobs, files: &[NewFile]) -> Result<()> {
    for file in files {
        if !blobs.contains(file.sha256)? {
            return Err(Error::Invalid(format!("the content of `{:.200}` is not here", file.path)));
        }
    }
    Ok(())
}

/// A step of a version from one stage to another.
pub(crate) struct Moved<'a> {
    pub(crate) version: i64,
    /// `model/acme/tiny`.
    pub(crate) name: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) manifest: &'a str,
    /// Empty when it was in none.
    pub(crate) before: &'a str,
    pub(crate) after: Stage,
    pub(crate) reason: &'a str,
    pub(crate) actor: &'a Actor,
}

/// Whether this is the name of a commit: 40 lower-case hexadecimal digits.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

pub(crate) fn by_id(connection: &mut Connection, id: i64) -> Result<Option<Version>> {
    let sql = format!(
        "SELECT {VERSION}, r.kind, r.name FROM versions v JOIN repos r ON r.id = v.repo WHERE v.id = $1"
    );
    connection.query_one(&sql, &[id.into()])?.as_ref().map(with_repo).transpose()
}

/// The commit that a revision names, if it is one that is here.
pub(crate) fn resolve(connection: &mut Connection, repo: i64, revision: &str) -> Result<Option<String>> {
    let leads = resolve_ref(connection, repo, revision)?;
    Ok(leads.or_else(|| is_commit(revision).then(|| revision.to_owned())))
}

/// Where a reference leads, if there is one of this name.
fn resolve_ref(connection: &mut Connection, repo: i64, name: &str) -> Result<Option<String>> {
    let row = connection
        .query_one("SELECT commit_id FROM refs WHERE repo = $1 AND name = $2", &[repo.into(), name.into()])?;
    row.map(|row| row.text(0)).transpose()
}

fn lead_ref(transaction: &mut Transaction, repo: i64, name: &str, what: RefKind, commit: &str) -> Result<()> {
    let Some(version) = version_in(transaction, repo, commit)? else {
        return Err(Error::NotFound(format!("the commit `{commit:.40}`")));
    };
    set_ref(transaction, repo, name, what, commit)?;
    if name == "main" {
        transaction.execute("UPDATE repos SET head = $2 WHERE id = $1", &[repo.into(), version.into()])?;
    }
    super::touch(transaction)
}

pub(crate) fn version_in(connection: &mut Connection, repo: i64, commit: &str) -> Result<Option<i64>> {
    connection
        .query_one(
            "SELECT id FROM versions WHERE repo = $1 AND commit_id = $2",
            &[repo.into(), commit.into()],
        )?
        .map(|row| row.int(0))
        .transpose()
}

pub(crate) fn set_ref(
    transaction: &mut Transaction,
    repo: i64,
    name: &str,
    kind: RefKind,
    commit: &str,
) -> Result<()> {
    if name.is_empty() {
        return Ok(());
    }
    let plain = !name.contains("..") && !name.starts_with(['/', '-', '.']) && !name.ends_with(['/', '.']);
    let known = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+=".contains(&byte));
    if !plain || !known || name.len() > 200 || is_commit(name) {
        return Err(Error::Invalid(format!("`{:.100}` is no name of a reference", name.escape_debug())));
    }
    transaction.execute(
        "INSERT INTO refs (repo, name, kind, commit_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (repo, name) DO UPDATE SET commit_id = EXCLUDED.commit_id, kind = EXCLUDED.kind",
        &[repo.into(), name.into(), kind.as_str().into(), commit.into()],
    )?;
    Ok(())
}

/// A row of [`VERSION`], then kind and name of the repository.
pub(crate) fn with_repo(row: &Row) -> Result<Version> {
    let kind = Kind::parse(&row.text(VERSION_COLUMNS)?)?;
    version_of(row, 0, kind, &row.text(VERSION_COLUMNS + 1)?)
}

/// The version in a row that has [`VERSION`] from column `at` on.
pub(crate) fn version_of(row: &Row, at: usize, kind: Kind, name: &str) -> Result<Version> {
    Ok(Version {
        id: row.int(at)?,
        repo: row.int(at + 1)?,
        kind,
        name: name.to_owned(),
        commit: row.text(at + 2)?,
        refname: row.text(at + 3)?,
        manifest: row.text(at + 4)?,
        message: row.text(at + 5)?,
        author: row.text(at + 6)?,
        parent: row.opt_text(at + 7)?,
        created: read(row.int(at + 8)?),
        size: read(row.int(at + 9)?),
        files: read(row.int(at + 10)?),
        stage: Stage::parse(&row.text(at + 11)?)?,
        staged: read(row.int(at + 12)?),
        staged_by: row.text(at + 13)?,
        expires: row.opt_int(at + 14)?.map(read),
        conditions: row.text(at + 15)?,
        verdict: row.opt_text(at + 16)?.map(|text| parse_verdict(&text)).transpose()?,
        effect: row.opt_text(at + 17)?.map(|text| parse_effect(&text)).transpose()?,
        reason: row.text(at + 18)?,
        scan: row.opt_int(at + 19)?,
        released: row.opt_int(at + 20)?.map(read),
    })
}

const FILE: &str = "path, size, sha256, git_oid, lfs, verdict, format, served, reason";

fn file_of(row: &Row) -> Result<FileRecord> {
    let sha256 = row.bytes(2)?;
    let sha256 =
        <[u8; 32]>::try_from(sha256.as_slice()).map_err(|_| Error::internal("a digest of another length"))?;
    Ok(FileRecord {
        path: row.text(0)?,
        size: read(row.int(1)?),
        sha256: Digest::from_bytes(sha256),
        git_oid: hex(&row.bytes(3)?),
        lfs: row.flag(4)?,
        verdict: row.opt_text(5)?.map(|text| parse_verdict(&text)).transpose()?,
        format: row.opt_text(6)?,
        served: row.flag(7)?,
        reason: row.opt_text(8)?,
    })
}

fn add_file(transaction: &mut Transaction, version: i64, file: &NewFile) -> Result<()> {
    let oid = oid_bytes(&file.git_oid)?;
    let lfs = file.git_oid == pointer_oid(file.sha256, file.size);
    transaction.execute(
        "INSERT INTO files (version, path, size, sha256, git_oid, lfs, served) VALUES ($1, $2, $3, $4, $5, $6, 1)",
        &[
            version.into(),
            (&file.path).into(),
            bigint(file.size).into(),
            (&file.sha256.as_bytes()[..]).into(),
            (&oid).into(),
            lfs.into(),
        ],
    )?;
    Ok(())
}

fn oid_bytes(text: &str) -> Result<Vec<u8>> {
    let bad = || Error::Invalid(format!("`{text:.60}` is no git object name"));
    if !is_commit(text) {
        return Err(bad());
    }
    (0..20)
        .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2).ok_or_else(bad)?, 16).map_err(|_| bad()))
        .collect()
}

/// Files by path, each once, none of which leaves the tree or hides another.
fn checked_files(mut files: Vec<NewFile>) -> Result<Vec<NewFile>> {
    if files.is_empty() {
        return Err(Error::Invalid("a version without files".into()));
    }
    if files.len() > MAX_FILES {
        return Err(Error::Invalid(format!("more than {MAX_FILES} files")));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &files {
        let path = file.path.as_str();
        let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() <= 255;
        let plain = !path.chars().any(|character| character.is_control() || character == '\\');
        if !path.split('/').all(part) || !plain || path.len() > 2000 || path.split('/').next() == Some(".git")
        {
            return Err(Error::Invalid(format!("`{:.200}` is no path of a file", path.escape_debug())));
        }
    }
    let folders: std::collections::HashSet<&str> = files
        .iter()
        .flat_map(|file| file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)))
        .collect();
    for pair in files.windows(2) {
        if let [first, second] = pair
            && first.path == second.path
        {
            return Err(Error::Invalid(format!("`{:.200}` is named twice", first.path)));
        }
    }
    if let Some(both) = files.iter().find(|file| folders.contains(file.path.as_str())) {
        return Err(Error::Invalid(format!("`{:.200}` is a file and a folder", both.path)));
    }
    Ok(files)
}

/// As `alnage vet` computes it, and signatures sign it: without git's own files and the parts of a seal.
fn manifest_of(files: &[NewFile]) -> String {
    let files = files
        .iter()
        .filter(|file| !OUTSIDE_MANIFEST.contains(&file.path.split('/').next().unwrap_or_default()))
        .filter(|file| !alnage_fs::Sidecars::NAMES.contains(&file.path.as_str()))
        .map(|file| ManifestFile { path: file.path.clone(), size: file.size, sha256: Some(file.sha256) })
        .collect();
    // A hub's first commit has nothing but git's files.
    Manifest::new(files).digest.unwrap_or_else(|| Digest::of(b"")).to_string()
}

/// A name for a commit that was made here: of everything that makes it what it is.
#[expect(clippy::too_many_arguments, reason = "they are what the name is of, and nothing else joins them")]
fn commit_of(
    kind: Kind,
    name: &str,
    manifest: &str,
    parent: Option<&str>,
    message: &str,
    author: &str,
    now: u64,
    files: &[NewFile],
) -> String {
    let mut hash = Sha1::new();
    let parent = parent.unwrap_or_default();
    hash.update(format!(
        "commit\0{}\0{name}\0{manifest}\0{parent}\0{author}\0{now}\0{message}\0",
        kind.as_str()
    ));
    for file in files {
        hash.update(format!("{}\0{}\0", file.path, file.git_oid));
    }
    hex(&hash.finalize())
}
