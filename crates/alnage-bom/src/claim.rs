//! What a file says about the model, and which of several answers counts.

use std::cmp::Reverse;

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Description,
    Licence,
    LicenceUrl,
    Task,
    ArchitectureFamily,
    ArchitectureClass,
    Dataset,
    BaseModel,
    BaseModelRelation,
    Framework,
    Language,
    Parameters,
    ElementType,
    Quantization,
    ContextLength,
    HiddenSize,
    Layers,
    AttentionHeads,
    KeyValueHeads,
    IntermediateSize,
    VocabularySize,
    TokenizerClass,
}

/// How a claim was come by; the later weighs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A person wrote it for people.
    Card,
    /// A program wrote it beside the weights.
    Configuration,
    /// It stands in the weights' own file.
    Bytes,
}

impl Origin {
    /// How sure it makes a claim, as the document says it.
    pub(crate) fn confidence(self) -> &'static str {
        match self {
            Self::Card => "0.5",
            Self::Configuration => "0.8",
            Self::Bytes => "0.95",
        }
    }
}

/// What a file says about the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) field: Field,
    pub(crate) value: String,
    pub(crate) origin: Origin,
    /// The file that says it.
    pub(crate) file: String,
    /// Where in the file: a key.
    pub(crate) key: String,
}

impl Claim {
    /// Whether the values are the same; sources differ in case.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.value.eq_ignore_ascii_case(&other.value)
    }

    /// For a sentence.
    pub(crate) fn shown(&self) -> String {
        format!("`{}` in `{}` of `{}`", self.value, self.key, self.file)
    }
}

/// Everything the files say.
#[derive(Debug, Default)]
pub(crate) struct Claims(Vec<Claim>);

impl Claims {
    /// Adds a claim; empty ones are none.
    pub(crate) fn add(
        &mut self,
        field: Field,
        origin: Origin,
        file: &str,
        key: &str,
        value: impl Into<String>,
    ) {
        let value: String = value.into();
        let value = value.trim();
        if !value.is_empty() {
            let claim =
                Claim { field, value: value.to_owned(), origin, file: file.to_owned(), key: key.to_owned() };
            self.0.push(claim);
        }
    }

    /// Every answer about a field, weightiest first.
    pub(crate) fn all(&self, field: Field) -> Vec<&Claim> {
        let mut claims: Vec<&Claim> = self.0.iter().filter(|claim| claim.field == field).collect();
        claims.sort_by_key(|claim| (Reverse(claim.origin), &claim.file));
        claims
    }

    /// Every distinct answer about a field, weightiest first.
    pub(crate) fn about(&self, field: Field) -> Vec<&Claim> {
        let mut distinct: Vec<&Claim> = Vec::new();
        for claim in self.all(field) {
            if !distinct.iter().any(|other| other.says_the_same(claim)) {
                distinct.push(claim);
            }
        }
        distinct
    }

    /// Every distinct answer of the weightiest kind of source, for questions that may have several answers.
    pub(crate) fn weightiest(&self, field: Field) -> Vec<&Claim> {
        let mut claims = self.about(field);
        let origin = claims.first().map(|claim| claim.origin);
        claims.retain(|claim| Some(claim.origin) == origin);
        claims
    }

    /// The answer that counts.
    pub(crate) fn best(&self, field: Field) -> Option<&Claim> {
        self.about(field).into_iter().next()
    }
}
