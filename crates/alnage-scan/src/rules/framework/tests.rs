//! Fires and stays quiet, for every rule of the family.

use std::sync::Arc;

use alnage_formats::{Model, analyse};
use alnage_types::{ArtifactPath, Budget, Finding, MemorySource, Severity};

use super::*;
use crate::Sink;

/// What `rule` finds in one file, as severities in order.
fn run(rule: &'static Rule, name: &str, bytes: &[u8]) -> Vec<Finding> {
    let analysis = analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let model = Model { artifacts: analysis.artifacts, issues: analysis.issues, ..Model::default() };
    let mut findings = Vec::new();
    (rule.check)(&model, &mut Sink::new(rule, &crate::Answers::default(), &mut findings));
    findings
}

#[track_caller]
fn check(rule: &'static Rule, name: &str, bytes: &[u8], expected: &[Severity]) {
    let findings = run(rule, name, bytes);
    let found: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(found, expected, "{} on {name}: {findings:#?}", rule.code);
}

#[track_caller]
fn check_keras(rule: &'static Rule, json: &str, expected: &[Severity]) {
    check(rule, "config.json", json.as_bytes(), expected);
}

const ORDINARY: &str = r#"{"module":"keras","class_name":"Sequential","registered_name":null,"config":{"layers":[
    {"module":"keras.layers","class_name":"InputLayer","config":{"batch_shape":[null,4],"dtype":"float32"}},
    {"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":["a","b"]}},
    {"module":"keras.layers","class_name":"Dense","registered_name":null,"config":{"activation":"relu",
        "kernel_initializer":{"module":"keras.initializers","class_name":"GlorotUniform","config":{"seed":null}},
        "dtype":{"module":"keras","class_name":"DTypePolicy","config":{"name":"float32"}}}}]},
    "compile_config":{"loss":{"module":"builtins","class_name":"function","config":"my_loss","registered_name":"function"},
        "optimizer":{"module":"keras.optimizers","class_name":"Adam","config":{}},
        "metrics":[{"module":"keras.metrics","class_name":"function","config":"categorical_accuracy"}]}}"#;

#[test]
fn ordinary_keras_is_quiet() {
    for rule in RULES.iter().filter(|rule| rule.code.starts_with("KER")) {
        check_keras(rule, ORDINARY, &[]);
    }
}

#[test]
fn ker001_lambda() {
    let code = testkit::framework::MARSHALLED_CODE;
    let lambda = format!(
        r#"{{"class_name":"Lambda","config":{{"function":{{"class_name":"__lambda__","config":{{"code":"{code}"}}}}}}}}"#
    );
    check_keras(&keras_lambda::RULE, &lambda, &[Severity::Critical]);
    let legacy = format!(r#"{{"class_name":"Lambda","config":{{"function":["{code}",null,null]}}}}"#);
    check_keras(&keras_lambda::RULE, &legacy, &[Severity::Critical]);
    check_keras(&keras_lambda::RULE, r#"{"class_name":"Lambda","config":{"function":"f"}}"#, &[]);
}

#[test]
fn ker002_nested_pickle() {
    let rule = &keras_nested_pickle::RULE;
    check_keras(
        rule,
        r#"{"class_name":"TorchModuleWrapper","config":{"module":"gAKMBXBvc2l4"}}"#,
        &[Severity::Critical],
    );
    check_keras(rule, r#"{"class_name":"TorchModuleWrapper","config":{"file":1}}"#, &[Severity::High]);
    check_keras(
        rule,
        r#"{"class_name":"Dense","config":{"x":"gASVHAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOU"}}"#,
        &[Severity::Medium],
    );
    check_keras(rule, r#"{"class_name":"Dense","config":{"module":"gAKMBXBvc2l4"}}"#, &[]);
}

#[test]
fn ker003_dangerous_reference() {
    let rule = &keras_dangerous_reference::RULE;
    for json in [
        r#"{"module":"os","class_name":"function","config":"system"}"#,
        r#"{"module":"subprocess","class_name":"Popen","config":{"args":"id"}}"#,
        r#"{"module":"builtins","class_name":"function","config":"eval"}"#,
        r#"{"module":"subprocess","class_name":"__typespec__","spec_name":"Popen","config":["id"]}"#,
        r#"{"module":"builtins","class_name":"x","registered_name":"exec","config":{}}"#,
    ] {
        check_keras(rule, json, &[Severity::Critical]);
    }
    check_keras(rule, r#"{"module":"builtins","class_name":"function","config":"mean_squared_error"}"#, &[]);
    check_keras(rule, r#"{"module":"collections","class_name":"OrderedDict","config":{}}"#, &[]);
}

#[test]
fn ker004_foreign_reference() {
    let rule = &keras_foreign_reference::RULE;
    check_keras(rule, r#"{"module":"evil.layers","class_name":"L","config":{}}"#, &[Severity::Medium]);
    check_keras(rule, r#"{"module":"keras_nlp.src.models","class_name":"Bert","config":{}}"#, &[]);
    check_keras(rule, r#"{"module":null,"class_name":"L","registered_name":"a>L","config":{}}"#, &[]);
}

#[test]
fn ker005_gadget() {
    let rule = &keras_gadget::RULE;
    for json in [
        r#"{"module":"keras.utils","class_name":"function","config":"get_file"}"#,
        r#"{"module":"keras.config","class_name":"function","config":"enable_unsafe_deserialization"}"#,
        r#"{"module":"keras.src.saving.saving_lib","class_name":"function","config":"load_model"}"#,
        r#"{"module":"tensorflow.python.ops.io_ops","class_name":"function","config":"read_file"}"#,
        r#"{"class_name":"Dense","config":{"fn":"keras.utils.get_file"}}"#,
    ] {
        check_keras(rule, json, &[Severity::Critical]);
    }
    check_keras(
        rule,
        r#"{"module":"keras.src.utils.x","class_name":"function","config":"y"}"#,
        &[Severity::Medium],
    );
    check_keras(rule, r#"{"module":"keras.activations","class_name":"function","config":"relu"}"#, &[]);
}

#[test]
fn ker006_file_access() {
    let rule = &keras_file_access::RULE;
    for (json, expected) in [
        (r#"{"class_name":"StringLookup","config":{"vocabulary":"/etc/passwd"}}"#, &[Severity::High][..]),
        (r#"{"class_name":"IntegerLookup","config":{"vocabulary":"http://10.0.0.1/"}}"#, &[Severity::High]),
        (r#"{"class_name":"TextVectorization","config":{"vocabulary":"vocab.txt"}}"#, &[Severity::Medium]),
        (r#"{"class_name":"TFSMLayer","config":{"filepath":"x"}}"#, &[Severity::High]),
        (r#"{"class_name":"TFSMLayer","config":{}}"#, &[Severity::High]),
        (r#"{"class_name":"StringLookup","config":{"vocabulary":["a"]}}"#, &[]),
        (r#"{"class_name":"Dense","config":{"name":"/model/dense"}}"#, &[]),
    ] {
        check_keras(rule, json, expected);
    }
}

#[test]
fn ker007_tensorflow_function() {
    let rule = &keras_tensorflow_function::RULE;
    for name in
        ["io.read_file", "io.gfile.rmtree", "raw_ops.WriteFile", "load_op_library", "saved_model.load"]
    {
        let json = format!(r#"{{"class_name":"TFOpLambda","config":{{"function":"{name}"}}}}"#);
        check_keras(rule, &json, &[Severity::Critical]);
    }
    for name in ["nn.relu", "math.add", "__operators__.getitem"] {
        let json = format!(r#"{{"class_name":"TFOpLambda","config":{{"function":"{name}"}}}}"#);
        check_keras(rule, &json, &[]);
    }
}

#[test]
fn ker008_custom_class() {
    let rule = &keras_custom_class::RULE;
    check_keras(rule, r#"{"class_name":"L","registered_name":"mine>L","config":{}}"#, &[Severity::Low]);
    check_keras(rule, r#"{"class_name":"L","registered_name":"L","config":{}}"#, &[]);
}

fn hdf5_with(links: &[testkit::framework::Hdf5Link<'_>]) -> Vec<u8> {
    testkit::framework::hdf5(links, &[])
}

#[test]
fn hdf001_external_link() {
    use testkit::framework::Hdf5Link::{External, Soft};
    let rule = &hdf5_external_link::RULE;
    check(rule, "m.h5", &hdf5_with(&[External("a", "/etc/passwd", "/x")]), &[Severity::High]);
    check(rule, "m.h5", &hdf5_with(&[External("a", "secrets.env", "/x")]), &[Severity::High]);
    check(rule, "m.h5", &hdf5_with(&[External("a", "part2.h5", "/x")]), &[Severity::Medium]);
    check(rule, "m.h5", &hdf5_with(&[Soft("a", "/b")]), &[]);
}

#[test]
fn hdf002_external_storage() {
    use testkit::framework::Hdf5Link::{Dataset, ExternalStorage};
    let rule = &hdf5_external_storage::RULE;
    check(rule, "m.h5", &hdf5_with(&[ExternalStorage("kernel", "/etc/shadow")]), &[Severity::High]);
    check(rule, "m.h5", &hdf5_with(&[Dataset("kernel", &[1.0, 2.0])]), &[]);
}

#[test]
fn hdf003_virtual_dataset() {
    use testkit::framework::Hdf5Link::Virtual;
    let rule = &hdf5_virtual_dataset::RULE;
    check(rule, "m.h5", &hdf5_with(&[Virtual("v", "../secret.h5", "data")]), &[Severity::High]);
    check(rule, "m.h5", &hdf5_with(&[Virtual("v", ".", "data")]), &[]);
    check(rule, "m.h5", &hdf5_with(&[Virtual("v", "m.h5", "data")]), &[]);
}

#[test]
fn hdf004_user_defined_link() {
    use testkit::framework::Hdf5Link::{Soft, UserDefined};
    let rule = &hdf5_user_defined_link::RULE;
    check(rule, "m.h5", &hdf5_with(&[UserDefined("u", 187)]), &[Severity::Medium]);
    check(rule, "m.h5", &hdf5_with(&[Soft("a", "/b")]), &[]);
}

#[test]
fn a_legacy_model_in_hdf5_is_judged_by_its_configuration() {
    let code = testkit::framework::MARSHALLED_CODE;
    let config = format!(r#"{{"class_name":"Lambda","config":{{"function":["{code}\n",null,null]}}}}"#);
    let file = testkit::framework::hdf5(&[], &[("model_config", config.as_bytes())]);
    let findings = run(&keras_lambda::RULE, "m.h5", &file);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].artifact.as_str(), "m.h5!/@model_config");
}

#[test]
fn tfg001_effect() {
    let rule = &tensorflow_effect::RULE;
    let graph = |operation: &str, path: &str| {
        testkit::framework::saved_model(&[("c", "Const", &[], path), ("n", operation, &["c"], "")], true)
    };
    for (operation, path, expected) in [
        ("ReadFile", "/etc/passwd", &[Severity::High][..]),
        ("PyFunc", "x", &[Severity::High]),
        ("IO>FileRead", "x", &[Severity::High]),
        ("TFRecordDataset", "/data/x", &[Severity::Medium]),
        ("InitializeTableFromTextFileV2", "/etc/passwd", &[Severity::Medium]),
        ("InitializeTableFromTextFileV2", "assets/vocab.txt", &[]),
        ("PrintV2", "hello", &[]),
        ("PrintV2", "file:///tmp/x", &[Severity::High]),
        ("SaveV2", "x", &[]),
        ("Assert", "x", &[]),
        ("MergeV2Checkpoints", "/tmp", &[]),
    ] {
        check(rule, "saved_model.pb", &graph(operation, path), expected);
    }
    check(rule, "m.pbtxt", b"node { name: 'a' op: 'WriteFile' }", &[Severity::High]);
}

#[test]
fn tfg002_custom_operation() {
    let rule = &tensorflow_custom_operation::RULE;
    let graph = |operation| testkit::framework::tensorflow_graph(&[("n", operation, &[], "")]);
    check(rule, "g.pb", &graph("Addons>Gelu"), &[Severity::Low]);
    check(rule, "g.pb", &graph("MatMul"), &[]);
}

#[test]
fn a_saved_model_is_judged_by_its_keras_metadata() {
    let code = testkit::framework::MARSHALLED_CODE;
    let json = format!(r#"{{"class_name":"Lambda","config":{{"function":["{code}",null,null]}}}}"#);
    let file = testkit::framework::keras_metadata(&json);
    check(&keras_lambda::RULE, "keras_metadata.pb", &file, &[Severity::Critical]);
}

#[test]
fn sko001_node() {
    let rule = &skops_node::RULE;
    let node = |loader: &str, module: &str, class: &str| {
        format!(r#"{{"__loader__":"{loader}","__module__":"{module}","__class__":"{class}","content":null}}"#)
    };
    let check = |json: &str, expected: &[Severity]| check(rule, "schema.json", json.as_bytes(), expected);
    check(testkit::framework::SKOPS_METHOD, &[Severity::High, Severity::High]);
    check(&node("OperatorFuncNode", "sklearn.pipeline", "attrgetter"), &[Severity::High]);
    check(&node("ObjectNode", "evil", "Model"), &[Severity::Medium]);
    check(&node("NewNode", "sklearn.x", "X"), &[Severity::Medium]);
    check(&node("TypeNode", "builtins", "eval"), &[Severity::High]);
    let method = r#"{"__loader__":"MethodNode","__module__":"builtins","__class__":"str","content":{"obj":{"__module__":"os","__class__":"system"}}}"#;
    check(method, &[Severity::High]);
    for (loader, module, class) in [
        ("ObjectNode", "sklearn.pipeline", "Pipeline"),
        ("JsonNode", "builtins", "str"),
        ("NdArrayNode", "numpy", "ndarray"),
        ("OperatorFuncNode", "operator", "itemgetter"),
    ] {
        check(&node(loader, module, class), &[]);
    }
}

#[test]
fn xgb001_code_like() {
    let rule = &xgboost_code_like::RULE;
    let json = |objective: &str| testkit::framework::xgboost_json(objective).into_bytes();
    check(rule, "m.json", &json("__import__('os').system('id')"), &[Severity::Medium]);
    check(rule, "m.json", &json("a b;c"), &[Severity::Medium]);
    check(rule, "m.json", &json("binary:logistic"), &[]);
    check(rule, "m.ubj", &testkit::framework::xgboost_ubjson("eval('x')"), &[Severity::Medium]);
    check(rule, "m.ubj", &testkit::framework::xgboost_ubjson("reg:squarederror"), &[]);
}

#[test]
fn xml001_external_entity() {
    let rule = &xml_external_entity::RULE;
    let entity =
        b"<?xml version='1.0'?><!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><PMML>&x;</PMML>";
    check(rule, "m.pmml", entity, &[Severity::High]);
    check(rule, "m.pmml", b"<!DOCTYPE p SYSTEM 'http://h/x.dtd'><PMML/>", &[Severity::Medium]);
    check(rule, "m.svg", b"<!DOCTYPE svg PUBLIC '-//W3C' 'http://www.w3.org/svg.dtd'><svg/>", &[]);
    check(rule, "m.pmml", b"<?xml version='1.0'?><PMML version='4.4'><Header/></PMML>", &[]);
}

#[test]
fn xml002_entity_expansion() {
    let rule = &xml_entity_expansion::RULE;
    let mut bomb = String::from("<!DOCTYPE l [<!ENTITY l0 'lol'>");
    for level in 1..10 {
        bomb += &format!("<!ENTITY l{level} '{}'>", format!("&l{};", level - 1).repeat(10));
    }
    check(rule, "m.xml", (bomb + "]><l>&l9;</l>").as_bytes(), &[Severity::High]);
    check(rule, "m.xml", b"<!DOCTYPE l [<!ENTITY a 'b'>]><l>&a;</l>", &[]);
}

#[test]
fn xml003_code_like() {
    let rule = &xml_code_like::RULE;
    check(rule, "m.pmml", b"<PMML><Apply function='com.example.Evil'/></PMML>", &[Severity::Medium]);
    check(rule, "m.pmml", b"<PMML><Extension>Runtime.getRuntime()</Extension></PMML>", &[Severity::Medium]);
    check(rule, "m.pmml", b"<PMML><Extension>x.system('id')</Extension></PMML>", &[Severity::Medium]);
    check(rule, "m.pmml", b"<PMML><Apply function='+'/></PMML>", &[]);
    check(rule, "m.pmml", b"<PMML><Extension>the ecosystem(s), retrieval(x)</Extension></PMML>", &[]);
}

#[test]
fn ovn001_extension() {
    let rule = &openvino_extension::RULE;
    let net = |layer: &str| {
        format!("<?xml version='1.0'?><net name='m' version='11'><layers>{layer}</layers></net>")
    };
    let evil = net("<layer type='E' version='extension'><data library='/tmp/x.so'/></layer>");
    check(rule, "m.xml", evil.as_bytes(), &[Severity::Medium, Severity::High]);
    let ordinary =
        net("<layer type='Parameter' version='opset1'><data shape='1' element_type='f32'/></layer>");
    check(rule, "m.xml", ordinary.as_bytes(), &[]);
}

#[test]
fn msg001_extension() {
    let rule = &msgpack_extension::RULE;
    check(rule, "m.msgpack", b"\x81\xa1w\xc7\x04\x64abcd", &[Severity::Medium]);
    check(rule, "m.msgpack", b"\x81\xa1w\xc7\x0d\x01\x93\x91\x01\xa5uint8\xc4\x01\x00", &[]);
    check(rule, "m.msgpack", b"\x81\xa1w\x01", &[]);
}

#[test]
fn msg002_carried() {
    let rule = &msgpack_carried::RULE;
    check(rule, "m.msgpack", b"\x81\xa1w\xb9__import__('os').system(1)", &[Severity::Medium]);
    check(rule, "m.msgpack", b"\x81\xa1w\xc4\x0dos.system('x')", &[Severity::Medium]);
    check(rule, "m.msgpack", b"\x81\xaa__reduce__\x01", &[Severity::Medium]);
    check(rule, "m.msgpack", b"\x81\xa6params\x81\xb0dense_layer_0_kernel\x01", &[]);
}

#[test]
fn lua001_torch7_code() {
    let rule = &torch7_code::RULE;
    check(rule, "m.t7", b"4\n1\n3\nV 1\n9\nnn.Linear\n2\n16\nos.execute('id')\n", &[Severity::High]);
    check(rule, "m.t7", b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x02\0\0\0nn\x1bLJ\x02", &[Severity::High]);
    check(rule, "m.t7", b"4\n1\n3\nV 1\n9\nnn.Linear\n", &[]);
}

#[test]
fn cml001_custom() {
    use testkit::framework::{protobuf_bytes, protobuf_number};
    let rule = &core_ml_custom::RULE;
    let network =
        |layer: Vec<u8>| [protobuf_number(1, 4), protobuf_bytes(500, &protobuf_bytes(1, &layer))].concat();
    let custom = protobuf_bytes(500, &protobuf_bytes(10, b"EvilCustomLayer"));
    check(rule, "m.mlmodel", &network([protobuf_bytes(1, b"evil"), custom].concat()), &[Severity::Medium]);
    check(rule, "m.mlmodel", &network(protobuf_bytes(1, b"plain")), &[]);
    let linked = |file: &[u8]| {
        let file = protobuf_bytes(1, &protobuf_bytes(1, file));
        [protobuf_number(1, 4), protobuf_bytes(556, &protobuf_bytes(1, &file))].concat()
    };
    check(rule, "m.mlmodel", &linked(b"../outside.mlmodel"), &[Severity::High]);
    check(rule, "m.mlmodel", &linked(b"$BUNDLE_MAIN/part.mlmodel"), &[]);
}

#[test]
fn pad001_operation() {
    use testkit::framework::{protobuf_bytes, protobuf_number};
    let rule = &paddle_operation::RULE;
    let program = |operation: &[u8]| {
        let operation = protobuf_bytes(4, &protobuf_bytes(3, operation));
        protobuf_bytes(1, &[protobuf_number(1, 0), operation].concat())
    };
    check(rule, "m.pdmodel", &program(b"py_func"), &[Severity::Medium]);
    check(rule, "m.pdmodel", &program(b"matmul_v2"), &[]);
}

#[test]
fn llf001_program() {
    check(&llamafile_program::RULE, "m.llamafile", b"MZqFpD='\n\0", &[Severity::High]);
    check(&llamafile_program::RULE, "m.llamafile", b"GGUF", &[]);
}

#[test]
fn rds001_promise() {
    use testkit::framework::{
        R_UNBOUND, r_call, r_environment, r_integers, r_list, r_object, r_promise, r_symbol, r_text,
    };
    let rule = &r_promise::RULE;
    let call = |function: &str| r_call(&r_symbol(function), &[r_text("id")]);
    let promise = |function: &str| r_promise(R_UNBOUND, &call(function));
    let inside = |promise: Vec<u8>| r_object(&r_environment(&[("x", promise)]));
    check(rule, "m.rds", &r_object(&promise("system")), &[Severity::Critical]);
    check(rule, "m.rds", &r_object(&r_list(&[promise("paste")])), &[Severity::High]);
    check(rule, "m.rds", &inside(promise("system")), &[Severity::Critical]);
    let computed = r_promise(R_UNBOUND, &r_call(&call("get"), &[]));
    check(rule, "m.rds", &inside(computed), &[Severity::Medium]);
    check(rule, "m.rds", &inside(promise("mean")), &[]);
    check(rule, "m.rds", &r_object(&r_promise(&r_integers(&[1]), &call("paste"))), &[]);
}

#[test]
fn rds002_call() {
    use testkit::framework::{r_call, r_function, r_list, r_object, r_symbol, r_text};
    let rule = &r_call::RULE;
    let call = |function: &str, arguments: &[Vec<u8>]| r_call(&r_symbol(function), arguments);
    let check = |call: Vec<u8>, expected: &[Severity]| {
        check(rule, "m.rds", &r_object(&r_list(&[r_function(&call)])), expected);
    };
    check(call("system", &[r_text("id")]), &[Severity::High]);
    check(call("{", &[call("download.file", &[r_text("http://h/x")])]), &[Severity::High]);
    check(call("eval", &[call("parse", &[r_text("x")])]), &[Severity::High]);
    check(call("do.call", &[r_text("system2")]), &[Severity::High]);
    check(call("parse", &[r_text("base::system ('id')")]), &[Severity::High]);
    let run = r_call(&call("::", &[r_symbol("processx"), r_symbol("run")]), &[]);
    check(run.clone(), &[Severity::High]);
    // Behind many calls of the same name that do nothing.
    for (function, argument) in
        [("mget", "system2"), ("as.name", "system2"), ("str2expression", "system('id')")]
    {
        let mut calls = vec![call(function, &[r_text("x")]); 40];
        calls.push(call(function, &[r_text(argument)]));
        check(call("{", &calls), &[Severity::High]);
    }
    let mut calls = vec![call("run", &[r_text("x")]); 40];
    calls.push(run);
    check(call("{", &calls), &[Severity::High]);
    check(call("unlink", &[r_text("x")]), &[Severity::Medium]);
    for function in ["lm", "~", "system.file", "system.time", "eval", "parse", "lapply", "run"] {
        check(call(function, &[r_symbol("x"), r_text("systematic (x)")]), &[]);
    }
}

#[test]
fn rds003_startup_hook() {
    use testkit::framework::{r_integers, r_workspace};
    let rule = &r_startup_hook::RULE;
    check(rule, ".RData", &r_workspace(&[(".First", r_integers(&[1]))]), &[Severity::Medium]);
    check(rule, ".RData", &r_workspace(&[("fit", r_integers(&[1]))]), &[]);
}

#[test]
fn tfl001_custom_operation() {
    let rule = &tflite_custom_operation::RULE;
    let check = |custom, expected: &[Severity]| {
        check(rule, "m.tflite", &testkit::framework::tflite(custom, &[1], &[0; 4]), expected);
    };
    check("FlexReadFile", &[Severity::High]);
    check("FlexPyFunc", &[Severity::High]);
    check("FlexErf", &[Severity::Medium]);
    check("MyOperator", &[Severity::Medium]);
    check("TFLite_Detection_PostProcess", &[Severity::Low]);
    check("", &[]);
}

#[test]
fn tfl001_in_what_is_no_whole_model() {
    let rule = &tflite_custom_operation::RULE;
    check(rule, "m.tflite", b"\x1c\0\0\0TFL3\0\0FlexWriteFile\0", &[Severity::High]);
    check(rule, "m.tflite", b"\x1c\0\0\0TFL3\0\0Conv\0", &[]);
}

#[test]
fn tfl002_tensor_size() {
    use testkit::framework::tflite;
    let rule = &tflite_tensor_size::RULE;
    check(rule, "m.tflite", &tflite("", &[1000, 1000], &[0; 16]), &[Severity::Medium]);
    check(rule, "m.tflite", &tflite("", &[2, 2], &[0; 16]), &[]);
}

#[test]
fn ftx001_counts() {
    use testkit::framework::{FastText, fasttext_dense, fasttext_quantised};
    let check = |model: FastText, expected: &[Severity]| {
        check(&fasttext_counts::RULE, "m.bin", &model.build(), expected);
    };
    let quantised = |codes, quantiser| FastText {
        input: fasttext_quantised(3, 4, codes, quantiser, true),
        ..FastText::quantised()
    };
    let medium = &[Severity::Medium];
    check(FastText { input: fasttext_dense(8, 400, 3200), ..FastText::classifier() }, medium);
    check(FastText { input: fasttext_dense(7, 4, 28), ..FastText::classifier() }, medium);
    check(FastText { output: fasttext_dense(1, 4, 4), ..FastText::classifier() }, medium);
    check(FastText { input: fasttext_dense(1 << 62, 4, 0), ..FastText::classifier() }, medium);
    check(FastText { kept: vec![(5, 1 << 20)], ..FastText::quantised() }, medium);
    check(FastText { occurrences: i64::MAX, ..FastText::classifier() }, medium);
    check(FastText { buckets: 0, ..FastText::classifier() }, &[Severity::Low]);
    check(quantised(2, [4, 2, 3, 1]), medium);
    check(quantised(6, [4, 2, 3, 99]), medium);
    check(FastText::classifier(), &[]);
    check(FastText::quantised(), &[]);
    // More rows than are looked up hurt nobody.
    check(FastText { input: fasttext_dense(9, 4, 36), ..FastText::classifier() }, &[]);
    check(FastText { subwords: (0, 0), input: fasttext_dense(2, 4, 8), ..FastText::classifier() }, &[]);
}

#[test]
fn cmp001_compiled_program() {
    let rule = &compiled_program::RULE;
    check(rule, "m.engine", b"ftrt\0\0\0\0", &[Severity::Medium]);
    check(rule, "m.pte", b"\x1c\0\0\0ET12", &[Severity::Medium]);
    check(rule, "m.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &[]);
}
