//! Work that waits in the records, so that any process may take it, and what a dead one had is taken again.

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Row, Transaction, Value},
    records::{Page, read},
};

/// How often a job is tried before it counts as failed.
pub const ATTEMPTS: u64 = 8;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// `pull`, `scan`, `notify`, `sweep`.
    pub kind: String,
    /// What it is about: no two that wait or run have the same kind and key.
    pub key: String,
    /// What whoever does it needs to know.
    pub payload: String,
    /// `ready`, `running`, `failed`.
    pub state: String,
    /// Who does it.
    pub worker: String,
    /// How often it was begun, this time included.
    pub attempts: u64,
    /// What went wrong the last time.
    pub message: String,
    /// When it was asked for, in seconds since 1970.
    pub created: u64,
    /// From when on it may be begun.
    pub due: u64,
}

const JOB: &str = "id, kind, name, payload, state, worker, attempts, message, created, due";

impl Registry {
    /// Asks for work. Nothing happens when the same is asked for already.
    pub fn enqueue(&self, kind: &str, key: &str, payload: &str) -> Result<()> {
        let now = self.now();
        self.write(|transaction| enqueue(transaction, kind, key, payload, now))?;
        self.bell().ring();
        Ok(())
    }

    /// Takes a job of one of `kinds` for so many seconds. One that somebody else took and does not say to be alive any more
    /// is taken from them.
    pub fn lease(&self, kinds: &[&str], worker: &str, seconds: u64) -> Result<Option<Job>> {
        if kinds.is_empty() {
            return Ok(None);
        }
        let now = self.now();
        // Looking costs no lock: a worker without work disturbs nobody.
        if self.read(|connection| due(connection, kinds, now, false))?.is_none() {
            return Ok(None);
        }
        let until = bigint(now.saturating_add(seconds));
        self.database().write_aside(|transaction| {
            let Some(id) = due(transaction, kinds, now, true)? else { return Ok(None) };
            let row = transaction.query_one(
                &format!(
                    "UPDATE jobs SET state = 'running', leased_until = $2, worker = $3, attempts = attempts + 1,
                     updated = $4 WHERE id = $1 RETURNING {JOB}"
                ),
                &[id.into(), until.into(), worker.into(), bigint(now).into()],
            )?;
            row.as_ref().map(job_of).transpose()
        })
    }

    /// Says that the job is still being done. An error says that somebody else has it by now: stop.
    pub fn heartbeat(&self, job: &Job, seconds: u64) -> Result<()> {
        let now = self.now();
        let until = bigint(now.saturating_add(seconds));
        self.mine(
            job,
            "UPDATE jobs SET leased_until = $4, updated = $5 WHERE",
            &[until.into(), bigint(now).into()],
        )
    }

    /// The job is done.
    pub fn done(&self, job: &Job) -> Result<()> {
        self.mine(job, "DELETE FROM jobs WHERE", &[])
    }

    /// The job did not succeed. It is tried again after so many seconds, or counts as failed.
    pub fn failed(&self, job: &Job, message: &str, retry_after: Option<u64>) -> Result<()> {
        let now = self.now();
        let state = if retry_after.is_some() { "ready" } else { "failed" };
        let due = bigint(now.saturating_add(retry_after.unwrap_or(0)));
        let message: String = message.chars().filter(|character| *character != '\0').take(2000).collect();
        self.mine(
            job,
            "UPDATE jobs SET state = $4, due = $5, message = $6, updated = $7 WHERE",
            &[state.into(), due.into(), (&message).into(), bigint(now).into()],
        )
    }

    /// Jobs, the newest first; the page goes on after a number.
    pub fn jobs(&self, state: Option<&str>, page: Page<'_>) -> Result<Vec<Job>> {
        let before = page.before()?;
        let mut values: Vec<Value<'_>> = vec![before.into(), page.rows().into()];
        let clause = state.map_or("", |_| "AND state = $3");
        values.extend(state.map(Value::from));
        let sql = format!("SELECT {JOB} FROM jobs WHERE id < $1 {clause} ORDER BY id DESC LIMIT $2");
        self.read(|connection| connection.query(&sql, &values)?.iter().map(job_of).collect())
    }

    /// The job of this kind and key that waits, runs or has failed last.
    pub fn job(&self, kind: &str, key: &str) -> Result<Option<Job>> {
        let sql = format!("SELECT {JOB} FROM jobs WHERE kind = $1 AND name = $2 ORDER BY id DESC LIMIT 1");
        self.read(|connection| {
            connection.query_one(&sql, &[kind.into(), key.into()])?.as_ref().map(job_of).transpose()
        })
    }

    /// Changes a job, unless it was taken away.
    fn mine(&self, job: &Job, change: &str, values: &[Value<'_>]) -> Result<()> {
        let attempts = bigint(job.attempts);
        let mut all: Vec<Value<'_>> = vec![job.id.into(), (&job.worker).into(), attempts.into()];
        all.extend(values);
        let sql = format!("{change} id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'");
        let changed = self.database().write_aside(|transaction| transaction.execute(&sql, &all))?;
        if changed == 0 {
            return Err(Error::Conflict(format!(
                "the job {}/{} is somebody else's by now",
                job.kind, job.key
            )));
        }
        Ok(())
    }
}

/// Asks for work as part of a change that makes it necessary.
pub(crate) fn enqueue(
    transaction: &mut Transaction,
    kind: &str,
    key: &str,
    payload: &str,
    now: u64,
) -> Result<()> {
    let id = Database::next_id(transaction)?;
    transaction.execute(
        "INSERT INTO jobs (id, kind, name, payload, state, due, leased_until, worker, attempts, message, created,
             updated) VALUES ($1, $2, $3, $4, 'ready', $5, 0, '', 0, '', $5, $5)
         ON CONFLICT (kind, name) WHERE state IN ('ready', 'running') DO NOTHING",
        &[id.into(), kind.into(), key.into(), payload.into(), bigint(now).into()],
    )?;
    Ok(())
}

/// The next job that may be begun.
fn due(connection: &mut Connection, kinds: &[&str], now: u64, take: bool) -> Result<Option<i64>> {
    let places: Vec<String> = (2..kinds.len() + 2).map(|place| format!("${place}")).collect();
    let places = places.join(", ");
    // Others that look at the same moment take the next one instead of waiting for this.
    let lock = if take && connection.is_server() { "FOR UPDATE SKIP LOCKED" } else { "" };
    let mut values: Vec<Value<'_>> = vec![bigint(now).into()];
    values.extend(kinds.iter().map(|kind| Value::from(*kind)));
    for clause in ["state = 'running' AND leased_until <", "state = 'ready' AND due <="] {
        let order = if clause.contains("ready") { "due, id" } else { "id" };
        let sql = format!(
            "SELECT id FROM jobs WHERE {clause} $1 AND kind IN ({places}) ORDER BY {order} LIMIT 1 {lock}"
        );
        if let Some(row) = connection.query_one(&sql, &values)? {
            return row.int(0).map(Some);
        }
    }
    Ok(None)
}

fn job_of(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.int(0)?,
        kind: row.text(1)?,
        key: row.text(2)?,
        payload: row.text(3)?,
        state: row.text(4)?,
        worker: row.text(5)?,
        attempts: read(row.int(6)?),
        message: row.text(7)?,
        created: read(row.int(8)?),
        due: read(row.int(9)?),
    })
}
