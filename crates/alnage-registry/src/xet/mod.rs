//! What clients upload by Xet: xorbs that wait for the shard that makes files of them, and tokens to send them with.
//!
//! A xorb is kept as a blob that no version names, so nothing serves it. Stock clients remember for three weeks what
//! they have sent and leave it out of later uploads; a xorb stays as long as they rely on it, and is swept then.

mod assembly;
mod grant;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use alnage_types::Digest;
use alnage_xet::{Chunks, MerkleHash, Plan, Shard, Xorb};

pub use grant::{Grant, secret};

use crate::{
    Error, Result,
    blobs::Blobs,
    columns::{bigint, digest_column, is_named},
    database::{Database, Row},
    sweep::refuse_swept,
};
use assembly::Assembly;

/// How long a xorb stays after it was last sent or used: a day longer than the stock client's memory.
pub const KEPT_SECONDS: u64 = 22 * 24 * 60 * 60;
/// The most bytes that the files of one shard may have together.
const MAX_SHARD_CONTENT: u64 = 1 << 40;
/// Xorbs that one sweep takes away at most.
const SWEPT_AT_ONCE: i64 = 64;

/// A file that was put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assembled {
    /// The digest of its content, under which it is a blob now.
    pub sha256: Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// Whether a xorb was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was not here.
    New,
    /// It was here already.
    Known,
}

/// A xorb that is here.
struct Kept {
    blob: Digest,
    xorb: Xorb,
}

/// Takes a xorb, if its chunks give the hash that it is called by.
pub fn put_xorb(
    database: &Database,
    blobs: &Blobs,
    claimed: MerkleHash,
    bytes: &[u8],
    now: u64,
) -> Result<Inserted> {
    let xorb = Xorb::verify(bytes, claimed)?;
    let body = bytes.get(..xorb.body()).unwrap_or(bytes);
    let stored = blobs.put(body, None)?;
    let (table, hash, blob) = (xorb.table(), xorb.hash, stored.digest);
    let added = database.write(|transaction| {
        // Whoever sweeps deletes the bytes within a write as well: after this look they stay.
        if !blobs.contains(blob)? {
            return Err(Error::Unavailable("the xorb was swept while it was taken: send it again".into()));
        }
        let touched = transaction.execute(
            "UPDATE xet_xorbs SET used = $1 WHERE hash = $2",
            &[bigint(now).into(), hash.as_bytes()[..].into()],
        )?;
        if touched == 0 {
            transaction.execute(
                "INSERT INTO xet_xorbs (hash, blob, chunks, used) VALUES ($1, $2, $3, $4)",
                &[
                    hash.as_bytes()[..].into(),
                    blob.as_bytes()[..].into(),
                    (&table).into(),
                    bigint(now).into(),
                ],
            )?;
        }
        Ok(if touched == 0 { Inserted::New } else { Inserted::Known })
    })?;
    sweep(database, blobs, now)?;
    Ok(added)
}

/// Makes blobs of the files of a shard. All hashes of all files are checked before the first byte is put together.
pub fn put_shard(database: &Database, blobs: &Blobs, bytes: &[u8], now: u64) -> Result<Vec<Assembled>> {
    let shard = Shard::parse(bytes)?;
    let content = shard.files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.size()));
    if content.is_none_or(|content| content > MAX_SHARD_CONTENT) {
        return Err(alnage_xet::Error::TooLarge("the content of a shard").into());
    }
    for file in &shard.files {
        let kept = kept(database, file)?;
        Plan::of(file, &chunks(&kept))?;
    }
    let mut assembled = Vec::with_capacity(shard.files.len());
    for file in &shard.files {
        let kept = kept(database, file)?;
        let plan = Plan::of(file, &chunks(&kept))?;
        assembled.push(assemble(database, blobs, &plan, &kept, now)?);
    }
    Ok(assembled)
}

/// Takes away xorbs that no client relies on any more, and forgets files that were put together for no commit.
pub fn sweep(database: &Database, blobs: &Blobs, now: u64) -> Result<usize> {
    let before = bigint(now.saturating_sub(KEPT_SECONDS));
    database.write_aside(|transaction| {
        transaction.execute("DELETE FROM xet_files WHERE created < $1", &[before.into()]).map(|_| ())
    })?;
    let old = database.read(|connection| {
        connection.query(
            "SELECT hash, blob FROM xet_xorbs WHERE used < $1 ORDER BY used LIMIT $2",
            &[before.into(), SWEPT_AT_ONCE.into()],
        )
    })?;
    for row in &old {
        let (hash, blob) = (row.bytes(0)?, digest_column(row, 1)?);
        database.write(|transaction| {
            let gone = transaction.execute(
                "DELETE FROM xet_xorbs WHERE hash = $1 AND used < $2",
                &[(&hash).into(), before.into()],
            )?;
            // The same bytes may be a model's file.
            if gone > 0 && !is_named(transaction, blob)? {
                blobs.delete(blob)?;
            }
            Ok(())
        })?;
    }
    Ok(old.len())
}

fn assemble(
    database: &Database,
    blobs: &Blobs,
    plan: &Plan,
    kept: &HashMap<MerkleHash, Kept>,
    now: u64,
) -> Result<Assembled> {
    let known = plan.sha256.map(|sha256| known(database, blobs, sha256, plan)).transpose()?.flatten();
    let assembled = match known {
        Some(known) => known,
        None => {
            let stored = blobs.put(Assembly::new(blobs, plan, kept), plan.sha256)?;
            Assembled { sha256: stored.digest, size: stored.size }
        }
    };
    database.write(|transaction| {
        refuse_swept(transaction, blobs, [assembled.sha256])?;
        transaction.execute(
            "INSERT INTO xet_files (sha256, hash, size, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT (sha256) DO UPDATE SET hash = $2, created = $4",
            &[
                assembled.sha256.as_bytes()[..].into(),
                plan.hash.as_bytes()[..].into(),
                bigint(assembled.size).into(),
                bigint(now).into(),
            ],
        )?;
        for hash in kept.keys() {
            transaction.execute(
                "UPDATE xet_xorbs SET used = $1 WHERE hash = $2",
                &[bigint(now).into(), hash.as_bytes()[..].into()],
            )?;
        }
        Ok(())
    })?;
    Ok(assembled)
}

/// The file, if it was put together of the same chunks before and is still here.
fn known(database: &Database, blobs: &Blobs, sha256: Digest, plan: &Plan) -> Result<Option<Assembled>> {
    let row = database.read(|connection| {
        connection.query_one(
            "SELECT size FROM xet_files WHERE sha256 = $1 AND hash = $2",
            &[sha256.as_bytes()[..].into(), plan.hash.as_bytes()[..].into()],
        )
    })?;
    Ok((row.is_some() && blobs.contains(sha256)?).then_some(Assembled { sha256, size: plan.size }))
}

/// The xorbs that a file names, as far as they are here.
fn kept(database: &Database, file: &alnage_xet::File) -> Result<HashMap<MerkleHash, Kept>> {
    let mut kept = HashMap::new();
    let mut count = 0;
    for segment in &file.segments {
        if kept.contains_key(&segment.xorb) {
            continue;
        }
        let row = database.read(|connection| {
            connection.query_one(
                "SELECT blob, chunks FROM xet_xorbs WHERE hash = $1",
                &[segment.xorb.as_bytes()[..].into()],
            )
        })?;
        let Some(row) = row else { return Err(alnage_xet::Error::UnknownXorb(segment.xorb).into()) };
        let found = Kept::from_row(segment.xorb, &row)?;
        count += found.xorb.chunks.len();
        if count > alnage_xet::MAX_FILE_CHUNKS {
            return Err(alnage_xet::Error::TooLarge("file").into());
        }
        kept.insert(segment.xorb, found);
    }
    Ok(kept)
}

impl Kept {
    fn from_row(hash: MerkleHash, row: &Row) -> Result<Self> {
        Ok(Self { blob: digest_column(row, 0)?, xorb: Xorb::from_table(hash, &row.bytes(1)?)? })
    }
}

fn chunks(kept: &HashMap<MerkleHash, Kept>) -> Chunks {
    kept.iter().map(|(hash, kept)| (*hash, kept.xorb.chunks.clone())).collect()
}

/// What a client sent is wrong.
impl From<alnage_xet::Error> for Error {
    fn from(error: alnage_xet::Error) -> Self {
        Self::Invalid(error.to_string())
    }
}
