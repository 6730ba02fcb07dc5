//! Where a version comes from and what was made from it.

use alnage_registry::{Downstream, Version};

use crate::{
    console::{
        address,
        pages::Relative,
        parts::{Edge, Graph, Mark, Node, Tone},
    },
    core::{Answered, State},
};

use super::rows;

/// Boxes that are drawn on each side.
const DRAWN: usize = 12;

/// The drawing, and the same in words.
pub(super) struct Lineage {
    pub(super) graph: Graph,
    pub(super) rows: Vec<Relative>,
}

pub(super) fn load(state: &State, version: &Version) -> Answered<Lineage> {
    let own = subject(version);
    let mut graph = Graph::default();
    let mut rows = Vec::new();
    graph.nodes.push(Node {
        name: version.name.clone(),
        detail: "this version".to_owned(),
        mark: rows::stage(version),
        href: String::new(),
        depth: 0,
    });
    let mut sources = state.registry.edges(version.id)?;
    sources.dedup_by(|one, other| one.subject == other.subject && one.relation == other.relation);
    for edge in &sources {
        let mark = source_mark(state, &edge.subject)?;
        let link = address::subject_link(&edge.subject);
        rows.push(Relative {
            relation: format!("Made from: {}, says {}", spoken(&edge.relation), edge.source),
            what: link.clone(),
            stage: mark,
        });
        if graph.nodes.len() > DRAWN {
            graph.more += 1;
            continue;
        }
        let known = mark.word != NOT_HERE;
        let href = if known { link.href } else { String::new() };
        graph.edges.push(Edge { from: graph.nodes.len(), to: 0 });
        graph.nodes.push(Node { name: link.text, detail: spoken(&edge.relation), mark, href, depth: -1 });
    }
    let mut drawn: Vec<(String, usize)> = vec![(own.clone(), 0)];
    for found in state.registry.blast_radius(&own)?.iter().filter(|found| found.version.id != version.id) {
        let relation = relation_of(state, found)?;
        rows.push(Relative {
            relation: format!(
                "{relation} from this, {} step{} on",
                steps(found),
                if steps(found) == 1 { "" } else { "s" }
            ),
            what: address::link(&found.version),
            stage: rows::stage(&found.version),
        });
        if drawn.len() > DRAWN || steps(found) > 3 {
            graph.more += 1;
            continue;
        }
        let before =
            found.path.iter().rev().nth(1).and_then(|before| drawn.iter().find(|(name, _)| name == before));
        let at = graph.nodes.len();
        graph.edges.push(Edge { from: before.map_or(0, |(_, at)| *at), to: at });
        drawn.push((subject(&found.version), at));
        graph.nodes.push(Node {
            name: found.version.name.clone(),
            detail: relation,
            mark: rows::stage(&found.version),
            href: address::link(&found.version).href,
            depth: i8::try_from(steps(found)).unwrap_or(3),
        });
    }
    rows.truncate(200);
    Ok(Lineage { graph, rows })
}

const NOT_HERE: &str = "Not here";

/// As lineage names a version.
pub(super) fn subject(version: &Version) -> String {
    format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit)
}

/// How many steps from the first.
pub(super) fn steps(found: &Downstream) -> usize {
    found.path.len().saturating_sub(1).max(1)
}

/// How a version was made from what is before it on its path.
pub(super) fn relation_of(state: &State, found: &Downstream) -> Answered<String> {
    let before = found.path.iter().rev().nth(1).map(String::as_str).unwrap_or_default();
    let whole = before.split_once('@').map_or(before, |(whole, _)| whole);
    let edges = state.registry.edges(found.version.id)?;
    let edge = edges.iter().find(|edge| edge.subject == before || edge.subject == whole).or(edges.first());
    Ok(match edge.map(|edge| &*edge.relation) {
        Some("base-model") => "made from it as its base",
        Some("dataset") => "trained on it",
        Some("converted-from") => "converted",
        Some("adapter-of") => "an adapter",
        _ => "made",
    }
    .to_owned())
}

/// `base-model` in words.
fn spoken(relation: &str) -> String {
    relation.replace(['-', '_'], " ")
}

fn source_mark(state: &State, subject: &str) -> Answered<Mark> {
    let absent = Mark::new(NOT_HERE, Tone::Quiet);
    let Some((kind, name, commit)) = address::subject(subject) else { return Ok(absent) };
    Ok(match state.registry.version(kind, name, commit.unwrap_or("main"))? {
        Some(version) => rows::stage(&version),
        None => match state.registry.repo(kind, name)?.and_then(|repo| repo.head) {
            Some(head) => rows::stage(&head),
            None => absent,
        },
    })
}
