//! Records on disk: one SQL text for SQLite and PostgreSQL, and nothing of either outside of here.
//!
//! Statements are portable: parameters `$1` to `$n`, types `BIGINT`, `TEXT` and `BYTEA`, `ON CONFLICT … DO UPDATE`,
//! `RETURNING`; a sum is `CAST(sum(x) AS BIGINT)`. Writers come one after the other on both engines, so what one reads it
//! may rely on, and numbers given out in order become visible in order.

mod engine;
mod migrations;
mod pool;
mod tls;
mod value;

#[cfg(test)]
mod tests;

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use engine::Connection;
pub use migrations::{MIGRATIONS, Migration};
pub use value::{Row, Value};

use pool::{Pool, Reuse};

use crate::{Error, Result};

/// Connections at a time: to one SQLite file, to one PostgreSQL server from this process.
const READERS: usize = 16;
/// How often a write is tried again that ran into another one.
const ATTEMPTS: u32 = 10;

/// Where the records are.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    place: Place,
    readers: Pool<Connection>,
    writers: Pool<Transaction>,
    written: AtomicU64,
}

/// Where records are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server: `postgres://user:password@host/name`.
    Server(String),
}

impl Place {
    /// `postgres://…`, or the path of a file.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Server(text.to_owned())
        } else {
            Self::File(text.strip_prefix("sqlite://").unwrap_or(text).into())
        }
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // There is a password in it.
            Self::Server(_) => f.write_str("Server(***)"),
        }
    }
}

/// A write that is under way. What it wrote is there for others when the closure has returned `Ok`.
pub struct Transaction(Connection);

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Database {
    /// Opens the records, and brings their shape up to date.
    pub fn open(place: &Place) -> Result<Self> {
        let writers = match place {
            Place::File(_) => 1,
            Place::Server(_) => READERS,
        };
        let inner = Inner {
            place: place.clone(),
            readers: Pool::new(READERS),
            writers: Pool::new(writers),
            written: AtomicU64::new(0),
        };
        let database = Self(Arc::new(inner));
        database.write(|transaction| migrations::migrate(transaction, MIGRATIONS))?;
        Ok(database)
    }

    /// A SQLite file.
    pub fn open_file(path: &Path) -> Result<Self> {
        Self::open(&Place::File(path.to_owned()))
    }

    /// Where the records are.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Reads. Each statement sees what was written when it began.
    pub fn read<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let (mut work, mut outcome) = (Some(work), None);
        self.lend(&mut |connection| match work.take().map(|work| work(connection)) {
            Some(Err(error)) => {
                let broken = matches!(error, Error::Unavailable(_));
                outcome = Some(Err(error));
                if broken { Reuse::No } else { Reuse::Yes }
            }
            done => {
                outcome = done;
                Reuse::Yes
            }
        })?;
        outcome.unwrap_or_else(|| Err(Error::internal("nobody read")))
    }

    /// Lends a connection for reading. Work is not generic here and below: each kind of it would cost kilobytes of code.
    fn lend(&self, work: &mut dyn FnMut(&mut Connection) -> Reuse) -> Result<()> {
        let inner = &*self.0;
        let connect = || Connection::open(&inner.place, engine::Access::Read);
        inner.readers.with(&connect, &Connection::is_healthy, &mut |connection| match work(connection) {
            Reuse::Yes if !connection.is_closed() => Reuse::Yes,
            _ => Reuse::No,
        })
    }

    /// Writes, all or nothing, one writer at a time whichever process it is in. `work` may run more than once.
    pub fn write<T>(&self, work: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        let outcome = self.write_in(engine::Order::OneAfterTheOther, work);
        self.0.written.fetch_add(1, Ordering::Release);
        outcome
    }

    /// How often this process has written in order: what it knew before may not hold any more.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Acquire)
    }

    /// Writes rows that nothing else depends on: with PostgreSQL without waiting for other writers. `work` may run more
    /// than once.
    pub fn write_aside<T>(&self, work: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.write_in(engine::Order::AsTheyCome, work)
    }

    fn write_in<T>(
        &self,
        order: engine::Order,
        mut work: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let mut value = None;
        self.transact(order, &mut |transaction| {
            value = Some(work(transaction)?);
            Ok(())
        })?;
        value.ok_or_else(|| Error::internal("nobody wrote"))
    }

    fn transact(
        &self,
        order: engine::Order,
        work: &mut dyn FnMut(&mut Transaction) -> Result<()>,
    ) -> Result<()> {
        let inner = &*self.0;
        let connect = || Connection::open(&inner.place, engine::Access::Write).map(Transaction);
        // What is written is not asked for twice, so it is looked first whether anybody listens.
        let healthy =
            |transaction: &mut Transaction, idle: Duration| transaction.0.is_healthy(idle.max(engine::IDLE));
        let mut attempt = 0;
        loop {
            let mut outcome = Ok(());
            inner.writers.with(&connect, &healthy, &mut |transaction| {
                let (ended, reuse) = attempt_once(transaction, order, work);
                outcome = ended;
                reuse
            })?;
            match outcome {
                Err(error) if engine::is_passing(&error) && attempt < ATTEMPTS => {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
                }
                outcome => return outcome,
            }
        }
    }

    /// Copies a SQLite file as it is now to `to`, while it is being used.
    pub fn copy_to(&self, to: &Path) -> Result<()> {
        let path = to.to_string_lossy();
        let mut connection = Connection::open(&self.0.place, engine::Access::Write)?;
        connection.execute("VACUUM INTO $1", &[Value::Text(&path)]).map(|_| ())
    }

    /// The next number of the one sequence of the database. Later numbers are seen later.
    pub fn next_id(transaction: &mut Transaction) -> Result<i64> {
        Self::count(transaction, "id")
    }

    /// Adds one to a counter, and gives it.
    pub fn count(transaction: &mut Transaction, counter: &str) -> Result<i64> {
        transaction
            .query_one(
                "INSERT INTO counters (name, value) VALUES ($1, 1)
                 ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
                &[counter.into()],
            )?
            .ok_or_else(|| Error::internal("a counter gave nothing"))?
            .int(0)
    }
}

fn attempt_once(
    transaction: &mut Transaction,
    order: engine::Order,
    work: &mut dyn FnMut(&mut Transaction) -> Result<()>,
) -> (Result<()>, Reuse) {
    if let Err(error) = transaction.0.begin(order) {
        return (Err(error), Reuse::No);
    }
    match work(transaction).and_then(|()| transaction.0.commit()) {
        Ok(()) => (Ok(()), Reuse::Yes),
        Err(error) => {
            let reuse = if transaction.0.roll_back().is_ok() { Reuse::Yes } else { Reuse::No };
            (Err(error), reuse)
        }
    }
}
