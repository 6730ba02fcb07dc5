//! What schemas cannot say: references that lead nowhere, package URLs that are none, required fields of SPDX profiles,
//! text that says nothing.

use std::collections::BTreeSet;

use alnage_facts::is_placeholder;
use serde_json::Value;

use crate::{hub, schema};

/// How grave advice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// The document is weaker than it could be.
    Warning,
    /// The document is wrong.
    Error,
}

/// Something about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// How grave.
    pub gravity: Gravity,
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What.
    pub message: String,
}

/// How much of it is told.
const MAX: usize = 500;

#[derive(Default)]
struct Notes(Vec<Advice>);

impl Notes {
    fn add(&mut self, gravity: Gravity, pointer: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < MAX {
            self.0.push(Advice { gravity, pointer: pointer.into(), message: message.into() });
        }
    }
}

/// Every object with its place.
fn objects(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                open.extend(map.iter().map(|(key, value)| (format!("{pointer}/{key}"), value)));
                found.push((pointer, value));
            }
            Value::Array(list) => {
                open.extend(list.iter().enumerate().map(|(at, value)| (format!("{pointer}/{at}"), value)));
            }
            _ => {}
        }
    }
    found.reverse();
    found
}

/// Advice on a CycloneDX document.
pub(crate) fn cyclonedx(document: &Value) -> Vec<Advice> {
    let mut notes = Notes::default();
    let objects = objects(document);
    let mut defined = BTreeSet::new();
    for (pointer, object) in &objects {
        if let Some(id) = object["bom-ref"].as_str()
            && !defined.insert(id)
        {
            notes.add(Gravity::Error, pointer.as_str(), format!("`{id}` is defined twice"));
        }
    }
    let mut used = |pointer: String, reference: &Value| {
        let Some(reference) = reference.as_str() else { return };
        // A link to another document is that document's business.
        if !defined.contains(reference) && !reference.starts_with("urn:cdx:") {
            notes.add(Gravity::Error, pointer, format!("`{reference}` leads nowhere"));
        }
    };
    for (at, dependency) in list(&document["dependencies"]).enumerate() {
        let at = format!("/dependencies/{at}");
        used(at.clone(), &dependency["ref"]);
        list(&dependency["dependsOn"]).for_each(|to| used(at.clone(), to));
    }
    for (at, composition) in list(&document["compositions"]).enumerate() {
        let at = format!("/compositions/{at}");
        list(&composition["assemblies"])
            .chain(list(&composition["dependencies"]))
            .for_each(|to| used(at.clone(), to));
    }
    for (at, found) in list(&document["vulnerabilities"]).enumerate() {
        list(&found["affects"]).for_each(|affected| used(format!("/vulnerabilities/{at}"), &affected["ref"]));
    }
    for (at, citation) in list(&document["citations"]).enumerate() {
        used(format!("/citations/{at}"), &citation["attributedTo"]);
    }
    for (pointer, object) in &objects {
        list(&object["modelParameters"]["datasets"]).for_each(|to| used(pointer.clone(), &to["ref"]));
    }
    for (at, citation) in list(&document["citations"]).enumerate() {
        for pointer in list(&citation["pointers"]).filter_map(Value::as_str) {
            if document.pointer(pointer).is_none() {
                notes.add(
                    Gravity::Error,
                    format!("/citations/{at}"),
                    format!("nothing stands at `{pointer}`"),
                );
            }
        }
    }
    for (pointer, object) in &objects {
        component(pointer, object, &mut notes);
    }
    notes.0
}

fn component(pointer: &str, object: &Value, notes: &mut Notes) {
    if let Some(purl) = object["purl"].as_str()
        && let Some(wrong) = wrong_purl(purl)
    {
        notes.add(Gravity::Error, format!("{pointer}/purl"), wrong);
    }
    let is_component = object["type"].is_string() && object["name"].is_string();
    if is_component && let Some(text) = object["description"].as_str().filter(|text| is_placeholder(text)) {
        notes.add(Gravity::Warning, format!("{pointer}/description"), format!("`{text}` says nothing"));
    }
    if object["type"] == "machine-learning-model" && object["modelCard"].is_object() {
        if object["hashes"].as_array().is_none_or(Vec::is_empty) {
            notes.add(Gravity::Warning, pointer, "the model has no digest");
        }
        if object["licenses"].as_array().is_none_or(Vec::is_empty) {
            notes.add(Gravity::Warning, pointer, "the model has no licence");
        }
    }
    if let Some(name) = object["license"]["name"].as_str().filter(|name| schema::is_listed_licence(name)) {
        notes.add(Gravity::Warning, pointer, format!("`{name}` is an SPDX id and stands as a name"));
    }
}

/// What is wrong with a package URL, as far as the types that models need go.
fn wrong_purl(purl: &str) -> Option<String> {
    let Some(rest) = purl.strip_prefix("pkg:") else { return Some(format!("`{purl}` is no package URL")) };
    let (kind, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let (path, version) = path.split_once('@').map_or((path, None), |(path, version)| (path, Some(version)));
    if path.is_empty() {
        return Some(format!("`{purl}` names nothing"));
    }
    if kind != "huggingface" {
        return None;
    }
    if !path.contains('/') {
        return Some(format!("`{purl}` lacks the owner that the type `huggingface` requires"));
    }
    match version {
        Some(version)
            if !hub::is_commit(version) || version.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            Some(format!("the version of `{purl}` is no whole commit in lower case"))
        }
        _ => None,
    }
}

/// Advice on an SPDX document.
pub(crate) fn spdx(document: &Value) -> Vec<Advice> {
    let mut notes = Notes::default();
    let elements: Vec<&Value> = list(&document["@graph"]).collect();
    let mut defined = BTreeSet::new();
    for (at, element) in elements.iter().enumerate() {
        if let Some(id) = element["spdxId"].as_str()
            && !defined.insert(id)
        {
            notes.add(Gravity::Error, format!("/@graph/{at}"), format!("`{id}` is defined twice"));
        }
    }
    let imported: BTreeSet<&str> = (elements.iter())
        .flat_map(|element| list(&element["import"]))
        .filter_map(|import| import["externalSpdxId"].as_str())
        .collect();
    for (at, element) in elements.iter().enumerate() {
        for key in [
            "from",
            "to",
            "subject",
            "suppliedBy",
            "originatedBy",
            "rootElement",
            "element",
            "software_snippetFromFile",
        ] {
            let values =
                element[key].as_str().into_iter().chain(list(&element[key]).filter_map(Value::as_str));
            for id in values.filter(|id| id.contains(':') && !id.starts_with("https://spdx.org/")) {
                if !defined.contains(id) && !imported.contains(id) {
                    notes.add(Gravity::Error, format!("/@graph/{at}/{key}"), format!("`{id}` leads nowhere"));
                }
            }
        }
        if let Some(wrong) = element["software_packageUrl"].as_str().and_then(wrong_purl) {
            notes.add(Gravity::Error, format!("/@graph/{at}/software_packageUrl"), wrong);
        }
    }
    profiles(&elements, &mut notes);
    notes.0
}

/// What the AI and Dataset profiles require and the published schema and shapes do not check.
fn profiles(elements: &[&Value], notes: &mut Notes) {
    let claimed = |profile: &str| {
        elements.iter().any(|element| list(&element["profileConformance"]).any(|claimed| claimed == profile))
    };
    let required: [(&str, &str, &[&str]); 2] = [
        (
            "ai",
            "ai_AIPackage",
            &[
                "suppliedBy",
                "releaseTime",
                "software_downloadLocation",
                "software_packageVersion",
                "software_primaryPurpose",
            ],
        ),
        (
            "dataset",
            "dataset_DatasetPackage",
            &[
                "originatedBy",
                "builtTime",
                "releaseTime",
                "software_downloadLocation",
                "software_primaryPurpose",
                "dataset_datasetType",
            ],
        ),
    ];
    for (profile, kind, fields) in required {
        let gravity = if claimed(profile) { Gravity::Error } else { Gravity::Warning };
        for (at, element) in elements.iter().enumerate().filter(|(_, element)| element["type"] == kind) {
            let lacking: Vec<&str> =
                fields.iter().copied().filter(|field| element[*field].is_null()).collect();
            if !lacking.is_empty() {
                let message = format!("the profile `{profile}` requires {}", lacking.join(", "));
                notes.add(gravity, format!("/@graph/{at}"), message);
            }
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
