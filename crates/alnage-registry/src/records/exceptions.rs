//! Exceptions: a rule of the policy that does not count for a version, with a reason and an end.

use serde::Serialize;

use super::{Actor, events, project_of, types::read, versions::by_id};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Row},
};

/// An exception that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException<'a> {
    /// The version.
    pub version: i64,
    /// The rule of the policy (`verdict-block`) or the code of a finding (`PKL004`).
    pub rule: &'a str,
    /// For this file only.
    pub file: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Until when, in seconds since 1970.
    pub expires: u64,
}

/// A rule that does not count for a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exception {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// The rule, or the code of a finding.
    pub rule: String,
    /// For this file only.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub author: String,
    /// When, in seconds since 1970.
    pub created: u64,
    /// Until when.
    pub expires: u64,
    /// When it was taken back, or ran out.
    pub ended: Option<u64>,
}

const EXCEPTION: &str = "id, version, rule, file, reason, author, created, expires, ended";

impl Registry {
    /// Makes an exception, and decides about the version anew.
    pub fn exception(&self, new: &NewException<'_>, actor: &Actor) -> Result<Exception> {
        let now = self.now();
        if new.reason.trim().is_empty() || new.rule.trim().is_empty() {
            return Err(Error::Invalid("an exception has a rule and a reason".into()));
        }
        if new.expires <= now {
            return Err(Error::Invalid("an exception ends later than now".into()));
        }
        let id = self.write(|transaction| {
            let version = by_id(transaction, new.version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            let id = Database::next_id(transaction)?;
            transaction.execute(
                "INSERT INTO exceptions (id, version, rule, file, reason, author, created, expires)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    id.into(),
                    new.version.into(),
                    new.rule.into(),
                    new.file.into(),
                    new.reason.into(),
                    (&actor.name).into(),
                    bigint(now).into(),
                    bigint(new.expires).into(),
                ],
            )?;
            let payload =
                serde_json::json!({"exception": id, "rule": new.rule, "reason": new.reason, "expires": new.expires});
            let subject = format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit);
            let project = project_of(&version.name);
            events::add(transaction, now, "exception.made", project, &subject, actor, &payload.to_string())?;
            Ok(id)
        })?;
        self.decide_again(new.version, actor)?;
        let found = self.exceptions(new.version)?.into_iter().find(|exception| exception.id == id);
        found.ok_or_else(|| Error::internal("an exception vanished"))
    }

    /// Takes an exception back, and decides about the version anew.
    pub fn end_exception(&self, id: i64, actor: &Actor) -> Result<()> {
        let now = self.now();
        let version = self.write(|transaction| {
            let row = transaction.query_one(
                "UPDATE exceptions SET ended = $2 WHERE id = $1 AND ended IS NULL RETURNING version",
                &[id.into(), bigint(now).into()],
            )?;
            row.ok_or_else(|| Error::NotFound("the exception".into()))?.int(0)
        })?;
        self.decide_again(version, actor).map(|_| ())
    }

    /// The exceptions that were made for a version, the newest first.
    pub fn exceptions(&self, version: i64) -> Result<Vec<Exception>> {
        self.read(|connection| {
            let sql =
                format!("SELECT {EXCEPTION} FROM exceptions WHERE version = $1 ORDER BY id DESC LIMIT 1000");
            connection.query(&sql, &[version.into()])?.iter().map(exception_of).collect()
        })
    }

    /// Every exception that counts now, the first to end first.
    pub fn open_exceptions(&self) -> Result<Vec<Exception>> {
        let now = bigint(self.now());
        self.read(|connection| {
            let sql = format!(
                "SELECT {EXCEPTION} FROM exceptions WHERE ended IS NULL AND expires > $1 ORDER BY expires, id LIMIT 10000"
            );
            connection.query(&sql, &[now.into()])?.iter().map(exception_of).collect()
        })
    }
}

/// The exceptions that count for a version now.
pub(crate) fn counting(connection: &mut Connection, version: i64, now: u64) -> Result<Vec<Exception>> {
    let sql = format!(
        "SELECT {EXCEPTION} FROM exceptions WHERE version = $1 AND ended IS NULL AND expires > $2 ORDER BY id"
    );
    connection.query(&sql, &[version.into(), bigint(now).into()])?.iter().map(exception_of).collect()
}

fn exception_of(row: &Row) -> Result<Exception> {
    Ok(Exception {
        id: row.int(0)?,
        version: row.int(1)?,
        rule: row.text(2)?,
        file: row.opt_text(3)?,
        reason: row.text(4)?,
        author: row.text(5)?,
        created: read(row.int(6)?),
        expires: read(row.int(7)?),
        ended: row.opt_int(8)?.map(read),
    })
}
