use std::sync::Arc;

use alnage_formats::analyse;
use alnage_types::{ArtifactPath, Budget, Finding, Level, MemorySource, Severity};
use testkit::tensor::{Gguf, base64, safetensors, safetensors_with_metadata};

use super::*;

/// What the rules of this family say about a model of one file.
fn findings(name: &str, bytes: Vec<u8>) -> Vec<Finding> {
    let analysis = analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let model = Model { tree: Vec::new(), artifacts: analysis.artifacts, issues: analysis.issues };
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(&model, &mut Sink::new(rule, &mut findings));
    }
    findings.retain(|finding| finding.level == Level::Default && finding.severity > Severity::Info);
    findings
}

/// Checks which rules speak about a file, and how gravely.
fn check(name: &str, bytes: Vec<u8>, expected: &[(&str, Severity)]) {
    let findings = findings(name, bytes);
    let said: Vec<_> = findings.iter().map(|finding| (finding.code.as_ref(), finding.severity)).collect();
    assert_eq!(said, expected, "{findings:#?}");
}

fn check_safetensors(header: &str, data: usize, expected: &[(&str, Severity)]) {
    check("m.safetensors", safetensors(header, &vec![0; data]), expected);
}

#[test]
fn a_sound_safetensors_file_is_quiet() {
    check("m.safetensors", safetensors_with_metadata("format", "pt"), &[]);
    check(
        "m.safetensors",
        safetensors_with_metadata("license", "https://example.org/LICENSE and some words"),
        &[],
    );
}

#[test]
fn malformed_safetensors_headers_are_reported() {
    use Severity::{Low, Medium};
    check_safetensors(r#"{"a":[]}"#, 0, &[("SFT001", Medium)]);
    check_safetensors(r#"{"__metadata__":{"n":1}}"#, 0, &[("SFT001", Low)]);
    check_safetensors(r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, &[("SFT002", Medium)]);
    let mut beyond = safetensors("{}", b"");
    beyond[4] = 1;
    check("m.safetensors", beyond, &[("SFT001", Medium)]);
}

#[test]
fn safetensors_layouts_are_reported() {
    use Severity::Medium;
    let two = |a: &str, b: &str| {
        format!(
            r#"{{"a":{{"dtype":"U8","shape":[4],"data_offsets":{a}}},"b":{{"dtype":"U8","shape":[4],"data_offsets":{b}}}}}"#
        )
    };
    check_safetensors(&two("[0,4]", "[4,8]"), 8, &[]);
    check_safetensors(&two("[0,4]", "[2,6]"), 6, &[("SFT003", Medium)]);
    check_safetensors(&two("[0,4]", "[8,12]"), 12, &[("SFT004", Medium)]);
    check_safetensors(&two("[0,4]", "[4,8]"), 9, &[("SFT004", Medium)]);
    check_safetensors(&two("[0,4]", "[4,7]"), 7, &[("SFT005", Medium)]);
    check_safetensors(&two("[0,4]", "[4,8]"), 4, &[("SFT006", Medium)]);
}

#[test]
fn what_safetensors_metadata_carries_is_reported() {
    let payload = base64(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    check("m.safetensors", safetensors_with_metadata("k", &payload), &[("SFT007", Severity::Medium)]);
}

const TEMPLATE: &str = "{% for m in messages %}{{ m.content }}{% endfor %}";

#[test]
fn a_sound_gguf_file_is_quiet() {
    let described = Gguf::model(TEMPLATE)
        .text("general.description", "Instruct model. See https://example.org/model for how it was trained.")
        .text("quantize.imatrix.file", "/models_out/small.imatrix");
    check("m.gguf", described.build(96), &[]);
}

#[test]
fn gguf_faults_are_reported() {
    use Severity::{High, Medium};
    let model = Gguf::model(TEMPLATE);
    check("m.gguf", model.build_with_counts(2, 1 << 61, 96), &[("GGU001", High), ("GGU001", High)]);
    check("m.gguf", model.build_with_counts(500, 6, 96), &[("GGU002", Medium)]);
    check("m.gguf", model.clone().text("general.name", "other").build(96), &[("GGU003", Medium)]);
    check("m.gguf", model.clone().tensor("w", &[1 << 30], 0, 96).build(128), &[("GGU004", High)]);
    check("m.gguf", model.clone().tensor("w", &[8], 0, 0).build(96), &[("GGU005", Medium)]);
    let carrier = model.text("general.description", "import os; os.system('id')");
    check("m.gguf", carrier.build(96), &[("GGU006", Medium)]);
}
