//! The door for MLflow's clients: approved models look like a registry of models, and load as `models:/name@alias`.
//! It is read only. Runs and experiments are not kept here.

mod artifacts;
mod reply;
mod view;

#[cfg(test)]
mod tests;

use alnage_registry::{
    Kind, Page, Registry, RepoQuery, Version, numbered,
    people::{Place as Where, Role},
    project_of,
};
use axum::{
    extract::{RawQuery, State as Shared},
    http::Method,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use self::reply::MlflowError;
use crate::{
    auth::Caller,
    core::{Access, Ask, Failure, Json, Needs, Route, State, blocking},
    hub::door::{self, Asked, Found, Patience},
};

/// What is asked for: everything needs a consumer in the model's project, and is open to everybody where the server says so.
const MODEL: &[Ask] = &[read("/api/2.0/mlflow/registered-models/get?name=acme--tiny")];
const ALIAS: &[Ask] = &[read("/api/2.0/mlflow/registered-models/alias?name=acme--tiny&alias=main")];
const MODELS: &[Ask] = &[Ask::of(Needs::Rows(Role::Consumer), "/api/2.0/mlflow/registered-models/search")];
const LATEST: &[Ask] = &[read("/api/2.0/mlflow/registered-models/get-latest-versions?name=acme--tiny")];
const POSTED: &[Ask] =
    &[read("/api/2.0/mlflow/registered-models/get-latest-versions").body(r#"{"name": "acme--tiny"}"#)];
const VERSION: &[Ask] = &[read("/api/2.0/mlflow/model-versions/get?name=acme--tiny&version=1")];
const VERSIONS: &[Ask] = &[read("/api/2.0/mlflow/model-versions/search?filter=name%3D%27acme--tiny%27")];
const PLACE: &[Ask] = &[read("/api/2.0/mlflow/model-versions/get-download-uri?name=acme--tiny&version=1")];
const FILES: &[Ask] = &[read("/api/2.0/mlflow-artifacts/artifacts?path=acme--tiny%2F1")];
const FILE: &[Ask] = &[read("/api/2.0/mlflow-artifacts/artifacts/acme--tiny/1/config.json")];

const fn read(path: &'static str) -> Ask {
    Ask::role(Role::Consumer, path)
}

/// Where MLflow's clients ask for models.
const API: &str = "/api/2.0/mlflow/";
/// Models and versions of one answer, at most.
const MAX_RESULTS: u32 = 1000;

type Told<T> = Result<T, MlflowError>;

pub(crate) fn routes() -> Vec<Route> {
    let get = |path, asks, summary| Route::get(path, Access::Asked(asks), summary, answer);
    vec![
        get("/api/2.0/mlflow/registered-models/get", MODEL, "A model, for MLflow"),
        get(
            "/api/2.0/mlflow/registered-models/alias",
            ALIAS,
            "The version that an alias leads to, for MLflow",
        ),
        get("/api/2.0/mlflow/registered-models/search", MODELS, "The models there are, for MLflow"),
        get(
            "/api/2.0/mlflow/registered-models/get-latest-versions",
            LATEST,
            "The newest version, for MLflow",
        ),
        Route::post(
            "/api/2.0/mlflow/registered-models/get-latest-versions",
            Access::Asked(POSTED),
            "The newest version, for MLflow",
            answer,
        ),
        get("/api/2.0/mlflow/model-versions/get", VERSION, "A version, for MLflow"),
        get("/api/2.0/mlflow/model-versions/search", VERSIONS, "Versions of a model, for MLflow"),
        get(
            "/api/2.0/mlflow/model-versions/get-download-uri",
            PLACE,
            "Where a version's files are, if it is given out",
        ),
        Route::get(
            "/api/2.0/mlflow-artifacts/artifacts",
            Access::Asked(FILES),
            "The files of a version, for MLflow",
            artifacts::list,
        ),
        Route::get(
            "/api/2.0/mlflow-artifacts/artifacts/{*path}",
            Access::Asked(FILE),
            "A file of a version, for MLflow",
            artifacts::file,
        ),
        Route::get(
            "/api/3.0/mlflow/server-info",
            Access::Public,
            "What kind of server this is, for MLflow",
            server_info,
        ),
    ]
}

async fn server_info() -> Json<Value> {
    Json(json!({"store_type": "SqlStore", "workspaces_enabled": false}))
}

/// One question, read.
pub(super) struct Call {
    state: State,
    caller: Caller,
    parameters: Vec<(String, String)>,
}

impl Call {
    fn must_read(&self, name: &str) -> Told<()> {
        if self.may_read(name) {
            return Ok(());
        }
        Ok(self.caller.must(Role::Consumer, Where::Project(project_of(name)))?)
    }

    fn may_read(&self, name: &str) -> bool {
        let is_open = self.caller.is_anonymous() && self.state.settings.anonymous_read;
        is_open || self.caller.may(Role::Consumer, Where::Project(project_of(name)))
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn needed(&self, name: &str) -> Told<&str> {
        let missing = || MlflowError::invalid(format!("the parameter `{name}` is missing"));
        self.parameter(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// The model that is asked for, as it is called here.
    fn model(&self) -> Told<String> {
        let name = named(self.needed("name")?);
        self.must_read(&name)?;
        Ok(name)
    }
}

/// `acme--tiny` is `acme/tiny`: MLflow's addresses of models have no slash in a name, and ours have no `--`.
pub(super) fn named(name: &str) -> String {
    name.replacen("--", "/", 1)
}

/// The reverse of [`named`].
pub(super) fn shown(name: &str) -> String {
    name.replacen('/', "--", 1)
}

async fn answer(
    Shared(state): Shared<State>,
    caller: Caller,
    method: Method,
    RawQuery(query): RawQuery,
    request: axum::extract::Request,
) -> Response {
    let mut parameters = crate::hub::query::pairs(&query.unwrap_or_default());
    let path = request.uri().path().strip_prefix(API).unwrap_or_default().to_owned();
    if method == Method::POST {
        let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(name) = body.get("name").and_then(Value::as_str) {
            parameters.push(("name".to_owned(), name.to_owned()));
        }
    }
    let call = Call { state, caller, parameters };
    let answered = match path.as_str() {
        "registered-models/get" => model(&call).await,
        "registered-models/alias" => alias(&call).await,
        "registered-models/search" => models(&call).await,
        "registered-models/get-latest-versions" => latest(&call).await,
        "model-versions/get" => version(&call).await,
        "model-versions/search" => versions(&call).await,
        _ => download(&call).await,
    };
    match answered {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn model(call: &Call) -> Told<Value> {
    let (registry, name) = (call.state.registry.clone(), call.model()?);
    let found = blocking(move || view::model(&registry, &name)).await?;
    found.map(|model| json!({"registered_model": model})).ok_or_else(|| unknown("model"))
}

async fn models(call: &Call) -> Told<Value> {
    let limit = call.parameter("max_results").and_then(|n| n.parse().ok()).unwrap_or(100).min(MAX_RESULTS);
    let after = call.parameter("page_token").unwrap_or_default().to_owned();
    let filter = call.parameter("filter").unwrap_or_default();
    // MLflow's only common filters: name = 'x', name LIKE '%x%'.
    let search = filter.split('\'').nth(1).map(|text| named(text.trim_matches('%')).to_lowercase());
    let registry = call.state.registry.clone();
    let repos = blocking(move || {
        let query = RepoQuery { kind: Some(Kind::Model), search: search.as_deref(), ..RepoQuery::default() };
        let found = registry.repos(query, Page { after: &after, limit })?;
        let next =
            if found.len() == limit as usize { found.last().map(|repo| repo.name.clone()) } else { None };
        let models =
            found.into_iter().map(|repo| Ok((repo.name.clone(), view::model(&registry, &repo.name)?)));
        Ok((models.collect::<Result<Vec<_>, Failure>>()?, next))
    });
    let (models, next) = repos.await?;
    let models: Vec<Value> =
        models.into_iter().filter(|(name, _)| call.may_read(name)).filter_map(|(_, model)| model).collect();
    Ok(json!({"registered_models": models, "next_page_token": next.unwrap_or_default()}))
}

async fn alias(call: &Call) -> Told<Value> {
    let (registry, name, alias) =
        (call.state.registry.clone(), call.model()?, call.needed("alias")?.to_owned());
    let found = blocking(move || {
        let Some(version) = view::by_alias(&registry, &name, &alias)? else { return Ok(None) };
        view::version(&registry, &version).map(Some)
    });
    found.await?.map(|version| json!({"model_version": version})).ok_or_else(|| unknown("alias"))
}

async fn latest(call: &Call) -> Told<Value> {
    let (registry, name) = (call.state.registry.clone(), call.model()?);
    let found = blocking(move || {
        let found = registry.versions(Kind::Model, &name, Page::first(1))?;
        found.iter().map(|version| view::version(&registry, version)).collect::<Result<Vec<_>, Failure>>()
    });
    Ok(json!({"model_versions": found.await?}))
}

async fn version(call: &Call) -> Told<Value> {
    let registry = call.state.registry.clone();
    let version = asked_version(call).await?;
    let version = blocking(move || view::version(&registry, &version)).await?;
    Ok(json!({"model_version": version}))
}

async fn versions(call: &Call) -> Told<Value> {
    let filter = call.needed("filter")?;
    let name = filter.split('\'').nth(1).map(named);
    let name = name.ok_or_else(|| MlflowError::invalid("say which model: `name='acme--tiny'`"))?;
    call.must_read(&name)?;
    let registry = call.state.registry.clone();
    let found = blocking(move || {
        let found = registry.versions(Kind::Model, &name, Page::first(MAX_RESULTS))?;
        found.iter().map(|version| view::version(&registry, version)).collect::<Result<Vec<_>, Failure>>()
    });
    Ok(json!({"model_versions": found.await?}))
}

/// Where the files are: the one question that no client leaves out, so the one that is answered no.
async fn download(call: &Call) -> Told<Value> {
    let version = asked_version(call).await?;
    let asked = Asked { kind: Kind::Model, name: version.name.clone(), revision: version.commit.clone() };
    match door::wait(&call.state, &asked, Patience::of("", 0)).await? {
        Found::Version(_) => {}
        Found::Wait(waiting) => return Err(door::later(&asked, &waiting, call.state.registry.now()).into()),
        Found::Empty => return Err(unknown("version")),
    }
    let registry = call.state.registry.clone();
    let name = shown(&version.name);
    let number = blocking(move || Ok(numbered::number(&registry, &version)?)).await?;
    Ok(json!({"artifact_uri": format!("mlflow-artifacts:/{name}/{number}")}))
}

async fn asked_version(call: &Call) -> Told<Version> {
    let name = call.model()?;
    let number = call.needed("version")?.parse().map_err(|_| MlflowError::invalid("versions are numbers"))?;
    let found = find(call.state.registry.clone(), name, number).await?;
    found.ok_or_else(|| unknown("version"))
}

async fn find(registry: Registry, name: String, number: u64) -> Result<Option<Version>, Failure> {
    blocking(move || Ok(numbered::version(&registry, Kind::Model, &name, number)?)).await
}

fn unknown(what: &str) -> MlflowError {
    MlflowError::absent(format!("there is no such {what}"))
}
