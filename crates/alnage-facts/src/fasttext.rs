//! What a fastText model says about itself.

use std::collections::BTreeMap;

use alnage_formats::framework::FastTextFacts;

use crate::{Facts, Field, Origin, Place, Source};

/// Adds what the file tells beside the number of parameters.
pub(crate) fn tell(model: &FastTextFacts, file: &str, facts: &mut Facts) {
    let source = |what| Source::new(Origin::Bytes, file, what, Place::Whole);
    facts.add(Field::Framework, "fasttext", source("magic number"));
    facts.add(Field::ArchitectureFamily, "fastText", source("magic number"));
    facts.add(Field::HiddenSize, model.dimension.to_string(), source("dimension"));
    facts.add(Field::VocabularySize, model.words.to_string(), source("words of the dictionary"));
    if model.input.as_ref().is_some_and(|input| input.quantised) {
        facts.add(Field::Quantization, "product quantisation", source("flag of the input matrix"));
    }
    if model.model == Some("supervised") {
        facts.add(Field::Approach, "supervised", source("kind of model"));
        facts.add(Field::Task, "text-classification", source("kind of model"));
        let labels = format!("one of {} labels", model.labels);
        facts.add(Field::Output, labels, source("labels of the dictionary"));
    }
}

/// Numbers of both matrices, by how they are kept.
pub(crate) fn matrices(model: &FastTextFacts) -> BTreeMap<&'static str, u64> {
    let mut totals = BTreeMap::new();
    for matrix in [&model.input, &model.output].into_iter().flatten() {
        let [rows, columns] = [matrix.rows, matrix.columns].map(|number| u64::try_from(number).unwrap_or(0));
        let total: &mut u64 = totals.entry(if matrix.quantised { "PQ" } else { "F32" }).or_default();
        *total = total.saturating_add(rows.saturating_mul(columns));
    }
    totals
}
