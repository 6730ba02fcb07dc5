//! fastText models, as `FastText::loadModel` of fastText 0.9 reads them: arguments, dictionary, two matrices.

mod dictionary;
mod matrix;

use std::sync::Arc;

use alnage_types::{Exhausted, IssueKind, ReadEnd, Reader, Source};
use serde::Serialize;

use super::FrameworkFacts;
use crate::{Context, Facts, Format, LoadEffect};

/// 793712314, little-endian.
const MAGIC: &[u8] = b"\xba\x16\x4f\x2f";

pub(super) static FORMAT: Format = Format {
    id: "fasttext",
    title: "fastText",
    extensions: &["bin", "ftz"],
    load_effect: LoadEffect::Data,
    reads: "arguments, every entry of the dictionary, the labels by name, sizes of both matrices and of their quantisers \
            against each other and against the bytes that are there",
    cannot: "the values of the matrices, and what the words and labels mean",
    identify: |probe| probe.starts_with(MAGIC),
    parse,
};

/// What a fastText model says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FastTextFacts {
    /// Version of the file format.
    pub version: i32,
    /// `cbow`, `skipgram` or `supervised`; absent when the number is none of these.
    pub model: Option<&'static str>,
    /// `hierarchical softmax`, `negative sampling`, `softmax` or `one-vs-all`; absent when the number is none of these.
    pub loss: Option<&'static str>,
    /// How many numbers a vector has.
    pub dimension: i32,
    /// Up to how many words make a feature.
    pub word_ngrams: i32,
    /// Characters of the shortest subword.
    pub shortest_subword: i32,
    /// Characters of the longest subword; 0 without subwords.
    pub longest_subword: i32,
    /// Into how many buckets features are hashed.
    pub buckets: i32,
    /// How many words the dictionary declares.
    pub words: i32,
    /// How many labels the dictionary declares.
    pub labels: i32,
    /// The first labels, shortened; at most 256.
    pub label_names: Vec<String>,
    /// How many tokens it was trained on.
    pub tokens: i64,
    /// How many hashed features were kept when the model was made smaller; absent when it was not.
    pub kept_features: Option<i64>,
    /// Vectors of words and hashed features.
    pub input: Option<FastTextMatrix>,
    /// Vectors of labels, or of words where there are none.
    pub output: Option<FastTextMatrix>,
    /// Numbers that cannot be true together; at most 64.
    pub contradictions: Vec<FastTextContradiction>,
}

/// A matrix of a fastText model.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FastTextMatrix {
    /// How many vectors.
    pub rows: i64,
    /// How many numbers each has.
    pub columns: i64,
    /// Whether they are kept as codes of a product quantiser.
    pub quantised: bool,
}

/// A number in a fastText model that does not fit the others.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FastTextContradiction {
    /// Which number: `rows of the input matrix`.
    pub number: String,
    /// What the file says.
    pub declared: i64,
    /// What the rest of the file allows: `at least 12`.
    pub fits: String,
    /// From the first byte of the structure it stands in to one past the last.
    pub span: (u64, u64),
}

impl FastTextFacts {
    fn is_supervised(&self) -> bool {
        self.model == Some("supervised")
    }

    /// Whether the library hashes subwords or several words at a time into buckets.
    pub fn hashes_features(&self) -> bool {
        // The library takes subwords from supervised models of version 11 as not being there.
        let no_subwords = self.is_supervised() && self.version == 11;
        let subwords = self.longest_subword > 0 && self.shortest_subword <= self.longest_subword;
        subwords && !no_subwords || self.is_supervised() && self.word_ngrams > 1
    }

    fn contradict(&mut self, span: (u64, u64), number: impl Into<String>, declared: i64, fits: String) {
        const MAX_LISTED: usize = 64;
        if self.contradictions.len() < MAX_LISTED {
            self.contradictions.push(FastTextContradiction { number: number.into(), declared, fits, span });
        }
    }
}

/// Why reading ended before the file did.
enum Stop {
    Read(ReadEnd),
    Budget(Exhausted),
    Malformed(&'static str),
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::Read(end)
    }
}

impl From<Exhausted> for Stop {
    fn from(limit: Exhausted) -> Self {
        Self::Budget(limit)
    }
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = FastTextFacts::default();
    let mut reader = Reader::new(source.as_ref());
    if let Err(stop) = model(&mut reader, &mut facts, context) {
        let at = reader.position();
        match stop {
            Stop::Read(end) => context.read_end(end, at, "a fastText model"),
            Stop::Budget(limit) => context.exhausted(limit, at),
            Stop::Malformed(why) => context.issue(IssueKind::Malformed, at, why),
        }
    }
    Facts::Framework(Box::new(FrameworkFacts::FastText(facts)))
}

fn model(reader: &mut Reader<'_>, facts: &mut FastTextFacts, context: &mut Context<'_>) -> Result<(), Stop> {
    reader.skip(MAGIC.len() as u64)?;
    facts.version = reader.i32le()?;
    if facts.version > 12 {
        return Err(Stop::Malformed("a version of fastText models that no library reads"));
    }
    arguments(reader, facts)?;
    context.claim(0..reader.position());
    let dictionary = dictionary::read(reader, facts, context)?;
    let columns = i64::from(facts.dimension);
    let rows = dictionary.input_rows;
    let needs = matrix::Needs { name: "input", rows, columns, may_be_quantised: true };
    matrix::read(reader, facts, context, needs)?;
    let may_be_quantised = facts.input.as_ref().is_some_and(|input| input.quantised);
    let rows = i64::from(if facts.is_supervised() { facts.labels } else { facts.words });
    let needs = matrix::Needs { name: "output", rows, columns, may_be_quantised };
    matrix::read(reader, facts, context, needs)
}

fn arguments(reader: &mut Reader<'_>, facts: &mut FastTextFacts) -> Result<(), ReadEnd> {
    let start = reader.position();
    facts.dimension = reader.i32le()?;
    // Window, epochs, fewest occurrences, negatives: of the training only.
    reader.skip(4 * 4)?;
    facts.word_ngrams = reader.i32le()?;
    facts.loss = match reader.i32le()? {
        1 => Some("hierarchical softmax"),
        2 => Some("negative sampling"),
        3 => Some("softmax"),
        4 => Some("one-vs-all"),
        _ => None,
    };
    facts.model = match reader.i32le()? {
        1 => Some("cbow"),
        2 => Some("skipgram"),
        3 => Some("supervised"),
        _ => None,
    };
    facts.buckets = reader.i32le()?;
    facts.shortest_subword = reader.i32le()?;
    facts.longest_subword = reader.i32le()?;
    // Rate of updates, and how seldom a word must be to be kept: of the training only.
    reader.skip(4 + 8)?;
    let span = (start, reader.position());
    if facts.dimension < 1 {
        facts.contradict(span, "dimension of the vectors", facts.dimension.into(), "at least 1".into());
    }
    if facts.buckets < 0 {
        facts.contradict(span, "buckets of features", facts.buckets.into(), "at least 0".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
