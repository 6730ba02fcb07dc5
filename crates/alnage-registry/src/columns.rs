//! Digests and times as the database has them, and who names a blob.

use alnage_types::Digest;

use crate::{
    Error, Result,
    database::{Connection, Row},
};

/// The digest in column `index`.
pub(crate) fn digest_column(row: &Row, index: usize) -> Result<Digest> {
    let bytes = row.bytes(index)?;
    let bytes =
        bytes.try_into().map_err(|_| Error::internal("a digest in the database is not 32 bytes long"))?;
    Ok(Digest::from_bytes(bytes))
}

/// A time or size of ours as the database has it.
pub(crate) fn bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file, an artifact, an upload or a pull is made of these bytes.
pub(crate) fn is_named(connection: &mut Connection, digest: Digest) -> Result<bool> {
    const NAMES: [&str; 8] = [
        "SELECT 1 FROM files WHERE sha256 = $1 LIMIT 1",
        "SELECT 1 FROM oci_blobs WHERE digest = $1 LIMIT 1",
        "SELECT 1 FROM oci_attached WHERE digest = $1 LIMIT 1",
        "SELECT 1 FROM oci_upload_parts WHERE digest = $1 LIMIT 1",
        "SELECT 1 FROM xet_xorbs WHERE blob = $1 LIMIT 1",
        "SELECT 1 FROM uploads WHERE sha256 = $1 LIMIT 1",
        "SELECT 1 FROM xet_files WHERE sha256 = $1 LIMIT 1",
        "SELECT 1 FROM pull_files WHERE sha256 = $1 LIMIT 1",
    ];
    for statement in NAMES {
        if connection.query_one(statement, &[digest.as_bytes()[..].into()])?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
