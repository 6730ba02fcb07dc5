use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::tensor::{
    Mutator, Protobuf, onnx_external_tensor, onnx_graph, onnx_graph_attribute, onnx_model, onnx_node,
    onnx_tensor, onnx_text_attribute,
};

use super::*;
use crate::{Analysis, analyse, tensor::LayoutFaultKind};

fn analysed(name: &str, bytes: Vec<u8>) -> Analysis {
    analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default())
}

fn facts(analysis: &Analysis) -> &OnnxFacts {
    match &analysis.artifacts[0].facts {
        Facts::Tensor(facts) => match facts.as_ref() {
            TensorFacts::Onnx(facts) => facts,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Checks that a model uses these operators, however deep.
fn check_operators(model: &Protobuf, expected: &[&str]) {
    let analysis = analysed("m.onnx", model.0.clone());
    let operators = &facts(&analysis).all_operators;
    let found: Vec<_> =
        operators.iter().map(|used| format!("{}::{}", used.operator.domain, used.operator.name)).collect();
    assert_eq!(found, expected);
    assert_eq!(analysis.issues, []);
}

/// Checks what is wrong with the arithmetic of a model's only tensor.
fn check_tensor(tensor: Protobuf, expected: &[LayoutFaultKind]) {
    let model = onnx_model(&onnx_graph(&[onnx_node("", "Relu")], &[tensor]));
    let analysis = analysed("m.onnx", model.0);
    let faults = &facts(&analysis).tensor_faults;
    assert_eq!(faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), expected, "{faults:?}");
    assert_eq!(analysis.issues, []);
}

fn sound() -> Protobuf {
    let nodes = [onnx_node("", "Relu"), onnx_node("", "Relu"), onnx_node("ai.onnx.ml", "Scaler")];
    onnx_model(&onnx_graph(&nodes, &[onnx_tensor("w", &[2, 2], 1, &[0; 16])]))
}

#[test]
fn a_sound_model_tells_what_it_is_and_every_byte_is_claimed() {
    let analysis = analysed("m.onnx", sound().0);
    let facts = facts(&analysis);
    assert_eq!((facts.ir_version, facts.nodes, facts.tensors, facts.parameters), (8, 3, 1, 4));
    assert_eq!(facts.opsets, [Opset { domain: String::new(), version: 17 }]);
    assert_eq!((facts.producer_name.as_str(), facts.graph_name.as_str()), ("test", "g"));
    assert_eq!(facts.operators.iter().map(|used| used.count).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(analysis.issues, []);
    assert_eq!(analysis.artifacts[0].unclaimed, []);
    assert_eq!(analysis.artifacts.len(), 1);
}

#[test]
fn content_decides_whether_it_is_a_model() {
    assert_eq!(analysed("weights", sound().0).artifacts[0].format, "onnx");
    let backwards = Protobuf::default().message(7, &onnx_graph(&[onnx_node("", "Relu")], &[])).number(1, 8);
    assert_eq!(analysed("m.bin", backwards.0).artifacts[0].format, "onnx");
    let no_graph = Protobuf::default().number(1, 8).bytes(2, "test");
    let no_node = Protobuf::default().number(1, 8).bytes(7, "some text");
    let mut cut = sound().0;
    cut.truncate(cut.len() - 3);
    for bytes in [no_graph.0, no_node.0, b"\x08\x08:;\"\x01\x02\x03".to_vec(), cut.clone(), vec![0; 64]] {
        assert_ne!(analysed("m.bin", bytes).artifacts[0].format, "onnx");
    }
    let analysis = analysed("m.onnx", cut);
    assert_eq!((analysis.artifacts[0].format, analysis.issues.len()), ("onnx", 1));
}

#[test]
fn operators_are_found_wherever_nodes_stand() {
    let hidden = onnx_graph(&[onnx_node("evil", "Hidden")], &[]);
    let attribute = onnx_graph_attribute("then_branch", &hidden);
    let with_branch = onnx_node("", "If").message(5, &attribute);
    check_operators(
        &onnx_model(&onnx_graph(std::slice::from_ref(&with_branch), &[])),
        &["::If", "evil::Hidden"],
    );
    let deep =
        onnx_node("", "Loop").message(5, &onnx_graph_attribute("body", &onnx_graph(&[with_branch], &[])));
    check_operators(&onnx_model(&onnx_graph(&[deep], &[])), &["::If", "::Loop", "evil::Hidden"]);
    let function =
        Protobuf::default().bytes(1, "F").message(7, &onnx_node("evil", "InFunction")).bytes(10, "local");
    let model = onnx_model(&onnx_graph(&[onnx_node("local", "F")], &[])).message(25, &function);
    check_operators(&model, &["evil::InFunction", "local::F"]);
    let analysis = analysed("m.onnx", model.0);
    assert!(facts(&analysis).all_operators[1].defined_in_model);
    let training = Protobuf::default().message(2, &hidden);
    check_operators(&sound().message(20, &training), &["::Relu", "ai.onnx.ml::Scaler", "evil::Hidden"]);
}

#[test]
fn tensors_must_have_the_bytes_their_shape_needs() {
    use LayoutFaultKind::*;
    check_tensor(onnx_tensor("w", &[2, 2], 1, &[0; 16]), &[]);
    check_tensor(onnx_tensor("w", &[3], 22, &[0; 2]), &[]);
    check_tensor(onnx_tensor("w", &[0], 1, &[]), &[]);
    check_tensor(onnx_tensor("w", &[2, 3], 1, &[0; 16]), &[SizeMismatch]);
    check_tensor(onnx_tensor("w", &[u64::MAX], 1, &[0; 16]), &[Overflow]);
    check_tensor(onnx_tensor("w", &[1 << 40, 1 << 40], 1, &[0; 16]), &[Overflow]);
    check_tensor(onnx_tensor("w", &[4], 99, &[0; 16]), &[UnknownType]);
    check_tensor(onnx_external_tensor("w", &[4], &[("location", "w.bin"), ("length", "16")]), &[]);
    check_tensor(onnx_external_tensor("w", &[4], &[("location", "w.bin"), ("length", "4")]), &[SizeMismatch]);
    let packed = Protobuf::default().bytes(1, [2, 2]).number(2, 2).bytes(9, [0; 4]);
    check_tensor(packed, &[]);
}

#[test]
fn external_data_is_found_wherever_tensors_stand() {
    let tensor = |location| onnx_external_tensor("w", &[4], &[("location", location), ("__class__", "x")]);
    let sparse = Protobuf::default().message(1, &tensor("sparse"));
    let in_attribute = Protobuf::default().bytes(1, "value").message(5, &tensor("attribute"));
    let in_list = Protobuf::default().bytes(1, "values").message(10, &tensor("list"));
    let node = onnx_node("", "Constant").message(5, &in_attribute).message(5, &in_list);
    let graph = onnx_graph(&[node], &[tensor("initializer")]).message(15, &sparse);
    let analysis = analysed("m.onnx", onnx_model(&graph).0);
    let external = &facts(&analysis).external;
    let mut locations: Vec<_> = external.iter().map(|tensor| tensor.location.as_str()).collect();
    locations.sort_unstable();
    assert_eq!(locations, ["attribute", "initializer", "list", "sparse"]);
    assert_eq!(external[0].unknown_keys, ["__class__"]);
    assert_eq!(external[0].needed, Some(16));
}

#[test]
fn strings_that_carry_something_are_handed_on() {
    let attribute = onnx_text_attribute("code", "import os; os.system('echo hi')");
    let graph = onnx_graph(&[onnx_node("evil", "Run").message(5, &attribute)], &[]);
    let props = Protobuf::default().bytes(1, "k").bytes(2, "import os; os.system('echo hi')");
    let analysis = analysed("m.onnx", onnx_model(&graph).message(14, &props).0);
    let facts = facts(&analysis);
    assert_eq!(facts.carried_by_nodes[0].operator.name, "Run");
    assert_eq!(facts.carried_by_nodes[0].carried.place, "Run.code");
    assert_eq!(facts.carried[0].place, "metadata_props.k");
    let members: Vec<_> = analysis.artifacts[1..].iter().map(|member| member.path.as_str()).collect();
    assert!(members.contains(&"m.onnx!/Run.code.py"), "{members:?}");
}

#[test]
fn what_readers_skip_is_nobodys() {
    let model = sound().bytes(99, b"\x7fELF and so on");
    let analysis = analysed("m.onnx", model.0.clone());
    let [span] = analysis.artifacts[0].unclaimed[..] else { panic!("{:?}", analysis.artifacts[0].unclaimed) };
    assert_eq!((span.start, span.end), (model.0.len() as u64 - 14, model.0.len() as u64));
}

#[test]
fn graphs_nested_beyond_any_reader_are_an_issue() {
    let mut graph = onnx_graph(&[onnx_node("", "Relu")], &[]);
    for _ in 0..600 {
        graph = Protobuf::default()
            .message(1, &onnx_node("", "If").message(5, &onnx_graph_attribute("b", &graph)));
    }
    let analysis = analysed("m.onnx", onnx_model(&graph).0);
    assert_eq!(analysis.issues.len(), 1);
}

#[test]
fn mutated_models_never_panic() {
    let attribute = onnx_text_attribute("code", "import os; os.system('echo hi')");
    let branch =
        onnx_graph_attribute("b", &onnx_graph(&[onnx_node("evil", "Run").message(5, &attribute)], &[]));
    let external = onnx_external_tensor("w", &[4], &[("location", "../w"), ("offset", "0")]);
    let graph = onnx_graph(
        &[onnx_node("", "If").message(5, &branch)],
        &[onnx_tensor("w", &[4], 1, &[0; 16]), external],
    );
    let sound = onnx_model(&graph).0;
    let mut mutator = Mutator::new(0x0712);
    for _ in 0..4000 {
        analysed("m.onnx", mutator.mutate(&sound));
    }
}
