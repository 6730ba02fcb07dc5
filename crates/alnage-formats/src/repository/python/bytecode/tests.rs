use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::bytecode;

use super::*;
use crate::analyse;

/// What a module is found to reach on import.
fn check(code: &str, expected: &[(&str, Option<&str>)]) {
    let source = Arc::new(MemorySource::new(bytecode::compiled(code)));
    let analysis = analyse(ArtifactPath::file("module.pyc"), source, &Budget::default());
    assert_eq!(analysis.issues, []);
    let Facts::Repository(facts) = &analysis.artifacts[0].facts else { panic!("{analysis:?}") };
    let RepositoryFacts::Bytecode(facts) = facts.as_ref() else { panic!("{facts:?}") };
    assert_eq!(facts.python, Some("3.11"));
    let found: Vec<_> =
        facts.reaches.iter().map(|reach| (reach.name.as_str(), reach.text.as_deref())).collect();
    assert_eq!(found, expected);
}

#[test]
fn names_are_followed_through_imports_and_variables() {
    check(bytecode::OS_SYSTEM, &[("os.system", Some("id"))]);
    check(bytecode::IMPORTED, &[("subprocess.run", Some("id"))]);
    check(bytecode::COMPUTED, &[("os.system", Some("id"))]);
    check(bytecode::ATTRIBUTE, &[("os.system", Some("id"))]);
    check(bytecode::DOTTED, &[("urllib.request.urlopen", Some("http://x"))]);
    check(bytecode::ORDINARY, &[]);
}

/// `import os`, `os.system('id')` in the instructions of a version.
fn check_instructions(magic: u16, code: &[u8]) {
    let set = instruction_set::of_magic(magic).expect("a known magic number").instructions;
    let outermost = Outermost {
        instructions: 0..code.len(),
        names: vec!["os".to_owned(), "system".to_owned()],
        constants: vec![None, None, Some("id".to_owned())],
    };
    let found = reaches(set, code, 0, &outermost);
    let found: Vec<_> = found.iter().map(|reach| (reach.name.as_str(), reach.text.as_deref())).collect();
    assert_eq!(found, [("os.system", Some("id"))], "{magic}");
}

#[test]
fn the_instructions_of_every_version_are_known() {
    check_instructions(62_211, &[108, 0, 0, 90, 0, 0, 101, 0, 0, 106, 1, 0, 100, 2, 0, 131, 1, 0, 1]);
    check_instructions(3_379, &[108, 0, 90, 0, 101, 0, 106, 1, 100, 2, 131, 1, 1, 0]);
    check_instructions(3_394, &[108, 0, 90, 0, 101, 0, 160, 1, 100, 2, 161, 1, 1, 0]);
    check_instructions(3_439, &[108, 0, 90, 0, 144, 0, 101, 0, 160, 1, 100, 2, 161, 1, 1, 0]);
    check_instructions(3_495, &[151, 0, 108, 0, 90, 0, 2, 0, 101, 0, 160, 1, 0, 0, 0, 0, 100, 2, 166, 1]);
    check_instructions(3_531, &[151, 0, 108, 0, 90, 0, 101, 0, 106, 3, 0, 0, 0, 0, 100, 2, 171, 1]);
    check_instructions(3_571, &[149, 0, 75, 0, 114, 0, 92, 0, 82, 3, 0, 0, 0, 0, 83, 2, 53, 1]);
    check_instructions(3_627, &[128, 0, 73, 0, 116, 0, 93, 0, 80, 3, 0, 0, 0, 0, 82, 2, 52, 1]);
}

#[test]
fn what_is_not_known_or_breaks_off_is_an_issue() {
    let whole = bytecode::compiled(bytecode::OS_SYSTEM);
    let mut newer = whole.clone();
    newer[..2].copy_from_slice(&4_500_u16.to_le_bytes());
    for bytes in [newer, whole[..whole.len() - 1].to_vec()] {
        let source = Arc::new(MemorySource::new(bytes));
        let analysis = analyse(ArtifactPath::file("module.pyc"), source, &Budget::default());
        assert_eq!(analysis.artifacts[0].format, "python-bytecode");
        assert_eq!(analysis.issues.len(), 1, "{:?}", analysis.issues);
    }
}
