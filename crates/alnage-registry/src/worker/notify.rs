//! Tells receivers what happened: signed, and again until they have heard it.

use crate::columns::{bigint, hex};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use ureq::{RequestBuilder, typestate::WithBody};
use url::Url;

use crate::{Actor, Error, Registry, Result, database::Database, records::read};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who is told what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Webhook {
    /// Its number.
    pub id: i64,
    /// Where it hears.
    pub url: String,
    /// What it hears of: `*`, `model.revoked`, `version.*`, separated by commas.
    pub kinds: String,
    /// Who asked for it.
    pub author: String,
    /// Since when, in seconds since 1970.
    pub created: u64,
    /// How the last telling went.
    pub last_status: String,
}

impl Registry {
    /// Has somebody told what happens from now on. `secret` is what tellings are signed with.
    pub fn add_webhook(&self, url: &str, secret: &str, kinds: &str, actor: &Actor) -> Result<i64> {
        let parsed = Url::parse(url).ok().filter(|_| url.len() <= 2000);
        let parsed =
            parsed.ok_or_else(|| Error::Invalid(format!("`{url:.100}` is no address of a receiver")))?;
        self.receivers().check(&parsed).map_err(|why| {
            Error::Invalid(format!("{why}; whoever runs the registry may allow it: `--webhook-hosts`"))
        })?;
        if secret.len() < 16 {
            return Err(Error::Invalid("the secret has fewer than 16 characters".into()));
        }
        let now = self.now();
        self.write(|transaction| {
            let id = Database::next_id(transaction)?;
            transaction.execute(
                "INSERT INTO webhooks (id, url, secret, kinds, author, created, last_status)
                 VALUES ($1, $2, $3, $4, $5, $6, '')",
                &[
                    id.into(),
                    url.into(),
                    secret.into(),
                    kinds.into(),
                    (&actor.name).into(),
                    bigint(now).into(),
                ],
            )?;
            Ok(id)
        })
    }

    /// Who is told.
    pub fn webhooks(&self) -> Result<Vec<Webhook>> {
        self.read(|connection| {
            let rows = connection.query(
                "SELECT id, url, kinds, author, created, last_status FROM webhooks ORDER BY id",
                &[],
            )?;
            rows.iter()
                .map(|row| {
                    Ok(Webhook {
                        id: row.int(0)?,
                        url: row.text(1)?,
                        kinds: row.text(2)?,
                        author: row.text(3)?,
                        created: read(row.int(4)?),
                        last_status: row.text(5)?,
                    })
                })
                .collect()
        })
    }

    /// Tells somebody no more.
    pub fn delete_webhook(&self, id: i64) -> Result<()> {
        let gone = self
            .write(|transaction| transaction.execute("DELETE FROM webhooks WHERE id = $1", &[id.into()]))?;
        if gone == 0 { Err(Error::NotFound("the receiver".into())) } else { Ok(()) }
    }
}

/// A request that reaches only where notices may go, wherever the name leads by now; it follows no redirect.
fn post(registry: &Registry, url: &str) -> Result<RequestBuilder<WithBody>> {
    let guard = registry.receivers();
    let parsed = Url::parse(url).map_err(|error| Error::Invalid(error.to_string()))?;
    guard.check(&parsed).map_err(Error::Invalid)?;
    let agent = guard.clone().agent(None).map_err(Error::Invalid)?;
    Ok(agent.post(url).config().timeout_global(Some(PATIENCE)).build())
}

/// The signature of a telling: HMAC-SHA256 over the moment, a dot, and the body.
pub fn sign(secret: &str, time: u64, body: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{time}.{body}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Tells one receiver of one event: `RECEIVER/EVENT`.
pub(super) fn run(registry: &Registry, payload: &str) -> Result<()> {
    let numbers =
        payload.split_once('/').and_then(|(hook, event)| Some((hook.parse().ok()?, event.parse().ok()?)));
    let (hook, event): (i64, i64) = numbers.ok_or_else(|| Error::Invalid("the job names no event".into()))?;
    let row = registry.read(|connection| {
        connection.query_one("SELECT url, secret FROM webhooks WHERE id = $1", &[hook.into()])
    })?;
    // Who is not to be told any more is not.
    let Some(row) = row else { return Ok(()) };
    let (url, secret) = (row.text(0)?, row.text(1)?);
    let Some(event) = registry.events(event.saturating_sub(1), 1)?.pop().filter(|found| found.id == event)
    else {
        return Ok(());
    };
    let body = serde_json::to_string(&event)?;
    let now = registry.now();
    let answer = post(registry, &url)?
        .header("content-type", "application/json")
        .header("x-alnage-event", &event.kind)
        .header("x-alnage-delivery", format!("{hook}-{}", event.id))
        .header("x-alnage-signature", format!("t={now},v1={}", sign(&secret, now, &body)))
        .send(&body);
    let status = match &answer {
        Ok(answer) => answer.status().to_string(),
        Err(error) => error.to_string(),
    };
    let heard = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    registry.database().write_aside(|transaction| {
        transaction
            .execute("UPDATE webhooks SET last_status = $2 WHERE id = $1", &[hook.into(), (&status).into()])
    })?;
    if heard { Ok(()) } else { Err(Error::Unavailable(format!("the receiver did not take it: {status}"))) }
}
