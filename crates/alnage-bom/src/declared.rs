//! What a user declares about the model: the table `[bom]` of `alnage.toml`.

use alnage_facts::{Facts, Field, Origin, Place, Source};

/// What a user declares, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Key, value, and where it was declared.
    values: Vec<(&'static str, String, String)>,
}

/// The keys, and what each is for.
pub static DECLARED: &[(&str, &str)] = &[
    ("name", "the model's name"),
    ("version", "its version: a commit or a release"),
    ("hub-name", "its name on the Hugging Face hub: `owner/name`"),
    ("description", "what it is, in a sentence"),
    ("author", "who is responsible for the bill of materials"),
    ("supplier", "who supplies the model"),
    ("manufacturer", "who made it"),
    ("contact", "where to reach the supplier: an address of mail or web"),
    ("released", "when it was released, RFC 3339"),
    ("system", "the name of the system that the model is part of"),
    ("licence", "its licence: an SPDX id"),
    ("intended-use", "what it is meant for"),
    ("users", "who is meant to use it"),
    ("limitation", "what it cannot do"),
    ("ethics", "biases and risks, and what is done about them"),
    ("training", "how it was trained"),
    ("hardware", "the hardware it was trained on or needs"),
    ("data-flow", "how data flows through the system, and to whom"),
    ("data-usage", "for what data that users give is used"),
    ("security-policy", "where vulnerabilities are reported, and what is promised"),
    ("security-control", "a control that protects the system"),
    ("compliance", "a standard or law that the system complies with"),
    ("dataset", "a data set it was trained on"),
    ("base-model", "the model it was made from"),
];

/// What the source of a declaration is called.
pub(crate) const FILE: &str = "alnage.toml";

impl Declared {
    /// Declares `value` for `key`; says whether there is such a key.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> bool {
        self.set_from(key, value, FILE)
    }

    /// Declares `value` for `key` as it was said at `place`; what is declared later counts more.
    pub fn set_from(&mut self, key: &str, value: impl Into<String>, place: &str) -> bool {
        let known = DECLARED.iter().find(|(known, _)| *known == key);
        if let Some((known, _)) = known {
            self.values.insert(0, (known, value.into(), place.to_owned()));
        }
        known.is_some()
    }

    /// Whether anything is declared for `key`.
    pub fn has(&self, key: &str) -> bool {
        self.all(key).next().is_some()
    }

    /// The first value of `key`.
    pub(crate) fn get<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.all(key).next()
    }

    /// Every value of `key`.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(known, ..)| *known == key).map(|(_, value, _)| value.as_str())
    }

    /// Adds what is declared to the facts.
    pub(crate) fn add_to(&self, facts: &mut Facts) {
        for (key, value, place) in &self.values {
            let field = match *key {
                "name" => Field::Name,
                "version" => Field::Version,
                "hub-name" => Field::HubName,
                "description" => Field::Description,
                "supplier" => Field::Producer,
                "released" => Field::Timestamp,
                "licence" => Field::Licence,
                "intended-use" => Field::IntendedUse,
                "users" => Field::Users,
                "limitation" => Field::Limitation,
                "ethics" => Field::Ethics,
                "training" => Field::Training,
                "hardware" => Field::Hardware,
                "data-flow" => Field::DataFlow,
                "security-policy" => Field::SecurityPolicy,
                "dataset" => Field::Dataset,
                "base-model" => Field::BaseModel,
                _ => continue,
            };
            let place_in = Place::Pointer(format!("/bom/{key}"));
            facts.add(field, value.as_str(), Source::new(Origin::User, place, key, place_in));
        }
    }
}

/// The source of what is declared under `key`.
pub(crate) fn source(key: &str) -> Source {
    Source::new(Origin::User, FILE, key, Place::Pointer(format!("/bom/{key}")))
}
