use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, IssueKind, MemorySource};
use testkit::archive::{STREAM_CONTENT, STREAMS, TarEntry, gzip, hex, npy, tar, zlib};

use crate::analyse;

/// The formats of the readings with their places, and the issues.
#[track_caller]
fn check(bytes: Vec<u8>, readings: &[(&str, &str, usize)], issues: &[IssueKind]) {
    let analysis = analyse(ArtifactPath::file("f"), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let found: Vec<_> = analysis
        .artifacts
        .iter()
        .map(|artifact| (artifact.path.as_str(), artifact.format, artifact.size as usize))
        .collect();
    assert_eq!(found, readings, "{:?}", analysis.issues);
    let raised: Vec<_> = analysis.issues.iter().map(|issue| issue.kind).collect();
    assert_eq!(raised, issues, "{:?}", analysis.issues);
}

const TEXT: &[u8] = b"some text, and more of it\n";

#[test]
fn every_stream_is_decompressed() {
    for (format, digits) in STREAMS {
        let bytes = hex(digits);
        check(
            bytes.clone(),
            &[("f", format, bytes.len()), ("f!/decompressed", "text", STREAM_CONTENT.len())],
            &[],
        );
    }
    let bytes = zlib(TEXT);
    check(bytes.clone(), &[("f", "zlib", bytes.len()), ("f!/decompressed", "text", TEXT.len())], &[]);
    let next = [
        ("f", "zlib", 2 * bytes.len()),
        ("f!/next", "zlib", bytes.len()),
        ("f!/next!/decompressed", "text", TEXT.len()),
        ("f!/decompressed", "text", TEXT.len()),
    ];
    check(bytes.repeat(2), &next, &[]);
    let mut old = format!("ZF{:<19}", format!("{:#x}", TEXT.len())).into_bytes();
    old.extend(&bytes);
    check(old.clone(), &[("f", "joblib-zfile", old.len()), ("f!/decompressed", "text", TEXT.len())], &[]);
}

#[test]
fn members_of_a_gzip_are_one_stream() {
    let mut bytes = gzip(TEXT);
    bytes.extend(gzip(TEXT));
    check(bytes.clone(), &[("f", "gzip", bytes.len()), ("f!/decompressed", "text", 2 * TEXT.len())], &[]);
}

#[test]
fn what_comes_before_damage_is_read() {
    let mut bytes = gzip(TEXT);
    bytes.truncate(bytes.len() - 8);
    let readings = [("f", "gzip", bytes.len()), ("f!/decompressed", "text", TEXT.len())];
    check(bytes, &readings, &[IssueKind::Truncated]);
}

#[test]
fn members_of_a_tar_are_read_past_its_end() {
    let mut bytes = tar(&[TarEntry::file("a", TEXT)]);
    bytes.extend(tar(&[TarEntry::file("b", TEXT)]));
    let readings = [("f", "tar", bytes.len()), ("f!/a", "text", TEXT.len()), ("f!/b", "text", TEXT.len())];
    check(bytes, &readings, &[]);
}

#[test]
fn long_tar_names_are_read() {
    let long = "d/".repeat(80) + "x";
    let name = TarEntry { kind: b'L', ..TarEntry::file("././@LongLink", long.as_bytes()) };
    let pax = format!("{} path={long}\n", long.len() + 10);
    let record = TarEntry { kind: b'x', ..TarEntry::file("PaxHeader", pax.as_bytes()) };
    for extension in [name, record] {
        let bytes = tar(&[extension, TarEntry::file("short", TEXT)]);
        let member = format!("f!/{long}");
        check(bytes.clone(), &[("f", "tar", bytes.len()), (&member, "text", TEXT.len())], &[]);
    }
}

#[test]
fn arrays_are_measured_by_shape_and_type() {
    let fits = npy(
        "{'descr': [('a', '<f4'), ('b', '<U2', (2,))], 'fortran_order': True, 'shape': (3,), }",
        &[0; 60],
    );
    check(fits.clone(), &[("f", "numpy-array", fits.len())], &[]);
    let short = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }", &[0; 8]);
    check(short.clone(), &[("f", "numpy-array", short.len())], &[IssueKind::Truncated]);
    let object = npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", b"\x80\x02}q\x00.");
    check(object.clone(), &[("f", "numpy-array", object.len()), ("f!/object", "pickle", 6)], &[]);
}
