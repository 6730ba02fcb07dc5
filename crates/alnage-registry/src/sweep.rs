//! Content that nothing names, forgotten once it is old, so that nothing is lost that is on its way to be named.
//!
//! It goes in two steps. What nothing names is written down as swept; then a second transaction looks again and deletes it.
//! Whoever names content calls [`refuse_swept`] in the transaction that names it, which looks for those bytes once more if
//! they were swept of late. Writers come one after the other, so either the sweep sees the name, or the name is not given;
//! and a sweep that dies between its steps has written down more than it deleted, never less.

#[cfg(test)]
mod tests;

use alnage_types::Digest;

use crate::{
    Error, Registry, Result,
    blobs::Blobs,
    columns::{bigint, is_named},
    database::Transaction,
    jobs,
};

/// The kind of the job.
pub(crate) const JOB: &str = "sweep";
/// What came later is left alone: somebody may be about to name it.
const GRACE: u64 = 24 * 3600;
/// Seconds from one sweep to the next.
const PERIOD: u64 = 24 * 3600;
/// What was swept is known for so long: nobody takes longer from sending bytes to naming them.
const REMEMBERED: u64 = 7 * 24 * 3600;
/// Blobs that one transaction is about.
const AT_ONCE: usize = 100;

/// Asks for a sweep when it is time for one.
pub(crate) fn ask(registry: &Registry) -> Result<()> {
    const LAST: &str = "SELECT value FROM counters WHERE name = 'swept'";
    let now = bigint(registry.now());
    let is_due = |last: Option<i64>| last.is_none_or(|last| now.saturating_sub(last) >= bigint(PERIOD));
    let last = registry.read(|connection| connection.query_one(LAST, &[]))?;
    if !is_due(last.map(|row| row.int(0)).transpose()?) {
        return Ok(());
    }
    registry.write(|transaction| {
        // Another process may have asked meanwhile.
        let last = transaction.query_one(LAST, &[])?.map(|row| row.int(0)).transpose()?;
        if !is_due(last) {
            return Ok(());
        }
        transaction.execute(
            "INSERT INTO counters (name, value) VALUES ('swept', $1)
             ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
            &[now.into()],
        )?;
        // There is nothing old in a registry that begins.
        match last {
            Some(_) => jobs::enqueue(transaction, JOB, "all", "", registry.now()),
            None => Ok(()),
        }
    })
}

/// Does the job.
pub(crate) fn run(registry: &Registry, alive: &dyn Fn() -> Result<()>) -> Result<()> {
    registry.sweep(GRACE, alive).map(|_| ())
}

impl Registry {
    /// Forgets content that nothing names and that came more than `age` seconds ago; gives how much. `alive` is called now
    /// and then, and its error ends the sweep.
    pub fn sweep(&self, age: u64, alive: &dyn Fn() -> Result<()>) -> Result<u64> {
        let before = bigint(self.now().saturating_sub(REMEMBERED));
        self.write(|transaction| {
            transaction.execute("DELETE FROM swept WHERE at < $1", &[before.into()]).map(|_| ())
        })?;
        self.blobs().forget_unfinished(age)?;
        let mut gone = 0;
        self.blobs().pages(&mut |page| {
            alive()?;
            let old = page.into_iter().filter(|listed| {
                let passed = listed.modified.and_then(|modified| modified.elapsed().ok());
                passed.is_some_and(|passed| passed.as_secs() >= age)
            });
            let old: Vec<Digest> = old.map(|listed| listed.digest).collect();
            for some in old.chunks(AT_ONCE) {
                gone += self.sweep_some(some)?;
            }
            Ok(())
        })?;
        Ok(gone)
    }

    fn sweep_some(&self, old: &[Digest]) -> Result<u64> {
        // Nearly everything is named, and looking holds nobody up.
        let unnamed = self.read(|connection| {
            let mut unnamed = Vec::new();
            for digest in old {
                if !is_named(connection, *digest)? {
                    unnamed.push(*digest);
                }
            }
            Ok(unnamed)
        })?;
        if unnamed.is_empty() {
            return Ok(0);
        }
        let now = bigint(self.now());
        self.write(|transaction| {
            for digest in &unnamed {
                transaction.execute(
                    "INSERT INTO swept (digest, at) VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET at = $2",
                    &[digest.as_bytes()[..].into(), now.into()],
                )?;
            }
            Ok(())
        })?;
        let mut gone = 0;
        for digest in &unnamed {
            gone += self.write(|transaction| {
                if is_named(transaction, *digest)? {
                    return Ok(0);
                }
                self.blobs().delete(*digest).map(|()| 1)
            })?;
        }
        Ok(gone)
    }
}

/// Refuses to name content that was swept of late and has not come again.
pub(crate) fn refuse_swept(
    transaction: &mut Transaction,
    blobs: &Blobs,
    digests: impl IntoIterator<Item = Digest>,
) -> Result<()> {
    // Ordinarily nothing was, and each question to a bucket costs a request.
    if transaction.query_one("SELECT 1 FROM swept LIMIT 1", &[])?.is_none() {
        return Ok(());
    }
    for digest in digests {
        let swept = transaction
            .query_one("SELECT 1 FROM swept WHERE digest = $1", &[digest.as_bytes()[..].into()])?;
        if swept.is_some() && !blobs.contains(digest)? {
            return Err(Error::Unavailable(format!(
                "the content {digest} is not here any more: send it again"
            )));
        }
    }
    Ok(())
}
