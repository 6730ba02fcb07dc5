use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::{saved_model, tensorflow_graph};

use super::*;
use crate::analyse;

fn check(name: &str, bytes: &[u8]) -> TensorFlowFacts {
    let analysis = analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
    assert_eq!(analysis.issues, []);
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else {
        panic!("not TensorFlow: {analysis:?}")
    };
    let FrameworkFacts::TensorFlow(facts) = facts.as_ref() else { panic!("not TensorFlow") };
    facts.clone()
}

#[test]
fn operations_of_graph_and_functions_are_listed() {
    let facts = check(
        "saved_model.pb",
        &saved_model(&[("c", "Const", &[], "/etc/passwd"), ("r", "ReadFile", &["c"], "")], true),
    );
    assert_eq!((facts.kind, facts.functions, facts.nodes), ("saved_model", 1, 2));
    assert_eq!(facts.effects[0].arguments, ["/etc/passwd"]);
    assert_eq!(facts.tensorflow_version.as_deref(), Some("2.15.0"));
}

#[test]
fn a_frozen_graph_is_a_graph() {
    let facts =
        check("frozen.pb", &tensorflow_graph(&[("x", "Placeholder", &[], ""), ("p", "PyFunc", &["x"], "")]));
    assert_eq!((facts.kind, facts.nodes), ("graph", 2));
    assert_eq!(facts.effects[0].operation, "PyFunc");
}

#[test]
fn text_graphs_are_read() {
    let facts = check("saved_model.pbtxt", b"saved_model_schema_version: 1\nmeta_graphs {\n graph_def { node { name: \"r\" op:'Read' \"\\106ile\" } }\n}\n");
    assert_eq!(facts.effects[0].operation, "ReadFile");
}

#[test]
fn other_protobuf_is_no_graph() {
    for bytes in [&b"\x08\x07\x12\x03abc\x3a\x02\x0a\x00"[..], b"hello world", b"\x0a\x05\x0a\x03abc"] {
        assert_eq!(kind(&MemorySource::new(bytes)), None, "{bytes:?}");
    }
}

#[test]
fn damage_does_not_panic() {
    let nodes: &[(&str, &str, &[&str], &str)] =
        &[("c", "Const", &[], "/etc/passwd"), ("r", "ReadFile", &["c"], "")];
    super::super::mutation::survive("saved_model.pb", &saved_model(nodes, true), 3000);
    super::super::mutation::survive("g.pbtxt", b"node { name: \"r\" op: 'ReadFile' }", 1000);
}
