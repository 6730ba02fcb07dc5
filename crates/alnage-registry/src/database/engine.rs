//! A connection to either engine.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use postgres::{error::SqlState, types::ToSql};
use rusqlite::{OpenFlags, params_from_iter};

use super::{Place, Row, Value};
use crate::{Error, Result};

/// Statements kept prepared in a connection.
const STATEMENTS: usize = 256;
/// How long a writer waits for one in another process.
const PATIENCE: Duration = Duration::from_secs(30);
/// A connection that did nothing for so long is asked whether it still stands.
pub(super) const IDLE: Duration = Duration::from_secs(5);
/// The lock that writers of one database take in turn.
const WRITERS: i64 = 0x616c_6e61_6765;

/// A connection to the records.
pub struct Connection(Engine);

enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres { client: Box<postgres::Client>, prepared: HashMap<String, postgres::Statement> },
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// How a transaction stands to others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    OneAfterTheOther,
    AsTheyCome,
}

impl Connection {
    /// All rows that `sql` gives.
    pub fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        match &mut self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&numbered(sql))?;
                let columns = statement.column_count();
                let mut rows = statement.query(params_from_iter(values))?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(Row::of_sqlite(row, columns)?);
                }
                Ok(all)
            }
            Engine::Postgres { client, prepared } => {
                let statement = prepare(client, prepared, sql)?;
                client.query(&statement, &parameters(values))?.iter().map(Row::of_postgres).collect()
            }
        }
    }

    /// The first row that `sql` gives.
    pub fn query_one(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        match &mut self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&numbered(sql))?;
                let columns = statement.column_count();
                let mut rows = statement.query(params_from_iter(values))?;
                let first = rows.next()?.map(|row| Row::of_sqlite(row, columns)).transpose()?;
                // A statement that changes something does so as it is stepped through.
                while rows.next()?.is_some() {}
                Ok(first)
            }
            Engine::Postgres { .. } => Ok(self.query(sql, values)?.into_iter().next()),
        }
    }

    /// Runs `sql`; gives how many rows it changed.
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match &mut self.0 {
            Engine::Sqlite(connection) => {
                let changed = connection.prepare_cached(&numbered(sql))?.execute(params_from_iter(values))?;
                Ok(changed as u64)
            }
            Engine::Postgres { client, prepared } => {
                let statement = prepare(client, prepared, sql)?;
                Ok(client.execute(&statement, &parameters(values))?)
            }
        }
    }

    /// Whether this is PostgreSQL, for the few statements that cannot be said once for both.
    pub fn is_server(&self) -> bool {
        matches!(self.0, Engine::Postgres { .. })
    }

    /// Runs statements without parameters, in this engine's own words.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.0 {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Engine::Postgres { client, .. } => Ok(client.batch_execute(sql)?),
        }
    }

    pub(super) fn open(place: &Place, access: Access) -> Result<Self> {
        match place {
            Place::File(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(|error| {
                    Error::Unavailable(format!("cannot open the database `{}`: {error}", path.display()))
                })?;
                connection.busy_timeout(PATIENCE)?;
                connection.set_prepared_statement_cache_capacity(STATEMENTS);
                // Acknowledged is on the disk: what a commit says must outlive a loss of power.
                connection.execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
                     PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
                )?;
                if access == Access::Read {
                    connection.execute_batch("PRAGMA query_only = ON")?;
                }
                Ok(Self(Engine::Sqlite(connection)))
            }
            Place::Server(url) => {
                let client = super::tls::connect(url)?;
                Ok(Self(Engine::Postgres { client: Box::new(client), prepared: HashMap::new() }))
            }
        }
    }

    pub(super) fn begin(&mut self, order: Order) -> Result<()> {
        match (&mut self.0, order) {
            (Engine::Sqlite(connection), _) => Ok(connection.execute_batch("BEGIN IMMEDIATE")?),
            (Engine::Postgres { client, .. }, Order::AsTheyCome) => Ok(client.batch_execute("BEGIN")?),
            (Engine::Postgres { client, .. }, Order::OneAfterTheOther) => {
                Ok(client.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITERS})"))?)
            }
        }
    }

    pub(super) fn commit(&mut self) -> Result<()> {
        self.batch("COMMIT")
    }

    pub(super) fn roll_back(&mut self) -> Result<()> {
        match &self.0 {
            // An error may have ended the transaction already.
            Engine::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            _ => self.batch("ROLLBACK"),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match &self.0 {
            Engine::Sqlite(_) => false,
            Engine::Postgres { client, .. } => client.is_closed(),
        }
    }

    pub(super) fn is_healthy(&mut self, idle: Duration) -> bool {
        match &mut self.0 {
            Engine::Sqlite(_) => true,
            Engine::Postgres { client, .. } => {
                !client.is_closed() && (idle < IDLE || client.is_valid(Duration::from_secs(2)).is_ok())
            }
        }
    }
}

/// Whether the same again may well succeed.
pub(super) fn is_passing(error: &Error) -> bool {
    let Error::Internal(source) = error else { return false };
    source.downcast_ref::<postgres::Error>().and_then(postgres::Error::code).is_some_and(|code| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
    })
}

fn prepare(
    client: &mut postgres::Client,
    prepared: &mut HashMap<String, postgres::Statement>,
    sql: &str,
) -> Result<postgres::Statement> {
    if let Some(statement) = prepared.get(sql) {
        return Ok(statement.clone());
    }
    if prepared.len() >= STATEMENTS {
        prepared.clear();
    }
    let statement = client.prepare(sql)?;
    prepared.insert(sql.to_owned(), statement.clone());
    Ok(statement)
}

fn parameters<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// SQLite takes `$1` for a name; `?1` is the number.
pub(super) fn numbered(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut written = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        quoted ^= character == '\'';
        let parameter = character == '$' && !quoted && rest.peek().is_some_and(char::is_ascii_digit);
        written.push(if parameter { '?' } else { character });
    }
    Cow::Owned(written)
}
