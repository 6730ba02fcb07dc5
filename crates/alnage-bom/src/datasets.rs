//! Data sets as components: what several sources say about one, put together.

use std::collections::BTreeMap;

use alnage_facts::{Fact, Facts, Field, Origin, spdx_id};

use crate::{
    bom::{Component, DatasetDetails, Kind, Known, Licence, Text},
    hub, link,
};

/// How many data sets stand in a document.
const MAX: usize = 256;

/// The data sets the model was trained on, and those it was measured on.
pub(crate) fn components(facts: &Facts) -> (Vec<Component>, Vec<Component>) {
    let mut groups: Vec<(String, Vec<&Fact>)> = Vec::new();
    // Lists of ids come first: their names are those that others look up.
    let mut all = facts.all(Field::Dataset);
    all.sort_by_key(|fact| std::cmp::Reverse(fact.source.origin));
    for fact in all {
        let key = key(&fact.value);
        if let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == key) {
            group.push(fact);
        } else if groups.len() < MAX {
            groups.push((key, vec![fact]));
        }
    }
    let content = content(facts);
    let trained: Vec<Component> =
        groups.iter().map(|(_, group)| component(group, content.as_ref())).collect();
    let mut tested: BTreeMap<String, Component> = BTreeMap::new();
    for metric in facts.all(Field::Metric) {
        let Some(name) = metric.detail("hub").or(metric.detail("dataset")) else { continue };
        if tested.len() >= MAX || groups.iter().any(|(known, _)| *known == key(name)) {
            continue;
        }
        tested.entry(key(name)).or_insert_with(|| {
            let mut component = component(&[metric], content.as_ref());
            component.name = Known { value: name.to_owned(), sources: vec![metric.source.clone()] };
            component.id = format!("dataset:{name}");
            component.version = metric.detail("revision").map(|revision| text(revision, metric));
            if let Some(details) = &mut component.dataset {
                details.url = hub::dataset_url(name).map(|url| text(&url, metric));
            }
            component
        });
    }
    (trained, tested.into_values().collect())
}

/// Names of one data set differ in owner, case and punctuation.
fn key(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What kind of data goes in, as far as the model's inputs tell.
fn content(facts: &Facts) -> Option<Text> {
    let input = facts.best(Field::Input)?;
    let word = input.value.split([',', ':']).next().unwrap_or_default();
    let known = ["text", "image", "audio", "video", "table"].contains(&word);
    known.then(|| Known { value: word.to_owned(), sources: facts.sources(input) })
}

fn text(value: &str, fact: &Fact) -> Text {
    Known { value: value.to_owned(), sources: vec![fact.source.clone()] }
}

fn component(group: &[&Fact], content: Option<&Text>) -> Component {
    let Some(first) = group.first() else { return Component::default() };
    let detail = |name: &str| {
        let found = group.iter().find_map(|fact| Some((fact.detail(name)?, *fact)));
        found.map(|(value, fact)| text(value, fact))
    };
    let listed = matches!(first.source.origin, Origin::Card | Origin::Bytes | Origin::User);
    let on_hub = if listed { hub::dataset_url(&first.value).map(|url| text(&url, first)) } else { None };
    let given = detail("url").filter(|url| link::reference(&url.value).is_some());
    // Several rows of a table may be about parts of one data set.
    let sizes: Vec<(&Fact, u64)> =
        group.iter().filter_map(|fact| Some((*fact, fact.detail("size")?.parse().ok()?))).collect();
    let total = sizes.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
    let size = sizes.first().map(|(fact, _)| text(&total.to_string(), fact)).or_else(|| detail("size"));
    let described: Vec<&str> = group.iter().filter_map(|fact| fact.detail("description")).take(8).collect();
    let description = group
        .iter()
        .find(|fact| fact.detail("description").is_some())
        .map(|fact| text(&described.join("; "), fact));
    let licence = detail("licence").map(|licence| {
        let id =
            spdx_id(&licence.value).or_else(|| spdx_id(licence.value.rsplit('/').next().unwrap_or_default()));
        let name = id.map_or_else(|| licence.value.clone(), str::to_owned);
        let value = Licence { name, is_spdx: id.is_some(), url: None };
        Known { value, sources: licence.sources }
    });
    let sha256 = detail("sha256").filter(|digest| {
        digest.value.len() == 64 && digest.value.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    Component {
        id: format!("dataset:{}", first.value),
        kind: Kind::Dataset,
        name: Known {
            value: first.value.clone(),
            sources: group.iter().map(|fact| fact.source.clone()).take(4).collect(),
        },
        version: detail("version"),
        description,
        supplier: detail("producer").or_else(|| owner(first)),
        released: detail("published"),
        hashes: sha256
            .map(|digest| Known {
                value: ("SHA-256".to_owned(), digest.value.to_ascii_lowercase()),
                sources: digest.sources,
            })
            .into_iter()
            .collect(),
        licences: licence.into_iter().collect(),
        links: detail("paper")
            .filter(|paper| link::reference(&paper.value).is_some())
            .map(|paper| Known { value: ("documentation".to_owned(), paper.value), sources: paper.sources })
            .into_iter()
            .collect(),
        dataset: Some(Box::new(DatasetDetails {
            url: on_hub.or(given),
            content: detail("content").or_else(|| content.cloned()),
            size,
            sensitivity: detail("sensitivity").into_iter().collect(),
            bias: detail("bias"),
            collection: detail("collection"),
        })),
        ..Component::default()
    }
}

/// The owner of a data set on the hub.
fn owner(fact: &Fact) -> Option<Text> {
    let (owner, _) = fact.value.split_once('/')?;
    hub::dataset_url(&fact.value)?;
    Some(text(owner, fact))
}
