//! Who did and who read what.

use serde::Serialize;

use super::{Actor, Page, types::read};
use crate::{Registry, Result, columns::bigint, database::Value};

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What: `download`, `approve`, `login`.
    pub action: &'a str,
    /// Of what.
    pub target: &'a str,
    /// How it ended: `ok`, `refused`, `failed`.
    pub outcome: &'a str,
    /// The rest; no secrets.
    pub detail: &'a str,
}

/// One line of the audit as it was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// Its number.
    pub id: i64,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Who.
    pub actor: String,
    /// `user`, `service`, `system`.
    pub actor_kind: String,
    /// From where.
    pub address: String,
    /// What.
    pub action: String,
    /// Of what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// The rest.
    pub detail: String,
}

impl Registry {
    /// Writes lines of the audit down, all at once: reads come by thousands.
    pub fn audit(&self, entries: &[AuditEntry<'_>]) -> Result<()> {
        let now = self.now();
        // Not from the one sequence: nobody has to wait for a line that only is read later.
        let ids: Vec<i64> = entries.iter().map(|_| self.ordered_id()).collect();
        self.database().write_aside(|transaction| {
            for (entry, id) in entries.iter().zip(&ids) {
                transaction.execute(
                    "INSERT INTO audit (id, created, actor, actor_kind, address, action, target, outcome, detail)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    &[
                        (*id).into(),
                        bigint(now).into(),
                        (&entry.actor.name).into(),
                        entry.actor.kind.as_str().into(),
                        (&entry.actor.address).into(),
                        entry.action.into(),
                        entry.target.into(),
                        entry.outcome.into(),
                        entry.detail.into(),
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// Lines of the audit, the newest first, of one account or of all; the page goes on after a number.
    pub fn audit_log(&self, actor: Option<&str>, page: Page<'_>) -> Result<Vec<AuditRecord>> {
        let before = page.before()?;
        let mut values: Vec<Value<'_>> = vec![before.into(), page.rows().into()];
        let clause = actor.map_or("", |_| "AND actor = $3");
        values.extend(actor.map(Value::from));
        let sql = format!(
            "SELECT id, created, actor, actor_kind, address, action, target, outcome, detail FROM audit
             WHERE id < $1 {clause} ORDER BY id DESC LIMIT $2"
        );
        self.read(|connection| {
            let rows = connection.query(&sql, &values)?;
            rows.iter()
                .map(|row| {
                    Ok(AuditRecord {
                        id: row.int(0)?,
                        at: read(row.int(1)?),
                        actor: row.text(2)?,
                        actor_kind: row.text(3)?,
                        address: row.text(4)?,
                        action: row.text(5)?,
                        target: row.text(6)?,
                        outcome: row.text(7)?,
                        detail: row.text(8)?,
                    })
                })
                .collect()
        })
    }
}
