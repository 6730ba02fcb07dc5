//! Several documents as one: the system that all their models are parts of.

use crate::{
    bom::{Bom, Component, Kind, Known, Relation, RelationKind},
    compose::serial,
};

/// The document of a system called `name` that is made of what `parts` are about.
///
/// Ids get the number of their document before them, so that none is there twice; packages and data sets that several
/// documents list alike become one.
pub fn merge(name: &str, version: Option<&str>, tool_version: &str, timestamp: &str, parts: &[Bom]) -> Bom {
    let serials: Vec<&str> = parts.iter().map(|part| part.serial.as_str()).collect();
    let mut merged = Bom {
        serial: serial(&format!("alnage.bom.merge/1\n{}\n{name}\n{timestamp}", serials.join("\n"))),
        version: 1,
        timestamp: timestamp.to_owned(),
        tools: vec![("alnage".into(), tool_version.to_owned())],
        root: Some(Component {
            id: "root".into(),
            kind: Kind::Application,
            name: Known::bare(name.to_owned()),
            version: version.map(|version| Known::bare(version.to_owned())),
            ..Component::default()
        }),
        is_complete: parts
            .iter()
            .map(|part| part.is_complete)
            .reduce(|all, one| Some(all? && one?))
            .flatten(),
        ..Bom::default()
    };
    for (number, part) in parts.iter().enumerate() {
        take(&mut merged, part.clone(), number + 1);
    }
    merged.authors.dedup();
    merged.phases.sort();
    merged.phases.dedup();
    merged
}

fn take(merged: &mut Bom, part: Bom, number: usize) {
    let own = |id: &str| format!("{number}:{id}");
    let mut renamed: Vec<(String, String)> = Vec::new();
    let top = part.model().or(part.root.as_ref()).map(|component| component.id.clone());
    let root = part.root.as_ref().map(|root| root.id.clone());
    let is_listed = part.components.iter().any(|component| Some(&component.id) == top.as_ref());
    let unlisted = if is_listed { None } else { part.root.clone() };
    for mut component in unlisted.into_iter().chain(part.components) {
        let shared = matches!(component.kind, Kind::Framework | Kind::Library | Kind::Dataset);
        let same = merged.components.iter().find(|other| {
            shared
                && other.kind == component.kind
                && other.name.value == component.name.value
                && other.version == component.version
        });
        if let Some(same) = same {
            renamed.push((component.id.clone(), same.id.clone()));
            continue;
        }
        renamed.push((component.id.clone(), own(&component.id)));
        component.id = own(&component.id);
        for inner in &mut component.parts {
            renamed.push((inner.id.clone(), own(&inner.id)));
            inner.id = own(&inner.id);
        }
        merged.components.push(component);
    }
    // The system of the part is the system of the whole.
    if let Some(root) = root.filter(|root| Some(root) != top.as_ref()) {
        renamed.push((root, "root".into()));
    }
    let new =
        |id: &str| renamed.iter().find(|(old, _)| old == id).map_or_else(|| own(id), |(_, new)| new.clone());
    for relation in part.relations {
        let relation = Relation { from: new(&relation.from), kind: relation.kind, to: new(&relation.to) };
        if !merged.relations.contains(&relation) {
            merged.relations.push(relation);
        }
    }
    if let Some(top) = top {
        let relation = Relation { from: "root".into(), kind: RelationKind::DependsOn, to: new(&top) };
        if !merged.relations.contains(&relation) {
            merged.relations.push(relation);
        }
    }
    for mut found in part.vulnerabilities {
        found.affects.iter_mut().for_each(|id| *id = new(id));
        merged.vulnerabilities.push(found);
    }
    for author in part.authors {
        if !merged.authors.contains(&author) {
            merged.authors.push(author);
        }
    }
    merged.phases.extend(part.phases);
}
