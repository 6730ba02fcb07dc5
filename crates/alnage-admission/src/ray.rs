//! The configuration of Ray Serve: YAML in a string, with models among the arguments of its applications.

use serde_json::Value;

use crate::{
    origin::{Origin, Reference, Role},
    reading::{Code, Reading, plain},
    yaml::documents,
};

/// Fields that name a model, where nothing beside them names it better.
const NAMES: &[&str] = &[
    "model_source",
    "hf_model_id",
    "model_path",
    "pretrained_model_name_or_path",
    "model_name_or_path",
    "model_uri",
    "bucket_uri",
    "MODEL_ID",
    "HF_MODEL_ID",
    "MODEL_NAME",
    "MODEL_PATH",
    "model_id",
    "model",
    "model_name",
];
/// Of these, only what is written like a repository or an address counts.
const LIKELY: &[&str] = &["MODEL_ID", "MODEL_NAME", "model_id", "model", "model_name"];

/// Reads the configuration in `text`, which stands at the pointer `at`.
pub(crate) fn ray_serve(text: &str, at: &str, reading: &mut Reading<'_>) {
    let documents = match documents(text) {
        Ok(documents) => documents,
        Err(error) => return reading.unresolved(at, "serveConfigV2", error.to_string()),
    };
    let mut hub = false;
    let mut rest: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
    while let Some(value) = rest.pop() {
        let Value::Object(fields) = value else {
            rest.extend(value.as_array().into_iter().flatten());
            continue;
        };
        rest.extend(fields.values());
        if fields.get("trust_remote_code").is_some_and(|value| value == &Value::Bool(true)) {
            let message = "`trust_remote_code` executes code of the model's repository".to_owned();
            reading.finding(Code::RemoteCode, at, message);
        }
        let named = NAMES.iter().find_map(|name| Some((*name, fields.get(*name)?.as_str()?)));
        let Some((name, written)) = named else { continue };
        let written = written.trim();
        let origin = match Origin::address(written) {
            Some(origin) => origin,
            None if written.starts_with('/') => {
                Origin::Volume { of: "path".to_owned(), name: written.to_owned() }
            }
            None if LIKELY.contains(&name) && !written.contains('/') => continue,
            None => match Origin::hub(written) {
                Some(origin) => origin,
                None => continue,
            },
        };
        let pinned = fields.get("revision").or_else(|| fields.get("engine_kwargs")?.get("revision"));
        let pinned = pinned.and_then(Value::as_str).or_else(|| beside(&documents, written));
        let origin = match (origin, pinned) {
            (Origin::Hub { repo, revision: None, part }, Some(revision)) => {
                Origin::Hub { repo, revision: Some(revision.to_owned()), part }
            }
            (origin, _) => origin,
        };
        let is_hub = matches!(origin, Origin::Hub { .. });
        hub |= is_hub;
        let reference = Reference { pinnable: is_hub, ..plain(origin, Role::Model, written, at) };
        reading.reference(reference);
    }
    if hub {
        for fetcher in std::mem::take(&mut reading.containers) {
            reading.fetcher(fetcher);
        }
    }
}

/// The revision beside the configuration of loading: `llm_configs: [{model_loading_config: …, engine_kwargs: …}]`.
fn beside<'v>(documents: &'v [crate::yaml::Document], written: &str) -> Option<&'v str> {
    let mut rest: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) => {
                let loading = fields.get("model_loading_config").and_then(Value::as_object);
                let is_it = loading.is_some_and(|loading| loading.values().any(|value| value == written));
                if is_it {
                    return fields.get("engine_kwargs")?.get("revision")?.as_str();
                }
                rest.extend(fields.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    None
}
