use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::archive::{Zip, ZipEntry, gzip, npy};

use crate::analyse;

/// What is found behind weights: the suffixes of the members' names.
fn found(hidden: &[u8]) -> Vec<String> {
    let mut bytes: Vec<u8> = weights(1000);
    bytes.extend(hidden);
    let source = Arc::new(MemorySource::new(bytes));
    let analysis = analyse(ArtifactPath::file("f"), source, &Budget::default());
    let names = analysis.artifacts.iter().filter_map(|artifact| artifact.path.as_str().strip_prefix("f!/"));
    let mut names: Vec<String> = names.filter(|name| !name.contains("!/")).map(str::to_owned).collect();
    names.dedup();
    names
}

/// Numbers as weights have them.
fn weights(count: u32) -> Vec<u8> {
    let mut state = 0x2545_f491u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32 * 0.1
    };
    (0..count).flat_map(|_| next().to_le_bytes()).collect()
}

#[test]
fn hidden_artifacts_are_found() {
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[2, 0, 62, 0], &[0; 60]].concat();
    let zip = Zip::of([ZipEntry::stored("x", b"content")]).build();
    for (hidden, suffix) in [
        (b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03.".to_vec(), ".pkl"),
        (b"cos\nsystem\n(S'id'\ntR.".to_vec(), ".pkl"),
        (b"cos\nsystem\n)R.".to_vec(), ".pkl"),
        (gzip(b"some content that is compressed"), ".gz"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", &[0; 4]), ".npy"),
        (elf, ".exe"),
    ] {
        assert_eq!(found(&hidden), [format!("carved@0xfa0{suffix}")], "{suffix}");
    }
    // A zip is found from its end by its own readers.
    assert_eq!(found(&zip), ["x"]);
}

#[test]
fn weights_and_prose_give_nothing() {
    assert_eq!(found(&weights(300_000)), Vec::<String>::new());
    assert_eq!(found(&[0x80, 0, 0, 0].repeat(10_000)), Vec::<String>::new());
    assert_eq!(
        found("cos\nsin\ntan\nclass\nPK MZ BZh {\"a\": 1}\n".repeat(1000).as_bytes()),
        Vec::<String>::new()
    );
}

#[test]
fn a_header_that_is_too_long_to_read_is_not_found_in_itself() {
    let header = format!("{{\"__metadata__\":{{\"a\":\"{}\"}}}}", "A".repeat(4096));
    let bytes = testkit::tensor::safetensors(&header, &[]);
    let budget = Budget { max_member_memory: 1024, ..Budget::default() };
    let analysis = analyse(ArtifactPath::file("f.safetensors"), Arc::new(MemorySource::new(bytes)), &budget);
    assert_eq!(analysis.artifacts.len(), 1);
    assert_eq!(analysis.issues.len(), 1);
}
