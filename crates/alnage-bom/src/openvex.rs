//! Findings as an OpenVEX 0.2.0 document: <https://github.com/openvex/spec>.

use serde_json::{Map, Value, json};

use crate::bom::{Bom, Component, Vulnerability};

/// What is and is not exploitable in what `bom` is about, as JSON with a last newline.
pub fn openvex(bom: &Bom) -> String {
    let author = bom.authors.first().map_or("unknown", String::as_str);
    let tool = bom.tools.first().map(|(name, version)| format!("{name} {version}"));
    let mut document = Map::new();
    document.insert("@context".into(), json!("https://openvex.dev/ns/v0.2.0"));
    document.insert("@id".into(), json!(format!("{}#vex", bom.serial)));
    document.insert("author".into(), json!(author));
    document.insert("timestamp".into(), json!(bom.timestamp));
    document.insert("version".into(), json!(1));
    if let Some(tool) = tool {
        document.insert("tooling".into(), json!(tool));
    }
    let statements: Vec<Value> = bom.vulnerabilities.iter().map(|found| statement(bom, found)).collect();
    document.insert("statements".into(), json!(statements));
    let mut text = serde_json::to_string_pretty(&Value::Object(document)).unwrap_or_default();
    text.push('\n');
    text
}

fn statement(bom: &Bom, found: &Vulnerability) -> Value {
    let mut vulnerability = Map::new();
    vulnerability.insert("name".into(), json!(found.id));
    vulnerability.insert("description".into(), json!(found.description));
    let aliases: Vec<String> = found.cwes.iter().map(|cwe| format!("CWE-{cwe}")).collect();
    if !aliases.is_empty() && found.source != "CWE" {
        vulnerability.insert("aliases".into(), json!(aliases));
    }
    let mut statement = Map::new();
    statement.insert("vulnerability".into(), Value::Object(vulnerability));
    let model = bom.model();
    let all = bom.all();
    let parts: Vec<&Component> = found
        .affects
        .iter()
        .filter_map(|id| all.iter().copied().find(|component| component.id == *id))
        .collect();
    let inner: Vec<Value> = (parts.iter())
        .filter(|part| model.is_none_or(|model| model.id != part.id))
        .map(|part| product(part))
        .collect();
    let mut products = Vec::new();
    if let Some(model) = model {
        let mut product = product(model);
        if !inner.is_empty()
            && let Some(map) = product.as_object_mut()
        {
            map.insert("subcomponents".into(), json!(inner));
        }
        products.push(product);
    } else {
        products = inner;
    }
    statement.insert("products".into(), json!(products));
    let status = match found.state.as_str() {
        "exploitable" => "affected",
        "not_affected" | "false_positive" => "not_affected",
        "resolved" | "resolved_with_pedigree" => "fixed",
        _ => "under_investigation",
    };
    statement.insert("status".into(), json!(status));
    if status == "not_affected" {
        match found.justification.as_deref() {
            Some("code_not_present") => {
                statement.insert("justification".into(), json!("vulnerable_code_not_present"));
            }
            Some("code_not_reachable") => {
                statement.insert("justification".into(), json!("vulnerable_code_not_in_execute_path"));
            }
            _ => {}
        }
        let impact = found.detail.as_deref().unwrap_or("it does not apply");
        statement.insert("impact_statement".into(), json!(impact));
    }
    // Required for what is affected.
    if status == "affected" {
        let action = if found.recommendation.is_empty() { "none known" } else { &found.recommendation };
        statement.insert("action_statement".into(), json!(action));
    }
    Value::Object(statement)
}

/// A product by its package URL and digest, or by its name in the document.
fn product(component: &Component) -> Value {
    let mut product = Map::new();
    let purl = component.purl.as_ref().map(|purl| purl.value.as_str());
    product.insert("@id".into(), json!(purl.unwrap_or(&component.id)));
    if let Some(purl) = purl {
        product.insert("identifiers".into(), json!({ "purl": purl }));
    }
    let sha256 = component.hashes.iter().find(|hash| hash.value.0 == "SHA-256");
    if let Some(hash) = sha256 {
        product.insert("hashes".into(), json!({ "sha-256": hash.value.1 }));
    }
    Value::Object(product)
}
