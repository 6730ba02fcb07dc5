//! What the model card says: its fields, and what its headings announce.

use alnage_formats::{
    Facts as ArtifactFacts, Model,
    repository::{
        Entry, RepositoryFacts,
        card::{CardFacts, Section},
    },
};

use crate::{
    Facts, Field, Origin, Place, Source, base,
    prose::{is_placeholder, plain},
};

/// How much of a section stands in a document.
const MAX_TEXT: usize = 1200;

/// Adds what the card at the top of `model` says.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    for artifact in &model.artifacts {
        let ArtifactFacts::Repository(repository) = &artifact.facts else { continue };
        let path = artifact.path.as_str();
        match repository.as_ref() {
            RepositoryFacts::Card(card) if path.eq_ignore_ascii_case("README.md") => {
                Reading { file: path, card }.give(facts);
            }
            RepositoryFacts::Card(card) if path.eq_ignore_ascii_case("SECURITY.md") => {
                let text: String = card.sections.iter().map(|section| section.text.as_str()).collect();
                let source = Source::new(Origin::Card, path, "text", Place::Bytes(0, artifact.size));
                facts.add(Field::SecurityPolicy, plain(&text, MAX_TEXT), source);
            }
            _ => {}
        }
    }
}

struct Reading<'a> {
    file: &'a str,
    card: &'a CardFacts,
}

impl Reading<'_> {
    fn source(&self, key: &str) -> Source {
        let place = Place::Pointer(format!("/{key}"));
        Source::new(Origin::Card, self.file, key, place)
    }

    fn prose(&self, section: &Section, what: &str) -> Source {
        Source::new(Origin::Prose, self.file, what, Place::Bytes(section.start, section.end))
    }

    fn give(&self, facts: &mut Facts) {
        self.fields(facts);
        self.metrics(facts);
        self.emissions(facts);
        self.title(facts);
        self.headings(facts);
        self.bullets(facts);
    }

    fn fields(&self, facts: &mut Facts) {
        let card = self.card;
        // `other` stands for a licence without identifier, whose name follows; several are one statement.
        let named: Vec<&str> = card.license.iter().map(String::as_str).filter(|id| *id != "other").collect();
        let unnamed = if card.license.is_empty() { "" } else { "other" };
        let licence = if named.is_empty() { unnamed.to_owned() } else { named.join(", ") };
        facts.add(Field::Licence, licence, self.source("license"));
        for (field, key) in [
            (Field::LicenceUrl, "license_link"),
            (Field::BaseModelRelation, "base_model_relation"),
            (Field::Task, "pipeline_tag"),
            (Field::Framework, "library_name"),
            (Field::Name, "model_name"),
            (Field::Producer, "model_creator"),
        ] {
            facts.add(field, self.value(&format!("/{key}")), self.source(key));
        }
        for (field, key, values) in [
            (Field::Dataset, "datasets", &card.datasets),
            (Field::BaseModel, "base_model", &card.base_model),
            (Field::Language, "language", &card.language),
        ] {
            for value in values {
                facts.add(field, value.as_str(), self.source(key));
            }
        }
        for tag in &card.tags {
            if let Some(paper) = tag.strip_prefix("arxiv:") {
                let link = format!("https://arxiv.org/abs/{paper}");
                facts.add_with(
                    Field::Link,
                    link,
                    vec![("kind", "documentation".into())],
                    self.source("tags"),
                );
            }
        }
    }

    fn value(&self, pointer: &str) -> &str {
        self.card.entries.iter().find(|entry| entry.pointer == pointer).map_or("", |entry| &entry.value)
    }

    /// `model-index`: results, each with a task, a data set and metrics.
    fn metrics(&self, facts: &mut Facts) {
        for entry in &self.card.entries {
            let Some((result, rest)) = entry.pointer.split_once("/metrics/") else { continue };
            let Some((number, "value")) = rest.split_once('/') else { continue };
            if !result.starts_with("/model-index/") {
                continue;
            }
            let part = |name: &str| self.value(&format!("{result}/{name}")).to_owned();
            let of_metric = |name: &str| self.value(&format!("{result}/metrics/{number}/{name}")).to_owned();
            let dataset = [part("dataset/name"), part("dataset/type")];
            let dataset = dataset.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            let details = vec![
                ("type", of_metric("type")),
                ("name", of_metric("name")),
                ("dataset", dataset),
                ("hub", part("dataset/type")),
                ("split", part("dataset/split")),
                ("config", part("dataset/config")),
                ("revision", part("dataset/revision")),
                ("task", part("task/type")),
            ];
            let source =
                Source::new(Origin::Card, self.file, "model-index", Place::Pointer(entry.pointer.clone()));
            facts.add_with(Field::Metric, entry.value.as_str(), details, source);
        }
    }

    /// `co2_eq_emissions`: grams, alone or with where, how and on what.
    fn emissions(&self, facts: &mut Facts) {
        let grams = [self.value("/co2_eq_emissions"), self.value("/co2_eq_emissions/emissions")];
        let grams = grams.into_iter().find(|grams| !grams.is_empty()).unwrap_or_default();
        let of = |name: &str| self.value(&format!("/co2_eq_emissions/{name}"));
        let details = vec![
            ("activity", of("training_type").to_owned()),
            ("location", of("geographical_location").to_owned()),
            ("source", of("source").to_owned()),
        ];
        facts.add_with(Field::Emissions, grams, details, self.source("co2_eq_emissions"));
        let hardware = of("hardware_used");
        if !is_placeholder(hardware) {
            facts.add(Field::Hardware, hardware, self.source("co2_eq_emissions"));
        }
    }

    /// The first heading, the paragraph below it, and the hub's name of this very model in the examples.
    fn title(&self, facts: &mut Facts) {
        let Some(section) = self.card.sections.iter().find(|section| section.level == 1) else { return };
        let title = section.heading.trim_start_matches("Model Card for").trim_start_matches("Model card for");
        let title = plain(title, 120);
        if !is_placeholder(&title) && title != "Model ID" {
            let mut source = self.prose(section, "title");
            source.confidence = 50;
            facts.add(Field::Name, title.as_str(), source);
        }
        let sections = self.card.sections.iter().skip_while(|other| other.start < section.start).take(4);
        let described = sections
            .filter(|section| section.level <= 2)
            .flat_map(|section| section.text.split("\n\n").map(move |paragraph| (section, paragraph)))
            .map(|(section, paragraph)| (section, plain(paragraph, 600)))
            .find(|(_, text)| text.len() >= 20 && text.contains(' ') && !is_placeholder(text));
        if let Some((section, text)) = described {
            facts.add(Field::Description, text, self.prose(section, "first paragraph"));
        }
        for section in &self.card.sections {
            for name in section.text.split(['"', '\'', '`']).filter(|text| text.len() < 200) {
                let Some(hub) = name.contains('/').then(|| base::hub_name(name)).flatten() else { continue };
                if hub.name.eq_ignore_ascii_case(title.rsplit('/').next().unwrap_or(&title)) {
                    let source = self.prose(section, "example that loads this model");
                    facts.add(Field::HubName, format!("{}/{}", hub.owner, hub.name), source.clone());
                    return facts.add(Field::Producer, hub.owner, source);
                }
            }
        }
    }

    /// What stands under headings that say what they are about, their subsections included.
    fn headings(&self, facts: &mut Facts) {
        static ABOUT: &[(Field, &[&str])] = &[
            (Field::Limitation, &["limitation", "out-of-scope", "out of scope", "known issues"]),
            (Field::Ethics, &["bias", "ethical", "risk", "responsib", "safety"]),
            (
                Field::IntendedUse,
                &["intended use", "direct use", "use case", "intended purpose", "uses", "applications"],
            ),
            (Field::Users, &["intended users", "target users", "target audience"]),
            (Field::Hardware, &["hardware", "compute infrastructure", "infrastructure"]),
            (
                Field::Training,
                &[
                    "training procedure",
                    "training details",
                    "fine-tuning",
                    "finetuning",
                    "hyperparameter",
                    "hyper parameter",
                    "pre-training",
                    "training",
                ],
            ),
            (Field::SecurityPolicy, &["security policy", "reporting a vulnerability", "reporting security"]),
        ];
        let sections = &self.card.sections;
        for (index, section) in sections.iter().enumerate().filter(|(_, section)| section.level > 1) {
            let heading = section.heading.to_lowercase();
            let named = ABOUT.iter().find(|(_, words)| words.iter().any(|word| heading.contains(word)));
            let Some((field, _)) = named else { continue };
            if heading.contains("data") && *field == Field::Training {
                continue;
            }
            let mut text = section.text.clone();
            for below in sections.iter().skip(index + 1).take_while(|below| below.level > section.level) {
                text.push('\n');
                text.push_str(&below.text);
            }
            let text = plain(&text, MAX_TEXT);
            if text.len() >= 10 && !is_placeholder(&text) {
                facts.add(*field, text, self.prose(section, &section.heading));
            }
        }
    }

    /// `- **Developed by:** X`, the lists of the hub's template.
    fn bullets(&self, facts: &mut Facts) {
        static KEYS: &[(Field, &[&str])] = &[
            (
                Field::Producer,
                &[
                    "developed by",
                    "model creator",
                    "author",
                    "authors",
                    "created by",
                    "publisher",
                    "organization",
                ],
            ),
            (Field::Hardware, &["hardware type", "hardware used", "hardware", "gpu", "gpus"]),
            (
                Field::BaseModel,
                &["finetuned from model", "finetuned from model [optional]", "base model", "fine-tuned from"],
            ),
            (Field::Parameters, &["parameters", "number of parameters", "model size", "parameter count"]),
            (Field::Timestamp, &["release date", "model release date", "date", "released"]),
            (Field::Version, &["version", "model version"]),
            (
                Field::Link,
                &[
                    "repository",
                    "repository [optional]",
                    "paper",
                    "paper [optional]",
                    "demo [optional]",
                    "blog",
                ],
            ),
        ];
        for section in &self.card.sections {
            for line in section.text.lines().take(400) {
                let line = line.trim().trim_start_matches(['-', '*', '+', '|']).trim();
                let line = line.replace("**", "");
                let Some((key, value)) = line.split_once(": ").or_else(|| line.split_once(" | ")) else {
                    continue;
                };
                let key = key.trim().trim_end_matches(':').to_lowercase();
                let Some((field, _)) = KEYS.iter().find(|(_, keys)| keys.contains(&key.as_str())) else {
                    continue;
                };
                let value = match field {
                    Field::Link | Field::BaseModel => link_target(value),
                    _ => plain(value.trim_end_matches(['|', ' ']), 120),
                };
                if !is_placeholder(&value) {
                    facts.add(*field, value, self.prose(section, &key));
                }
            }
        }
    }
}

/// The address of a Markdown link, or the text itself.
fn link_target(text: &str) -> String {
    let target = text.split_once("](").and_then(|(_, rest)| rest.split_once(')')).map(|(target, _)| target);
    target.unwrap_or(text).trim().trim_matches(['<', '>', '`']).to_owned()
}

/// The rows of the tables in `section`, as cells.
pub(crate) fn rows(section: &Section) -> impl Iterator<Item = Vec<&str>> {
    section
        .text
        .lines()
        .filter(|line| line.trim_start().starts_with('|'))
        .take(400)
        .map(|line| line.trim().trim_matches('|').split('|').map(str::trim).collect())
}

/// The entries of the card at the top of `model`, and its sections.
pub(crate) fn top_card(model: &Model) -> Option<(&str, &[Entry], &[Section])> {
    model.artifacts.iter().find_map(|artifact| match &artifact.facts {
        ArtifactFacts::Repository(facts) if artifact.path.as_str().eq_ignore_ascii_case("README.md") => {
            match facts.as_ref() {
                RepositoryFacts::Card(card) => {
                    Some((artifact.path.as_str(), card.entries.as_slice(), card.sections.as_slice()))
                }
                _ => None,
            }
        }
        _ => None,
    })
}
