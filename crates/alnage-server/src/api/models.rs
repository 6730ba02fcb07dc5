//! Models and datasets, their versions, files and references.

use alnage_registry::{
    FileRecord, Kind, Page, Ref, Repo, RepoQuery, Stage, Version,
    people::{Place, Role},
    project_of,
};
use alnage_types::Verdict;
use axum::{extract::State as Shared, http::StatusCode};
use serde::Deserialize;

use super::common::{List, Named, Paging, rows, sees};
use crate::{
    auth::Caller,
    core::{Access, Answered, Ask, Failure, Json, On, Path, Query, Route, State, blocking},
};

const VIEW: Access = Access::Role(Role::Viewer, On::Segment("project"));

const CREATE: &[Ask] = &[Ask::role(Role::Publisher, "/api/v1/models").body(r#"{"name": "acme/new"}"#)];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/models",
            Access::Role(Role::Viewer, On::Anywhere),
            "Models and datasets, by name",
            list,
        )
        .query::<ListQuery>()
        .gives::<List<Repo>>(),
        Route::post("/api/v1/models", Access::Asked(CREATE), "Make an empty repository", create)
            .takes::<NewModel>()
            .gives::<Repo>()
            .success(201),
        Route::get(
            "/api/v1/models/{project}/{name}",
            VIEW,
            "A model; project `_` for names of one segment",
            show,
        )
        .gives::<Repo>(),
        Route::delete(
            "/api/v1/models/{project}/{name}",
            Access::Role(Role::SecurityAdmin, On::Segment("project")),
            "Forget a model: its versions, not the log's entries about them",
            delete,
        )
        .success(204),
        Route::get("/api/v1/models/{project}/{name}/refs", VIEW, "Branches and tags", refs)
            .gives::<List<Ref>>(),
        Route::get("/api/v1/models/{project}/{name}/versions", VIEW, "Versions, the newest first", versions)
            .query::<Paging>()
            .gives::<List<Version>>(),
        Route::get(
            "/api/v1/models/{project}/{name}/versions/{revision}",
            VIEW,
            "A version, by commit, branch or tag",
            version,
        )
        .gives::<Version>(),
        Route::get(
            "/api/v1/models/{project}/{name}/versions/{revision}/files",
            VIEW,
            "Files of a version, by path",
            files,
        )
        .query::<FilesQuery>()
        .gives::<List<FileRecord>>(),
        Route::get(
            "/api/v1/versions",
            Access::Role(Role::Viewer, On::Anywhere),
            "Versions in a stage, the newest first",
            in_stage,
        )
        .query::<StageQuery>()
        .gives::<List<Version>>(),
        Route::get(
            "/api/v1/manifests/{digest}",
            Access::Role(Role::Viewer, On::Anywhere),
            "Versions with this manifest digest",
            of_manifest,
        )
        .gives::<List<Version>>(),
        Route::get(
            "/api/v1/search",
            Access::Role(Role::Viewer, On::Anywhere),
            "Models and datasets whose name holds a text",
            search,
        )
        .query::<SearchQuery>()
        .gives::<List<Repo>>(),
    ]
}

/// Which models.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ListQuery {
    /// `model` or `dataset`; both when left out
    kind: Option<Kind>,
    /// In this project
    project: Option<String>,
    /// Whose newest version is in this stage
    stage: Option<Stage>,
    /// Whose newest version has this verdict
    verdict: Option<Verdict>,
    /// Whose name holds this
    search: Option<String>,
    /// Only those of which some version is given out
    #[serde(default)]
    served: bool,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn list(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Answered<Json<List<Repo>>> {
    blocking(move || {
        if let Some(project) = &query.project {
            caller.must(Role::Viewer, Place::Project(project))?;
        }
        let wanted = RepoQuery {
            kind: query.kind,
            project: query.project.as_deref(),
            search: query.search.as_deref().filter(|text| !text.is_empty()),
            stage: query.stage,
            verdict: query.verdict,
            served: query.served,
        };
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let mut list = List::of(state.registry.repos(wanted, page)?, limit, |repo| repo.place());
        // What belongs to others is left out of the page; the next one goes on all the same.
        list.items.retain(|repo| sees(&caller, &repo.project));
        Ok(Json(list))
    })
    .await
}

/// A text to look for.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SearchQuery {
    /// The text
    q: String,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn search(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Answered<Json<List<Repo>>> {
    blocking(move || {
        let wanted = RepoQuery {
            search: Some(&query.q).filter(|text| !text.is_empty()).map(String::as_str),
            ..RepoQuery::default()
        };
        let mut found = state.registry.repos(wanted, Page::first(rows(query.limit)))?;
        found.retain(|repo| sees(&caller, &repo.project));
        Ok(Json(List::all(found)))
    })
    .await
}

/// A repository to make.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewModel {
    /// `acme/tiny`
    name: String,
    /// `model` when left out
    kind: Option<Kind>,
}

async fn create(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(new): Json<NewModel>,
) -> Answered<(StatusCode, Json<Repo>)> {
    blocking(move || {
        caller.must(Role::Publisher, Place::Project(project_of(&new.name)))?;
        let repo = state.registry.create_repo(new.kind.unwrap_or(Kind::Model), &new.name, &caller.actor())?;
        Ok((StatusCode::CREATED, Json(repo)))
    })
    .await
}

async fn show(Shared(state): Shared<State>, named: Named) -> Answered<Json<Repo>> {
    blocking(move || Ok(Json(named.repo(&state)?))).await
}

async fn delete(Shared(state): Shared<State>, caller: Caller, named: Named) -> Answered<StatusCode> {
    blocking(move || {
        state.registry.delete_repo(named.kind, &named.repo, &caller.actor())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn refs(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Ref>>> {
    blocking(move || {
        named.repo(&state)?;
        Ok(Json(List::all(state.registry.refs(named.kind, &named.repo)?)))
    })
    .await
}

async fn versions(
    Shared(state): Shared<State>,
    named: Named,
    Query(paging): Query<Paging>,
) -> Answered<Json<List<Version>>> {
    blocking(move || {
        named.repo(&state)?;
        let versions = state.registry.versions(named.kind, &named.repo, paging.page())?;
        Ok(Json(List::of(versions, rows(paging.limit), |version| version.id.to_string())))
    })
    .await
}

async fn version(Shared(state): Shared<State>, named: Named) -> Answered<Json<Version>> {
    blocking(move || Ok(Json(named.version(&state)?))).await
}

/// Which files.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FilesQuery {
    /// Only files whose path begins so
    #[serde(default)]
    prefix: String,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn files(
    Shared(state): Shared<State>,
    named: Named,
    Query(query): Query<FilesQuery>,
) -> Answered<Json<List<FileRecord>>> {
    blocking(move || {
        let version = named.version(&state)?;
        let limit = rows(query.limit);
        let files = state.registry.files(
            version.id,
            &query.prefix,
            query.after.as_deref().unwrap_or_default(),
            limit,
        )?;
        Ok(Json(List::of(files, limit, |file| file.path.clone())))
    })
    .await
}

/// Which versions.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct StageQuery {
    /// The stage they are in
    stage: Stage,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn in_stage(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<StageQuery>,
) -> Answered<Json<List<Version>>> {
    blocking(move || {
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let versions = state.registry.versions_in(query.stage, page)?;
        let mut list = List::of(versions, limit, |version| version.id.to_string());
        list.items.retain(|version| sees(&caller, project_of(&version.name)));
        Ok(Json(list))
    })
    .await
}

async fn of_manifest(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(digest): Path<String>,
) -> Answered<Json<List<Version>>> {
    blocking(move || {
        let hex = digest.strip_prefix("sha256:").unwrap_or(&digest);
        let digest: alnage_types::Digest =
            hex.parse().map_err(|_| Failure::invalid("a manifest digest has 64 hexadecimal digits"))?;
        let mut found = state.registry.versions_of_manifest(&digest.to_string())?;
        found.retain(|version| sees(&caller, project_of(&version.name)));
        Ok(Json(List::all(found)))
    })
    .await
}
