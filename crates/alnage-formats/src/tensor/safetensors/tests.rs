use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::tensor::{Mutator, base64, safetensors, safetensors_with_metadata};

use super::*;
use crate::tensor::CarriedKind;
use crate::{Analysis, analyse};

fn analysed(bytes: Vec<u8>) -> Analysis {
    analyse(ArtifactPath::file("m.safetensors"), Arc::new(MemorySource::new(bytes)), &Budget::default())
}

fn facts(analysis: &Analysis) -> &SafetensorsFacts {
    match &analysis.artifacts[0].facts {
        Facts::Tensor(facts) => match facts.as_ref() {
            TensorFacts::Safetensors(facts) => facts,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Checks which faults `header` over `data` bytes of zeros has, and whether it has issues.
fn check(
    header: &str,
    data: usize,
    header_faults: &[HeaderFaultKind],
    faults: &[LayoutFaultKind],
    issues: bool,
) {
    let analysis = analysed(safetensors(header, &vec![0; data]));
    let facts = facts(&analysis);
    assert_eq!(
        facts.header_faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(),
        header_faults,
        "{header}"
    );
    assert_eq!(facts.layout_faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), faults, "{header}");
    assert_eq!(!analysis.issues.is_empty(), issues, "{header}: {:?}", analysis.issues);
}

#[test]
fn a_sound_file_has_no_faults_and_every_byte_is_claimed() {
    let analysis = analysed(safetensors_with_metadata("format", "pt"));
    let facts = facts(&analysis);
    assert_eq!((facts.tensors, facts.parameters), (2, 6));
    assert_eq!(facts.dtypes["F32"], ElementTotals { tensors: 1, parameters: 2, bytes: 8 });
    let entry = facts.metadata.first().unwrap();
    assert_eq!((entry.key.as_str(), entry.value.as_str()), ("format", "pt"));
    assert!(facts.header_faults.is_empty() && facts.layout_faults.is_empty() && facts.carried.is_empty());
    assert_eq!((analysis.issues.len(), analysis.artifacts[0].unclaimed.len()), (0, 0));
    assert_eq!(analysis.artifacts.len(), 1);
}

#[test]
fn the_header_is_read_as_the_reference_loader_reads_it() {
    use HeaderFaultKind::*;
    check("{}      ", 0, &[], &[], false);
    check(r#"  {"__metadata__":null}"#, 0, &[LeadingWhiteSpace], &[], false);
    check(r#"{"a":{"dtype":"U8","shape":[1]}}"#, 1, &[NotTensors], &[], true);
    check(r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#, 1, &[NotTensors], &[], true);
    check(r#"{"a":[]}"#, 0, &[NotTensors], &[], true);
    check(r#"{} x"#, 0, &[NotTensors], &[], true);
    check(r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[{}]}}"#, 1, &[UnknownKey], &[], false);
    check(r#"{"__metadata__":{"n":[1]}}"#, 0, &[MetadataNotText], &[], false);
}

#[test]
fn repeated_keys_are_seen_at_every_level() {
    use HeaderFaultKind::RepeatedKey;
    let tensor = r#"{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#;
    check(&format!(r#"{{"a":{tensor},"\u0061":{tensor}}}"#), 1, &[RepeatedKey], &[], false);
    check(r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, &[RepeatedKey], &[], false);
    check(r#"{"__metadata__":{},"__metadata__":{}}"#, 0, &[RepeatedKey], &[], false);
    let twice = r#"{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#;
    check(twice, 1, &[RepeatedKey], &[], false);
}

#[test]
fn tensors_must_lie_side_by_side_and_have_their_size() {
    use LayoutFaultKind::*;
    let two = |dtype: &str, shape: &str, a: &str, b: &str| {
        format!(
            r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{a}}},"b":{{"dtype":"U8","shape":[4],"data_offsets":{b}}}}}"#
        )
    };
    check(&two("U8", "[4]", "[0,4]", "[4,8]"), 8, &[], &[], false);
    check(&two("U8", "[4]", "[4,8]", "[0,4]"), 8, &[], &[], false);
    check(&two("F4", "[8]", "[0,4]", "[4,8]"), 8, &[], &[], false);
    check(&two("U8", "[0]", "[0,0]", "[0,4]"), 4, &[], &[], false);
    check(&two("U8", "[4]", "[0,4]", "[2,6]"), 6, &[], &[Overlap], false);
    check(&two("U8", "[4]", "[0,4]", "[5,9]"), 9, &[], &[Hole], false);
    check(&two("U8", "[4]", "[1,5]", "[5,9]"), 9, &[], &[Hole], false);
    check(&two("U8", "[4]", "[0,4]", "[4,8]"), 9, &[], &[Trailing], false);
    check(&two("U8", "[4]", "[0,4]", "[4,8]"), 7, &[], &[OutOfBounds, Trailing], false);
    check(&two("U8", "[4]", "[4,0]", "[0,4]"), 4, &[], &[OutOfBounds], false);
    check(&two("F32", "[4]", "[0,4]", "[4,8]"), 8, &[], &[SizeMismatch], false);
    check(&two("F4", "[7]", "[0,4]", "[4,8]"), 8, &[], &[Overflow], false);
    check(&two("U8", "[4294967296,4294967296]", "[0,4]", "[4,8]"), 8, &[], &[Overflow], false);
    check(&two("Q7", "[4]", "[0,4]", "[4,8]"), 8, &[], &[UnknownType], false);
    check(
        &two("U8", "[4]", "[0,18446744073709551615]", "[0,4]"),
        4,
        &[],
        &[SizeMismatch, OutOfBounds],
        false,
    );
}

#[test]
fn a_header_length_beyond_the_file_is_a_fault() {
    let mut bytes = safetensors("{\"a", b"");
    bytes[0] = 200;
    let analysis = analysed(bytes.clone());
    assert_eq!(facts(&analysis).header_faults[0].kind, HeaderFaultKind::LengthBeyondFile);
    bytes[7] = 0x80;
    assert_eq!(facts(&analysed(bytes)).header_faults[0].kind, HeaderFaultKind::LengthBeyondFile);
    assert_eq!(analysis.issues[0].kind, IssueKind::Truncated);
}

#[test]
fn a_header_too_long_for_the_budget_is_an_issue() {
    let source = Arc::new(MemorySource::new(safetensors_with_metadata("format", "pt")));
    let budget = Budget { max_member_memory: 64, ..Budget::default() };
    let analysis = analyse(ArtifactPath::file("m.safetensors"), source, &budget);
    assert_eq!(analysis.issues[0].kind, IssueKind::Budget);
}

#[test]
fn a_tensor_of_bytes_that_is_a_file_is_handed_on() {
    let header = r#"{"a":{"dtype":"U8","shape":[20],"data_offsets":[0,20]}}"#;
    let analysis = analysed(safetensors(header, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_eq!(facts(&analysis).carried[0].kind, CarriedKind::Raw);
    assert_eq!(analysis.artifacts[1].path.as_str(), "m.safetensors!/a");
}

#[test]
fn what_metadata_carries_is_handed_on() {
    let carriers: [(String, CarriedKind, &str); 4] = [
        (base64(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"), CarriedKind::Base64, "__metadata__.k"),
        ("7f454c4602010100000000000000000000".into(), CarriedKind::Hexadecimal, "__metadata__.k"),
        ("import os; os.system('id')".into(), CarriedKind::Script, "__metadata__.k.py"),
        (base64(b"import os; os.system('id')"), CarriedKind::Script, "__metadata__.k.py"),
    ];
    for (value, kind, name) in carriers {
        let analysis = analysed(safetensors_with_metadata("k", &value));
        let carried = &facts(&analysis).carried;
        assert_eq!(carried.iter().map(|carried| carried.kind).collect::<Vec<_>>(), [kind], "{value}");
        assert_eq!(analysis.artifacts[1].path.as_str(), format!("m.safetensors!/{name}"));
    }
    for value in [
        "pt",
        "a description of the model, with www.example.org",
        "0123456789abcdef0123456789abcdef",
        "mistralai/Mistral-7B-v0.1",
    ] {
        let analysis = analysed(safetensors_with_metadata("k", value));
        assert!(facts(&analysis).carried.is_empty(), "{value}");
        assert_eq!(analysis.artifacts.len(), 1, "{value}");
    }
}

#[test]
fn names_are_told_to_whoever_compares_them_with_an_index() {
    let analysis = analysed(safetensors_with_metadata("format", "pt"));
    let Facts::Tensor(facts) = &analysis.artifacts[0].facts else { panic!("no tensors") };
    assert_eq!(facts.tensor_names().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn mutated_files_never_panic() {
    let mut mutator = Mutator::new(0x5af7);
    let sound = safetensors_with_metadata("k", "import os; os.system('id')");
    for _ in 0..4000 {
        analysed(mutator.mutate(&sound));
    }
}
