use std::io;

use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::{FastText, fasttext_dense, fasttext_quantised};

use super::*;
use crate::{Analysis, analyse};

fn read(source: impl Source + 'static) -> (Analysis, FastTextFacts) {
    let analysis = analyse(ArtifactPath::file("m.bin"), Arc::new(source), &Budget::default());
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("no facts") };
    let FrameworkFacts::FastText(facts) = facts.as_ref() else { panic!("{facts:?}") };
    let facts = facts.clone();
    (analysis, facts)
}

/// The numbers that do not fit, how many issues there are, and how many bytes nothing claims.
#[track_caller]
fn check(model: &FastText, contradictions: &[&str], issues: usize, unclaimed: u64) {
    let (analysis, facts) = read(MemorySource::new(model.build()));
    let found: Vec<String> = facts
        .contradictions
        .iter()
        .map(|it| format!("{}: {}, not {}", it.number, it.declared, it.fits))
        .collect();
    assert_eq!(found, contradictions);
    assert_eq!(analysis.issues.len(), issues, "{:?}", analysis.issues);
    let gaps = &analysis.artifacts[0].unclaimed;
    assert_eq!(gaps.iter().map(|gap| gap.end - gap.start).sum::<u64>(), unclaimed, "{gaps:?}");
}

#[test]
fn every_byte_of_a_model_is_read() {
    check(&FastText::classifier(), &[], 0, 0);
    check(&FastText::quantised(), &[], 0, 0);
    let (_, facts) = read(MemorySource::new(FastText::quantised().build()));
    assert_eq!((facts.version, facts.dimension, facts.words, facts.labels), (12, 4, 2, 2));
    assert_eq!((facts.model, facts.loss), (Some("supervised"), Some("softmax")));
    assert_eq!(facts.label_names, ["__label__x", "__label__y"]);
    assert_eq!((facts.tokens, facts.kept_features), (99, Some(1)));
    let input = facts.input.unwrap();
    assert_eq!((input.rows, input.columns, input.quantised), (3, 4, true));
}

#[test]
fn what_other_versions_and_kinds_do_is_known() {
    // No subwords in supervised models of version 11, and so no need of buckets.
    let old = FastText { version: 11, buckets: 0, input: fasttext_dense(2, 4, 8), ..FastText::classifier() };
    check(&old, &[], 0, 0);
    check(&FastText { version: 13, ..FastText::classifier() }, &[], 1, 348);
    // Vectors of words: the output has a row for each.
    let vectors = FastText {
        model: 2,
        counts: (2, 2, 0),
        entries: vec![("a".into(), 0), ("b".into(), 0)],
        ..FastText::classifier()
    };
    check(&vectors, &[], 0, 0);
    // The output is dense where the input is, whatever its flag says.
    let mut flagged = FastText::classifier();
    flagged.output[0] = 1;
    check(&flagged, &[], 0, 0);
}

#[test]
fn counts_that_do_not_fit_are_contradictions() {
    let base = FastText::classifier;
    check(
        &FastText { counts: (4, 2, 3), ..base() },
        &[
            "entries of the dictionary: 4, not 5",
            "labels of the dictionary: 3, not 2",
            "rows of the output matrix: 2, not at least 3",
        ],
        0,
        0,
    );
    let entries = vec![("x".into(), 1), ("a".into(), 0), ("b".into(), 0), ("y".into(), 1)];
    check(&FastText { entries, ..base() }, &["kind of entry 0 of the dictionary: 1, not 0"], 0, 0);
    check(&FastText { buckets: -1, ..base() }, &["buckets of features: -1, not at least 0"], 0, 0);
    check(&FastText { buckets: 7, ..base() }, &["rows of the input matrix: 8, not at least 9"], 0, 0);
    check(
        &FastText { dimension: 3, ..base() },
        &["columns of the input matrix: 4, not 3", "columns of the output matrix: 4, not 3"],
        0,
        0,
    );
    for occurrences in [-1, i64::MAX] {
        let message = format!(
            "occurrences of entry 0 of the dictionary: {occurrences}, not from 0 to 1000000000000000"
        );
        check(&FastText { occurrences, ..base() }, &[&message], 0, 0);
    }
    let kept = vec![(5, 1)];
    check(
        &FastText { kept, ..FastText::quantised() },
        &["rows of the input matrix: 3, not at least 4"],
        0,
        0,
    );
    let kept = vec![(5, -9)];
    check(
        &FastText { kept, ..FastText::quantised() },
        &["lowest row of a kept feature: -9, not at least 0"],
        0,
        0,
    );
}

#[test]
fn quantisers_that_do_not_fit_are_contradictions() {
    let with = |rows, codes, quantiser| FastText {
        input: fasttext_quantised(rows, 4, codes, quantiser, true),
        ..FastText::quantised()
    };
    check(&with(3, 5, [4, 2, 3, 1]), &["codes of the input matrix: 5, not at least 6"], 0, 0);
    check(&with(3, 12, [4, 4, 3, 1]), &["parts of the quantiser of the input matrix: 4, not 2"], 0, 0);
    check(
        &with(3, 6, [4, 2, 3, 3]),
        &["numbers in the last part of the quantiser of the input matrix: 3, not 1"],
        0,
        0,
    );
    check(&with(3, 6, [5, 2, 3, 2]), &["dimension of the quantiser of the input matrix: 5, not 4"], 0, 0);
    check(&with(4, 6, [4, 2, 3, 1]), &["codes of the input matrix: 6, not at least 8"], 0, 0);
}

#[test]
fn sizes_beyond_the_file_are_issues() {
    let of = |input| FastText { input, output: Vec::new(), ..FastText::classifier() };
    check(&of(fasttext_dense(1 << 40, 4, 1)), &[], 1, 21);
    let beyond = ["columns of the input matrix: 4611686018427387904, not 4"];
    check(&of(fasttext_dense(16, 1 << 62, 1)), &beyond, 1, 21);
    check(&of(fasttext_dense(-1, 4, 1)), &["rows of the input matrix: -1, not at least 8"], 1, 21);
    let product = ["rows of the input matrix: 4611686018427387904, not few enough for 64 bits"];
    check(&of(fasttext_dense(1 << 62, 4, 1)), &product, 1, 21);
    check(&FastText { kept_count: i64::MAX, ..FastText::quantised() }, &[], 1, 9329);
    check(
        &FastText { counts: (-4, 2, 2), ..FastText::classifier() },
        &["entries of the dictionary: -4, not 4"],
        1,
        256,
    );
    let mut cut = FastText::classifier();
    cut.output.pop();
    check(&cut, &[], 1, 48);
}

/// The same bytes without `as_bytes`, as those of a file are.
struct Buffered(MemorySource);

impl Source for Buffered {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

#[test]
fn a_dictionary_longer_than_is_read_at_a_time() {
    let mut model = FastText::classifier();
    let words = (0..80_000).map(|number| (format!("word{number}"), 0));
    model.entries.splice(0..2, words);
    model.counts = (80_002, 80_000, 2);
    model.input = fasttext_dense(80_006, 4, 320_024);
    let (analysis, facts) = read(Buffered(MemorySource::new(model.build())));
    assert_eq!(analysis.issues.len() + facts.contradictions.len(), 0, "{facts:?}");
    assert_eq!(facts.label_names, ["__label__x", "__label__y"]);
    // A word that does not end ends the reading.
    model.entries[1].0 = "x".repeat(2 << 20);
    assert_eq!(read(Buffered(MemorySource::new(model.build()))).0.issues.len(), 1);
}

#[test]
fn damaged_files_are_survived() {
    use super::super::mutation::survive;
    survive("m.bin", &FastText::classifier().build(), 4000);
    survive("m.ftz", &FastText::quantised().build(), 1000);
    let quantised = FastText::quantised().build();
    survive("m.ftz", &quantised[..160], 4000);
}
