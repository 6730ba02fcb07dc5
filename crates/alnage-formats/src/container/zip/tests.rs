use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, IssueKind, MemorySource};
use testkit::archive::{Zip, ZipEntry, torch_zip};

use crate::{
    Analysis, Facts, analyse,
    container::{AnomalyKind, ArchiveFacts, ContainerFacts},
};

const GOOD: &[u8] = b"the good content, long enough to be something";
const EVIL: &[u8] = b"the evil content, long enough to be something else";

fn analysis(bytes: Vec<u8>) -> Analysis {
    analyse(ArtifactPath::file("f"), Arc::new(MemorySource::new(bytes)), &Budget::default())
}

fn facts(analysis: &Analysis) -> &ArchiveFacts {
    let zip =
        analysis.artifacts.iter().find(|artifact| artifact.format == "zip" && artifact.path.as_str() == "f");
    match &zip.expect("read as zip").facts {
        Facts::Container(facts) => match facts.as_ref() {
            ContainerFacts::Archive(facts) => facts,
            _ => panic!("no archive facts"),
        },
        _ => panic!("no container facts"),
    }
}

/// Members as `name:length`, anomalies by kind, and no issue but those of `issues`.
#[track_caller]
fn check(bytes: Vec<u8>, members: &[(&str, usize)], anomalies: &[AnomalyKind], issues: &[IssueKind]) {
    let analysis = analysis(bytes);
    let mut found: Vec<_> = analysis
        .artifacts
        .iter()
        .filter_map(|artifact| Some((artifact.path.as_str().strip_prefix("f!/")?, artifact.size as usize)))
        .collect();
    found.dedup();
    assert_eq!(found, members, "{:?}", analysis.issues);
    let mut kinds: Vec<_> = facts(&analysis).anomalies.iter().map(|anomaly| anomaly.kind).collect();
    kinds.dedup();
    assert_eq!(kinds, anomalies, "{:?}", facts(&analysis).anomalies);
    let raised: Vec<_> = analysis.issues.iter().map(|issue| issue.kind).collect();
    assert_eq!(raised, issues, "{:?}", analysis.issues);
}

#[test]
fn ordinary_zips_are_quiet() {
    let entries = [ZipEntry::stored("a", GOOD), ZipEntry::deflated("b/c", EVIL), ZipEntry::stored("b/", b"")];
    let members = [("a", GOOD.len()), ("b/c", EVIL.len())];
    check(Zip::of(entries.clone()).build(), &members, &[], &[]);
    check(Zip { zip64: true, ..Zip::of(entries.clone()) }.build(), &members, &[], &[]);
    check(Zip { comment: b"made by hand".to_vec(), ..Zip::of(entries.clone()) }.build(), &members, &[], &[]);
    check(Zip::of([ZipEntry { descriptor: true, ..entries[1].clone() }]).build(), &members[1..], &[], &[]);
    for (_, digits) in testkit::archive::PACKED_ZIPS {
        check(testkit::archive::hex(digits), &[("m.txt", testkit::archive::STREAM_CONTENT.len())], &[], &[]);
    }
}

#[test]
fn a_local_name_or_flag_of_its_own_is_seen() {
    let renamed = ZipEntry::stored("data.pkl", EVIL).local(|header| header.name = b"data_pkl".to_vec());
    check(Zip::of([renamed]).build(), &[("data.pkl", EVIL.len())], &[AnomalyKind::NameMismatch], &[]);
    let flagged = ZipEntry::stored("data.pkl", EVIL).local(|header| header.flags = 0x2809);
    check(Zip::of([flagged]).build(), &[("data.pkl", EVIL.len())], &[AnomalyKind::FlagMismatch], &[]);
    let summed = ZipEntry::stored("data.pkl", EVIL).local(|header| header.crc32 ^= 1);
    check(Zip::of([summed]).build(), &[("data.pkl", EVIL.len())], &[AnomalyKind::SizeMismatch], &[]);
}

#[test]
fn either_method_may_be_the_true_one() {
    let lies_outside = ZipEntry::deflated("x", EVIL).local(|header| header.method = 0);
    check(Zip::of([lies_outside]).build(), &[("x", EVIL.len())], &[AnomalyKind::MethodMismatch], &[]);
    let unknown = ZipEntry::stored("x", EVIL).both(|header| header.method = 99);
    check(Zip::of([unknown]).build(), &[("x", EVIL.len())], &[AnomalyKind::FalseMethod], &[]);
    let stored_as_deflated = ZipEntry::stored("x", EVIL).both(|header| header.method = 8);
    check(Zip::of([stored_as_deflated]).build(), &[("x", EVIL.len())], &[AnomalyKind::FalseMethod], &[]);
}

#[test]
fn unread_methods_are_an_issue_and_their_bytes_are_still_looked_at() {
    let packed = ZipEntry::packed("x", 98, EVIL, vec![7; 9]);
    check(Zip::of([packed]).build(), &[("x#raw", 9)], &[], &[IssueKind::Unsupported]);
}

#[test]
fn encryption_is_told_from_its_flag() {
    let plain = ZipEntry::stored("x", EVIL).both(|header| header.flags = 1);
    check(Zip::of([plain]).build(), &[("x", EVIL.len())], &[AnomalyKind::FalseEncryption], &[]);
    let packed = ZipEntry::deflated("x", EVIL).both(|header| header.flags = 1);
    check(Zip::of([packed]).build(), &[("x", EVIL.len())], &[AnomalyKind::FalseEncryption], &[]);
    let real = ZipEntry::packed("x", 0, EVIL, vec![9; EVIL.len() + 12]).both(|header| header.flags = 1);
    let members = [("x#raw", EVIL.len() + 12)];
    check(Zip::of([real]).build(), &members, &[AnomalyKind::Encrypted], &[IssueKind::Encrypted]);
}

#[test]
fn both_of_two_equal_names_are_read() {
    let entries = [ZipEntry::stored("data.pkl", GOOD), ZipEntry::stored("data.pkl", EVIL)];
    let members = [("data.pkl", GOOD.len()), ("data.pkl#2", EVIL.len())];
    check(Zip::of(entries).build(), &members, &[AnomalyKind::DuplicateName], &[]);
    let parts = [ZipEntry::stored("data.pkl", GOOD), ZipEntry::stored(".//data.pkl", EVIL)];
    let members = [("data.pkl", GOOD.len()), (".//data.pkl", EVIL.len())];
    check(Zip::of(parts).build(), &members, &[AnomalyKind::NameCollision], &[]);
    let cases = [ZipEntry::stored("data.pkl", GOOD), ZipEntry::stored("Data.PKL", EVIL)];
    let members = [("data.pkl", GOOD.len()), ("Data.PKL", EVIL.len())];
    check(Zip::of(cases).build(), &members, &[AnomalyKind::NameCollision], &[]);
}

#[test]
fn a_wrong_checksum_does_not_hide_the_content() {
    let stored = ZipEntry::stored("x", EVIL).both(|header| header.crc32 = 1);
    check(Zip::of([stored]).build(), &[("x", EVIL.len())], &[AnomalyKind::ChecksumMismatch], &[]);
    let deflated = ZipEntry::deflated("x", EVIL).both(|header| header.crc32 = 1);
    check(Zip::of([deflated]).build(), &[("x", EVIL.len())], &[AnomalyKind::ChecksumMismatch], &[]);
    let short = ZipEntry::deflated("x", EVIL).both(|header| header.size = 3);
    check(Zip::of([short]).build(), &[("x", EVIL.len())], &[AnomalyKind::WrongSize], &[]);
}

#[test]
fn an_end_record_in_the_comment_makes_two_readings() {
    let empty = Zip::default().build();
    let zip = Zip { comment: empty, ..Zip::of([ZipEntry::stored("x", EVIL)]) };
    check(zip.build(), &[("x", EVIL.len())], &[AnomalyKind::RivalDirectory], &[]);
    let promised = Zip { promised: Some(0), ..Zip::of([ZipEntry::stored("x", EVIL)]) };
    check(promised.build(), &[("x", EVIL.len())], &[AnomalyKind::RivalDirectory], &[]);
}

#[test]
fn entries_that_no_directory_lists_are_read() {
    let hidden = ZipEntry { central: None, ..ZipEntry::stored("hidden", EVIL) };
    let zip = Zip::of([ZipEntry::stored("a", GOOD), hidden.clone(), ZipEntry::deflated("b", GOOD)]);
    let members = [("a", GOOD.len()), ("b", GOOD.len()), ("hidden", EVIL.len())];
    check(zip.build(), &members, &[AnomalyKind::HiddenEntry], &[]);
    let streamed = ZipEntry { central: None, descriptor: true, ..ZipEntry::deflated("hidden", EVIL) };
    let zip = Zip::of([streamed, ZipEntry::stored("a", GOOD)]);
    check(zip.build(), &[("a", GOOD.len()), ("hidden", EVIL.len())], &[AnomalyKind::HiddenEntry], &[]);
    let headless = Zip { headless: true, ..Zip::of([ZipEntry::stored("a", EVIL)]) };
    check(headless.build(), &[("a", EVIL.len())], &[AnomalyKind::HiddenEntry], &[IssueKind::Malformed]);
}

#[test]
fn two_zips_in_one_file_are_both_read() {
    let mut both = Zip::of([ZipEntry::stored("first", EVIL)]).build();
    both.extend(Zip::of([ZipEntry::stored("second", GOOD)]).build());
    let members = [("second", GOOD.len()), ("first", EVIL.len())];
    check(both, &members, &[AnomalyKind::HiddenEntry], &[]);
}

#[test]
fn what_stands_in_front_or_behind_is_counted() {
    for absolute in [false, true] {
        let zip = Zip {
            prefix: vec![b'#'; 100],
            suffix: vec![0; 50],
            absolute,
            ..Zip::of([ZipEntry::stored("x", EVIL)])
        };
        let analysis = analysis(zip.build());
        assert_eq!((facts(&analysis).prepended, facts(&analysis).appended), (100, 50));
        assert!(analysis.artifacts.iter().any(|artifact| artifact.path.as_str() == "f!/x"));
    }
}

#[test]
fn names_and_links_that_escape() {
    let escape = ZipEntry::stored("../../x", GOOD);
    check(Zip::of([escape]).build(), &[("../../x", GOOD.len())], &[AnomalyKind::PathEscape], &[]);
    let link = ZipEntry { mode: 0o120_777, ..ZipEntry::stored("x", b"/etc/passwd") };
    check(Zip::of([link]).build(), &[("x", 11)], &[AnomalyKind::LinkEscape], &[]);
    let nul = ZipEntry::stored("data.pkl\0.txt", GOOD);
    check(Zip::of([nul]).build(), &[("data.pkl\\u{0}.txt", GOOD.len())], &[AnomalyKind::AmbiguousName], &[]);
    let folder = ZipEntry::stored("folder/", GOOD);
    check(Zip::of([folder]).build(), &[("folder/", GOOD.len())], &[AnomalyKind::DirectoryWithContent], &[]);
}

#[test]
fn entries_that_share_bytes_are_seen() {
    let mut twin = ZipEntry::stored("twin", EVIL);
    twin.shares = Some(0);
    let zip = Zip::of([ZipEntry::stored("x", EVIL), twin]);
    let members = [("x", EVIL.len()), ("twin", EVIL.len())];
    check(zip.build(), &members, &[AnomalyKind::NameMismatch, AnomalyKind::Overlap], &[]);
}

#[test]
fn storages_are_not_handed_on_unless_they_are_something() {
    let weights: Vec<u8> = (0..4000u32).flat_map(|i| (1.0 / (i as f32 + 3.0)).to_le_bytes()).collect();
    let analysis = analysis(torch_zip(b"\x80\x02}q\x00.", &weights).build());
    assert!(!analysis.artifacts.iter().any(|artifact| artifact.path.as_str().ends_with("data/0")));
    assert!(analysis.artifacts.iter().any(|artifact| artifact.format == "pytorch-zip"));
    assert!(analysis.issues.is_empty(), "{:?}", analysis.issues);
    let hidden = torch_zip(b"\x80\x02}q\x00.", &Zip::of([ZipEntry::stored("x", EVIL)]).build());
    let analysis = self::analysis(hidden.build());
    assert!(analysis.artifacts.iter().any(|artifact| artifact.path.as_str().ends_with("data/0!/x")));
}

#[test]
fn a_bomb_is_stopped_and_said_to_be_one() {
    let zip = Zip::of([ZipEntry::deflated("x", &vec![b'N'; 8 << 20])]);
    let budget = Budget { max_expanded: 1 << 20, ..Budget::default() };
    let analysis = analyse(ArtifactPath::file("f"), Arc::new(MemorySource::new(zip.build())), &budget);
    assert!(facts(&analysis).bomb);
    assert_eq!(analysis.issues.iter().map(|issue| issue.kind).next(), Some(IssueKind::Budget));
}

#[test]
fn no_mutation_of_an_archive_panics() {
    let samples = [
        Zip::of([ZipEntry::stored("a", GOOD), ZipEntry::deflated("b", EVIL)]).build(),
        Zip {
            zip64: true,
            comment: b"c".to_vec(),
            ..Zip::of([ZipEntry { descriptor: true, ..ZipEntry::deflated("b", EVIL) }])
        }
        .build(),
        testkit::archive::tar(&[
            testkit::archive::TarEntry::file("a", GOOD),
            testkit::archive::TarEntry::symlink("b", "a"),
        ]),
        testkit::archive::npy(
            "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (3, 4), }",
            GOOD,
        ),
        testkit::archive::gzip(GOOD),
        testkit::archive::zlib(EVIL),
    ];
    let packed =
        testkit::archive::STREAMS.iter().chain(testkit::archive::SEVENZ).chain(testkit::archive::PACKED_ZIPS);
    let samples: Vec<Vec<u8>> =
        samples.into_iter().chain(packed.map(|(_, digits)| testkit::archive::hex(digits))).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let budget = Budget { max_expanded: 1 << 16, max_steps: 100_000, max_entries: 1000, ..Budget::default() };
    for round in 0..4000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
                _ => bytes.truncate(at.max(1)),
            }
        }
        let analysis = analyse(ArtifactPath::file("f"), Arc::new(MemorySource::new(bytes)), &budget);
        assert!(!analysis.artifacts.is_empty());
    }
}
