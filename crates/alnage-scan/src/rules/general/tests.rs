use alnage_formats::{Artifact, Facts, Model};
use alnage_types::{ArtifactPath, Finding, Issue, IssueKind, Severity, Span};

use super::*;

fn artifact(path: &str, format: &'static str) -> Artifact {
    let mut parts = path.split("!/");
    let file = ArtifactPath::file(parts.next().unwrap_or_default());
    let path = parts.fold(file, |path, name| path.member(name));
    Artifact { path, format, size: 10, facts: Facts::None {}, unclaimed: Vec::new() }
}

#[track_caller]
fn check(rule: &'static Rule, artifacts: Vec<Artifact>, issues: Vec<Issue>, expected: &[(&str, Severity)]) {
    let mut findings: Vec<Finding> = Vec::new();
    let model = Model { artifacts, issues, tree: Vec::new() };
    (rule.check)(&model, &mut crate::Sink::new(rule, &crate::Answers::default(), &mut findings));
    let found: Vec<_> =
        findings.iter().map(|finding| (finding.artifact.as_str(), finding.severity)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_pickle_under_another_name_is_a_mismatch() {
    let rule = &name_content_mismatch::RULE;
    check(rule, vec![artifact("m.onnx", "pickle")], vec![], &[("m.onnx", Severity::Medium)]);
    check(rule, vec![artifact("m.onnx", "safetensors")], vec![], &[("m.onnx", Severity::Low)]);
    check(rule, vec![artifact("m.onnx", "onnx")], vec![], &[]);
    check(rule, vec![artifact("m.gguf", "text")], vec![], &[("m.gguf", Severity::Medium)]);
    check(rule, vec![artifact("m.bin", "pickle"), artifact("noextension", "pickle")], vec![], &[]);
}

#[test]
fn one_reading_that_keeps_the_promise_is_enough() {
    let readings = vec![artifact("m.safetensors", "safetensors"), artifact("m.safetensors", "zip")];
    check(&name_content_mismatch::RULE, readings, vec![], &[]);
}

#[test]
fn a_pickle_may_be_compressed() {
    let readings = vec![artifact("m.pkl", "gzip"), artifact("m.pkl!/m", "joblib")];
    check(&name_content_mismatch::RULE, readings, vec![], &[]);
    let other = vec![artifact("m.pkl", "gzip"), artifact("m.pkl!/m", "text")];
    check(&name_content_mismatch::RULE, other, vec![], &[("m.pkl", Severity::Medium)]);
}

#[test]
fn unrecognised_weighs_more_under_a_model_name() {
    let rule = &unrecognised_content::RULE;
    check(rule, vec![artifact("m.pkl", "unrecognised")], vec![], &[("m.pkl", Severity::Medium)]);
    check(rule, vec![artifact("weights.bin", "unrecognised")], vec![], &[("weights.bin", Severity::Info)]);
    check(rule, vec![artifact("m.pkl", "pickle")], vec![], &[]);
}

#[test]
fn an_empty_model_is_noted_and_an_empty_module_is_not() {
    let artifacts = vec![artifact("m.safetensors", "empty"), artifact("__init__.py", "empty")];
    check(&empty_file::RULE, artifacts, vec![], &[("m.safetensors", Severity::Low)]);
}

#[test]
fn a_gap_is_noted_and_a_wholly_unread_file_is_not() {
    let mut gap = artifact("m.safetensors", "safetensors");
    gap.unclaimed = vec![Span::new(4, 10)];
    let mut whole = artifact("w.bin", "unrecognised");
    whole.unclaimed = vec![Span::new(0, 10)];
    check(&unclaimed_bytes::RULE, vec![gap, whole], vec![], &[("m.safetensors", Severity::Low)]);
}

#[test]
fn a_reached_limit_is_a_finding_and_other_issues_are_not() {
    let issue =
        |kind| Issue { artifact: ArtifactPath::file("m.pt"), offset: None, kind, message: String::new() };
    let rule = &budget_reached::RULE;
    check(rule, vec![], vec![issue(IssueKind::Budget)], &[("m.pt", Severity::Medium)]);
    check(rule, vec![], vec![issue(IssueKind::Truncated)], &[]);
}
