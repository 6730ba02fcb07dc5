//! What was read from an object: models, and how it would load them.

use serde::Serialize;

use crate::{
    origin::{Origin, Reference, Role},
    table::Table,
};

/// No object names more models than this; one that does is told to be too large to understand.
const MAX_REFERENCES: usize = 512;
/// Of each of its other properties.
const MAX_FINDINGS: usize = 256;
/// Spellings longer than this are cut where they are shown.
const MAX_WRITTEN: usize = 512;

/// What an object would load, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loads {
    /// The models.
    pub references: Vec<Reference>,
    /// How they would be loaded, where that matters.
    pub findings: Vec<Finding>,
    /// The containers that fetch from the Hub, and from where.
    pub fetchers: Vec<Fetcher>,
}

/// A property of the object that matters whatever the models are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// A JSON pointer to where it stands.
    pub at: String,
    /// In words.
    pub message: String,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Code of the model's repository is executed.
    RemoteCode,
    /// Weights are loaded from a format that executes code.
    UnsafeFormat,
    /// The container works from a cache alone.
    Offline,
    /// The object says more than is read.
    TooMuch,
}

/// A container that fetches from the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fetcher {
    /// A JSON pointer to the container.
    pub at: String,
    /// What its `HF_ENDPOINT` says.
    pub endpoint: Endpoint,
    /// A JSON pointer to the variable, where there is one.
    #[serde(skip)]
    pub variable: Option<String>,
    /// Whether the container has a list of variables.
    #[serde(skip)]
    pub has_variables: bool,
    /// Whether what it fetches with does not look at `HF_ENDPOINT`.
    #[serde(skip)]
    pub fixed: bool,
}

/// What a container fetches from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// Nothing is said: `huggingface.co`.
    Default,
    /// This address.
    Set(String),
    /// The object does not tell.
    Elsewhere(String),
    /// Nowhere: it has to find everything in its cache.
    Offline,
}

/// What is being read.
pub(crate) struct Reading<'t> {
    pub(crate) table: &'t Table,
    pub(crate) loads: Loads,
    /// The object names models that its controller puts under `/mnt/models`.
    pub(crate) provisioned: bool,
    /// Containers that fetch when something else in the object says what.
    pub(crate) containers: Vec<Fetcher>,
    /// The object is a template: what stands in `{{…}}` is filled in from another.
    pub(crate) template: bool,
}

impl<'t> Reading<'t> {
    pub(crate) fn new(table: &'t Table) -> Self {
        Self { table, loads: Loads::default(), provisioned: false, containers: Vec::new(), template: false }
    }

    pub(crate) fn reference(&mut self, reference: Reference) {
        if self.loads.references.len() >= MAX_REFERENCES {
            return self.finding(Code::TooMuch, "", "more models than one object names".to_owned());
        }
        let same = |known: &&mut Reference| {
            known.origin == reference.origin && known.at == reference.at && known.role == reference.role
        };
        match self.loads.references.iter_mut().find(same) {
            Some(known) => known.certain |= reference.certain,
            None => self.loads.references.push(reference),
        }
    }

    pub(crate) fn finding(&mut self, code: Code, at: &str, message: String) {
        let finding = Finding { code, at: at.to_owned(), message };
        if self.loads.findings.len() < MAX_FINDINGS && !self.loads.findings.contains(&finding) {
            self.loads.findings.push(finding);
        }
    }

    pub(crate) fn fetcher(&mut self, fetcher: Fetcher) {
        if self.loads.fetchers.len() < MAX_FINDINGS && !self.loads.fetchers.contains(&fetcher) {
            self.loads.fetchers.push(fetcher);
        }
    }

    pub(crate) fn unresolved(&mut self, at: &str, written: &str, why: String) {
        self.reference(plain(Origin::Unresolved { why }, Role::Model, written, at));
    }
}

/// A reference that is certain, without a way to pin it.
pub(crate) fn plain(origin: Origin, role: Role, written: &str, at: &str) -> Reference {
    let written = written.chars().take(MAX_WRITTEN).collect();
    Reference {
        origin,
        role,
        written,
        at: at.to_owned(),
        certain: true,
        gated: false,
        pinnable: false,
        pin: None,
    }
}
