//! What has run out, what has changed, what nobody needs any more.

use crate::{Actor, Registry, Result, columns::bigint, jobs, records::Stage};

use super::rules_digest;

/// Jobs that have failed are kept for so long.
const FAILED_KEPT: u64 = 30 * 86_400;

/// Ends what has run out, asks for new scans where the rules have changed, and for a sweep once a day.
pub(super) fn run(registry: &Registry) -> Result<()> {
    expire(registry)?;
    rescan(registry)?;
    crate::sweep::ask(registry)?;
    let old = bigint(registry.now().saturating_sub(FAILED_KEPT));
    registry.database().write_aside(|transaction| {
        transaction
            .execute("DELETE FROM jobs WHERE state = 'failed' AND updated < $1", &[old.into()])
            .map(|_| ())
    })
}

/// Approvals and exceptions that have run out: the version is not given out since that moment, and now says so.
fn expire(registry: &Registry) -> Result<()> {
    let actor = Actor::system("expiry");
    let now = bigint(registry.now());
    let ended = registry.read(|connection| {
        connection.query(
            "SELECT DISTINCT version FROM exceptions WHERE ended IS NULL AND expires <= $1 LIMIT 1000",
            &[now.into()],
        )
    })?;
    for row in ended {
        let version = row.int(0)?;
        registry.write(|transaction| {
            transaction.execute(
                "UPDATE exceptions SET ended = expires WHERE version = $1 AND ended IS NULL AND expires <= $2",
                &[version.into(), now.into()],
            )
        })?;
        registry.decide_again(version, &actor)?;
    }
    let expired = registry.read(|connection| {
        connection.query(
            "SELECT id FROM versions WHERE expires <= $1 AND stage IN ('approved', 'production', 'deprecated') LIMIT 1000",
            &[now.into()],
        )
    })?;
    for row in expired {
        registry.transition(row.int(0)?, Stage::Quarantined, "its approval has expired", &actor)?;
    }
    Ok(())
}

/// Asks for new scans of everything once the rules are others than those of the last time.
fn rescan(registry: &Registry) -> Result<()> {
    let digest = rules_digest();
    let known = registry.read(|connection| {
        connection.query_one("SELECT value FROM secrets WHERE name = 'rules-digest'", &[])
    })?;
    let known = known.map(|row| row.bytes(0)).transpose()?;
    if known.as_deref() == Some(digest.as_bytes()) {
        return Ok(());
    }
    let first = known.is_none();
    if !first {
        registry.rescan_all(&Actor::system("rules"))?;
    }
    registry.write(|transaction| {
        transaction.execute(
            "INSERT INTO secrets (name, value) VALUES ('rules-digest', $1)
             ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
            &[digest.as_bytes().into()],
        )
    })?;
    Ok(())
}

impl Registry {
    /// Asks for a new scan of a version.
    pub fn rescan(&self, version: i64) -> Result<()> {
        let text = version.to_string();
        self.enqueue("scan", &text, &text)
    }

    /// Asks for new scans of everything that is not revoked; gives of how many. The events `scan.changed` tell where the
    /// verdict is another one then.
    pub fn rescan_all(&self, actor: &Actor) -> Result<u64> {
        let now = self.now();
        let mut count = 0;
        let mut after = 0;
        loop {
            let rows = self.read(|connection| {
                connection.query(
                    "SELECT id FROM versions WHERE id > $1 AND stage <> 'revoked' ORDER BY id LIMIT 1000",
                    &[after.into()],
                )
            })?;
            let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<i64>>>()?;
            let Some(last) = ids.last() else { break };
            after = *last;
            self.write(|transaction| {
                for id in &ids {
                    let text = id.to_string();
                    jobs::enqueue(transaction, "scan", &text, &text, now)?;
                }
                Ok(())
            })?;
            count += ids.len() as u64;
        }
        let payload = serde_json::json!({"versions": count, "rules": rules_digest()}).to_string();
        self.write(|transaction| {
            crate::records::add_event(transaction, now, "scan.all", "_", "registry", actor, &payload)
        })?;
        self.bell().ring();
        Ok(count)
    }
}
