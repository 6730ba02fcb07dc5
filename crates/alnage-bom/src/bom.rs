//! A bill of materials, whatever format it is written in.

use alnage_facts::Source;

/// A value, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// Weightiest first; none in documents that do not tell.
    pub sources: Vec<Source>,
}

impl<T> Known<T> {
    /// A value that nobody is named for.
    pub fn bare(value: T) -> Self {
        Self { value, sources: Vec::new() }
    }
}

/// Shorthand for text with its sources.
pub type Text = Known<String>;

/// The whole document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bom {
    /// A URN or IRI that no other document has.
    pub serial: String,
    /// Which edition of it.
    pub version: u64,
    /// When it was made, RFC 3339.
    pub timestamp: String,
    /// The format it was read from: `CycloneDX`, `SPDX`; empty for one that was just composed.
    pub format: String,
    /// And its version.
    pub format_version: String,
    /// Who is responsible for it.
    pub authors: Vec<String>,
    /// What made it: name and version.
    pub tools: Vec<(String, String)>,
    /// In which phase of the life of the system: `post-build`.
    pub phases: Vec<String>,
    /// The system it is about.
    pub root: Option<Component>,
    /// What the system is made of.
    pub components: Vec<Component>,
    /// How they relate.
    pub relations: Vec<Relation>,
    /// Whether every file is listed.
    pub is_complete: Option<bool>,
    /// What was found, and what does not apply.
    pub vulnerabilities: Vec<Vulnerability>,
    /// How far requirements of standards are met.
    pub conformity: Vec<Conformity>,
    /// Whether the document itself is signed.
    pub is_signed: bool,
}

/// What a component is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A model.
    Model,
    /// Data, for training or measuring.
    Dataset,
    /// A file.
    File,
    /// A framework.
    Framework,
    /// A library.
    #[default]
    Library,
    /// A program or a whole system.
    Application,
}

/// Anything with a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// Its name inside the document.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Text,
    /// The name space of its name.
    pub group: Option<String>,
    /// Its version.
    pub version: Option<Text>,
    /// A sentence.
    pub description: Option<Text>,
    /// The package URL.
    pub purl: Option<Text>,
    /// Algorithm and hexadecimal digest.
    pub hashes: Vec<Known<(String, String)>>,
    /// Its licences.
    pub licences: Vec<Known<Licence>>,
    /// Who supplies it.
    pub supplier: Option<Text>,
    /// Who made it.
    pub manufacturer: Option<Text>,
    /// When it was made or released, RFC 3339.
    pub released: Option<Text>,
    /// Kind and address.
    pub links: Vec<Known<(String, String)>>,
    /// Everything that the formats have no field for.
    pub properties: Vec<(String, Text)>,
    /// When it is a model.
    pub model: Option<Box<ModelDetails>>,
    /// When it is a data set.
    pub dataset: Option<Box<DatasetDetails>>,
    /// What it is made of.
    pub parts: Vec<Component>,
}

impl Default for Text {
    fn default() -> Self {
        Self::bare(String::new())
    }
}

/// A licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licence {
    /// The SPDX id or expression, or any other name.
    pub name: String,
    /// Whether `name` is an SPDX id.
    pub is_spdx: bool,
    /// Where its text is.
    pub url: Option<String>,
}

/// What a model card says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelDetails {
    /// The task.
    pub task: Option<Text>,
    /// The family of architectures.
    pub family: Option<Text>,
    /// The class.
    pub architecture: Option<Text>,
    /// How it learned.
    pub approach: Option<Text>,
    /// What goes in.
    pub inputs: Vec<Text>,
    /// What comes out.
    pub outputs: Vec<Text>,
    /// Measured qualities.
    pub metrics: Vec<Known<Metric>>,
    /// What it is meant for.
    pub uses: Vec<Text>,
    /// For whom.
    pub users: Vec<Text>,
    /// What it cannot do.
    pub limitations: Vec<Text>,
    /// Ethical matters.
    pub ethics: Vec<Text>,
    /// How it was trained.
    pub training: Option<Text>,
    /// Tonnes of CO2 of its training, as decimal text.
    pub emissions: Option<Text>,
    /// Numbers and names of its making, by their name in the CycloneDX property taxonomy.
    pub parameters: Vec<(String, Text)>,
}

/// A measured quality.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metric {
    /// What was measured.
    pub name: String,
    /// The value as text.
    pub value: String,
    /// On which data.
    pub slice: Option<String>,
}

/// What is known of a data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatasetDetails {
    /// Where it is.
    pub url: Option<Text>,
    /// What kind of data: `text`.
    pub content: Option<Text>,
    /// How many examples.
    pub size: Option<Text>,
    /// What in it is sensitive.
    pub sensitivity: Vec<Text>,
    /// Known biases.
    pub bias: Option<Text>,
    /// How it was collected.
    pub collection: Option<Text>,
}

/// How two components relate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The id of the one.
    pub from: String,
    /// How.
    pub kind: RelationKind,
    /// The id of the other.
    pub to: String,
}

/// How two components relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelationKind {
    /// The one needs the other.
    DependsOn,
    /// The model was trained on the data.
    TrainedOn,
    /// The model was measured on the data.
    TestedOn,
    /// The model was made from the other model.
    DescendantOf,
}

/// Something found in a component, or known not to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vulnerability {
    /// A rule, a CVE, a CWE.
    pub id: String,
    /// Whose id that is.
    pub source: String,
    /// `critical` to `info`; empty when nothing was found.
    pub severity: String,
    /// Weaknesses.
    pub cwes: Vec<u32>,
    /// What was found.
    pub description: String,
    /// What to do.
    pub recommendation: String,
    /// Ids of the components.
    pub affects: Vec<String>,
    /// `exploitable`, `in_triage`, `not_affected`, … as CycloneDX says it.
    pub state: String,
    /// Why it does not apply, in the words of CycloneDX.
    pub justification: Option<String>,
    /// More about that.
    pub detail: Option<String>,
}

/// How far a requirement is met.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conformity {
    /// The standard's name.
    pub standard: String,
    /// The standard's version.
    pub standard_version: String,
    /// The requirement's id.
    pub requirement: String,
    /// What it asks for.
    pub title: String,
    /// Which part of it is met, in hundredths.
    pub score: u8,
    /// Why.
    pub rationale: String,
}

impl Bom {
    /// The model it is about: the first one listed, or the system itself.
    pub fn model(&self) -> Option<&Component> {
        let listed = self.components.iter().find(|component| component.kind == Kind::Model);
        listed.or_else(|| self.root.as_ref().filter(|root| root.kind == Kind::Model))
    }

    /// Every component but the system, parts included.
    pub fn all(&self) -> Vec<&Component> {
        let mut all: Vec<&Component> = self.components.iter().collect();
        let mut at = 0;
        while let Some(component) = all.get(at).copied() {
            all.extend(&component.parts);
            at += 1;
        }
        all
    }

    /// The data sets.
    pub fn datasets(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|component| component.kind == Kind::Dataset)
    }
}

impl Component {
    /// The properties of this name.
    pub fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Text> {
        self.properties.iter().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }
}
