//! Files of a version, as MLflow's clients list and load them: `acme--tiny/1/config.json`.

use alnage_registry::{FileRecord, Kind, Version};
use axum::{
    extract::{RawQuery, State as Shared},
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Call, Told, find, named, unknown};
use crate::{
    auth::Caller,
    core::{Failure, Json, Path, State, blocking},
    hub::{
        door::{self, Asked, Found},
        file::send,
    },
};

/// Files are read from the records in pages.
const PAGE: u32 = 5000;

/// The files and folders of a folder.
pub(super) async fn list(
    Shared(state): Shared<State>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = crate::hub::query::pairs(&query.unwrap_or_default());
    let call = Call { state, caller, parameters };
    match listed(&call).await {
        Ok(files) => Json(json!({"files": files})).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn listed(call: &Call) -> Told<Vec<Value>> {
    let (version, folder) = located(call, call.needed("path")?).await?;
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let registry = call.state.registry.clone();
    let entries = blocking(move || {
        let (mut entries, mut after): (Vec<Value>, String) = (Vec::new(), String::new());
        let mut inside = String::new();
        loop {
            let page: Vec<FileRecord> = registry.files(version.id, &folder, &after, PAGE)?;
            let Some(last) = page.last() else { return Ok(entries) };
            after.clone_from(&last.path);
            for file in page.iter().filter(|file| file.served) {
                let Some(rest) = file.path.strip_prefix(&folder) else { continue };
                match rest.split_once('/') {
                    // Paths come in order: all of a folder one after the other.
                    Some((child, _)) if inside != child => {
                        entries.push(json!({"path": child, "is_dir": true}));
                        child.clone_into(&mut inside);
                    }
                    Some(_) => {}
                    None => entries.push(json!({"path": rest, "is_dir": false, "file_size": file.size})),
                }
            }
        }
    });
    Ok(entries.await?)
}

/// A file.
pub(super) async fn file(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let call = Call { state, caller, parameters: Vec::new() };
    match sent(&call, &path, &method, &headers).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn sent(call: &Call, path: &str, method: &Method, headers: &HeaderMap) -> Told<Response> {
    let (version, path) = located(call, path).await?;
    let (registry, id) = (call.state.registry.clone(), version.id);
    let file = blocking(move || Ok(registry.file(id, &path)?)).await?;
    match file {
        Some(file) if file.served => Ok(send(&call.state, method, headers, &version, &file).await?),
        Some(file) => {
            let reason = file.reason.unwrap_or_else(|| "it is withheld".into());
            Err(Failure::forbidden(format!("ALNAGE: {}: {reason}", file.path)).into())
        }
        None => Err(unknown("file")),
    }
}

/// The version that the first two segments name, if it is given out now, and the rest of the path.
async fn located(call: &Call, path: &str) -> Told<(std::sync::Arc<Version>, String)> {
    let mut parts = path.trim_matches('/').splitn(3, '/');
    let (Some(name), Some(number)) = (parts.next(), parts.next()) else { return Err(unknown("folder")) };
    let name = named(name);
    call.must_read(&name)?;
    let number = number.parse().map_err(|_| unknown("version"))?;
    let version = find(call.state.registry.clone(), name, number).await?.ok_or_else(|| unknown("version"))?;
    let rest = parts.next().unwrap_or_default().to_owned();
    let asked = Asked { kind: Kind::Model, name: version.name, revision: version.commit };
    match door::look(&call.state, &asked).await? {
        Found::Version(version) => Ok((version, rest)),
        Found::Wait(waiting) => Err(door::later(&asked, &waiting, call.state.registry.now()).into()),
        Found::Empty => Err(unknown("version")),
    }
}
