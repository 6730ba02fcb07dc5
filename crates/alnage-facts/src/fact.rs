//! A fact, where it comes from, and all of them together.

use std::{cmp::Reverse, fmt};

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The model's name.
    Name,
    /// Its name on a hub: `owner/name`.
    HubName,
    /// Its version.
    Version,
    /// Who produced it.
    Producer,
    /// When it was made or released.
    Timestamp,
    /// What it is, in a sentence.
    Description,
    /// The licence.
    Licence,
    /// Where the licence's text is.
    LicenceUrl,
    /// The task it is for.
    Task,
    /// The family of architectures.
    ArchitectureFamily,
    /// The class that implements it.
    ArchitectureClass,
    /// How it learned: `supervised` and the like.
    Approach,
    /// A data set it was trained on.
    Dataset,
    /// A model it was made from.
    BaseModel,
    /// How it was made from that.
    BaseModelRelation,
    /// The file that it was converted from.
    ConvertedFrom,
    /// What wrote or loads it.
    Framework,
    /// A package that its code or environment needs.
    Dependency,
    /// A language.
    Language,
    /// How many parameters.
    Parameters,
    /// The type of the weights' elements.
    ElementType,
    /// How the weights are quantised.
    Quantization,
    /// Tokens of context.
    ContextLength,
    /// Width of the hidden state.
    HiddenSize,
    /// Layers.
    Layers,
    /// Attention heads.
    AttentionHeads,
    /// Heads of keys and values.
    KeyValueHeads,
    /// Width of the feed-forward layers.
    IntermediateSize,
    /// Entries of the vocabulary.
    VocabularySize,
    /// Experts.
    Experts,
    /// The tokenizer's class.
    TokenizerClass,
    /// Rank of an adapter.
    AdapterRank,
    /// The modules an adapter changes.
    AdapterTarget,
    /// What goes in.
    Input,
    /// What comes out.
    Output,
    /// The way of the data through the parts of the system.
    DataFlow,
    /// A measured quality.
    Metric,
    /// How it was trained.
    Training,
    /// On which machines.
    Hardware,
    /// What it is meant for.
    IntendedUse,
    /// Who is meant to use it.
    Users,
    /// What it cannot do.
    Limitation,
    /// Biases, risks and other ethical matters.
    Ethics,
    /// Grams of CO2 of its training.
    Emissions,
    /// A paper or page about it.
    Link,
    /// What the vendor promises about security.
    SecurityPolicy,
}

/// How a fact was come by; the later weighs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// It was picked out of prose.
    Prose,
    /// A person wrote it for people, in a field of its own.
    Card,
    /// A program wrote it beside the weights.
    Configuration,
    /// It stands in the weights' own file.
    Bytes,
    /// The user says so.
    User,
}

impl Origin {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prose => "prose",
            Self::Card => "card",
            Self::Configuration => "configuration",
            Self::Bytes => "bytes",
            Self::User => "user",
        }
    }

    /// The origin of this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Prose, Self::Card, Self::Configuration, Self::Bytes, Self::User]
            .into_iter()
            .find(|origin| origin.as_str() == word)
    }

    /// Whether a machine wrote it, as opposed to a person.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::Configuration | Self::Bytes)
    }

    /// How sure such a source makes a fact, in hundredths.
    fn confidence(self) -> u8 {
        match self {
            Self::Prose => 30,
            Self::Card => 50,
            Self::Configuration => 80,
            Self::Bytes => 95,
            Self::User => 90,
        }
    }
}

/// How a fact was found, in the words of CycloneDX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Technique {
    /// From the structure of the weights.
    BinaryAnalysis,
    /// From a document with fields.
    ManifestAnalysis,
    /// From code.
    SourceCodeAnalysis,
    /// By computing a digest.
    HashComparison,
    /// Otherwise: prose, the user.
    Other,
}

impl Technique {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BinaryAnalysis => "binary-analysis",
            Self::ManifestAnalysis => "manifest-analysis",
            Self::SourceCodeAnalysis => "source-code-analysis",
            Self::HashComparison => "hash-comparison",
            Self::Other => "other",
        }
    }

    /// The technique of this word; what is not known is another.
    pub fn of(word: &str) -> Self {
        let all =
            [Self::BinaryAnalysis, Self::ManifestAnalysis, Self::SourceCodeAnalysis, Self::HashComparison];
        all.into_iter().find(|technique| technique.as_str() == word).unwrap_or(Self::Other)
    }
}

/// Where in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// All of it.
    #[default]
    Whole,
    /// From the first byte to one past the last.
    Bytes(u64, u64),
    /// A JSON pointer.
    Pointer(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the whole file"),
            Self::Bytes(start, end) => write!(f, "bytes {start} to {end}"),
            Self::Pointer(pointer) => write!(f, "`{pointer}`"),
        }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// How it was come by.
    pub origin: Origin,
    /// How it was found.
    pub technique: Technique,
    /// The file.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What was looked at there: a key, `tensor shapes`, a heading.
    pub what: String,
    /// How sure it is, in hundredths.
    pub confidence: u8,
}

impl Source {
    /// A source with the confidence and technique that are usual for its origin.
    pub fn new(origin: Origin, file: &str, what: &str, place: Place) -> Self {
        let technique = match origin {
            Origin::Bytes => Technique::BinaryAnalysis,
            Origin::Configuration | Origin::Card => Technique::ManifestAnalysis,
            Origin::Prose | Origin::User => Technique::Other,
        };
        let (file, what) = (file.to_owned(), what.to_owned());
        Self { origin, technique, file, place, what, confidence: origin.confidence() }
    }

    /// The confidence as a fraction: `0.95`.
    pub fn shown_confidence(&self) -> String {
        match self.confidence {
            100.. => "1".into(),
            part => format!("0.{part:02}").trim_end_matches('0').to_owned(),
        }
    }
}

/// For a sentence: `model_type` of `config.json`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.what, self.file)
    }
}

/// One answer of one source to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The question.
    pub field: Field,
    /// The answer.
    pub value: String,
    /// What belongs to it: the version of a framework, the data set of a metric.
    pub details: Vec<(&'static str, String)>,
    /// Who says so.
    pub source: Source,
}

impl Fact {
    /// A detail by its name.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the values are the same; sources differ in case.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.value.eq_ignore_ascii_case(&other.value)
    }

    /// For a sentence.
    pub fn shown(&self) -> String {
        format!("`{}` in {}", self.value, self.source)
    }
}

/// Everything that was said.
#[derive(Debug, Default, Clone)]
pub struct Facts {
    facts: Vec<Fact>,
    /// Why something could not be known, by what.
    pub gaps: Vec<(Field, String)>,
}

impl Facts {
    /// How many facts are kept: far more than any honest model gives.
    const MAX: usize = 20_000;

    /// Adds a fact; an empty value is none.
    pub fn add(&mut self, field: Field, value: impl Into<String>, source: Source) {
        self.add_with(field, value, Vec::new(), source);
    }

    /// Adds a fact with details; empty ones are left out.
    pub fn add_with(
        &mut self,
        field: Field,
        value: impl Into<String>,
        mut details: Vec<(&'static str, String)>,
        source: Source,
    ) {
        let value: String = value.into();
        let value = value.trim();
        if !value.is_empty() && self.facts.len() < Self::MAX {
            details.retain(|(_, detail)| !detail.trim().is_empty());
            self.facts.push(Fact { field, value: value.to_owned(), details, source });
        }
    }

    /// Every answer to a question, weightiest first.
    pub fn all(&self, field: Field) -> Vec<&Fact> {
        let mut facts: Vec<&Fact> = self.facts.iter().filter(|fact| fact.field == field).collect();
        facts.sort_by_key(|fact| (Reverse((fact.source.origin, fact.source.confidence)), &fact.source.file));
        facts
    }

    /// Every distinct answer to a question, weightiest first.
    pub fn about(&self, field: Field) -> Vec<&Fact> {
        let mut distinct: Vec<&Fact> = Vec::new();
        for fact in self.all(field) {
            if !distinct.iter().any(|other| other.says_the_same(fact)) {
                distinct.push(fact);
            }
        }
        distinct
    }

    /// Every distinct answer of the weightiest kind of source, for questions that may have several answers.
    pub fn weightiest(&self, field: Field) -> Vec<&Fact> {
        let mut facts = self.about(field);
        let origin = facts.first().map(|fact| fact.source.origin);
        facts.retain(|fact| Some(fact.source.origin) == origin);
        facts
    }

    /// The answer that counts.
    pub fn best(&self, field: Field) -> Option<&Fact> {
        self.all(field).into_iter().next()
    }

    /// The sources that give the same answer as `fact`, weightiest first.
    pub fn sources(&self, fact: &Fact) -> Vec<Source> {
        let same = self.all(fact.field).into_iter().filter(|other| other.says_the_same(fact));
        same.map(|fact| fact.source.clone()).collect()
    }
}
