//! A version on its way from stage to stage, each step in the log.

use serde::Serialize;

use super::{Actor, Moved, Stage, Version, events, project_of, types::read, versions::by_id};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Database, Transaction},
};

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Transition {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// The stage before; empty for the first.
    pub before: String,
    /// The stage after.
    pub after: Stage,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// The entry of the log that says so.
    pub entry: u64,
}

/// A step that is to be taken.
pub(crate) struct Step<'a> {
    pub(crate) after: Stage,
    pub(crate) reason: &'a str,
    pub(crate) actor: &'a Actor,
    pub(crate) expires: Option<u64>,
    pub(crate) conditions: &'a str,
}

impl Registry {
    /// Moves a version to another stage. What was not approved yet is approved by votes, never by this.
    pub fn transition(&self, version: i64, after: Stage, reason: &str, actor: &Actor) -> Result<Version> {
        if reason.trim().is_empty() {
            return Err(Error::Invalid("a reason is needed".into()));
        }
        self.write(|transaction| {
            let version = by_id(transaction, version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            let before = version.stage;
            if before == after {
                return Ok(());
            }
            let allowed = match after {
                Stage::Revoked => true,
                Stage::Quarantined => true,
                Stage::Rejected => before == Stage::Quarantined,
                Stage::Approved | Stage::Production | Stage::Deprecated => before.is_served(),
            };
            if !allowed {
                return Err(Error::Forbidden(format!(
                    "a version that is {} becomes {} by an approval, which another person than the one who asks for it \
                     gives",
                    before.as_str(),
                    after.as_str()
                )));
            }
            if after.is_served() && !self.is_given_out(&version) {
                return Err(Error::Forbidden("its approval has expired".into()));
            }
            let kept = after.is_served();
            self.step(
                transaction,
                &version,
                &Step {
                    after,
                    reason,
                    actor,
                    expires: version.expires.filter(|_| kept),
                    conditions: if kept { &version.conditions } else { "" },
                },
            )
        })?;
        self.bell().ring();
        self.version_by_id(version)?.ok_or_else(|| Error::NotFound("the version".into()))
    }

    /// The steps of a version, the first first.
    pub fn transitions(&self, version: i64) -> Result<Vec<Transition>> {
        self.read(|connection| {
            let rows = connection.query(
                "SELECT id, version, before, after, reason, actor, created, entry FROM transitions
                 WHERE version = $1 ORDER BY id",
                &[version.into()],
            )?;
            rows.iter()
                .map(|row| {
                    Ok(Transition {
                        id: row.int(0)?,
                        version: row.int(1)?,
                        before: row.text(2)?,
                        after: Stage::parse(&row.text(3)?)?,
                        reason: row.text(4)?,
                        actor: row.text(5)?,
                        at: read(row.int(6)?),
                        entry: read(row.int(7)?),
                    })
                })
                .collect()
        })
    }

    /// Takes a step: record, log, event, all or nothing.
    pub(crate) fn step(
        &self,
        transaction: &mut Transaction,
        version: &Version,
        step: &Step<'_>,
    ) -> Result<()> {
        let now = self.now();
        let reason: String =
            step.reason.chars().filter(|character| !character.is_control()).take(1000).collect();
        transaction.execute(
            "UPDATE versions SET stage = $2, staged = $3, staged_by = $4, reason = $5, expires = $6, conditions = $7,
                 released = COALESCE(released, $8)
             WHERE id = $1",
            &[
                version.id.into(),
                step.after.as_str().into(),
                bigint(now).into(),
                (&step.actor.name).into(),
                (&reason).into(),
                step.expires.map(bigint).into(),
                step.conditions.into(),
                step.after.is_served().then_some(bigint(now)).into(),
            ],
        )?;
        transaction.execute(
            "UPDATE repos SET updated = $2, served = (SELECT max(id) FROM versions WHERE repo = $1
             AND stage IN ('approved', 'production', 'deprecated')) WHERE id = $1",
            &[version.repo.into(), bigint(now).into()],
        )?;
        close_requests(transaction, version.id, step.after, now)?;
        let name = format!("{}/{}", version.kind.as_str(), version.name);
        self.log_transition(
            transaction,
            &Moved {
                version: version.id,
                name: &name,
                commit: &version.commit,
                manifest: &version.manifest,
                before: version.stage.as_str(),
                after: step.after,
                reason: &reason,
                actor: step.actor,
            },
        )?;
        let payload = serde_json::json!({
            "version": version.id,
            "manifest": version.manifest,
            "before": version.stage,
            "after": step.after,
            "reason": reason,
            "expires": step.expires,
        });
        let subject = format!("{name}@{}", version.commit);
        let kind = format!("version.{}", step.after.as_str());
        let project = project_of(&version.name);
        events::add(transaction, now, &kind, project, &subject, step.actor, &payload.to_string())?;
        super::touch(transaction)
    }

    /// Puts a step into the log.
    pub(crate) fn log_transition(&self, transaction: &mut Transaction, moved: &Moved<'_>) -> Result<()> {
        let entry = self.log().append_step(transaction, moved, self.now())?;
        let id = Database::next_id(transaction)?;
        transaction.execute(
            "INSERT INTO transitions (id, version, before, after, reason, actor, created, entry)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                id.into(),
                moved.version.into(),
                moved.before.into(),
                moved.after.as_str().into(),
                moved.reason.into(),
                (&moved.actor.name).into(),
                bigint(self.now()).into(),
                bigint(entry).into(),
            ],
        )?;
        Ok(())
    }
}

/// Nobody has to vote any more on what was decided otherwise.
fn close_requests(transaction: &mut Transaction, version: i64, after: Stage, now: u64) -> Result<()> {
    let asked = match after {
        Stage::Rejected | Stage::Revoked => "stage",
        Stage::Approved | Stage::Production => "'approved'",
        Stage::Quarantined | Stage::Deprecated => return Ok(()),
    };
    transaction.execute(
        &format!(
            "UPDATE requests SET state = 'closed', decided = $2 WHERE version = $1 AND state = 'open' AND stage = {asked}"
        ),
        &[version.into(), bigint(now).into()],
    )?;
    Ok(())
}
