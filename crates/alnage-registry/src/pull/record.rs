//! What is written down about a pull: a row for every revision that was asked for, and one for every commit it led to.

use alnage_types::Digest;

use crate::{
    Kind, Result,
    columns::bigint,
    database::{Database, Row, Transaction, Value},
    records::read,
    upstream::{Expected, Listed},
};

/// How far a pull is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has looked yet.
    Asked,
    /// Its files are known, and come.
    Listed,
    /// It has become a version, or leads to a commit that has.
    Done,
    /// The upstream has no such repository.
    NoRepository,
    /// The upstream's repository has no such revision.
    NoRevision,
    /// The upstream does not give it to us.
    Gated,
    /// What the upstream gives is not taken.
    Refused,
    /// The upstream did not answer often enough.
    Failed,
}

/// A pull.
#[derive(Debug, Clone)]
pub struct Pull {
    /// Its number.
    pub id: i64,
    /// The revision that was asked for.
    pub revision: String,
    /// The reference that the commit is to be known under here.
    pub refname: String,
    /// How far it is.
    pub state: State,
    /// The commit that the revision is.
    pub commit: Option<String>,
    /// The repository's name at the upstream.
    pub upstream: String,
    /// What went wrong.
    pub message: String,
    /// When it was asked for.
    pub asked: u64,
    /// When its state last changed.
    pub updated: u64,
}

/// A file of a pull.
#[derive(Debug, Clone)]
pub struct PulledFile {
    /// As the upstream lists it.
    pub listed: Listed,
    /// What was brought, once it was.
    pub brought: Option<(Digest, String)>,
}

const STATES: [(State, &str); 8] = [
    (State::Asked, "asked"),
    (State::Listed, "listed"),
    (State::Done, "done"),
    (State::NoRepository, "no repository"),
    (State::NoRevision, "no revision"),
    (State::Gated, "gated"),
    (State::Refused, "refused"),
    (State::Failed, "failed"),
];

impl State {
    fn text(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("failed", |(_, text)| text)
    }

    fn parse(text: &str) -> Self {
        STATES.iter().find(|(_, known)| *known == text).map_or(Self::Failed, |(state, _)| *state)
    }

    /// Whether somebody is still at it.
    pub fn is_going(self) -> bool {
        matches!(self, Self::Asked | Self::Listed)
    }
}

const COLUMNS: &str = "id, revision, refname, state, commit_id, upstream, message, asked, updated";

fn pull(row: &Row) -> Result<Pull> {
    Ok(Pull {
        id: row.int(0)?,
        revision: row.text(1)?,
        refname: row.text(2)?,
        state: State::parse(&row.text(3)?),
        commit: row.opt_text(4)?,
        upstream: row.text(5)?,
        message: row.text(6)?,
        asked: read(row.int(7)?),
        updated: read(row.int(8)?),
    })
}

/// The pull of a revision.
pub(super) fn find(database: &Database, kind: Kind, name: &str, revision: &str) -> Result<Option<Pull>> {
    database.read(|connection| {
        let sql = format!("SELECT {COLUMNS} FROM pulls WHERE kind = $1 AND name = $2 AND revision = $3");
        let row = connection.query_one(&sql, &[kind.as_str().into(), name.into(), revision.into()])?;
        row.as_ref().map(pull).transpose()
    })
}

/// Writes down that a revision is asked for, anew when it was before.
pub(super) fn begin(
    transaction: &mut Transaction,
    kind: Kind,
    name: &str,
    revision: &str,
    refname: &str,
    now: u64,
) -> Result<()> {
    let id = Database::next_id(transaction)?;
    transaction.execute(
        "INSERT INTO pulls (id, kind, name, revision, refname, state, commit_id, upstream, message, asked, updated)
         VALUES ($1, $2, $3, $4, $5, 'asked', NULL, $3, '', $6, $6)
         ON CONFLICT (kind, name, revision) DO UPDATE SET state = 'asked', message = '', refname = excluded.refname,
         asked = excluded.asked, updated = excluded.updated",
        &[
            id.into(),
            kind.as_str().into(),
            name.into(),
            revision.into(),
            refname.into(),
            bigint(now).into(),
        ],
    )?;
    Ok(())
}

/// Writes down how far a pull is.
pub(super) fn set(
    database: &Database,
    id: i64,
    state: State,
    commit: Option<&str>,
    message: &str,
    now: u64,
) -> Result<()> {
    database.write(|transaction| {
        transaction.execute(
            "UPDATE pulls SET state = $1, commit_id = COALESCE($2, commit_id), message = $3, updated = $4 WHERE id = $5",
            &[state.text().into(), Value::from(commit), message.into(), bigint(now).into(), id.into()],
        )?;
        Ok(())
    })
}

/// Writes down what a pull's files are, and the name the repository has now.
pub(super) fn list(database: &Database, id: i64, upstream: &str, files: &[Listed], now: u64) -> Result<()> {
    database.write(|transaction| {
        for file in files {
            let expected = file.expected.to_text();
            transaction.execute(
                "INSERT INTO pull_files (pull, path, size, expected) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (pull, path) DO UPDATE SET size = excluded.size, expected = excluded.expected",
                &[
                    id.into(),
                    file.path.as_str().into(),
                    bigint(file.size).into(),
                    Value::from(expected.as_deref()),
                ],
            )?;
        }
        transaction.execute(
            "UPDATE pulls SET state = 'listed', upstream = $1, updated = $2 WHERE id = $3",
            &[upstream.into(), bigint(now).into(), id.into()],
        )?;
        Ok(())
    })
}

/// The files of a pull, as far as they are known.
pub(super) fn files(database: &Database, id: i64) -> Result<Vec<PulledFile>> {
    let rows = database.read(|connection| {
        let sql =
            "SELECT path, size, expected, sha256, git_oid FROM pull_files WHERE pull = $1 ORDER BY path";
        connection.query(sql, &[id.into()])
    })?;
    let mut files = Vec::with_capacity(rows.len());
    for row in rows {
        let expected = row.opt_text(2)?.map_or(Expected::Nothing, |text| Expected::parse(&text));
        let digest =
            row.opt_bytes(3)?.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(Digest::from_bytes);
        files.push(PulledFile {
            listed: Listed { path: row.text(0)?, size: read(row.int(1)?), expected },
            brought: digest.zip(row.opt_text(4)?),
        });
    }
    Ok(files)
}

/// Writes down that a file has come.
pub(super) fn brought(database: &Database, id: i64, path: &str, digest: Digest, git_oid: &str) -> Result<()> {
    database.write_aside(|transaction| {
        transaction.execute(
            "UPDATE pull_files SET sha256 = $1, git_oid = $2 WHERE pull = $3 AND path = $4",
            &[digest.as_bytes().as_slice().into(), git_oid.into(), id.into(), path.into()],
        )?;
        Ok(())
    })
}

/// Forgets what a pull's files were: they are a version's now.
pub(super) fn forget_files(database: &Database, id: i64) -> Result<()> {
    database.write_aside(|transaction| {
        transaction.execute("DELETE FROM pull_files WHERE pull = $1", &[id.into()])?;
        Ok(())
    })
}
