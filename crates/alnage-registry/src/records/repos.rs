//! Repositories: made, listed, forgotten.

use alnage_types::Verdict;
use serde::Serialize;

use super::{
    Actor, Kind, Page, Repo, Stage,
    types::read,
    versions::{VERSION, version_of},
};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Row, Transaction, Value},
};

/// Comes after the name of every kind.
const AFTER_KINDS: &str = "~";

impl Repo {
    /// Where it stands among all: after it the next page goes on. A model and a dataset may have one name.
    pub fn place(&self) -> String {
        format!("{} {}", self.name, self.kind.as_str())
    }
}

/// Which repositories.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepoQuery<'a> {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// In this project.
    pub project: Option<&'a str>,
    /// Whose name holds this text.
    pub search: Option<&'a str>,
    /// Whose newest version is in this stage.
    pub stage: Option<Stage>,
    /// Whose newest version has this verdict.
    pub verdict: Option<Verdict>,
    /// Of which some version is given out.
    pub served: bool,
}

/// What there is, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stats {
    /// Repositories.
    pub repos: u64,
    /// Versions by stage.
    pub stages: Vec<(Stage, u64)>,
    /// Jobs that wait or run.
    pub jobs: u64,
    /// Approvals that are asked for.
    pub requests: u64,
    /// Places that run a model.
    pub deployments: u64,
}

const REPO: &str =
    "r.id, r.kind, r.name, r.project, r.owner, r.origin, r.created, r.updated, r.pulls, r.served";
const REPO_COLUMNS: usize = 10;

impl Registry {
    /// The repository of this name.
    pub fn repo(&self, kind: Kind, name: &str) -> Result<Option<Repo>> {
        let sql = format!(
            "SELECT {REPO}, {VERSION} FROM repos r LEFT JOIN versions v ON v.id = r.head
             WHERE r.kind = $1 AND r.name = $2"
        );
        self.read(|connection| {
            connection
                .query_one(&sql, &[kind.as_str().into(), name.into()])?
                .as_ref()
                .map(repo_of)
                .transpose()
        })
    }

    /// Repositories by name; the page goes on after a [`Repo::place`], or after all that have a name.
    pub fn repos(&self, query: RepoQuery<'_>, page: Page<'_>) -> Result<Vec<Repo>> {
        let mut sql = format!(
            "SELECT {REPO}, {VERSION} FROM repos r LEFT JOIN versions v ON v.id = r.head
             WHERE (r.name, r.kind) > ($1, $2)"
        );
        let (name, kind) = page.after.split_once(' ').unwrap_or((page.after, AFTER_KINDS));
        let mut values: Vec<Value<'_>> = vec![name.into(), kind.into()];
        let pattern = query.search.map(like);
        let clauses: [(&str, Option<Value<'_>>); 5] = [
            ("r.kind = ", query.kind.map(|kind| kind.as_str().into())),
            ("r.project = ", query.project.map(Into::into)),
            ("v.stage = ", query.stage.map(|stage| stage.as_str().into())),
            ("v.verdict = ", query.verdict.map(|verdict| verdict.as_str().into())),
            ("lower(r.name) LIKE ", pattern.as_ref().map(Into::into)),
        ];
        for (clause, value) in clauses {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" AND {clause}${}", values.len()));
            }
        }
        if query.search.is_some() {
            sql.push_str(" ESCAPE '!'");
        }
        if query.served {
            sql.push_str(" AND r.served IS NOT NULL");
        }
        values.push(page.rows().into());
        sql.push_str(&format!(" ORDER BY r.name, r.kind LIMIT ${}", values.len()));
        self.read(|connection| connection.query(&sql, &values)?.iter().map(repo_of).collect())
    }

    /// Makes an empty repository; gives the one that is there already, when there is one.
    pub fn create_repo(&self, kind: Kind, name: &str, actor: &Actor) -> Result<Repo> {
        self.make_repo(kind, name, actor)?;
        self.repo(kind, name)?.ok_or_else(|| Error::internal("a repository vanished"))
    }

    /// Makes an empty repository; gives whether there was none.
    pub fn make_repo(&self, kind: Kind, name: &str, actor: &Actor) -> Result<bool> {
        check_name(name)?;
        let now = self.now();
        self.write(|transaction| {
            let (_, made) = find_or_make(transaction, kind, name, "upload", actor, now)?;
            if made {
                let subject = format!("{}/{name}", kind.as_str());
                super::events::add(
                    transaction,
                    now,
                    "repo.created",
                    project_of(name),
                    &subject,
                    actor,
                    "{}",
                )?;
            }
            Ok(made)
        })
    }

    /// Forgets a repository with all its versions. The log keeps what was decided about them; content that nothing names
    /// any more is swept later.
    pub fn delete_repo(&self, kind: Kind, name: &str, actor: &Actor) -> Result<()> {
        let now = self.now();
        self.write(|transaction| {
            let id = id_of(transaction, kind, name)?.ok_or_else(|| Error::NotFound(format!("`{name}`")))?;
            let versions = "SELECT id FROM versions WHERE repo = $1";
            for table in ["files", "scans", "findings", "documents", "requests", "exceptions", "transitions", "edges"] {
                if table == "requests" {
                    transaction.execute(
                        &format!("DELETE FROM votes WHERE request IN (SELECT id FROM requests WHERE version IN ({versions}))"),
                        &[id.into()],
                    )?;
                }
                transaction.execute(&format!("DELETE FROM {table} WHERE version IN ({versions})"), &[id.into()])?;
            }
            for table in ["oci_manifests", "oci_attached", "oci_blobs"].iter().filter(|_| kind == Kind::Model) {
                transaction.execute(&format!("DELETE FROM {table} WHERE repo = $1"), &[name.into()])?;
            }
            // Who sends to a repository of this name later has to have the files.
            transaction.execute(
                "DELETE FROM uploads WHERE kind = $1 AND name = $2",
                &[kind.as_str().into(), name.into()],
            )?;
            transaction.execute("DELETE FROM versions WHERE repo = $1", &[id.into()])?;
            transaction.execute("DELETE FROM refs WHERE repo = $1", &[id.into()])?;
            transaction.execute("DELETE FROM repos WHERE id = $1", &[id.into()])?;
            let subject = format!("{}/{name}", kind.as_str());
            super::events::add(transaction, now, "repo.deleted", project_of(name), &subject, actor, "{}")?;
            super::touch(transaction)
        })
    }

    /// Counts what there is.
    pub fn stats(&self) -> Result<Stats> {
        self.read(|connection| {
            let mut count = |sql: &str| -> Result<u64> {
                connection.query_one(sql, &[])?.map_or(Ok(0), |row| row.int(0)).map(read)
            };
            let repos = count("SELECT count(*) FROM repos")?;
            let jobs = count("SELECT count(*) FROM jobs WHERE state IN ('ready', 'running')")?;
            let requests = count("SELECT count(*) FROM requests WHERE state = 'open'")?;
            let deployments = count("SELECT count(*) FROM deployments WHERE state = 'running'")?;
            let stages = connection
                .query("SELECT stage, count(*) FROM versions GROUP BY stage ORDER BY stage", &[])?;
            let stages = stages
                .iter()
                .map(|row| Ok((Stage::parse(&row.text(0)?)?, read(row.int(1)?))))
                .collect::<Result<_>>()?;
            Ok(Stats { repos, stages, jobs, requests, deployments })
        })
    }
}

/// The name space of a repository.
pub fn project_of(name: &str) -> &str {
    name.split_once('/').map_or("_", |(project, _)| project)
}

/// Refuses what is no name of a repository: one or two segments of letters, digits, `-`, `_` and `.`.
pub fn check_name(name: &str) -> Result<()> {
    let good = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("..")
            && !part.contains("--")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if name.split('/').count() <= 2 && name.split('/').all(good) && !name.ends_with(".git") {
        return Ok(());
    }
    Err(Error::Invalid(format!("`{:.100}` is no name of a repository", name.escape_debug())))
}

pub(crate) fn id_of(connection: &mut Connection, kind: Kind, name: &str) -> Result<Option<i64>> {
    connection
        .query_one(
            "SELECT id FROM repos WHERE kind = $1 AND name = $2",
            &[kind.as_str().into(), name.into()],
        )?
        .map(|row| row.int(0))
        .transpose()
}

/// The number of the repository, and whether it was made just now.
pub(crate) fn find_or_make(
    transaction: &mut Transaction,
    kind: Kind,
    name: &str,
    origin: &str,
    actor: &Actor,
    now: u64,
) -> Result<(i64, bool)> {
    if let Some(id) = id_of(transaction, kind, name)? {
        return Ok((id, false));
    }
    let id = Database::next_id(transaction)?;
    transaction.execute(
        "INSERT INTO repos (id, kind, name, project, owner, origin, created, updated, pulls)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0)",
        &[
            id.into(),
            kind.as_str().into(),
            name.into(),
            project_of(name).into(),
            (&actor.name).into(),
            origin.into(),
            bigint(now).into(),
        ],
    )?;
    Ok((id, true))
}

/// Refuses what is uploaded to a repository that is pulled, and what is pulled to one that is uploaded to: whoever owns a
/// name elsewhere has no say here.
pub(crate) fn refuse_other_origin(
    transaction: &mut Transaction,
    repo: i64,
    name: &str,
    origin: &str,
) -> Result<()> {
    let row = transaction.query_one("SELECT origin FROM repos WHERE id = $1", &[repo.into()])?;
    let known = row.map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if (known == "upload") == (origin == "upload") {
        return Ok(());
    }
    Err(Error::Forbidden(match origin {
        "upload" => format!("{name} is kept as it is at {known}; commit there"),
        _ => format!("{name} is made here, and not pulled from {origin}"),
    }))
}

/// A pattern for texts that hold `text`.
fn like(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

fn repo_of(row: &Row) -> Result<Repo> {
    let kind = Kind::parse(&row.text(1)?)?;
    let name = row.text(2)?;
    let head = match row.opt_int(REPO_COLUMNS)? {
        Some(_) => Some(Box::new(version_of(row, REPO_COLUMNS, kind, &name)?)),
        None => None,
    };
    Ok(Repo {
        id: row.int(0)?,
        kind,
        project: row.text(3)?,
        owner: row.text(4)?,
        origin: row.text(5)?,
        created: read(row.int(6)?),
        updated: read(row.int(7)?),
        pulls: read(row.int(8)?),
        served: row.opt_int(9)?,
        head,
        name,
    })
}
