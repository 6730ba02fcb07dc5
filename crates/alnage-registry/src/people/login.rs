//! Logins under way: how often somebody tries, and what is kept between two steps.

use super::{People, Secret, secret};
use crate::Result;

/// So many attempts fail within a window before more are refused.
pub const ATTEMPTS: i64 = 10;
/// The length of the window in seconds.
pub const WINDOW: i64 = 300;

impl People {
    /// How many seconds `subject`, an address or an account, has to wait before the next attempt.
    pub fn wait(&self, subject: &str) -> Result<Option<u64>> {
        let now = self.now();
        self.database.read(|connection| {
            let row = connection
                .query_one("SELECT since, count FROM attempts WHERE subject = $1", &[subject.into()])?;
            let Some(row) = row else { return Ok(None) };
            let left = row.int(0)?.saturating_add(WINDOW) - now;
            Ok(u64::try_from(left)
                .ok()
                .filter(|left| *left > 0 && row.int(1).unwrap_or(ATTEMPTS) >= ATTEMPTS))
        })
    }

    /// Notes that an attempt of `subject` failed.
    pub fn attempt_failed(&self, subject: &str) -> Result<()> {
        let now = self.now();
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM attempts WHERE since <= $1", &[(now - WINDOW).into()])?;
            transaction.execute(
                "INSERT INTO attempts (subject, since, count) VALUES ($1, $2, 1)
                 ON CONFLICT (subject) DO UPDATE SET count = attempts.count + 1",
                &[subject.into(), now.into()],
            )
        })?;
        Ok(())
    }

    /// Keeps `content` for a step that follows within `seconds`, under a secret that is given to who takes that step.
    pub fn keep(&self, purpose: &str, content: &str, seconds: i64) -> Result<Secret> {
        let key = Secret::plain()?;
        self.keep_as(&key, purpose, content, seconds)?;
        Ok(key)
    }

    /// The same under a secret that there is already; what was kept under it is replaced.
    pub fn keep_as(&self, key: &Secret, purpose: &str, content: &str, seconds: i64) -> Result<()> {
        let now = self.now();
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM logins WHERE expires <= $1", &[now.into()])?;
            transaction.execute(
                "INSERT INTO logins (hash, purpose, content, expires) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (hash) DO UPDATE SET content = excluded.content",
                &[(&key.hash()).into(), purpose.into(), content.into(), now.saturating_add(seconds).into()],
            )
        })?;
        Ok(())
    }

    /// What was kept under `key`, without taking it.
    pub fn kept(&self, purpose: &str, key: &str) -> Result<Option<String>> {
        let now = self.now();
        self.database.read(|connection| {
            let row = connection.query_one(
                "SELECT content FROM logins WHERE hash = $1 AND purpose = $2 AND expires > $3",
                &[(&secret::hash(key)).into(), purpose.into(), now.into()],
            )?;
            row.map(|row| row.text(0)).transpose()
        })
    }

    /// Takes what was kept under `key`: once.
    pub fn take(&self, purpose: &str, key: &str) -> Result<Option<String>> {
        let now = self.now();
        self.database.write(|transaction| {
            let row = transaction.query_one(
                "DELETE FROM logins WHERE hash = $1 AND purpose = $2 RETURNING content, expires",
                &[(&secret::hash(key)).into(), purpose.into()],
            )?;
            let Some(row) = row else { return Ok(None) };
            Ok(if row.int(1)? > now { Some(row.text(0)?) } else { None })
        })
    }
}
