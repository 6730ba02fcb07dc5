use std::sync::Arc;

use alnage_formats::{EntryKind, TreeEntry, analyse};
use alnage_types::{ArtifactPath, Budget, Finding, Level, MemorySource, Severity};
use testkit::tensor::{
    Gguf, Protobuf, base64, onnx_external_tensor, onnx_graph, onnx_model, onnx_node, onnx_tensor,
    onnx_text_attribute, safetensors, safetensors_with_metadata,
};

use super::*;

/// What the rules of this family say about a model of one file.
fn findings(name: &str, bytes: Vec<u8>) -> Vec<Finding> {
    let analysis = analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let model = Model { tree: Vec::new(), artifacts: analysis.artifacts, issues: analysis.issues };
    judged(&model)
}

fn judged(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(model, &mut Sink::new(rule, &crate::Answers::default(), &mut findings));
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
    for name in ["../../etc/x", "/etc/x", "a/../../x"] {
        let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
        check_safetensors(&header, 4, &[("SFT001", Medium)]);
    }
    check_safetensors(r#"{"a/b..c":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, &[]);
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

/// What the rules say about a folder with this model and one more file.
fn check_external(
    tree: Vec<TreeEntry>,
    location: &str,
    extra: &[(&str, &str)],
    expected: &[(&str, Severity)],
) {
    let reference = [&[("location", location)], extra].concat();
    let graph = onnx_graph(&[onnx_node("", "Relu")], &[onnx_external_tensor("w", &[4], &reference)]);
    let source = Arc::new(MemorySource::new(onnx_model(&graph).0));
    let analysis = analyse(ArtifactPath::file("model/m.onnx"), source, &Budget::default());
    let model = Model { tree, artifacts: analysis.artifacts, issues: analysis.issues };
    let findings = judged(&model);
    let said: Vec<_> = findings.iter().map(|finding| (finding.code.as_ref(), finding.severity)).collect();
    assert_eq!(said, expected, "{location} {findings:#?}");
}

fn entry(path: &str, kind: EntryKind, size: u64) -> TreeEntry {
    TreeEntry { path: ArtifactPath::file(path), kind, size, executable: false }
}

fn check_onnx(nodes: &[Protobuf], expected: &[(&str, Severity)]) {
    check("m.onnx", onnx_model(&onnx_graph(nodes, &[])).0, expected);
}

#[test]
fn sound_onnx_models_are_quiet() {
    let resize = onnx_node("", "Resize")
        .message(5, &onnx_text_attribute("coordinate_transformation_mode", "half_pixel"));
    check_onnx(&[resize, onnx_node("ai.onnx.ml", "Scaler"), onnx_node("com.microsoft", "FusedMatMul")], &[]);
    check_onnx(&[onnx_node("ai.onnx.contrib", "BertTokenizer")], &[]);
    let function =
        Protobuf::default().bytes(1, "F").message(7, &onnx_node("", "Relu")).bytes(10, "pkg.onnxscript");
    let model = onnx_model(&onnx_graph(&[onnx_node("pkg.onnxscript", "F")], &[])).message(25, &function);
    check("m.onnx", model.0, &[]);
}

#[test]
fn onnx_operators_are_judged_by_what_they_do() {
    use Severity::{High, Medium};
    check_onnx(&[onnx_node("ai.onnx.contrib", "PyOp")], &[("ONX001", High)]);
    check_onnx(&[onnx_node("com.microsoft", "PythonOp")], &[("ONX001", High)]);
    check_onnx(&[onnx_node("com.microsoft.extensions", "AzureTextToText")], &[("ONX001", High)]);
    check_onnx(&[onnx_node("ai.onnx.contrib", "SomethingElse")], &[("ONX002", Medium)]);
    check_onnx(&[onnx_node("com.example", "Op")], &[("ONX002", Medium)]);
    check_onnx(&[onnx_node("", "EvilOp")], &[("ONX002", Medium)]);
    check_onnx(&[onnx_node("com.microsoft", "EPContext")], &[("ONX002", Medium)]);
    check_onnx(&[onnx_node("org.pytorch.aten", "ATen")], &[("ONX002", Medium)]);
}

#[test]
fn scripts_in_onnx_attributes_are_reported() {
    use Severity::{High, Medium};
    let attribute = onnx_text_attribute("code", "import os; os.system('echo hi')");
    check_onnx(&[onnx_node("", "Relu").message(5, &attribute)], &[("ONX003", Medium)]);
    check_onnx(&[onnx_node("my", "Run").message(5, &attribute)], &[("ONX002", Medium), ("ONX003", High)]);
}

#[test]
fn onnx_external_data_is_judged_by_where_it_is() {
    use Severity::{High, Medium};
    let beside = || vec![entry("model/w.bin", EntryKind::File, 16)];
    check_external(beside(), "w.bin", &[("offset", "0"), ("length", "16")], &[]);
    check_external(beside(), "./w.bin", &[], &[]);
    check_external(beside(), "sub/../w.bin", &[], &[]);
    let cache = EntryKind::SymlinkInside { target: "../../blobs/abc".into() };
    check_external(vec![entry("model/w.bin", cache, 16)], "w.bin", &[], &[]);
    for escape in [
        "../../etc/passwd",
        "a/../../x",
        "..\\x",
        "/etc/passwd",
        "C:\\x",
        "~/.ssh/id_rsa",
        "http://example.org/w",
        "*/_ORT_MEM_ADDR_/*",
    ] {
        check_external(beside(), escape, &[], &[("ONX004", High)]);
    }
    let outside = EntryKind::SymlinkOutside { target: "/etc/passwd".into() };
    check_external(vec![entry("model/w.bin", outside, 0)], "w.bin", &[], &[("ONX005", High)]);
    check_external(beside(), "other.bin", &[], &[("ONX006", Medium)]);
    check_external(beside(), "", &[], &[("ONX006", Medium)]);
    check_external(beside(), "w.bin", &[("offset", "4")], &[("ONX006", Medium)]);
    check_external(beside(), "w.bin", &[("offset", "-4")], &[("ONX006", Medium)]);
    check_external(beside(), "w.bin", &[("offset", &u64::MAX.to_string())], &[("ONX006", Medium)]);
    check_external(beside(), "w.bin", &[("__class__", "x")], &[("ONX007", High)]);
}

#[test]
fn onnx_tensors_that_do_not_fit_are_reported() {
    let model = |raw: &[u8]| {
        onnx_model(&onnx_graph(&[onnx_node("", "Relu")], &[onnx_tensor("w", &[2, 2], 1, raw)])).0
    };
    check("m.onnx", model(&[0; 16]), &[]);
    check("m.onnx", model(&[0; 12]), &[("ONX008", Severity::Medium)]);
}
