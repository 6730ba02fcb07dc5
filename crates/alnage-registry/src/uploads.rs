//! Large files that people send before they commit them. A file may be committed to a repository only by who sent it
//! there, or when it is there already: knowing a digest is not having the file.

use crate::columns::{bigint, hex};
use std::{
    fs::File,
    io::{self, Read},
};

use alnage_types::Digest;

use crate::{Error, Kind, Registry, Result, sweep::refuse_swept};

/// Seconds that an upload may begin in.
const LIFE: u64 = 24 * 3600;
/// The largest file that is taken.
const MAX_FILE: u64 = 1 << 40;

/// A file that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What it must be.
    pub sha256: Digest,
    /// How long it must be.
    pub size: u64,
    /// Whether it has come.
    pub done: bool,
}

impl Registry {
    /// The secret under which a file may be sent for a repository.
    ///
    /// # Errors
    ///
    /// When it is too large, or the records cannot be written.
    pub fn expect_upload(
        &self,
        kind: Kind,
        name: &str,
        sha256: Digest,
        size: u64,
        author: &str,
    ) -> Result<String> {
        if size > MAX_FILE {
            return Err(Error::Invalid(format!("a file of {size} bytes is larger than what is taken")));
        }
        let secret = secret()?;
        let hashed = Digest::of(secret.as_bytes());
        let now = self.now();
        self.database().write_aside(|transaction| {
            transaction.execute("DELETE FROM uploads WHERE expires < $1", &[bigint(now).into()])?;
            transaction.execute(
                "INSERT INTO uploads (secret, kind, name, sha256, size, author, done, expires)
                 VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
                &[
                    hashed.as_bytes().as_slice().into(),
                    kind.as_str().into(),
                    name.into(),
                    sha256.as_bytes().as_slice().into(),
                    bigint(size).into(),
                    author.into(),
                    bigint(now.saturating_add(LIFE)).into(),
                ],
            )?;
            Ok(())
        })?;
        Ok(secret)
    }

    /// The file that may be sent under a secret.
    ///
    /// # Errors
    ///
    /// When the records cannot be read.
    pub fn upload(&self, secret: &str) -> Result<Option<Upload>> {
        let hashed = Digest::of(secret.as_bytes());
        let row = self.database().read(|connection| {
            connection.query_one(
                "SELECT sha256, size, done FROM uploads WHERE secret = $1 AND expires >= $2",
                &[hashed.as_bytes().as_slice().into(), bigint(self.now()).into()],
            )
        })?;
        let Some(row) = row else { return Ok(None) };
        let sha256 =
            <[u8; 32]>::try_from(row.bytes(0)?).map_err(|_| Error::internal("a digest of another length"))?;
        let size = u64::try_from(row.int(1)?).unwrap_or(0);
        Ok(Some(Upload { sha256: Digest::from_bytes(sha256), size, done: row.int(2)? == 1 }))
    }

    /// Takes a file that is sent under a secret.
    ///
    /// # Errors
    ///
    /// When it is not the file that was to be sent, or cannot be stored.
    pub fn receive_upload(&self, secret: &str, upload: &Upload, from: impl Read) -> Result<()> {
        let mut limited = Limited { from, left: upload.size };
        let stored = self.blobs().put(&mut limited, Some(upload.sha256))?;
        if stored.size != upload.size {
            return Err(Error::Invalid(format!(
                "the file has {} bytes and not {}",
                stored.size, upload.size
            )));
        }
        self.came(secret, upload.sha256)
    }

    /// Writes down that the file has come.
    fn came(&self, secret: &str, sha256: Digest) -> Result<()> {
        let hashed = Digest::of(secret.as_bytes());
        self.write(|transaction| {
            refuse_swept(transaction, self.blobs(), [sha256])?;
            let hashed = hashed.as_bytes().as_slice();
            match transaction.execute("UPDATE uploads SET done = 1 WHERE secret = $1", &[hashed.into()])? {
                0 => Err(Error::NotFound("the upload".into())),
                _ => Ok(()),
            }
        })
    }

    /// Whether a file may be committed to a repository: it was sent there, or is in one of its versions.
    ///
    /// # Errors
    ///
    /// When the records cannot be read.
    pub fn was_sent(&self, kind: Kind, name: &str, sha256: Digest, size: u64) -> Result<bool> {
        let sent = self.database().read(|connection| {
            let content = sha256.as_bytes().as_slice();
            let values = [kind.as_str().into(), name.into(), content.into(), bigint(size).into()];
            connection.query_one(
                "SELECT 1 FROM uploads WHERE kind = $1 AND name = $2 AND sha256 = $3 AND size = $4 AND done = 1
                 UNION ALL
                 SELECT 1 FROM files f JOIN versions v ON v.id = f.version JOIN repos r ON r.id = v.repo
                 WHERE r.kind = $1 AND r.name = $2 AND f.sha256 = $3 AND f.size = $4 LIMIT 1",
                &values,
            )
        })?;
        Ok(sent.is_some() && self.blobs().contains(sha256)?)
    }

    /// Writes down that a file has come for a repository by another way than under a secret.
    ///
    /// # Errors
    ///
    /// When the records cannot be written.
    pub fn note_upload(&self, kind: Kind, name: &str, sha256: Digest, size: u64, author: &str) -> Result<()> {
        let secret = self.expect_upload(kind, name, sha256, size, author)?;
        self.came(&secret, sha256)
    }
}

/// Gives no more than was announced: what is longer is not stored first and judged then.
struct Limited<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.left =
            self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other("longer than announced"))?;
        Ok(count)
    }
}

fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}
