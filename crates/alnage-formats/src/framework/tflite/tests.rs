use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::tflite;

use super::*;
use crate::analyse;

/// Custom operators, whether the tensor fits, and how many issues there are.
#[track_caller]
fn check(bytes: &[u8], custom: &[(&str, u64)], mismatch: Option<(Option<u64>, Option<u64>)>, issues: usize) {
    let analysis =
        analyse(ArtifactPath::file("m.tflite"), Arc::new(MemorySource::new(bytes)), &Budget::default());
    assert_eq!(analysis.issues.len(), issues, "{:?}", analysis.issues);
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("no facts") };
    let FrameworkFacts::Tflite(facts) = facts.as_ref() else { panic!("{facts:?}") };
    let found: Vec<_> = facts.custom.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(found, custom);
    let found = facts.mismatches.first().map(|tensor| (tensor.expected, tensor.actual));
    assert_eq!(found, mismatch);
}

#[test]
fn operators_and_tensors_are_read() {
    check(&tflite("FlexReadFile", &[2, 2], &[0; 16]), &[("FlexReadFile", 1)], None, 0);
    check(&tflite("x", &[2, 2], &[0; 12]), &[("x", 1)], Some((Some(16), Some(12))), 0);
    check(&tflite("x", &[-1, 2], &[0; 12]), &[("x", 1)], Some((None, Some(12))), 0);
    check(&tflite("x", &[i32::MAX; 4], &[0; 12]), &[("x", 1)], Some((None, Some(12))), 0);
    check(&tflite("x", &[i32::MAX; 4], &[]), &[("x", 1)], Some((None, Some(0))), 0);
    check(&tflite("x", &[2, 2], &[]), &[("x", 1)], None, 0);
}

#[test]
fn what_is_no_whole_model_is_an_issue() {
    check(b"\x1c\0\0\0TFL3 FlexReadFile", &[], None, 1);
    let whole = tflite("x", &[2, 2], &[0; 16]);
    check(&whole[..60], &[], None, 1);
}

#[test]
fn damaged_files_are_survived() {
    super::super::mutation::survive("m.tflite", &tflite("FlexReadFile", &[2, 2], &[0; 16]), 4000);
}
