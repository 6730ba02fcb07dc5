//! What the routes of the API share: pages of lists, and which repository and version a path names.

use alnage_registry::{Kind, Repo, Version, project_of};
use serde::{Deserialize, Serialize};

use crate::{
    auth::Caller,
    core::{
        Answered, Failure, Query, State,
        handler::{FromHead, Given},
    },
};

/// Rows of a page, when nobody says how many.
const ROWS: u32 = 100;
const MOST_ROWS: u32 = 1000;

/// A page of a list.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct List<T> {
    /// The rows
    pub(super) items: Vec<T>,
    /// What to send as `after` for the next page; absent on the last one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> List<T> {
    /// The rows of a page of `limit`, the next of which goes on after `key`.
    pub(super) fn of(items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Self {
        let full = items.len() >= limit as usize;
        let next = items.last().filter(|_| full).map(key);
        Self { items, next }
    }

    /// All there is.
    pub(super) fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// How many rows are meant.
pub(super) fn rows(limit: Option<u32>) -> u32 {
    limit.unwrap_or(ROWS).clamp(1, MOST_ROWS)
}

/// Which page of a list.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Paging {
    /// What the page before gave as `next`
    pub(super) after: Option<String>,
    /// Rows, at most 1000
    pub(super) limit: Option<u32>,
}

impl Paging {
    pub(super) fn after(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    pub(super) fn page(&self) -> alnage_registry::Page<'_> {
        alnage_registry::Page { after: self.after(), limit: rows(self.limit) }
    }
}

/// What of a path names a repository, and a version in it.
pub(super) struct Named {
    pub(super) kind: Kind,
    /// As records have it: `acme/tiny`, or one segment.
    pub(super) repo: String,
    pub(super) revision: String,
}

#[derive(Deserialize)]
struct KindQuery {
    kind: Option<Kind>,
}

impl FromHead for Named {
    fn from_head(given: &Given, state: &State) -> Answered<Self> {
        let Query(query) = Query::<KindQuery>::from_head(given, state)?;
        let segment = |name: &str| {
            let found = given.segments.iter().find(|(known, _)| known == name);
            found.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        let (project, name, revision) = (segment("project"), segment("name"), segment("revision"));
        if name.contains('/')
            || project.contains('/')
            || name.contains('\0')
            || project.contains('\0')
            || revision.contains('\0')
        {
            return Err(Failure::not_found("such model"));
        }
        let repo = if project == "_" { name } else { format!("{project}/{name}") };
        Ok(Self { kind: query.kind.unwrap_or(Kind::Model), repo, revision })
    }
}

impl Named {
    /// The repository.
    pub(super) fn repo(&self, state: &State) -> Answered<Repo> {
        let found = state.registry.repo(self.kind, &self.repo)?;
        found.ok_or_else(|| Failure::not_found(format_args!("{} `{}`", self.kind.as_str(), self.repo)))
    }

    /// The version.
    pub(super) fn version(&self, state: &State) -> Answered<Version> {
        let found = state.registry.version(self.kind, &self.repo, &self.revision)?;
        found.ok_or_else(|| {
            Failure::not_found(format_args!(
                "revision `{}` of {} `{}`",
                self.revision,
                self.kind.as_str(),
                self.repo
            ))
        })
    }
}

/// Whether the caller may see what belongs to `project`.
pub(super) fn sees(caller: &Caller, project: &str) -> bool {
    caller.may(alnage_registry::people::Role::Viewer, alnage_registry::people::Place::Project(project))
}

/// The version of this number, if the caller has `role` in its project.
pub(super) fn version_for(
    state: &State,
    caller: &Caller,
    id: i64,
    role: alnage_registry::people::Role,
) -> Answered<Version> {
    let version =
        state.registry.version_by_id(id)?.ok_or_else(|| Failure::not_found(format_args!("version {id}")))?;
    caller.must(role, alnage_registry::people::Place::Project(project_of(&version.name)))?;
    Ok(version)
}
