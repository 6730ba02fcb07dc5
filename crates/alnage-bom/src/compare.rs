//! What differs between two documents in what they mean, whatever their formats.

use std::collections::BTreeMap;

use crate::bom::{Bom, Component, Kind};

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is only in the first document.
    Removed,
    /// It is only in the second.
    Added,
    /// It is in both, and differs.
    Changed,
}

impl ChangeKind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Changed => "changed",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it is about: `model`, ``file `config.json` ``.
    pub what: String,
    /// The field, when the thing itself is in both.
    pub field: Option<String>,
    /// What became of it.
    pub kind: ChangeKind,
    /// The value in the first document.
    pub before: Option<String>,
    /// The value in the second document.
    pub after: Option<String>,
}

/// What differs from `before` to `after`, in order of what it is about.
pub fn compare(before: &Bom, after: &Bom) -> Vec<Change> {
    let (old, new) = (things(before), things(after));
    let mut changes = Vec::new();
    for (what, fields) in &old {
        match new.get(what) {
            None => changes.push(whole(what, ChangeKind::Removed)),
            Some(others) => differences(what, fields, others, &mut changes),
        }
    }
    let added = new.keys().filter(|what| !old.contains_key(*what));
    changes.extend(added.map(|what| whole(what, ChangeKind::Added)));
    changes.sort();
    changes
}

fn whole(what: &str, kind: ChangeKind) -> Change {
    Change { what: what.to_owned(), field: None, kind, before: None, after: None }
}

type Fields = BTreeMap<String, String>;

fn differences(what: &str, old: &Fields, new: &Fields, changes: &mut Vec<Change>) {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let kind = match (before, after) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (Some(_), None) => ChangeKind::Removed,
            (None, _) => ChangeKind::Added,
        };
        changes.push(Change {
            what: what.to_owned(),
            field: Some(name.clone()),
            kind,
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// Everything a document is about, with its fields.
fn things(bom: &Bom) -> BTreeMap<String, Fields> {
    let mut things = BTreeMap::new();
    for component in bom.all() {
        let word = match component.kind {
            Kind::Model => "model",
            Kind::Dataset => "data set",
            Kind::File => "file",
            Kind::Framework | Kind::Library => "package",
            Kind::Application => "application",
        };
        // There is one model that the document is about; others are told by their names.
        let what = match bom.model() {
            Some(model) if std::ptr::eq(model, component) => "model".to_owned(),
            _ => format!("{word} `{}`", component.name.value),
        };
        things.insert(what, fields(component));
    }
    for relation in &bom.relations {
        let name = |id: &str| {
            let found = bom.components.iter().find(|component| component.id == id);
            found.map_or_else(|| id.to_owned(), |component| component.name.value.clone())
        };
        let what =
            format!("relation `{}` {:?} `{}`", name(&relation.from), relation.kind, name(&relation.to));
        things.insert(what, Fields::new());
    }
    for found in &bom.vulnerabilities {
        let fields = [("state", &found.state), ("severity", &found.severity)];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.clone()));
        things.insert(format!("finding `{}` in {}", found.id, found.affects.join(", ")), fields.collect());
    }
    things
}

fn fields(component: &Component) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let slot: &mut String = fields.entry(name.to_owned()).or_default();
            if !slot.is_empty() {
                slot.push_str(", ");
            }
            slot.push_str(&value);
        }
    };
    let text = |known: &Option<crate::Text>| known.as_ref().map(|known| known.value.clone());
    put("name", Some(component.name.value.clone()));
    put("version", text(&component.version));
    put("package URL", text(&component.purl));
    put("description", text(&component.description));
    put("supplier", text(&component.supplier));
    put("manufacturer", text(&component.manufacturer));
    put("released", text(&component.released));
    for hash in &component.hashes {
        put(&hash.value.0, Some(hash.value.1.clone()));
    }
    for licence in &component.licences {
        put("licence", Some(licence.value.name.clone()));
    }
    for link in &component.links {
        put(&format!("link {}", link.value.0), Some(link.value.1.clone()));
    }
    if let Some(model) = component.model.as_deref() {
        for (name, known) in [
            ("task", &model.task),
            ("architecture family", &model.family),
            ("architecture", &model.architecture),
            ("training", &model.training),
        ] {
            put(name, text(known));
        }
        for metric in &model.metrics {
            let slice = metric.value.slice.as_ref().map(|slice| format!("@{slice}")).unwrap_or_default();
            put(&format!("metric {}{slice}", metric.value.name), Some(metric.value.value.clone()));
        }
        for (name, list) in [
            ("input", &model.inputs),
            ("output", &model.outputs),
            ("use", &model.uses),
            ("limitation", &model.limitations),
            ("ethics", &model.ethics),
        ] {
            list.iter().for_each(|known| put(name, Some(known.value.clone())));
        }
        for (name, known) in &model.parameters {
            put(name, Some(known.value.clone()));
        }
    }
    if let Some(dataset) = component.dataset.as_deref() {
        for (name, known) in [("url", &dataset.url), ("content", &dataset.content), ("size", &dataset.size)] {
            put(name, text(known));
        }
    }
    for (name, known) in &component.properties {
        put(name, Some(known.value.clone()));
    }
    fields
}
