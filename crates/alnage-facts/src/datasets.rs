//! What is said about data sets: the card's table of training data, lists of files with their lines, Croissant, cards of
//! data sets that lie beside the model.

use alnage_formats::{
    Facts as ArtifactFacts, Model,
    repository::{Entry, RepositoryFacts, card::Section},
};

use crate::{
    Facts, Field, Origin, Place, Source,
    card::{rows, top_card},
    configuration::{at, configs},
    prose::plain,
};

/// How many data sets of one file are told.
const MAX: usize = 256;

/// Adds what is said about data sets.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    if let Some((file, _, sections)) = top_card(model) {
        for section in sections.iter().filter(|section| section.heading.to_lowercase().contains("data")) {
            table(file, section, facts);
        }
    }
    for (artifact, config) in configs(model) {
        let (file, entries) = (artifact.path.as_str(), config.entries.as_slice());
        if at(entries, "/@context/@vocab").is_some() || at(entries, "/conformsTo").is_some() {
            croissant(file, entries, facts);
        } else if file.rsplit('/').next() == Some("data_config.json") {
            file_list(file, entries, facts);
        }
    }
    for artifact in &model.artifacts {
        let path = artifact.path.as_str();
        let ArtifactFacts::Repository(repository) = &artifact.facts else { continue };
        if let RepositoryFacts::Card(card) = repository.as_ref()
            && path.to_ascii_lowercase().ends_with("/readme.md")
            && card.entries.iter().any(|entry| {
                entry.pointer.starts_with("/dataset_info") || entry.pointer.starts_with("/size_categories")
            })
        {
            dataset_card(path, &card.entries, &card.sections, facts);
        }
    }
}

/// `| [Name](address) | [paper](address) | 1,234 |`: a table whose last column counts.
fn table(file: &str, section: &Section, facts: &mut Facts) {
    for row in rows(section).take(MAX) {
        let (Some(first), Some(last)) = (row.first(), row.last()) else { continue };
        let digits: String = last.chars().filter(char::is_ascii_digit).collect();
        let counts =
            !digits.is_empty() && last.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | ' '));
        let name = plain(first, 200);
        if row.len() < 2 || !counts || name.is_empty() || name.eq_ignore_ascii_case("total") {
            continue;
        }
        let address = first.split_once("](").and_then(|(_, rest)| rest.split_once(')')).map(|(url, _)| url);
        let paper =
            row.get(1).filter(|_| row.len() > 2).and_then(|cell| cell.split_once("](")?.1.split_once(')'));
        let details = vec![
            ("url", address.unwrap_or_default().to_owned()),
            ("paper", paper.map(|(url, _)| url).unwrap_or_default().to_owned()),
            ("size", digits),
            ("description", name.clone()),
        ];
        let place = Place::Bytes(section.start, section.end);
        let mut source = Source::new(Origin::Prose, file, &section.heading, place);
        source.confidence = 40;
        // `S2ORC (Title, Abstract)` and `S2ORC Citation pairs` are parts of the linked set.
        let linked = first.split_once('[').and_then(|(_, rest)| rest.split_once("](")).map(|(name, _)| name);
        facts.add_with(Field::Dataset, linked.unwrap_or(&name), details, source);
    }
}

/// A list of data files with how many lines each has, as sentence-transformers writes it.
fn file_list(file: &str, entries: &[Entry], facts: &mut Facts) {
    let (mut files, mut lines) = (0_u64, 0_u64);
    for entry in entries.iter().filter(|entry| entry.pointer.ends_with("/lines")) {
        files += 1;
        lines = lines.saturating_add(entry.value.parse().unwrap_or(0));
    }
    if files > 0 {
        let details = vec![("size", lines.to_string()), ("files", files.to_string())];
        let source = Source::new(Origin::Configuration, file, "lines", Place::Whole);
        facts.add_with(Field::Dataset, "training mix", details, source);
    }
}

/// Croissant: JSON-LD about a data set, with what it says about its making and its people.
fn croissant(file: &str, entries: &[Entry], facts: &mut Facts) {
    let value = |names: &[&str]| -> String {
        let found = names.iter().find_map(|name| at(entries, name));
        found.map(|entry| entry.value.clone()).unwrap_or_default()
    };
    let (name, source) = (value(&["/name"]), |pointer: &str| {
        Source::new(Origin::Configuration, file, "Croissant", Place::Pointer(pointer.to_owned()))
    });
    let details = vec![
        ("description", plain(&value(&["/description"]), 600)),
        ("url", value(&["/url"])),
        ("licence", value(&["/license", "/license/0"])),
        ("version", value(&["/version"])),
        ("producer", value(&["/creator/name", "/creator/0/name"])),
        ("published", value(&["/datePublished"])),
        ("sha256", value(&["/distribution/0/sha256"])),
        ("size", value(&["/distribution/0/contentSize"])),
        ("collection", value(&["/rai:dataCollection", "/dataCollection"])),
        ("bias", value(&["/rai:dataBiases", "/rai:dataBiases/0", "/dataBiases"])),
        ("sensitivity", value(&["/rai:personalSensitiveInformation", "/rai:personalSensitiveInformation/0"])),
        ("use", value(&["/rai:dataUseCases", "/rai:dataUseCases/0"])),
    ];
    facts.add_with(Field::Dataset, name, details, source("/name"));
}

/// The card of a data set that lies in a folder of the model.
fn dataset_card(file: &str, entries: &[Entry], sections: &[Section], facts: &mut Facts) {
    let value = |pointer: &str| at(entries, pointer).map(|entry| entry.value.clone()).unwrap_or_default();
    let folder = file.rsplit('/').nth(1).unwrap_or_default();
    let name = [value("/pretty_name"), folder.to_owned()].into_iter().find(|name| !name.is_empty());
    let examples: u64 = entries
        .iter()
        .filter(|entry| entry.pointer.ends_with("/num_examples"))
        .filter_map(|entry| entry.value.parse::<u64>().ok())
        .fold(0, u64::saturating_add);
    let size = if examples > 0 { examples.to_string() } else { value("/size_categories/0") };
    let text = sections.iter().find(|section| section.level == 1).map(|section| plain(&section.text, 600));
    let details = vec![
        ("licence", [value("/license"), value("/license/0")].concat()),
        ("size", size),
        ("description", text.unwrap_or_default()),
        ("content", value("/task_categories/0")),
    ];
    let source = Source::new(Origin::Card, file, "dataset card", Place::Whole);
    facts.add_with(Field::Dataset, name.unwrap_or_default(), details, source);
}
