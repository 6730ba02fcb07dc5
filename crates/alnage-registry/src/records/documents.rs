//! What goes with a version and is not one of its files: signatures, attestations, bills of materials from elsewhere.

use serde::Serialize;

use super::{Actor, types::read};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Database, Row},
};

/// The longest document.
const LONGEST: usize = 64 << 20;

/// A document about a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Document {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// `signature`, `attestation`, `bom`.
    pub kind: String,
    /// Its name among those of its kind.
    pub name: String,
    /// What it is.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// Who gave it.
    pub author: String,
    /// When, in seconds since 1970.
    pub created: u64,
}

impl Registry {
    /// Adds a document to a version, over an older one of that name.
    pub fn add_document(
        &self,
        version: i64,
        kind: &str,
        name: &str,
        body: &[u8],
        actor: &Actor,
    ) -> Result<i64> {
        if body.len() > LONGEST {
            return Err(Error::Invalid("the document is too long".into()));
        }
        let now = self.now();
        self.write(|transaction| {
            if super::versions::by_id(transaction, version)?.is_none() {
                return Err(Error::NotFound("the version".into()));
            }
            let id = Database::next_id(transaction)?;
            transaction.execute(
                "INSERT INTO documents (id, version, kind, name, body, author, created)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (version, kind, name) DO UPDATE SET id = EXCLUDED.id, body = EXCLUDED.body,
                     author = EXCLUDED.author, created = EXCLUDED.created",
                &[
                    id.into(),
                    version.into(),
                    kind.into(),
                    name.into(),
                    body.into(),
                    (&actor.name).into(),
                    bigint(now).into(),
                ],
            )?;
            Ok(id)
        })
    }

    /// The documents of a version, of one kind or all.
    pub fn documents(&self, version: i64, kind: Option<&str>) -> Result<Vec<Document>> {
        self.read(|connection| {
            let rows = connection.query(
                "SELECT id, version, kind, name, body, author, created FROM documents
                 WHERE version = $1 AND kind = COALESCE($2, kind) ORDER BY kind, name LIMIT 1000",
                &[version.into(), kind.into()],
            )?;
            rows.iter().map(document_of).collect()
        })
    }
}

fn document_of(row: &Row) -> Result<Document> {
    Ok(Document {
        id: row.int(0)?,
        version: row.int(1)?,
        kind: row.text(2)?,
        name: row.text(3)?,
        body: row.bytes(4)?,
        author: row.text(5)?,
        created: read(row.int(6)?),
    })
}
