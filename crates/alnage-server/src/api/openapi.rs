//! The OpenAPI 3.1 document, and a page to read it. `cargo xtask gen` writes it from the table of routes.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde_json::Value;

use crate::core::{Access, Route};

/// `docs/openapi.json`, which build.rs has packed.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.bin"));
    let text = miniz_oxide::inflate::decompress_to_vec(packed).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
});

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/openapi.json", Access::Public, "This document", document).gives::<Value>(),
        Route::get("/api/v1/", Access::Public, "The same for people", page).gives_kinds(&["text/html"]),
    ]
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The document as it is served.
pub(super) fn parsed() -> Value {
    serde_json::from_str(&TEXT).unwrap_or_default()
}

async fn page() -> Html<String> {
    let document = parsed();
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Alnage: the API</title><h1>The API</h1><p>For programs: <a href=\"openapi.json\">openapi.json</a>, OpenAPI 3.1. \
         Send <code>Authorization: Bearer hf_…</code>; failures are JSON with <code>error</code> and <code>code</code>.</p>",
    );
    for (path, item) in fields(&document["paths"]) {
        for (method, operation) in fields(item) {
            let text = |name: &str| escaped(operation[name].as_str().unwrap_or_default());
            let _ = write!(
                page,
                "<details><summary><code>{} {}</code> {}</summary><p>{}</p>",
                method.to_ascii_uppercase(),
                escaped(path),
                text("summary"),
                text("description"),
            );
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let place = if parameter["in"] == "path" { "in the path" } else { "after <code>?</code>" };
                let name = escaped(parameter["name"].as_str().unwrap_or_default());
                let _ = write!(page, "<p><code>{name}</code>, {place}:</p>{}", pretty(&parameter["schema"]));
            }
            for (_, body) in fields(&operation["requestBody"]["content"]) {
                let _ = write!(page, "<p>Sent:</p>{}", pretty(&body["schema"]));
            }
            for (status, answer) in
                fields(&operation["responses"]).filter(|(status, _)| status.starts_with('2'))
            {
                for (kind, body) in fields(&answer["content"]) {
                    let _ =
                        write!(page, "<p>Given, {status}, {}:</p>{}", escaped(kind), pretty(&body["schema"]));
                }
            }
            page.push_str("</details>");
        }
    }
    page.push_str("<h2>Types</h2>");
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = write!(
            page,
            "<details id=\"{name}\"><summary><code>{name}</code></summary>{}</details>",
            pretty(schema)
        );
    }
    page.push_str("</html>");
    Html(page)
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A schema; one that only names a type leads to that type.
fn pretty(schema: &Value) -> String {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.rsplit('/').next());
    match named {
        Some(name) => format!("<p><a href=\"#{0}\"><code>{0}</code></a></p>", escaped(name)),
        None if schema.is_null() => String::new(),
        None => format!("<pre>{}</pre>", escaped(&format!("{schema:#}"))),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
