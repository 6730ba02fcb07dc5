//! Artifacts of the OCI distribution protocol: what was pushed, what a version looks like as one, uploads under way.
//!
//! Bytes are the same blobs that every door serves. What is here only says which manifest belongs to which version;
//! whether it may be served is for `answer` to say about that version.

mod manifest;
mod pack;
mod upload;

#[cfg(test)]
mod tests;

use alnage_types::Digest;

pub use manifest::{
    DOCKER_MANIFEST, Descriptor, FILE_PATH, LayerFile, MAX_MANIFEST, Manifest, Name, OCI_MANIFEST, TITLE,
};
pub use pack::{MODEL_PACK, Packed, model_pack, ollama};
pub use upload::{Upload, append, begin, cancel, finish, new_upload_id, part_size, upload};

use crate::{
    Result,
    blobs::Blobs,
    columns::{bigint, digest_column},
    database::{Database, Row},
    sweep::refuse_swept,
};

/// Attachments of attachments are followed so far.
const MAX_SUBJECTS: usize = 8;

/// A manifest that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptManifest {
    /// Its digest.
    pub digest: Digest,
    /// What it is served as.
    pub media_type: String,
    /// The kind of artifact.
    pub artifact_type: String,
    /// The version it is an artifact of; empty for attachments, which go with their subject.
    pub commit: String,
    /// What it is about, when it is an attachment.
    pub subject: Option<Digest>,
    /// Its bytes as they were pushed.
    pub bytes: Vec<u8>,
    /// Its annotations, as JSON.
    pub annotations: String,
    /// Whether it was made of a version here, not pushed.
    pub made: bool,
}

const COLUMNS: &str = "digest, media_type, artifact_type, commit_id, subject, bytes, annotations, made";

impl KeptManifest {
    /// A manifest of `commit`, to be kept.
    pub fn new(manifest: &Manifest, bytes: &[u8], commit: &str) -> Result<Self> {
        Ok(Self {
            digest: Digest::of(bytes),
            media_type: manifest.media_type().to_owned(),
            artifact_type: manifest.kind().to_owned(),
            commit: commit.to_owned(),
            subject: manifest.subject.as_ref().map(|subject| subject.digest.0),
            bytes: bytes.to_vec(),
            annotations: serde_json::to_string(&manifest.annotations)?,
            made: false,
        })
    }

    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            digest: digest_column(row, 0)?,
            media_type: row.text(1)?,
            artifact_type: row.text(2)?,
            commit: row.text(3)?,
            subject: row.opt_bytes(4)?.map(|_| digest_column(row, 4)).transpose()?,
            bytes: row.bytes(5)?,
            annotations: row.text(6)?,
            made: row.flag(7)?,
        })
    }
}

/// Keeps a manifest, and that these blobs go with it.
pub fn keep(
    database: &Database,
    blobs: &Blobs,
    repo: &str,
    kept: &KeptManifest,
    attached: &[Digest],
    now: u64,
) -> Result<()> {
    database.write(|transaction| {
        refuse_swept(transaction, blobs, attached.iter().copied())?;
        transaction.execute(
            "INSERT INTO oci_manifests
             (repo, digest, media_type, artifact_type, commit_id, subject, bytes, annotations, made, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (repo, digest) DO UPDATE SET commit_id = $5",
            &[
                repo.into(),
                kept.digest.as_bytes()[..].into(),
                (&kept.media_type).into(),
                (&kept.artifact_type).into(),
                (&kept.commit).into(),
                kept.subject.as_ref().map(|subject| &subject.as_bytes()[..]).into(),
                (&kept.bytes).into(),
                (&kept.annotations).into(),
                kept.made.into(),
                bigint(now).into(),
            ],
        )?;
        for digest in attached {
            transaction.execute(
                "INSERT INTO oci_attached (repo, digest, manifest) VALUES ($1, $2, $3)
                 ON CONFLICT (repo, digest, manifest) DO NOTHING",
                &[repo.into(), digest.as_bytes()[..].into(), kept.digest.as_bytes()[..].into()],
            )?;
        }
        Ok(())
    })
}

/// The manifest with this digest.
pub fn manifest(database: &Database, repo: &str, digest: Digest) -> Result<Option<KeptManifest>> {
    let row = database.read(|connection| {
        connection.query_one(
            &format!("SELECT {COLUMNS} FROM oci_manifests WHERE repo = $1 AND digest = $2"),
            &[repo.into(), digest.as_bytes()[..].into()],
        )
    })?;
    row.as_ref().map(KeptManifest::from_row).transpose()
}

/// The manifest that was pushed as this version.
pub fn manifest_of(database: &Database, repo: &str, commit: &str) -> Result<Option<KeptManifest>> {
    let row = database.read(|connection| {
        connection.query_one(
            &format!(
                "SELECT {COLUMNS} FROM oci_manifests WHERE repo = $1 AND commit_id = $2 AND subject IS NULL AND made = 0
                 ORDER BY created LIMIT 1"
            ),
            &[repo.into(), commit.into()],
        )
    })?;
    row.as_ref().map(KeptManifest::from_row).transpose()
}

/// The attachments of the manifest with this digest.
pub fn referrers(database: &Database, repo: &str, subject: Digest) -> Result<Vec<KeptManifest>> {
    let rows = database.read(|connection| {
        connection.query(
            &format!(
                "SELECT {COLUMNS} FROM oci_manifests WHERE repo = $1 AND subject = $2 ORDER BY created, digest LIMIT 1000"
            ),
            &[repo.into(), subject.as_bytes()[..].into()],
        )
    })?;
    rows.iter().map(KeptManifest::from_row).collect()
}

/// The version that a manifest goes with: its own, or its subject's. `None` while the subject is not here.
pub fn commit_of(database: &Database, repo: &str, kept: &KeptManifest) -> Result<Option<String>> {
    let mut commit = kept.commit.clone();
    let mut subject = kept.subject;
    for _ in 0..MAX_SUBJECTS {
        let Some(digest) = subject else { return Ok(Some(commit).filter(|commit| !commit.is_empty())) };
        let Some(kept) = manifest(database, repo, digest)? else { return Ok(None) };
        (commit, subject) = (kept.commit, kept.subject);
    }
    Ok(None)
}

/// The versions of a repository that a blob goes with, as a file or as a part of an artifact; newest first.
pub fn commits_with(database: &Database, repo: &str, digest: Digest) -> Result<Vec<(String, Part)>> {
    let name = &digest.as_bytes()[..];
    let (files, manifests) = database.read(|connection| {
        let files = connection.query(
            "SELECT versions.commit_id, files.path FROM files
             JOIN versions ON versions.id = files.version JOIN repos ON repos.id = versions.repo
             WHERE files.sha256 = $1 AND repos.kind = 'model' AND repos.name = $2 ORDER BY versions.id DESC LIMIT 100",
            &[name.into(), repo.into()],
        )?;
        let manifests = connection.query(
            "SELECT manifest FROM oci_attached WHERE repo = $1 AND digest = $2 LIMIT 100",
            &[repo.into(), name.into()],
        )?;
        Ok((files, manifests))
    })?;
    let mut found = Vec::with_capacity(files.len() + manifests.len());
    for row in &files {
        found.push((row.text(0)?, Part::File(row.text(1)?)));
    }
    for row in &manifests {
        let Some(kept) = manifest(database, repo, digest_column(row, 0)?)? else { continue };
        if let Some(commit) = commit_of(database, repo, &kept)? {
            found.push((commit, Part::OfArtifact));
        }
    }
    Ok(found)
}

/// What a blob is in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The file at this path.
    File(String),
    /// A configuration, or the content of an attachment.
    OfArtifact,
}

/// Notes that a blob was uploaded for a repository, so that a manifest may name it.
pub fn note_blob(
    database: &Database,
    blobs: &Blobs,
    repo: &str,
    digest: Digest,
    size: u64,
    now: u64,
) -> Result<()> {
    database.write(|transaction| {
        refuse_swept(transaction, blobs, [digest])?;
        transaction.execute(
            "INSERT INTO oci_blobs (repo, digest, size, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT (repo, digest) DO UPDATE SET created = $4",
            &[repo.into(), digest.as_bytes()[..].into(), bigint(size).into(), bigint(now).into()],
        )?;
        Ok(())
    })
}

/// The size of a blob that somebody uploaded for a repository.
pub fn noted_blob(database: &Database, repo: &str, digest: Digest) -> Result<Option<u64>> {
    let row = database.read(|connection| {
        connection.query_one(
            "SELECT size FROM oci_blobs WHERE repo = $1 AND digest = $2",
            &[repo.into(), digest.as_bytes()[..].into()],
        )
    })?;
    row.map(|row| Ok(u64::try_from(row.int(0)?).unwrap_or(0))).transpose()
}

/// The one model whose name is `name` but for capitals, which names of artifacts do not have.
pub fn model_called(database: &Database, name: &str) -> Result<Option<String>> {
    let rows = database.read(|connection| {
        connection.query(
            "SELECT name FROM repos WHERE kind = 'model' AND (name = $1 OR lower(name) = $1) LIMIT 3",
            &[name.into()],
        )
    })?;
    let names = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    if names.iter().any(|found| found == name) {
        return Ok(Some(name.to_owned()));
    }
    Ok(match names.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    })
}
