//! Writes the OpenAPI 3.1 document from the table of routes. A release has what was written, not this.

use alnage_registry::people::Role;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::core::{
    Access, Door, Needs, On, Route,
    failure::FailureBody,
    routes::{self, SchemaOf},
};

/// How browsers send forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// Who may take a route, in words.
fn needs(access: Access) -> String {
    let place = |on| match on {
        On::Segment(_) => " in the project that the path names",
        On::Anywhere => " in some project",
        On::Everywhere => " in all projects",
    };
    match access {
        Access::Public => "everybody".into(),
        Access::Known => "whoever says who they are".into(),
        Access::Role(Role::Auditor, on) => format!("auditor or security-admin{}", place(on)),
        Access::Role(role, on) => format!("{role}{}", place(on)),
        Access::Asked(asks) => {
            let needs = asks.iter().map(|ask| match ask.needs {
                Needs::Nothing => "everybody".to_owned(),
                Needs::Known | Needs::KnownUnlessOpen => "whoever says who they are".to_owned(),
                Needs::Role(role) | Needs::Rows(role) => {
                    format!("{role} in the project of what is asked for")
                }
            });
            let mut needs: Vec<String> = needs.collect();
            needs.dedup();
            needs.join(", or ")
        }
    }
}

/// The document about the routes of the API, and of signing in.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let failure = generator.subschema_for::<FailureBody>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::table().iter().filter(|route| matches!(route.door, Door::Api | Door::Core)) {
        let path = route.path.replace("{*", "{");
        let mut parameters: Vec<Value> = segments(&path)
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
            .collect();
        if path.contains("{project}/{name}") {
            let schema = json!({ "type": "string", "enum": ["model", "dataset"] });
            parameters.push(json!({ "name": "kind", "in": "query", "schema": schema, "description": "`model` when left out" }));
        }
        if let Some(query) = route.query {
            parameters.extend(query_parameters(&query(&mut generator), &generator));
        }
        let mut answers = Map::new();
        let mut success = json!({ "description": "All is well" });
        if let Some(content) = content(route.gives, route.gives_kinds, &mut generator) {
            success["content"] = content;
        }
        answers.insert(route.success.to_string(), success);
        if let Some(refuses) = route.refuses {
            let schema = refuses(&mut generator);
            let content = json!({ "application/json": { "schema": schema } });
            answers.insert("400".into(), json!({ "description": "What is wrong", "content": content }));
        }
        let refused = json!({ "description": "What is wrong", "content": { "application/json": { "schema": failure } } });
        answers.insert("4XX".into(), refused.clone());
        answers.insert("503".into(), refused);
        let mut operation = json!({
            "summary": route.summary,
            "description": format!("For {}.", needs(route.access)),
            "operationId": name_of(route),
            "parameters": parameters,
            "responses": answers,
        });
        if let Some(content) = content(route.takes, route.takes_kinds, &mut generator) {
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        if matches!(route.access, Access::Public) {
            operation["security"] = json!([]);
        }
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Alnage", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "hf_…" } },
        },
    })
}

/// What is sent, or comes back: by its media types. A form is described by its schema, other bytes are not.
fn content(schema: Option<SchemaOf>, kinds: &[&str], generator: &mut SchemaGenerator) -> Option<Value> {
    let schema = schema.map(|schema| schema(generator));
    let mut content = Map::new();
    if let Some(schema) = &schema {
        content.insert("application/json".into(), json!({ "schema": schema }));
    }
    for kind in kinds {
        let described = match &schema {
            Some(schema) if *kind == FORM => json!({ "schema": schema }),
            _ => json!({}),
        };
        content.insert((*kind).to_owned(), described);
    }
    if content.is_empty() { None } else { Some(content.into()) }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// `get_api_v1_models_project_name`.
fn name_of(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), words.join("_"))
}

/// Each property of a query's schema as a parameter.
fn query_parameters(schema: &Schema, generator: &SchemaGenerator) -> Vec<Value> {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.rsplit('/').next());
    let whole = named.and_then(|name| generator.definitions().get(name)).unwrap_or(schema.as_value());
    let required: Vec<&str> = whole
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = whole.get("properties").and_then(Value::as_object);
    let parameter = |(name, schema): (&String, &Value)| json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": plain(schema) });
    properties.into_iter().flatten().map(parameter).collect()
}

/// A parameter is left out, never `null`.
fn plain(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(kinds) = schema.get("type").and_then(Value::as_array)
        && let Some(kind) = kinds.iter().find(|kind| *kind != "null").cloned()
    {
        schema["type"] = kind;
    }
    let other = schema.get("anyOf").and_then(Value::as_array);
    if let Some(other) =
        other.and_then(|any| any.iter().find(|one| one.get("type") != Some(&json!("null")))).cloned()
    {
        schema = other;
    }
    schema
}
