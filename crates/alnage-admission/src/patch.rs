//! Changes of an object that make it fetch from the registry, and what is approved: a JSON patch.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    decision::{Decision, Standing, same},
    origin::{Origin, Pin},
    reading::{Endpoint, Loads},
    rules::Rules,
};

/// One operation of a JSON patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `add` or `replace`.
    pub op: &'static str,
    /// A JSON pointer.
    pub path: String,
    /// The value.
    pub value: Value,
}

/// The changes that pin what is approved, and that lead containers to the registry.
#[must_use]
pub fn changes(loads: &Loads, decision: &Decision, rules: &Rules) -> Vec<Change> {
    let mut patch = Patch::default();
    for judged in &decision.models {
        let Some(Standing::Approved { commit: Some(commit), .. }) = &judged.standing else { continue };
        let reference = &judged.reference;
        if reference.origin.pinned() || !matches!(reference.origin, Origin::Hub { .. }) {
            continue;
        }
        match &reference.pin {
            Some(Pin::Suffix(separator)) => {
                let written = reference.written.trim_end_matches('/');
                patch.replace(&reference.at, format!("{written}{separator}{commit}"));
            }
            Some(Pin::Replace { at, prefix }) => patch.replace(at, format!("{prefix}{commit}")),
            Some(Pin::Append { array, flag }) => {
                patch.add(&format!("{array}/-"), json!(format!("{flag}={commit}")));
            }
            Some(Pin::Variable { container, name, value, has_variables }) => match value {
                Some(value) => patch.replace(value, commit.clone()),
                None => patch.variable(container, name, commit, *has_variables),
            },
            None => {}
        }
    }
    let Some(endpoint) = &rules.endpoint else { return patch.changes };
    for fetcher in loads.fetchers.iter().filter(|fetcher| !fetcher.fixed) {
        match (&fetcher.endpoint, &fetcher.variable) {
            (Endpoint::Set(set), _) if same(set, endpoint) => {}
            (Endpoint::Set(_) | Endpoint::Default, Some(variable)) => {
                patch.replace(variable, endpoint.clone())
            }
            (Endpoint::Default, None) => {
                patch.variable(&fetcher.at, "HF_ENDPOINT", endpoint, fetcher.has_variables);
            }
            _ => {}
        }
    }
    patch.changes
}

#[derive(Default)]
struct Patch {
    changes: Vec<Change>,
    /// Containers that got a list of variables.
    listed: HashSet<String>,
}

impl Patch {
    fn push(&mut self, change: Change) {
        let appends = change.path.ends_with("/-");
        let same_place =
            |known: &Change| known.path == change.path && (!appends || known.value == change.value);
        if !self.changes.iter().any(same_place) {
            self.changes.push(change);
        }
    }

    fn replace(&mut self, path: &str, text: String) {
        self.push(Change { op: "replace", path: path.to_owned(), value: Value::String(text) });
    }

    fn add(&mut self, path: &str, value: Value) {
        self.push(Change { op: "add", path: path.to_owned(), value });
    }

    fn variable(&mut self, container: &str, name: &str, value: &str, has_variables: bool) {
        let variable = json!({ "name": name, "value": value });
        if has_variables || self.listed.contains(container) {
            self.add(&format!("{container}/env/-"), variable);
        } else {
            self.listed.insert(container.to_owned());
            self.add(&format!("{container}/env"), json!([variable]));
        }
    }
}
