//! Approvals: asked for by one person, given by others.

use serde::{Deserialize, Serialize};

use super::{Actor, Page, Stage, Version, events, project_of, stages::Step, types::read, versions::by_id};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Row, Value},
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest<'a> {
    /// The version.
    pub version: i64,
    /// The stage it is to enter: approved, or production.
    pub stage: Stage,
    /// What it is needed for.
    pub reason: &'a str,
    /// Until when, in seconds since 1970.
    pub expires: Option<u64>,
    /// Under which conditions.
    pub conditions: &'a str,
}

/// An approval that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Request {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// The stage it is to enter.
    pub stage: Stage,
    /// Who asks.
    pub requester: String,
    /// What for.
    pub reason: String,
    /// When, in seconds since 1970.
    pub created: u64,
    /// How many have to approve.
    pub needed: u64,
    /// How it stands.
    pub state: RequestState,
    /// When it was decided.
    pub decided: Option<u64>,
    /// Until when the approval is to hold.
    pub expires: Option<u64>,
    /// Under which conditions.
    pub conditions: String,
    /// Who said what.
    pub votes: Vec<Vote>,
}

/// How an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// It waits for votes.
    Open,
    /// It was given.
    Approved,
    /// It was refused.
    Denied,
    /// What it was about was decided otherwise.
    Closed,
}

impl RequestState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Closed => "closed",
        }
    }
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vote {
    /// Who.
    pub voter: String,
    /// What.
    pub vote: VoteKind,
    /// Why.
    pub reason: String,
    /// Until when the approval is to hold at most.
    pub expires: Option<u64>,
    /// Under which conditions.
    pub conditions: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum VoteKind {
    /// It may be used.
    Approve,
    /// It may not.
    Deny,
}

impl VoteKind {
    /// `approve`, `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

const REQUEST: &str = "q.id, q.version, q.stage, q.requester, q.reason, q.created, q.needed, q.state, q.decided, q.expires, q.conditions";

impl Registry {
    /// Asks that a version be approved.
    pub fn request_approval(&self, new: &NewRequest<'_>, actor: &Actor) -> Result<Request> {
        if new.reason.trim().is_empty() {
            return Err(Error::Invalid("a reason is needed".into()));
        }
        if !matches!(new.stage, Stage::Approved | Stage::Production) {
            return Err(Error::Invalid(format!(
                "nobody has to approve that it becomes {}",
                new.stage.as_str()
            )));
        }
        let now = self.now();
        let id = self.write(|transaction| {
            let version = by_id(transaction, new.version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            refuse_to_approve(&version)?;
            let open = transaction.query_one(
                "SELECT id FROM requests WHERE version = $1 AND stage = $2 AND state = 'open'",
                &[new.version.into(), new.stage.as_str().into()],
            )?;
            if let Some(row) = open {
                return row.int(0);
            }
            let id = Database::next_id(transaction)?;
            transaction.execute(
                "INSERT INTO requests (id, version, stage, requester, reason, created, needed, state, expires, conditions)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
                &[
                    id.into(),
                    new.version.into(),
                    new.stage.as_str().into(),
                    (&actor.name).into(),
                    new.reason.into(),
                    bigint(now).into(),
                    bigint(self.settings().votes.max(1)).into(),
                    new.expires.map(bigint).into(),
                    new.conditions.into(),
                ],
            )?;
            let payload = serde_json::json!({"request": id, "stage": new.stage, "reason": new.reason}).to_string();
            let subject = format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit);
            events::add(transaction, now, "approval.requested", project_of(&version.name), &subject, actor, &payload)?;
            Ok(id)
        })?;
        self.request(id)?.ok_or_else(|| Error::internal("a request vanished"))
    }

    /// Says yes or no to a request. Nobody decides about what they ask for, or brought themselves.
    pub fn vote(
        &self,
        request: i64,
        vote: VoteKind,
        reason: &str,
        expires: Option<u64>,
        conditions: &str,
        actor: &Actor,
    ) -> Result<Request> {
        if reason.trim().is_empty() {
            return Err(Error::Invalid("a reason is needed".into()));
        }
        let now = self.now();
        self.write(|transaction| {
            let asked = request_by_id(transaction, request)?.ok_or_else(|| Error::NotFound("the request".into()))?;
            if asked.state != RequestState::Open {
                return Err(Error::Conflict(format!("the request was {} already", asked.state.as_str())));
            }
            let version = by_id(transaction, asked.version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            let own = actor.name == asked.requester || actor.name == version.author;
            if own && vote == VoteKind::Approve {
                return Err(Error::Forbidden(
                    "four eyes: another person than the one who asks or who brought the model has to approve it".into(),
                ));
            }
            transaction.execute(
                "INSERT INTO votes (request, voter, vote, reason, expires, conditions, created)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (request, voter) DO UPDATE SET vote = EXCLUDED.vote, reason = EXCLUDED.reason,
                     expires = EXCLUDED.expires, conditions = EXCLUDED.conditions, created = EXCLUDED.created",
                &[
                    request.into(),
                    (&actor.name).into(),
                    vote.as_str().into(),
                    reason.into(),
                    expires.map(bigint).into(),
                    conditions.into(),
                    bigint(now).into(),
                ],
            )?;
            let asked = request_by_id(transaction, request)?.ok_or_else(|| Error::NotFound("the request".into()))?;
            let approving = asked.votes.iter().filter(|vote| vote.vote == VoteKind::Approve);
            let state = if vote == VoteKind::Deny {
                RequestState::Denied
            } else if approving.clone().count() as u64 >= asked.needed {
                RequestState::Approved
            } else {
                RequestState::Open
            };
            let payload = serde_json::json!({"request": request, "vote": vote, "reason": reason}).to_string();
            let subject = format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit);
            events::add(transaction, now, "approval.voted", project_of(&version.name), &subject, actor, &payload)?;
            if state == RequestState::Open {
                return Ok(());
            }
            transaction.execute(
                "UPDATE requests SET state = $2, decided = $3 WHERE id = $1",
                &[request.into(), state.as_str().into(), bigint(now).into()],
            )?;
            if state == RequestState::Denied {
                // What is given out already stays so; what waits is decided.
                if version.stage != Stage::Quarantined {
                    return Ok(());
                }
                let step = Step { after: Stage::Rejected, reason, actor, expires: None, conditions: "" };
                return self.step(transaction, &version, &step);
            }
            refuse_to_approve(&version)?;
            let expires = approving.clone().filter_map(|vote| vote.expires).chain(asked.expires).min();
            if expires.is_some_and(|expires| expires <= now) {
                return Err(Error::Invalid("the approval would have expired already".into()));
            }
            let mut conditions: Vec<&str> = vec![asked.conditions.as_str()];
            conditions.extend(approving.map(|vote| vote.conditions.as_str()));
            conditions.retain(|condition| !condition.is_empty());
            let conditions = conditions.join("; ");
            let step = Step { after: asked.stage, reason, actor, expires, conditions: &conditions };
            self.step(transaction, &version, &step)
        })?;
        self.bell().ring();
        self.request(request)?.ok_or_else(|| Error::NotFound("the request".into()))
    }

    /// The request with this number.
    pub fn request(&self, id: i64) -> Result<Option<Request>> {
        self.read(|connection| request_by_id(connection, id))
    }

    /// Requests with what they are about, the newest first; the page goes on after a number.
    pub fn requests(&self, state: Option<RequestState>, page: Page<'_>) -> Result<Vec<(Request, Version)>> {
        let before = page.before()?;
        let mut values: Vec<Value<'_>> = vec![before.into(), page.rows().into()];
        let clause = state.map_or("", |_| "AND q.state = $3");
        values.extend(state.map(|state| Value::from(state.as_str())));
        let sql =
            format!("SELECT {REQUEST} FROM requests q WHERE q.id < $1 {clause} ORDER BY q.id DESC LIMIT $2");
        self.read(|connection| {
            let mut all = Vec::new();
            for row in connection.query(&sql, &values)? {
                let request = request_of(connection, &row)?;
                if let Some(version) = by_id(connection, request.version)? {
                    all.push((request, version));
                }
            }
            Ok(all)
        })
    }

    /// Requests about a version, the newest first.
    pub fn requests_of(&self, version: i64) -> Result<Vec<Request>> {
        let sql =
            format!("SELECT {REQUEST} FROM requests q WHERE q.version = $1 ORDER BY q.id DESC LIMIT 1000");
        self.read(|connection| {
            let rows = connection.query(&sql, &[version.into()])?;
            rows.iter().map(|row| request_of(connection, row)).collect()
        })
    }
}

/// What votes cannot approve.
fn refuse_to_approve(version: &Version) -> Result<()> {
    match version.stage {
        Stage::Revoked => Err(Error::Forbidden("it was revoked".into())),
        Stage::Rejected if version.effect == Some(alnage_policy::Effect::Deny) => Err(Error::Forbidden(
            format!("the policy refuses it ({}): only an exception lifts that", version.reason),
        )),
        _ if version.scan.is_none() => {
            Err(Error::Conflict("it was not scanned; what nobody has looked at is not approved".into()))
        }
        _ => Ok(()),
    }
}

fn request_by_id(connection: &mut Connection, id: i64) -> Result<Option<Request>> {
    let sql = format!("SELECT {REQUEST} FROM requests q WHERE q.id = $1");
    let row = connection.query_one(&sql, &[id.into()])?;
    row.map(|row| request_of(connection, &row)).transpose()
}

fn request_of(connection: &mut Connection, row: &Row) -> Result<Request> {
    let id = row.int(0)?;
    let state = row.text(7)?;
    let state = [RequestState::Open, RequestState::Approved, RequestState::Denied, RequestState::Closed]
        .into_iter()
        .find(|known| known.as_str() == state)
        .ok_or_else(|| Error::internal("a request in no known state"))?;
    let votes = connection.query(
        "SELECT voter, vote, reason, expires, conditions, created FROM votes WHERE request = $1 ORDER BY created, voter",
        &[id.into()],
    )?;
    let votes = votes
        .iter()
        .map(|row| {
            Ok(Vote {
                voter: row.text(0)?,
                vote: if row.text(1)? == "approve" { VoteKind::Approve } else { VoteKind::Deny },
                reason: row.text(2)?,
                expires: row.opt_int(3)?.map(read),
                conditions: row.text(4)?,
                at: read(row.int(5)?),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Request {
        id,
        version: row.int(1)?,
        stage: Stage::parse(&row.text(2)?)?,
        requester: row.text(3)?,
        reason: row.text(4)?,
        created: read(row.int(5)?),
        needed: read(row.int(6)?),
        state,
        decided: row.opt_int(8)?.map(read),
        expires: row.opt_int(9)?.map(read),
        conditions: row.text(10)?,
        votes,
    })
}
