//! A blob on its way: its parts are blobs of their own until the last has come, so that any replica may take any part.

use std::io::Read;

use alnage_types::Digest;

use super::note_blob;
use crate::{
    Error, Result,
    blobs::{BlobReader, Blobs, Stored},
    columns::{bigint, digest_column, is_named},
    database::Database,
    sweep::refuse_swept,
};

/// How long an upload may take.
const SECONDS: u64 = 24 * 60 * 60;
/// How long a blob waits for a manifest that names it.
const NOTED_SECONDS: u64 = 7 * 24 * 60 * 60;
/// The most parts of one upload.
const MAX_PARTS: usize = 100_000;
/// Uploads that one sweep takes away at most.
const SWEPT_AT_ONCE: i64 = 16;

/// An upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The repository it is for.
    pub repo: String,
    /// Its parts, in order.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    digest: Digest,
    size: u64,
}

/// How many bytes of an upload are here.
pub fn part_size(upload: &Upload) -> u64 {
    upload.parts.iter().map(|part| part.size).sum()
}

/// A name for an upload that nobody guesses: whoever has it may go on with the upload.
pub fn new_upload_id() -> Result<String> {
    let mut fresh = [0; 16];
    getrandom::fill(&mut fresh).map_err(|error| Error::internal(error.to_string()))?;
    Ok(crate::columns::hex(&fresh))
}

/// Begins an upload.
pub fn begin(database: &Database, blobs: &Blobs, repo: &str, id: &str, now: u64) -> Result<()> {
    sweep(database, blobs, now)?;
    database.write(|transaction| {
        transaction.execute(
            "INSERT INTO oci_uploads (id, repo, created) VALUES ($1, $2, $3)",
            &[id.into(), repo.into(), bigint(now).into()],
        )?;
        Ok(())
    })
}

/// The upload with this name.
pub fn upload(database: &Database, repo: &str, id: &str) -> Result<Upload> {
    let (known, rows) = database.read(|connection| {
        let known = connection
            .query_one("SELECT 1 FROM oci_uploads WHERE id = $1 AND repo = $2", &[id.into(), repo.into()])?;
        let rows = connection.query(
            "SELECT digest, size FROM oci_upload_parts WHERE upload = $1 ORDER BY start",
            &[id.into()],
        )?;
        Ok((known, rows))
    })?;
    known.ok_or_else(|| Error::NotFound("the upload".into()))?;
    let part =
        |row| Ok(Part { digest: digest_column(row, 0)?, size: u64::try_from(row.int(1)?).unwrap_or(0) });
    Ok(Upload { repo: repo.to_owned(), parts: rows.iter().map(part).collect::<Result<_>>()? })
}

/// Takes the next part; it must begin where the upload ends. Gives the upload's new length.
pub fn append(
    database: &Database,
    blobs: &Blobs,
    repo: &str,
    id: &str,
    start: u64,
    from: impl Read,
) -> Result<u64> {
    let upload = upload(database, repo, id)?;
    let length = part_size(&upload);
    if start != length {
        return Err(Error::Conflict(format!("the upload has {length} bytes: the next part begins there")));
    }
    if upload.parts.len() >= MAX_PARTS {
        return Err(Error::Invalid("the upload has too many parts".into()));
    }
    let stored = blobs.put(from, None)?;
    if stored.size == 0 {
        return Ok(length);
    }
    database.write(|transaction| {
        refuse_swept(transaction, blobs, [stored.digest])?;
        // Somebody may have finished or given up meanwhile, and a part of nothing would be kept for ever.
        let known = transaction
            .query_one("SELECT 1 FROM oci_uploads WHERE id = $1 AND repo = $2", &[id.into(), repo.into()])?;
        known.ok_or_else(|| Error::NotFound("the upload".into()))?;
        let taken = transaction.execute(
            "INSERT INTO oci_upload_parts (upload, start, digest, size) VALUES ($1, $2, $3, $4)
             ON CONFLICT (upload, start) DO NOTHING",
            &[
                id.into(),
                bigint(start).into(),
                stored.digest.as_bytes()[..].into(),
                bigint(stored.size).into(),
            ],
        )?;
        if taken == 0 {
            return Err(Error::Conflict("another request sent the same part".into()));
        }
        Ok(())
    })?;
    Ok(length + stored.size)
}

/// Makes one blob of all parts, which must have this digest.
pub fn finish(
    database: &Database,
    blobs: &Blobs,
    repo: &str,
    id: &str,
    digest: Digest,
    now: u64,
) -> Result<Stored> {
    let upload = upload(database, repo, id)?;
    let stored = match upload.parts.as_slice() {
        [one] if one.digest == digest && blobs.contains(digest)? => {
            Stored { digest, size: one.size, git_oid: String::new() }
        }
        parts => blobs.put(Joined { blobs, parts: parts.iter(), open: None }, Some(digest))?,
    };
    note_blob(database, blobs, repo, digest, stored.size, now)?;
    cancel(database, blobs, repo, id)?;
    Ok(stored)
}

/// Forgets an upload and its parts.
pub fn cancel(database: &Database, blobs: &Blobs, repo: &str, id: &str) -> Result<()> {
    let upload = upload(database, repo, id)?;
    database.write(|transaction| {
        transaction.execute("DELETE FROM oci_upload_parts WHERE upload = $1", &[id.into()])?;
        transaction.execute("DELETE FROM oci_uploads WHERE id = $1", &[id.into()])?;
        for part in &upload.parts {
            if !is_named(transaction, part.digest)? {
                blobs.delete(part.digest)?;
            }
        }
        Ok(())
    })
}

/// Forgets uploads that nobody finished, and blobs that no manifest named in time.
fn sweep(database: &Database, blobs: &Blobs, now: u64) -> Result<()> {
    let before = bigint(now.saturating_sub(NOTED_SECONDS));
    database.write_aside(|transaction| {
        transaction.execute("DELETE FROM oci_blobs WHERE created < $1", &[before.into()]).map(|_| ())
    })?;
    let before = bigint(now.saturating_sub(SECONDS));
    let old = database.read(|connection| {
        connection.query(
            "SELECT repo, id FROM oci_uploads WHERE created < $1 ORDER BY created LIMIT $2",
            &[before.into(), SWEPT_AT_ONCE.into()],
        )
    })?;
    for row in &old {
        match cancel(database, blobs, &row.text(0)?, &row.text(1)?) {
            // Another replica was faster.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// All parts one after the other.
struct Joined<'a> {
    blobs: &'a Blobs,
    parts: std::slice::Iter<'a, Part>,
    open: Option<(BlobReader, u64)>,
}

impl Read for Joined<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some((reader, offset)) = &mut self.open {
                let count = reader.read_at(buffer, *offset)?;
                *offset += count as u64;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            let Some(part) = self.parts.next() else { return Ok(0) };
            let reader = self.blobs.open(part.digest).map_err(std::io::Error::other)?;
            self.open = Some((reader.ok_or(std::io::ErrorKind::NotFound)?, 0));
        }
    }
}
