//! The transparency log, kept in the records, so that all replicas write one: every step of every version is in it.

use std::{cell::RefCell, io};

use alnage_log::{Checkpoint, Entry, LogKey, LogVerifier, NoteKey, Scheme, Store};
use alnage_sign::{Signer as _, SigningKey, Statement, Subject, attest, attested_digest};
use alnage_types::Digest;
use serde::Serialize;

use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Transaction},
    records::{Moved, read},
};

/// The predicate's type of a step; `docs/registry.md` defines it.
pub const STEP_PREDICATE: &str = "https://github.com/alnage/alnage/blob/main/docs/registry.md#step-v1";

/// The keys of the log, and of whoever makes its statements.
pub(crate) struct Log {
    key: LogKey,
    signer: SigningKey,
}

/// A statement that is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Its place in the log.
    pub entry: u64,
    /// The digest of its signed bytes.
    pub digest: String,
    /// The digest of the manifest it is about.
    pub subject: String,
    /// What kind of statement.
    pub predicate_type: String,
    /// When, in seconds since 1970.
    pub created: u64,
    /// The signed statement itself, a DSSE envelope.
    pub envelope: String,
}

impl Log {
    /// Opens the log that the records hold; keys are made when there are none.
    pub(crate) fn open(database: &Database, origin: &str) -> Result<Self> {
        let texts = database.write(|transaction| {
            let log = secret(transaction, "log-key", &|| {
                let mut keys = Vec::new();
                for scheme in [Scheme::Ed25519, Scheme::MlDsa44] {
                    keys.push(NoteKey::from_seed(scheme, origin, &seed()?).map_err(broken)?);
                }
                Ok(LogKey::new(keys).map_err(broken)?.to_text().to_string())
            })?;
            let signer = secret(transaction, "statement-key", &|| {
                let key = SigningKey::from_seed(alnage_sign::Curve::P256, &seed()?).map_err(broken)?;
                Ok(key.to_pem().map_err(broken)?.to_string())
            })?;
            Ok((log, signer))
        })?;
        let key = LogKey::from_text(&texts.0).map_err(broken)?;
        Ok(Self { key, signer: SigningKey::from_pem(&texts.1).map_err(broken)? })
    }

    /// Puts a step into the log, as part of the change that it is; gives its place.
    pub(crate) fn append_step(
        &self,
        transaction: &mut Transaction,
        moved: &Moved<'_>,
        now: u64,
    ) -> Result<u64> {
        let subject: Digest =
            moved.manifest.parse().map_err(|_| Error::internal("the digest of a manifest is none"))?;
        let time = alnage_pipeline::rfc3339(now);
        let statement = Statement {
            subjects: vec![Subject { name: format!("{}@{}", moved.name, moved.commit), digest: subject }],
            predicate_type: STEP_PREDICATE.to_owned(),
            predicate: serde_json::json!({
                "timeCreated": time,
                "model": moved.name,
                "commit": moved.commit,
                "before": moved.before,
                "after": moved.after,
                "reason": moved.reason,
                "actor": { "name": moved.actor.name, "kind": moved.actor.kind },
            }),
        };
        let envelope = attest(&statement, &self.signer).map_err(broken)?;
        let digest = attested_digest(envelope.as_bytes()).map_err(broken)?;
        let entry = Entry { statement: digest, subject, predicate_type: STEP_PREDICATE.to_owned(), time };
        let mut objects = Objects(RefCell::new(&mut *transaction));
        let index = alnage_log::append_all(&mut objects, &self.key, &mut std::iter::once(Ok(entry)))
            .map_err(broken)?
            .start;
        transaction.execute(
            "INSERT INTO log_statements (entry, digest, subject, predicate_type, created, envelope)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                bigint(index).into(),
                (&digest.to_string()).into(),
                (&subject.to_string()).into(),
                STEP_PREDICATE.into(),
                bigint(now).into(),
                (&envelope).into(),
            ],
        )?;
        Ok(index)
    }
}

impl Registry {
    /// The keys that the log's checkpoints are verified with, one a line.
    pub fn log_verifier(&self) -> &LogVerifier {
        self.log().key.verifier()
    }

    /// The key that the statements in the log are verified with, PEM.
    pub fn statement_key(&self) -> String {
        self.log().signer.verifying_key().to_pem().to_owned()
    }

    /// An object of the log as tlog-tiles names it: `checkpoint`, `tile/0/000.p/5`, `tile/entries/000`.
    pub fn log_object(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read(|connection| object(connection, name))
    }

    /// The newest checkpoint; `None` when nothing was ever logged.
    pub fn log_checkpoint(&self) -> Result<Option<Checkpoint>> {
        self.read(|connection| {
            alnage_log::current(&Objects(RefCell::new(connection)), self.log_verifier()).map_err(broken)
        })
    }

    /// The proof that an entry is in the log, as a receipt that `alnage log` verifies.
    pub fn log_receipt(&self, entry: u64) -> Result<String> {
        self.read(|connection| {
            let objects = Objects(RefCell::new(connection));
            match alnage_log::receipt_for(&objects, self.log_verifier(), entry) {
                Ok(receipt) => Ok(receipt.to_string()),
                Err(alnage_log::Error::NoSuchEntry { .. }) => {
                    Err(Error::NotFound(format!("entry {entry} of the log")))
                }
                Err(error) => Err(broken(error)),
            }
        })
    }

    /// The proof that the log of `new` entries continues the one of `old`.
    pub fn log_consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>> {
        self.read(|connection| {
            alnage_log::prove_consistency(&Objects(RefCell::new(connection)), old, new)
                .map_err(|error| Error::Invalid(error.to_string()))
        })
    }

    /// The whole log as text that `alnage log` verifies without this registry, line by line.
    pub fn log_export(&self, line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.read(|connection| {
            let mut failed = None;
            let mut hand_on = |text: &str| {
                line(text).map_err(|error| {
                    failed = Some(error);
                    alnage_log::Error::Malformed("the reader has gone".into())
                })
            };
            let objects = Objects(RefCell::new(connection));
            let exported = alnage_log::export(&objects, self.log_verifier(), &mut hand_on);
            match (failed, exported) {
                (Some(error), _) => Err(error),
                (None, Err(alnage_log::Error::NoSuchEntry { .. })) => {
                    Err(Error::NotFound("an entry of the log".into()))
                }
                (None, exported) => exported.map(|_| ()).map_err(broken),
            }
        })
    }

    /// Statements in the log, the newest first, before the entry `before`; about one manifest, or all.
    pub fn log_statements(
        &self,
        subject: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Logged>> {
        let before = before.map_or(i64::MAX, bigint);
        let limit = i64::from(limit.clamp(1, 1000));
        let sql = "SELECT entry, digest, subject, predicate_type, created, envelope FROM log_statements WHERE entry < $1";
        self.read(|connection| {
            let rows = match subject {
                Some(subject) => connection.query(
                    &format!("{sql} AND subject = $3 ORDER BY entry DESC LIMIT $2"),
                    &[before.into(), limit.into(), subject.into()],
                )?,
                None => connection
                    .query(&format!("{sql} ORDER BY entry DESC LIMIT $2"), &[before.into(), limit.into()])?,
            };
            rows.iter().map(statement_of).collect()
        })
    }

    /// The statement of an entry.
    pub fn log_statement(&self, entry: u64) -> Result<Option<Logged>> {
        Ok(self.log_statements(None, entry.checked_add(1), 1)?.pop().filter(|found| found.entry == entry))
    }
}

fn statement_of(row: &crate::database::Row) -> Result<Logged> {
    Ok(Logged {
        entry: read(row.int(0)?),
        digest: row.text(1)?,
        subject: row.text(2)?,
        predicate_type: row.text(3)?,
        created: read(row.int(4)?),
        envelope: row.text(5)?,
    })
}

/// The objects of the log, seen through a connection. What is appended is there when the transaction is done.
struct Objects<'c>(RefCell<&'c mut Connection>);

impl Objects<'_> {
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> io::Result<T> {
        let mut connection = self.0.try_borrow_mut().map_err(io::Error::other)?;
        work(&mut connection).map_err(io::Error::other)
    }
}

impl Store for Objects<'_> {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.with(|connection| object(connection, name))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.with(|connection| {
            connection.execute(
                "INSERT INTO log_objects (name, bytes) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET bytes = EXCLUDED.bytes",
                &[name.into(), bytes.into()],
            )
        })
        .map(|_| ())
    }

    fn discard(&mut self, folder: &str) -> io::Result<()> {
        let (from, to) = (format!("{folder}/"), format!("{folder}0"));
        self.with(|connection| {
            connection.execute(
                "DELETE FROM log_objects WHERE name > $1 AND name < $2",
                &[(&from).into(), (&to).into()],
            )
        })
        .map(|_| ())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.with(|connection| {
            let rows = connection.query("SELECT name FROM log_objects ORDER BY name", &[])?;
            rows.iter().map(|row| row.text(0)).collect()
        })
    }
}

fn object(connection: &mut Connection, name: &str) -> Result<Option<Vec<u8>>> {
    connection
        .query_one("SELECT bytes FROM log_objects WHERE name = $1", &[name.into()])?
        .map(|row| row.bytes(0))
        .transpose()
}

fn secret(transaction: &mut Transaction, name: &str, make: &dyn Fn() -> Result<String>) -> Result<String> {
    let found = transaction.query_one("SELECT value FROM secrets WHERE name = $1", &[name.into()])?;
    if let Some(row) = found {
        return String::from_utf8(row.bytes(0)?).map_err(|_| Error::internal("a key of the log is not text"));
    }
    let text = make()?;
    transaction.execute(
        "INSERT INTO secrets (name, value) VALUES ($1, $2)",
        &[name.into(), text.as_bytes().into()],
    )?;
    Ok(text)
}

fn seed() -> Result<[u8; 32]> {
    alnage_fs::random_seed().map_err(broken)
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}
