//! What happened, in order, for those who follow along.

use serde::Serialize;

use super::{Actor, types::read};
use crate::{
    Registry, Result,
    columns::bigint,
    database::{Database, Transaction},
    jobs,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its number; later events have higher ones, and are seen later.
    pub id: i64,
    /// When, in seconds since 1970.
    pub at: u64,
    /// What: `version.added`, `version.approved`, `model.revoked`.
    pub kind: String,
    /// Where it belongs.
    pub project: String,
    /// About what: `model/acme/tiny@commit`.
    pub subject: String,
    /// Who did it.
    pub actor: String,
    /// The rest, JSON.
    pub payload: serde_json::Value,
}

impl Registry {
    /// Events after the one with the number `after`.
    pub fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>> {
        let limit = i64::from(limit.clamp(1, 1000));
        self.read(|connection| {
            let rows = connection.query(
                "SELECT id, created, kind, project, subject, actor, payload FROM events
                 WHERE id > $1 ORDER BY id LIMIT $2",
                &[after.into(), limit.into()],
            )?;
            rows.iter().map(event_of).collect()
        })
    }

    /// The newest events, the newest first.
    pub fn recent_events(&self, limit: u32) -> Result<Vec<Event>> {
        let limit = i64::from(limit.clamp(1, 1000));
        self.read(|connection| {
            let rows = connection.query(
                "SELECT id, created, kind, project, subject, actor, payload FROM events ORDER BY id DESC LIMIT $1",
                &[limit.into()],
            )?;
            rows.iter().map(event_of).collect()
        })
    }

    /// The number of the newest event; 0 when there is none.
    pub fn last_event(&self) -> Result<i64> {
        self.read(|connection| {
            let row = connection.query_one("SELECT COALESCE(max(id), 0) FROM events", &[])?;
            row.map_or(Ok(0), |row| row.int(0))
        })
    }
}

fn event_of(row: &crate::database::Row) -> Result<Event> {
    Ok(Event {
        id: row.int(0)?,
        at: read(row.int(1)?),
        kind: row.text(2)?,
        project: row.text(3)?,
        subject: row.text(4)?,
        actor: row.text(5)?,
        payload: serde_json::from_str(&row.text(6)?).unwrap_or_default(),
    })
}

/// Writes down what happened, and has those told who asked to be.
pub(crate) fn add(
    transaction: &mut Transaction,
    now: u64,
    kind: &str,
    project: &str,
    subject: &str,
    actor: &Actor,
    payload: &str,
) -> Result<()> {
    let id = Database::next_id(transaction)?;
    transaction.execute(
        "INSERT INTO events (id, created, kind, project, subject, actor, payload) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            id.into(),
            bigint(now).into(),
            kind.into(),
            project.into(),
            subject.into(),
            (&actor.name).into(),
            payload.into(),
        ],
    )?;
    for hook in transaction.query("SELECT id, kinds FROM webhooks ORDER BY id", &[])? {
        let (hook, kinds) = (hook.int(0)?, hook.text(1)?);
        let wanted = |pattern: &str| {
            pattern == "*"
                || kind == pattern
                || kind.strip_prefix(pattern.trim_end_matches('*')).is_some_and(|_| pattern.ends_with('*'))
        };
        if kinds.split(',').map(str::trim).any(wanted) {
            let name = format!("{hook}/{id}");
            jobs::enqueue(transaction, "notify", &name, &name, now)?;
        }
    }
    Ok(())
}
