use std::sync::Arc;

use alnage_formats::analyse;
use alnage_types::{Budget, Finding, MemorySource, Severity};
use testkit::archive::{TarEntry, Zip, ZipEntry, gzip, npy, tar, torch_zip};

use super::*;
use crate::Sink;

fn findings(bytes: Vec<u8>, budget: &Budget) -> Vec<Finding> {
    let analysis = analyse(ArtifactPath::file("f"), Arc::new(MemorySource::new(bytes)), budget);
    let model = Model { artifacts: analysis.artifacts, issues: analysis.issues, tree: Vec::new() };
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(&model, &mut Sink::new(rule, &crate::Answers::default(), &mut findings));
    }
    findings
}

/// The findings of this family, as code and severity.
#[track_caller]
fn check(bytes: Vec<u8>, expected: &[(&str, Severity)]) {
    let found = findings(bytes, &Budget::default());
    let codes: Vec<_> = found.iter().map(|finding| (finding.code.as_ref(), finding.severity)).collect();
    assert_eq!(codes, expected, "{found:?}");
}

const CONTENT: &[u8] = b"content that is nothing in particular";
const PICKLE: &[u8] = b"\x80\x02}q\x00.";

#[test]
fn ordinary_archives_are_quiet() {
    check(Zip::of([ZipEntry::stored("a", CONTENT), ZipEntry::deflated("b", CONTENT)]).build(), &[]);
    check(torch_zip(PICKLE, &[1; 400]).build(), &[]);
    check(tar(&[TarEntry::file("a/b", CONTENT), TarEntry::symlink("a/c", "b")]), &[]);
    check(gzip(CONTENT), &[]);
    let array = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", &[0; 16]);
    check(array.clone(), &[]);
    check(Zip::of([ZipEntry::stored("x.npy", &array)]).build(), &[]);
    let script = b"class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return torch.relu(ops.quantized.add(x, x, 1., 0))\n";
    check(Zip::of([ZipEntry::stored("m/code/__torch__.py", script)]).build(), &[]);
}

#[test]
fn names_and_links_that_lead_out_block() {
    check(Zip::of([ZipEntry::stored("../x", CONTENT)]).build(), &[("ARC001", Severity::High)]);
    check(tar(&[TarEntry::file("/etc/cron.d/x", CONTENT)]), &[("ARC001", Severity::High)]);
    check(tar(&[TarEntry::symlink("weights", "../../secret")]), &[("ARC002", Severity::High)]);
    let device = TarEntry { kind: b'3', ..TarEntry::file("model.bin", b"") };
    check(tar(&[device]), &[("ARC013", Severity::Medium)]);
}

#[test]
fn what_misleads_readers_asks_for_review() {
    let entry = || ZipEntry::stored("x", CONTENT);
    let medium = |code| [(code, Severity::Medium)];
    check(Zip::of([entry().local(|header| header.name = b"y".to_vec())]).build(), &medium("ARC003"));
    check(Zip::of([entry(), ZipEntry::stored("x", b"other")]).build(), &medium("ARC004"));
    check(Zip { comment: Zip::default().build(), ..Zip::of([entry()]) }.build(), &medium("ARC005"));
    check(Zip::of([entry(), ZipEntry { central: None, ..entry() }]).build(), &medium("ARC006"));
    check(Zip::of([entry().both(|header| header.method = 77)]).build(), &medium("ARC007"));
    let locked = ZipEntry::packed("x", 0, CONTENT, vec![3; 60]).both(|header| header.flags = 1);
    check(Zip::of([locked]).build(), &medium("ARC008"));
    check(Zip::of([entry().both(|header| header.crc32 = 5)]).build(), &medium("ARC009"));
    let mut sum = gzip(CONTENT);
    let at = sum.len() - 8;
    sum[at] ^= 1;
    check(sum, &medium("ARC009"));
    check(b"Rar!\x1a\x07\x01\x00rest".to_vec(), &medium("ARC015"));
}

#[test]
fn entries_that_share_bytes_and_names_that_collide() {
    let twin = ZipEntry { shares: Some(0), ..ZipEntry::stored("x", CONTENT) };
    let found = findings(Zip::of([ZipEntry::stored("x", CONTENT), twin]).build(), &Budget::default());
    assert!(found.iter().any(|finding| finding.code == "ARC010"), "{found:?}");
    let cases = [ZipEntry::stored("x", CONTENT), ZipEntry::stored("X", CONTENT)];
    check(Zip::of(cases).build(), &[("ARC012", Severity::Low)]);
}

#[test]
fn bombs_are_reported() {
    let budget = Budget { max_expanded: 1 << 20, ..Budget::default() };
    let zeros = vec![0; 16 << 20];
    for bytes in [Zip::of([ZipEntry::deflated("x", &zeros)]).build(), gzip(&zeros)] {
        let found = findings(bytes, &budget);
        assert!(found.iter().any(|finding| finding.code == "ARC011"), "{found:?}");
    }
}

#[test]
fn foreign_bytes_weigh_more_when_they_are_something() {
    let zip = Zip::of([ZipEntry::stored("x", CONTENT)]);
    check(Zip { suffix: vec![b'-'; 9], ..zip.clone() }.build(), &[("ARC014", Severity::Low)]);
    let mut suffix = vec![b'-'; 9];
    suffix.extend(gzip(CONTENT));
    check(Zip { suffix, ..zip }.build(), &[("ARC014", Severity::Medium), ("ARC016", Severity::Low)]);
}

#[test]
fn hidden_pickles_and_programs_are_reported() {
    let weights: Vec<u8> = (0..500u32).flat_map(|i| (1.0 / (i as f32 + 3.0)).to_le_bytes()).collect();
    check(weights.clone(), &[]);
    let behind = |hidden: &[u8]| [weights.as_slice(), hidden].concat();
    check(behind(b"cos\nsystem\n(S'id'\ntR."), &[("ARC016", Severity::Medium)]);
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[2, 0, 62, 0], &[0; 60]].concat();
    check(behind(&elf), &[("ARC016", Severity::Medium)]);
}

#[test]
fn torchscript_that_reaches_files_blocks() {
    let script = |line: &str| {
        Zip::of([ZipEntry::stored(
            "m/code/__torch__.py",
            format!("def f(x: Tensor):\n  {line}\n").as_bytes(),
        )])
        .build()
    };
    check(script("return torch.from_file(\"/etc/passwd\", False, 10)"), &[("PYT001", Severity::High)]);
    check(script("ops.image.write_file(\"x\", x)"), &[("PYT001", Severity::High)]);
    check(script("_0 = (x).save(\"y\")"), &[("PYT001", Severity::Medium)]);
    check(script("return ops.mystery.decode(x)"), &[("PYT002", Severity::Low)]);
    check(script("y = \"torch.save\""), &[]);
}

#[test]
fn bundles_with_code_ask_for_review() {
    let package =
        [ZipEntry::stored("p/.data/extern_modules", b"torch"), ZipEntry::stored("p/m.py", b"x = 1\n")];
    check(Zip::of(package).build(), &[("PYT003", Severity::Medium)]);
    let served =
        [ZipEntry::stored("MAR-INF/MANIFEST.json", b"{}"), ZipEntry::stored("handler.py", b"x = 1\n")];
    check(Zip::of(served).build(), &[("PYT004", Severity::Medium)]);
    let legacy = ["pickle", "tensors", "storages"].map(|name| TarEntry::file(name, PICKLE));
    check(tar(&legacy), &[("PYT005", Severity::Low)]);
}

#[test]
fn numpy_headers_and_objects() {
    let object = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", PICKLE);
    check(object, &[("NPY001", Severity::Info)]);
    check(npy("{'descr': __import__('os').getcwd()}", b""), &[("NPY002", Severity::Medium)]);
}
