//! A short-lived permission to send xorbs and shards, which every replica can check without asking the others.

use crate::columns::hex;
use alnage_xet::{MerkleHash, keyed};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, database::Database};

/// How long a permission lasts. Clients ask for a new one in time.
const SECONDS: u64 = 15 * 60;

/// Who may upload for which repository, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The account that was given the permission.
    pub account: String,
    /// `model` or `dataset`.
    pub kind: String,
    /// The repository: `acme/tiny`.
    pub name: String,
    /// Seconds since 1970.
    pub expires: u64,
}

/// The key of all permissions, made by whichever replica needs it first.
pub fn secret(database: &Database) -> Result<[u8; 32]> {
    const READ: &str = "SELECT value FROM secrets WHERE name = 'xet'";
    let known = database.read(|connection| connection.query_one(READ, &[]))?;
    let row = match known {
        Some(row) => Some(row),
        None => {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh).map_err(|error| Error::internal(error.to_string()))?;
            database.write(|transaction| {
                transaction.execute(
                    "INSERT INTO secrets (name, value) VALUES ('xet', $1) ON CONFLICT (name) DO NOTHING",
                    &[fresh[..].into()],
                )?;
                transaction.query_one(READ, &[])
            })?
        }
    };
    let value = row.ok_or_else(|| Error::internal("a secret was not kept"))?.bytes(0)?;
    value.try_into().map_err(|_| Error::internal("a secret of another length"))
}

impl Grant {
    /// A permission that starts now.
    pub fn new(account: &str, kind: &str, name: &str, now: u64) -> Self {
        let expires = now.saturating_add(SECONDS);
        Self { account: account.to_owned(), kind: kind.to_owned(), name: name.to_owned(), expires }
    }

    /// The permission as text that nobody else can make.
    pub fn seal(&self, secret: &[u8; 32]) -> Result<String> {
        let claims = hex(&serde_json::to_vec(self)?);
        let code = keyed(secret, claims.as_bytes());
        Ok(format!("xet_{claims}.{code}"))
    }

    /// The permission that a client shows.
    pub fn open(text: &str, secret: &[u8; 32], now: u64) -> Result<Self> {
        let refused = || Error::Forbidden("the upload token is not one of ours".into());
        let (claims, code) =
            text.strip_prefix("xet_").and_then(|text| text.split_once('.')).ok_or_else(refused)?;
        let code: MerkleHash = code.parse().map_err(|_| refused())?;
        // The comparison may stop at the first difference: it compares what a key was mixed into once more.
        let mixed = |code: MerkleHash| keyed(secret, code.as_bytes());
        if mixed(code) != mixed(keyed(secret, claims.as_bytes())) {
            return Err(refused());
        }
        let digits = claims.as_bytes().chunks_exact(2).map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(refused)
        });
        let grant: Self =
            serde_json::from_slice(&digits.collect::<Result<Vec<_>>>()?).map_err(|_| refused())?;
        if grant.expires <= now {
            return Err(Error::Forbidden("the upload token has expired".into()));
        }
        Ok(grant)
    }
}
