use alnage_types::{ArtifactPath, Budget, MemorySource};

use super::*;
use crate::{Analysis, analyse};

fn check(json: &[u8]) -> (KerasFacts, Analysis) {
    let source = Arc::new(MemorySource::new(json));
    let analysis = analyse(ArtifactPath::file("config.json"), source, &Budget::default());
    let facts = analysis.artifacts.iter().find_map(|artifact| match &artifact.facts {
        Facts::Framework(facts) => match facts.as_ref() {
            FrameworkFacts::Keras(facts) => Some(facts.clone()),
            _ => None,
        },
        _ => None,
    });
    (facts.expect("no Keras configuration found"), analysis)
}

#[test]
fn a_lambda_is_code_in_every_spelling() {
    let code = testkit::framework::MARSHALLED_CODE;
    for json in [
        format!(
            r#"{{"class_name":"Lambda","config":{{"function":{{"class_name":"__lambda__","config":{{"code":"{code}"}}}}}}}}"#
        ),
        format!(
            r#"{{"class_name":"Lambda","config":{{"function":{{"class_name":"__lambda__","config":{{"value":"{code}"}}}}}}}}"#
        ),
        format!(
            r#"{{"class_name":"Lambda","config":{{"function":{{"class_name":"__tuple__","items":["{code}\n",null,null]}}}}}}"#
        ),
        format!(
            r#"{{"class_name":"Lambda","config":{{"function":["{code}",null,null],"function_type":"lambda"}}}}"#
        ),
        format!(r#"{{"class\u005fname":"Lambda","config":{{"output_shape":["{code}"]}}}}"#),
        // What is no marshalled code, or no base64 at all, still means to be a function.
        r#"{"class_name":"Lambda","config":{"function":["ZXZhbCgnMScp",null,null]}}"#.to_owned(),
        r#"{"class_name":"tf_keras.src.layers.core.lambda_layer.Lambda","config":{"function":"lambda x: exec(x)"}}"#
            .to_owned(),
    ] {
        let (facts, analysis) = check(json.as_bytes());
        assert_eq!(facts.code.len(), 1, "{json}");
        assert_eq!(facts.code[0].kind, KerasCodeKind::Lambda, "{json}");
        assert!(
            analysis.artifacts.iter().any(|artifact| artifact.path.as_str().contains("!/@code/0")),
            "{json}"
        );
        assert_eq!(analysis.issues, []);
    }
}

#[test]
fn a_lambda_may_take_its_function_from_any_module() {
    let (facts, _) = check(
        br#"{"class_name":"Lambda","config":{"function":"system","module":"os","function_type":"function"}}"#,
    );
    let function = facts.references.iter().find(|reference| reference.kind == KerasKind::Function).unwrap();
    assert_eq!((function.module.as_deref(), function.name.as_str()), (Some("os"), "system"));
    assert!(facts.code.is_empty());
}

#[test]
fn utf16_is_read_as_python_reads_it() {
    let json = r#"{"class_name":"function","config":"system","module":"os"}"#;
    for bytes in [
        json.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        json.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        json.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
    ] {
        let (facts, _) = check(&bytes);
        assert_eq!(facts.references[0].name, "system");
        assert_eq!(facts.references[0].module.as_deref(), Some("os"));
    }
}

#[test]
fn functions_specs_and_operations_are_named() {
    let (facts, _) = check(
        br#"[{"class_name":"__typespec__","spec_name":"Popen","module":"subprocess","config":["id"]},
            {"class_name":"TFOpLambda","config":{"function":"io.read_file"}},
            {"class_name":"TFSMLayer","config":{"filepath":"/tmp/x"}}]"#,
    );
    let names: Vec<_> =
        facts.references.iter().map(|reference| (reference.kind, reference.name.as_str())).collect();
    assert!(names.contains(&(KerasKind::TypeSpec, "Popen")), "{names:?}");
    assert!(names.contains(&(KerasKind::TensorFlowFunction, "io.read_file")), "{names:?}");
    assert_eq!(facts.paths[0].value, "/tmp/x");
}

#[test]
fn the_last_of_duplicate_keys_counts_as_in_python() {
    let (facts, _) = check(br#"{"class_name":"Dense","config":{},"class_name":"Lambda"}"#);
    assert_eq!(facts.references[0].name, "Lambda");
}

#[test]
fn other_json_is_not_keras() {
    let source = Arc::new(MemorySource::new(&br#"{"class_name":"x","other":{"config":1}}"#[..]));
    let analysis = analyse(ArtifactPath::file("x.json"), source, &Budget::default());
    assert!(analysis.artifacts.iter().all(|artifact| artifact.format != "keras-config"));
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    let json = format!("{}{}", r#"{"class_name":"a","config":"#.repeat(2_000), "1");
    let (facts, analysis) = check(json.as_bytes());
    assert!(facts.objects > 0);
    assert!(!analysis.issues.is_empty());
}

#[test]
fn damaged_configurations_are_survived() {
    let code = testkit::framework::MARSHALLED_CODE;
    let sample = format!(
        r#"{{"module":"keras","class_name":"Sequential","config":{{"layers":[{{"module":"keras.layers",
        "class_name":"Lambda","config":{{"function":["{code}",null,null]}}}}]}}}}"#
    );
    super::super::mutation::survive("config.json", sample.as_bytes(), 2000);
}
