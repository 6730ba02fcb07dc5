use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::tensor::{Gguf, Mutator};

use super::*;
use crate::{Analysis, analyse, tensor::LayoutFaultKind};

const TEMPLATE: &str = "{% for m in messages %}{{ m.content }}{% endfor %}";

fn analysed(bytes: Vec<u8>) -> Analysis {
    analyse(ArtifactPath::file("m.gguf"), Arc::new(MemorySource::new(bytes)), &Budget::default())
}

fn facts(analysis: &Analysis) -> &GgufFacts {
    match &analysis.artifacts[0].facts {
        Facts::Tensor(facts) => match facts.as_ref() {
            TensorFacts::Gguf(facts) => facts,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Checks which faults a file has, and whether it has issues.
fn check(bytes: Vec<u8>, faults: &[GgufFaultKind], layout_faults: &[LayoutFaultKind], issues: bool) {
    let analysis = analysed(bytes);
    let facts = facts(&analysis);
    assert_eq!(facts.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), faults, "{facts:#?}");
    let found: Vec<_> = facts.layout_faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(found, layout_faults, "{facts:#?}");
    assert_eq!(!analysis.issues.is_empty(), issues, "{:?}", analysis.issues);
}

#[test]
fn a_sound_file_tells_what_it_is_and_every_byte_is_claimed() {
    let analysis = analysed(Gguf::model(TEMPLATE).build(64 + 32));
    let facts = facts(&analysis);
    assert_eq!((facts.version, facts.big_endian), (3, false));
    assert_eq!(facts.architecture.as_deref(), Some("llama"));
    assert_eq!(facts.quantization.as_deref(), Some("Q4_K_M"));
    assert_eq!((facts.context_length, facts.vocabulary_size), (Some(4096), Some(3)));
    assert_eq!(facts.types["Q4_0"], ElementTotals { tensors: 1, parameters: 32, bytes: 18 });
    assert_eq!(facts.chat_templates, ["tokenizer.chat_template"]);
    assert!(facts.faults.is_empty() && facts.layout_faults.is_empty(), "{facts:#?}");
    assert_eq!(analysis.issues, []);
    assert_eq!(analysis.artifacts[0].unclaimed, []);
    assert_eq!(analysis.artifacts[1].path.as_str(), "m.gguf!/tokenizer.chat_template");
}

#[test]
fn every_version_and_byte_order_is_read() {
    for (version, big_endian) in [(1, false), (2, false), (3, false), (3, true)] {
        let file = Gguf::new(version, big_endian)
            .text("general.architecture", "llama")
            .number("llama.block_count", 7)
            .tensor("w", &[4], 0, 0);
        let analysis = analysed(file.build(16));
        let facts = facts(&analysis);
        assert_eq!((facts.version, facts.big_endian), (version, big_endian));
        assert_eq!((facts.architecture.as_deref(), facts.block_count), (Some("llama"), Some(7)));
        assert_eq!((facts.parameters, analysis.issues.len()), (4, 0));
    }
}

#[test]
fn every_value_type_is_read() {
    let mut file = Gguf::default();
    for (kind, width) in
        [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (7, 1), (10, 8), (11, 8), (12, 8)]
    {
        file = file.entry(&format!("k{kind}"), kind, &vec![1; width]);
    }
    let nested = [&9_u32.to_le_bytes()[..], &2_u64.to_le_bytes()].concat();
    let bytes = [&0_u32.to_le_bytes()[..], &3_u64.to_le_bytes(), b"abc"].concat();
    let file = file.entry("nested", 9, &[&nested[..], &bytes, &bytes].concat()).text("last", "read");
    let analysis = analysed(file.build(0));
    let facts = facts(&analysis);
    assert_eq!(analysis.issues, []);
    assert_eq!(facts.metadata.len(), 13);
    assert_eq!(facts.metadata[11].value, "[array; 2]");
    assert_eq!(facts.metadata[12].value, "read");
}

#[test]
fn every_template_is_handed_on_under_its_key() {
    let file = Gguf::default()
        .text("tokenizer.chat_template.tool_use", TEMPLATE)
        .texts("tokenizer.chat_templates", &["tool_use", TEMPLATE])
        .text("general.prompt", TEMPLATE);
    let analysis = analysed(file.build(0));
    let members: Vec<_> = analysis.artifacts[1..].iter().map(|member| member.path.as_str()).collect();
    assert_eq!(
        members,
        [
            "m.gguf!/tokenizer.chat_template.tool_use",
            "m.gguf!/tokenizer.chat_templates[1]",
            "m.gguf!/general.prompt.chat_template"
        ]
    );
}

#[test]
fn counts_are_judged_before_anything_is_read_by_them() {
    use GgufFaultKind::{CountBeyondFile, CountOverflow};
    let model = Gguf::model(TEMPLATE);
    check(model.build_with_counts(2, 1 << 61, 96), &[CountOverflow, CountOverflow], &[], true);
    check(model.build_with_counts(u64::MAX, 6, 96), &[CountOverflow], &[], true);
    check(model.build_with_counts(1000, 6, 96), &[CountBeyondFile], &[], true);
    let long = Gguf::default().entry("k", 8, &u64::MAX.to_le_bytes());
    check(long.build(0), &[CountOverflow], &[], true);
    let array = [&12_u32.to_le_bytes()[..], &(1_u64 << 61).to_le_bytes()].concat();
    check(Gguf::default().entry("k", 9, &array).build(0), &[CountOverflow], &[], true);
    let nested = [&9_u32.to_le_bytes()[..], &100_u64.to_le_bytes()].concat();
    check(Gguf::default().entry("k", 9, &nested).build(0), &[CountBeyondFile], &[], true);
}

#[test]
fn a_template_before_the_damage_is_handed_on_all_the_same() {
    let analysis = analysed(Gguf::model(TEMPLATE).build_with_counts(2, 1 << 61, 96));
    assert!(analysis.artifacts.iter().any(|member| member.path.name() == "tokenizer.chat_template"));
}

#[test]
fn tensors_must_lie_inside_the_file_side_by_side() {
    use LayoutFaultKind::*;
    let one = |shape: &[u64], kind, offset| Gguf::default().tensor("w", shape, kind, offset);
    check(one(&[8], 0, 0).build(32), &[], &[], false);
    check(one(&[8], 0, 0).build(64), &[], &[], false);
    check(one(&[1 << 20], 0, 0).build(32), &[], &[OutOfBounds], false);
    check(one(&[8], 0, u64::MAX - 31).build(32), &[], &[OutOfBounds], false);
    check(one(&[1 << 40, 1 << 40], 0, 0).build(32), &[], &[Overflow], false);
    check(one(&[8], 99, 0).build(32), &[], &[UnknownType], false);
    check(one(&[30], 2, 0).build(32), &[], &[SizeMismatch], false);
    check(one(&[4], 0, 8).build(32), &[], &[Misaligned, Hole], false);
    check(one(&[8], 0, 0).tensor("v", &[8], 0, 0).build(32), &[], &[Overlap], false);
    check(one(&[8], 0, 0).tensor("v", &[8], 0, 96).build(128), &[], &[Hole], false);
    let mut trailing = one(&[8], 0, 0).build(200);
    trailing.extend_from_slice(b"PK");
    check(trailing, &[], &[Trailing], false);
}

#[test]
fn what_loaders_have_no_room_for_is_a_fault() {
    use GgufFaultKind::*;
    let one = |shape: &[u64]| Gguf::default().tensor("w", shape, 0, 0);
    check(one(&[2, 2, 2, 1, 1]).build(32), &[TooManyDimensions], &[], false);
    check(one(&[1; 5000]).build(32), &[TooManyDimensions], &[], false);
    check(one(&[4]).tensor("w", &[4], 0, 32).build(48), &[RepeatedTensor], &[], false);
    check(Gguf::default().tensor(&"n".repeat(64), &[8], 0, 0).build(32), &[LongTensorName], &[], false);
    check(Gguf::default().text("k", "1").text("k", "2").build(0), &[RepeatedKey], &[], false);
    check(Gguf::default().number("general.alignment", 3).build(0), &[BadAlignment], &[], false);
    check(Gguf::default().entry("k", 13, b"").build(0), &[UnknownValueType], &[], true);
}

#[test]
fn mutated_files_never_panic() {
    let mut mutator = Mutator::new(0x6675);
    let sound = Gguf::model(TEMPLATE).text("general.description", "import os; os.system('id')").build(96);
    for _ in 0..4000 {
        analysed(mutator.mutate(&sound));
    }
}
