//! Where models run: told by gates, guards and clusters.

use serde::Serialize;
use serde_json::Value as Json;

use super::{Actor, Page, events, project_of, types::read};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Database, Row, Value},
};

/// What somebody reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment<'a> {
    /// Where: `cluster/namespace/Deployment/name`, `host:/srv/model`.
    pub place: &'a str,
    /// What kind of place: `run`, `guard`, `kubernetes`.
    pub kind: &'a str,
    /// The model, `model/acme/tiny`, or the path it was loaded from.
    pub model: &'a str,
    /// Its commit; empty when that is not known.
    pub commit: &'a str,
    /// The digest of its manifest; empty when that is not known.
    pub manifest: &'a str,
    /// `production`, a name space of a cluster.
    pub environment: &'a str,
    /// Who answers for the place.
    pub owner: &'a str,
    /// `running`, `stopped`.
    pub state: &'a str,
    /// The rest.
    pub details: Json,
}

/// A place where a model runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deployment {
    /// Its number.
    pub id: i64,
    /// Where.
    pub place: String,
    /// What kind of place.
    pub kind: String,
    /// The model.
    pub model: String,
    /// Its commit, as far as known.
    pub commit: String,
    /// The digest of its manifest, as far as known.
    pub manifest: String,
    /// `production`, a name space.
    pub environment: String,
    /// Who answers for it.
    pub owner: String,
    /// Who reported it.
    pub reporter: String,
    /// `running`, `stopped`.
    pub state: String,
    /// The rest.
    pub details: Json,
    /// When it was seen first, in seconds since 1970.
    pub first_seen: u64,
    /// When it was seen last.
    pub last_seen: u64,
}

pub(crate) const DEPLOYMENT: &str = "id, place, kind, model, commit_id, manifest, environment, owner, reporter, state, \
     details, first_seen, last_seen";

impl Registry {
    /// Writes down that a model runs somewhere, or does not any more.
    pub fn report_deployment(&self, new: &NewDeployment<'_>, actor: &Actor) -> Result<()> {
        if new.place.is_empty() || new.model.is_empty() || new.place.len() > 1000 || new.model.len() > 1000 {
            return Err(Error::Invalid("a deployment has a place and a model".into()));
        }
        if !["running", "stopped"].contains(&new.state) {
            return Err(Error::Invalid(format!("`{:.40}` is no state of a deployment", new.state)));
        }
        let now = self.now();
        let details = new.details.to_string();
        self.write(|transaction| {
            let id = Database::next_id(transaction)?;
            let row = transaction.query_one(
                "INSERT INTO deployments (id, place, kind, model, commit_id, manifest, environment, owner, reporter, state,
                     details, first_seen, last_seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
                 ON CONFLICT (place, model) DO UPDATE SET commit_id = EXCLUDED.commit_id, manifest = EXCLUDED.manifest,
                     environment = EXCLUDED.environment, owner = EXCLUDED.owner, reporter = EXCLUDED.reporter,
                     state = EXCLUDED.state, details = EXCLUDED.details, last_seen = EXCLUDED.last_seen
                 RETURNING id",
                &[
                    id.into(),
                    new.place.into(),
                    new.kind.into(),
                    new.model.into(),
                    new.commit.into(),
                    new.manifest.into(),
                    new.environment.into(),
                    new.owner.into(),
                    (&actor.name).into(),
                    new.state.into(),
                    (&details).into(),
                    bigint(now).into(),
                ],
            )?;
            // Only what is new is an event: gates report every minute.
            if row.map(|row| row.int(0)).transpose()? == Some(id) {
                let name = new.model.split_once('/').map_or(new.model, |(_, name)| name);
                let payload = serde_json::json!({"place": new.place, "commit": new.commit}).to_string();
                events::add(transaction, now, "deployment.reported", project_of(name), new.model, actor, &payload)?;
            }
            Ok(())
        })
    }

    /// Deployments, of one model or of all, the newest first; the page goes on after a number.
    pub fn deployments(&self, model: Option<&str>, page: Page<'_>) -> Result<Vec<Deployment>> {
        let before = page.before()?;
        let mut values: Vec<Value<'_>> = vec![before.into(), page.rows().into()];
        let clause = model.map_or("", |_| "AND model = $3");
        values.extend(model.map(Value::from));
        let sql =
            format!("SELECT {DEPLOYMENT} FROM deployments WHERE id < $1 {clause} ORDER BY id DESC LIMIT $2");
        self.read(|connection| connection.query(&sql, &values)?.iter().map(deployment_of).collect())
    }
}

pub(crate) fn deployment_of(row: &Row) -> Result<Deployment> {
    Ok(Deployment {
        id: row.int(0)?,
        place: row.text(1)?,
        kind: row.text(2)?,
        model: row.text(3)?,
        commit: row.text(4)?,
        manifest: row.text(5)?,
        environment: row.text(6)?,
        owner: row.text(7)?,
        reporter: row.text(8)?,
        state: row.text(9)?,
        details: serde_json::from_str(&row.text(10)?).unwrap_or_default(),
        first_seen: read(row.int(11)?),
        last_seen: read(row.int(12)?),
    })
}
