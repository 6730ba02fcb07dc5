//! The shape of the records, and the steps that lead there: forward only, each whole or not at all.

use alnage_types::Digest;

use super::Transaction;
use crate::{Error, Result};

/// One step.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Steps are taken in this order.
    pub number: i64,
    /// What it brings.
    pub name: &'static str,
    /// The statements, in the words both engines know.
    pub sql: &'static str,
}

/// Every step. What is here is never changed again: a change is a new step.
pub static MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "records", sql: include_str!("001_records.sql") },
    Migration { number: 10, name: "people", sql: include_str!("010_people.sql") },
    Migration { number: 20, name: "pull", sql: include_str!("020_pull.sql") },
    Migration { number: 30, name: "xet", sql: include_str!("030_xet.sql") },
    Migration { number: 31, name: "oci", sql: include_str!("031_oci.sql") },
    Migration { number: 32, name: "sweep", sql: include_str!("032_sweep.sql") },
];

/// Takes the steps that were not taken yet.
pub(super) fn migrate(transaction: &mut Transaction, steps: &[Migration]) -> Result<()> {
    transaction.batch(
        "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)",
    )?;
    let taken = transaction.query("SELECT number, name, digest FROM migrations ORDER BY number", &[])?;
    let mut known = Vec::with_capacity(taken.len());
    for row in taken {
        let (number, name) = (row.int(0)?, row.text(1)?);
        let Some(step) = steps.iter().find(|step| step.number == number) else {
            return Err(Error::Unavailable(format!(
                "the database was written by a newer version of Alnage (it knows `{name}`, step {number}): use that \
                 version, or a backup from before"
            )));
        };
        if Digest::of(step.sql.as_bytes()).to_string() != row.text(2)? {
            return Err(Error::Unavailable(format!(
                "step {number} `{name}` of the database is not the one that this version of Alnage knows"
            )));
        }
        known.push(number);
    }
    for step in steps.iter().filter(|step| !known.contains(&step.number)) {
        let server = transaction.is_server();
        transaction.batch(&in_words_of(server, step.sql))?;
        let digest = Digest::of(step.sql.as_bytes()).to_string();
        transaction.execute(
            "INSERT INTO migrations (number, name, digest) VALUES ($1, $2, $3)",
            &[step.number.into(), step.name.into(), (&digest).into()],
        )?;
    }
    Ok(())
}

/// SQLite keeps rows by their number without a second index only if it is called `INTEGER`, and by another key only if
/// told so.
fn in_words_of(server: bool, sql: &str) -> String {
    if server {
        // Text is in the order of its bytes whatever language the server speaks: ranges of paths depend on it.
        return sql.replace(" TEXT", " TEXT COLLATE \"C\"");
    }
    sql.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
        .replace("BYTEA", "BLOB")
        .replace("/* by key */", "WITHOUT ROWID")
}
