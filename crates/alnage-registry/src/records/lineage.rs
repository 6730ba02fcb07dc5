//! What was made from what, and how far the harm of one thing reaches.
//!
//! A subject is written `model/acme/tiny`, `model/acme/tiny@commit`, `dataset/acme/texts`, or `sha256:` and the digest
//! of a file or of a manifest.

use crate::columns::{bigint, hex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alnage_types::Digest;
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Actor, Deployment, Kind, Stage, Version,
    deployments::{DEPLOYMENT, deployment_of},
    events, project_of,
    stages::Step,
    types::read,
    versions::{VERSION, with_repo},
};
use crate::{
    Error, Registry, Result,
    database::{Connection, Transaction, Value},
};

/// Versions that one question reaches at most.
const REACH: usize = 10_000;
/// Files of a version that are looked for as the source of others: the large ones.
const SOURCES: i64 = 2000;
/// Subjects in one statement.
const AT_A_TIME: usize = 200;

/// What a version was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edge {
    /// `base-model`, `dataset`, `converted-from`, `adapter-of`.
    pub relation: String,
    /// From what.
    pub subject: String,
    /// Who says so: the path of a file, `attestation`.
    pub source: String,
}

/// A version that is made from something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Downstream {
    /// The version.
    pub version: Version,
    /// How it was reached: the subjects from the first on, each made from the one before.
    pub path: Vec<String>,
    /// Who answers for its repository.
    pub owner: String,
    /// Where it runs.
    pub deployments: Vec<Deployment>,
}

/// Something that must not be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revocation {
    /// What.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// When, in seconds since 1970.
    pub created: u64,
}

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revoked {
    /// Versions that are revoked by it, with where they run.
    pub revoked: Vec<Downstream>,
    /// Versions that were made from them, whose owners are told.
    pub downstream: Vec<Downstream>,
}

impl Registry {
    /// What a version was made from.
    pub fn edges(&self, version: i64) -> Result<Vec<Edge>> {
        self.read(|connection| edges_of(connection, version))
    }

    /// Everything that is made from a subject, however far; what the subject is itself comes first.
    pub fn blast_radius(&self, subject: &str) -> Result<Vec<Downstream>> {
        check_subject(subject)?;
        self.read(|connection| reach(connection, subject))
    }

    /// Says that something must not be used any more: its versions are revoked, and who runs or has made something from
    /// them is told.
    pub fn revoke(&self, subject: &str, reason: &str, actor: &Actor) -> Result<Revoked> {
        check_subject(subject)?;
        if reason.trim().is_empty() {
            return Err(Error::Invalid("a reason is needed".into()));
        }
        let now = self.now();
        let revoked = self.write(|transaction| {
            transaction.execute(
                "INSERT INTO revocations (subject, reason, author, created) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (subject) DO UPDATE SET reason = EXCLUDED.reason, author = EXCLUDED.author",
                &[subject.into(), reason.into(), (&actor.name).into(), bigint(now).into()],
            )?;
            let (revoked, downstream): (Vec<_>, Vec<_>) =
                reach(transaction, subject)?.into_iter().partition(|found| found.path.len() <= 1);
            for found in &revoked {
                if found.version.stage != Stage::Revoked {
                    let step = Step { after: Stage::Revoked, reason, actor, expires: None, conditions: "" };
                    self.step(transaction, &found.version, &step)?;
                }
            }
            let told = |found: &[Downstream]| -> Json { found.iter().take(1000).map(summary).collect() };
            let payload = serde_json::json!({
                "reason": reason, "revoked": told(&revoked), "downstream": told(&downstream),
            });
            let name = subject.split_once('/').map_or(subject, |(_, name)| name);
            events::add(
                transaction,
                now,
                "model.revoked",
                project_of(name),
                subject,
                actor,
                &payload.to_string(),
            )?;
            super::touch(transaction)?;
            Ok(Revoked { revoked, downstream })
        })?;
        self.bell().ring();
        Ok(revoked)
    }

    /// Everything that was revoked, the newest first.
    pub fn revocations(&self) -> Result<Vec<Revocation>> {
        self.read(|connection| {
            let rows = connection.query(
                "SELECT subject, reason, author, created FROM revocations ORDER BY created DESC, subject LIMIT 10000",
                &[],
            )?;
            rows.iter()
                .map(|row| {
                    Ok(Revocation {
                        subject: row.text(0)?,
                        reason: row.text(1)?,
                        author: row.text(2)?,
                        created: read(row.int(3)?),
                    })
                })
                .collect()
        })
    }

    /// Takes a revocation back. What it has revoked stays so, and is scanned and decided anew once somebody moves it to
    /// quarantine.
    pub fn unrevoke(&self, subject: &str, actor: &Actor) -> Result<()> {
        let now = self.now();
        self.write(|transaction| {
            let gone =
                transaction.execute("DELETE FROM revocations WHERE subject = $1", &[subject.into()])?;
            if gone == 0 {
                return Err(Error::NotFound(format!("a revocation of `{subject:.200}`")));
            }
            let name = subject.split_once('/').map_or(subject, |(_, name)| name);
            events::add(transaction, now, "model.unrevoked", project_of(name), subject, actor, "{}")
        })
    }
}

fn summary(found: &Downstream) -> Json {
    let places: Vec<&str> = found.deployments.iter().map(|deployment| deployment.place.as_str()).collect();
    serde_json::json!({
        "subject": subject_of(&found.version), "path": found.path, "owner": found.owner, "deployments": places,
    })
}

/// Refuses what no subject looks like.
fn check_subject(subject: &str) -> Result<()> {
    let known = match subject.split_once([':', '/']) {
        Some(("sha256", digest)) => subject.starts_with("sha256:") && digest.parse::<Digest>().is_ok(),
        Some(("model" | "dataset", name)) => {
            super::check_name(name.split_once('@').map_or(name, |(name, _)| name)).is_ok()
        }
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "`{:.100}` is no subject: write `model/NAME`, `model/NAME@COMMIT`, `dataset/NAME` or `sha256:DIGEST`",
        subject.escape_debug()
    )))
}

fn subject_of(version: &Version) -> String {
    format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit)
}

/// Breadth first over edges, each version once.
fn reach(connection: &mut Connection, subject: &str) -> Result<Vec<Downstream>> {
    let mut found: Vec<Downstream> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<(Version, Vec<String>)> = VecDeque::new();
    for version in versions_of(connection, subject)? {
        if seen.insert(version.id) {
            waiting.push_back((version, vec![subject.to_owned()]));
        }
    }
    // What nobody has brought here may still be what others say they were made from.
    let mut first = vec![subject.to_owned()];
    if let Some((whole, _)) = subject.split_once('@') {
        first.push(whole.to_owned());
    }
    for version in made_from(connection, &first)? {
        if seen.insert(version.id) {
            waiting.push_back((version.clone(), vec![subject.to_owned(), subject_of(&version)]));
        }
    }
    while let Some((version, path)) = waiting.pop_front() {
        if found.len() >= REACH {
            break;
        }
        let names = names_of(connection, &version)?;
        for next in made_from(connection, &names)? {
            if seen.insert(next.id) {
                let mut longer = path.clone();
                longer.push(subject_of(&next));
                waiting.push_back((next, longer));
            }
        }
        let owner = connection.query_one("SELECT owner FROM repos WHERE id = $1", &[version.repo.into()])?;
        let owner = owner.map_or(Ok(String::new()), |row| row.text(0))?;
        let deployments = deployments_of(connection, &version)?;
        found.push(Downstream { version, path, owner, deployments });
    }
    Ok(found)
}

/// The versions that a subject is.
fn versions_of(connection: &mut Connection, subject: &str) -> Result<Vec<Version>> {
    let from =
        format!("SELECT {VERSION}, r.kind, r.name FROM versions v JOIN repos r ON r.id = v.repo WHERE");
    let rows = if let Some(text) = subject.strip_prefix("sha256:") {
        let digest: Digest = text.parse().map_err(|_| Error::Invalid("no digest".into()))?;
        let sql = format!(
            "{from} v.manifest = $1 OR v.id IN (SELECT version FROM files WHERE sha256 = $2) ORDER BY v.id LIMIT 10000"
        );
        connection.query(&sql, &[(&digest.to_string()).into(), (&digest.as_bytes()[..]).into()])?
    } else {
        let (kind, name) = subject.split_once('/').unwrap_or(("", subject));
        let (name, commit) = name.split_once('@').map_or((name, None), |(name, commit)| (name, Some(commit)));
        let sql = format!(
            "{from} r.kind = $1 AND r.name = $2 AND v.commit_id = COALESCE($3, v.commit_id) ORDER BY v.id LIMIT 10000"
        );
        connection.query(&sql, &[kind.into(), name.into(), commit.into()])?
    };
    rows.iter().map(with_repo).collect()
}

/// What others may call a version when they say what they were made from.
fn names_of(connection: &mut Connection, version: &Version) -> Result<Vec<String>> {
    let name = format!("{}/{}", version.kind.as_str(), version.name);
    let mut names = vec![format!("{name}@{}", version.commit), name, format!("sha256:{}", version.manifest)];
    let files = connection.query(
        "SELECT sha256 FROM files WHERE version = $1 ORDER BY size DESC LIMIT $2",
        &[version.id.into(), SOURCES.into()],
    )?;
    for row in files {
        let digest = hex(&row.bytes(0)?);
        names.push(format!("sha256:{digest}"));
    }
    Ok(names)
}

/// The versions that say they were made from one of these.
fn made_from(connection: &mut Connection, subjects: &[String]) -> Result<Vec<Version>> {
    let mut all: BTreeMap<i64, Version> = BTreeMap::new();
    for some in subjects.chunks(AT_A_TIME) {
        // Always as many places, so that there is one statement to prepare.
        let places: Vec<String> = (1..=AT_A_TIME).map(|place| format!("${place}")).collect();
        let mut values: Vec<Value<'_>> = some.iter().map(Into::into).collect();
        values.resize(AT_A_TIME, Value::Null);
        let sql = format!(
            "SELECT DISTINCT {VERSION}, r.kind, r.name FROM edges e JOIN versions v ON v.id = e.version
             JOIN repos r ON r.id = v.repo WHERE e.subject IN ({}) LIMIT 10000",
            places.join(", ")
        );
        for row in connection.query(&sql, &values)? {
            let version = with_repo(&row)?;
            all.insert(version.id, version);
        }
    }
    Ok(all.into_values().collect())
}

fn deployments_of(connection: &mut Connection, version: &Version) -> Result<Vec<Deployment>> {
    let model = format!("{}/{}", version.kind.as_str(), version.name);
    let sql = format!(
        "SELECT {DEPLOYMENT} FROM deployments WHERE state = 'running' AND model = $1
         AND (commit_id = $2 OR commit_id = '' OR manifest = $3) ORDER BY id LIMIT 1000"
    );
    let rows =
        connection.query(&sql, &[(&model).into(), (&version.commit).into(), (&version.manifest).into()])?;
    rows.iter().map(deployment_of).collect()
}

pub(crate) fn edges_of(connection: &mut Connection, version: i64) -> Result<Vec<Edge>> {
    let rows = connection.query(
        "SELECT relation, subject, source FROM edges WHERE version = $1 ORDER BY relation, subject LIMIT 10000",
        &[version.into()],
    )?;
    rows.iter()
        .map(|row| Ok(Edge { relation: row.text(0)?, subject: row.text(1)?, source: row.text(2)? }))
        .collect()
}

/// Keeps what a scan found the version to be made from.
pub(crate) fn keep(transaction: &mut Transaction, version: i64, edges: &[Edge]) -> Result<()> {
    transaction.execute("DELETE FROM edges WHERE version = $1", &[version.into()])?;
    for edge in edges {
        transaction.execute(
            "INSERT INTO edges (version, relation, subject, source) VALUES ($1, $2, $3, $4)
             ON CONFLICT (version, relation, subject) DO NOTHING",
            &[version.into(), (&edge.relation).into(), (&edge.subject).into(), (&edge.source).into()],
        )?;
    }
    Ok(())
}

/// What the policy is told of where a version comes from.
pub(crate) fn evidence(connection: &mut Connection, version: i64) -> Result<Vec<Json>> {
    let mut all = Vec::new();
    for edge in edges_of(connection, version)?.into_iter().take(200) {
        let known = versions_of_subject(connection, &edge.subject)?;
        let stage = known.last().map_or("", |version| version.stage.as_str());
        all.push(serde_json::json!({
            "relation": edge.relation, "purl": purl_of(&edge.subject), "known": !known.is_empty(), "stage": stage,
        }));
    }
    Ok(all)
}

fn versions_of_subject(connection: &mut Connection, subject: &str) -> Result<Vec<Version>> {
    if check_subject(subject).is_err() { Ok(Vec::new()) } else { versions_of(connection, subject) }
}

/// The package URL of a subject; the subject itself when it has none.
fn purl_of(subject: &str) -> String {
    match subject.split_once('/') {
        Some(("model", name)) => format!("pkg:huggingface/{name}"),
        Some(("dataset", name)) => format!("pkg:huggingface/datasets/{name}"),
        _ => subject.to_owned(),
    }
}

/// Which revoked thing a version is, if it is one, and why that was revoked.
pub(crate) fn revoked_subject(
    connection: &mut Connection,
    version: &Version,
) -> Result<Option<(String, String)>> {
    for some in names_of(connection, version)?.chunks(AT_A_TIME) {
        let places: Vec<String> = (1..=AT_A_TIME).map(|place| format!("${place}")).collect();
        let mut values: Vec<Value<'_>> = some.iter().map(Into::into).collect();
        values.resize(AT_A_TIME, Value::Null);
        let sql = format!(
            "SELECT subject, reason FROM revocations WHERE subject IN ({}) LIMIT 1",
            places.join(", ")
        );
        if let Some(row) = connection.query_one(&sql, &values)? {
            return Ok(Some((row.text(0)?, row.text(1)?)));
        }
    }
    Ok(None)
}

/// A name of a model or dataset as a subject, if it is one that a hub could have.
pub(crate) fn subject_named(kind: Kind, name: &str, commit: Option<&str>) -> Option<String> {
    super::check_name(name).ok()?;
    let subject = format!("{}/{name}", kind.as_str());
    Some(match commit.filter(|commit| super::is_commit(commit)) {
        Some(commit) => format!("{subject}@{commit}"),
        None => subject,
    })
}
