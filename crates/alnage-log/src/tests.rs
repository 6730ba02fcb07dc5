//! Known trees and notes, every proof of every small log against a naive tree, and stores that fail or lie.

use std::io;

use alnage_types::Digest;

use super::*;
use crate::tiles;

mod damage;
mod notes;
mod witnessing;

/// The leaves that Certificate Transparency's implementations test with, and the roots over the first n of them.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The definition of RFC 6962, word for word.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
        }
    }
}

fn key() -> LogKey {
    LogKey::from_seed("log.example/test", &[3; 32]).unwrap()
}

fn entry(number: u64) -> Entry {
    Entry {
        statement: Digest::of(&number.to_be_bytes()),
        subject: Digest::of(b"model"),
        predicate_type: "https://in-toto.io/attestation/svr/v0.1".into(),
        time: "2026-11-22T03:00:00Z".into(),
    }
}

fn log_of(size: u64) -> (MemoryStore, Vec<Receipt>) {
    let mut store = MemoryStore::default();
    let receipts = (0..size).map(|number| append(&mut store, &key(), &entry(number)).unwrap()).collect();
    (store, receipts)
}

fn leaves(size: u64) -> Vec<Digest> {
    (0..size).map(|number| leaf_hash(&entry(number).to_bytes().unwrap())).collect()
}

#[test]
fn known_roots() {
    let leaves: Vec<Digest> = LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut store = MemoryStore::default();
    for (size, known) in (0..).zip(ROOTS) {
        let root = tiles::range_hash(&store, 0, size, size).unwrap();
        assert_eq!(root.to_string(), known);
        if let Some(leaf) = leaves.get(size as usize) {
            log::write_hashes(&mut store, size, *leaf).unwrap();
        }
    }
}

#[test]
fn a_known_note_and_its_keys() {
    // The example of the signed-note format's first implementation.
    let private = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signed = format!(
        "{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let key = LogKey::from_text(private).unwrap();
    assert_eq!(key.verifier().to_string(), public);
    assert_eq!(key.to_text().trim_end(), private);
    assert_eq!(key.sign(text).unwrap(), signed);
    let verifier = LogVerifier::from_text(public).unwrap();
    assert_eq!(verifier.open(&signed).unwrap(), text);
    assert!(matches!(verifier.open(&signed.replace("answer", "question")), Err(Error::Unproven(_))));
    assert!(!format!("{key:?}").contains("PRIVATE") && format!("{key:?}").contains("***"));
}

#[test]
fn keys_that_are_none_are_refused() {
    for text in [
        "",
        "PRIVATE+KEY+",
        "PRIVATE+KEY+a+00000000+AQ==",
        "a+b",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcAA==",
        "witness+00000000+Bg==",
        "PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
    ] {
        assert!(LogKey::from_text(text).is_err(), "{text}");
        assert!(LogVerifier::from_text(text).is_err(), "{text}");
    }
    for origin in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(LogKey::from_seed(origin, &[1; 32]).is_err(), "{origin}");
    }
}

#[test]
fn every_receipt_of_every_small_log_holds_and_no_other_does() {
    let (_, receipts) = log_of(40);
    let verifier = key().verifier().clone();
    for (number, receipt) in (0..).zip(&receipts) {
        let again = Receipt::parse(&receipt.to_string()).unwrap();
        assert_eq!(&again, receipt);
        let logged = again.verify(&verifier).unwrap();
        assert_eq!((logged.index, &logged.entry), (number, &entry(number)));
        assert_eq!(
            (logged.checkpoint.size, logged.checkpoint.root),
            (number + 1, naive_root(&leaves(number + 1)))
        );
        let mut moved = receipt.clone();
        moved.index = number.wrapping_sub(1);
        assert!(moved.verify(&verifier).is_err(), "{number}");
        let mut other = receipt.clone();
        other.entry = entry(number + 1).to_bytes().unwrap();
        assert!(other.verify(&verifier).is_err(), "{number}");
        let mut longer = receipt.clone();
        longer.proof.push(empty_root());
        assert!(longer.verify(&verifier).is_err(), "{number}");
        let mut shorter = receipt.clone();
        assert!(shorter.proof.pop().is_none() || shorter.verify(&verifier).is_err(), "{number}");
    }
}

#[test]
fn every_inclusion_and_consistency_proof_of_small_logs() {
    let (store, _) = log_of(36);
    let leaves = leaves(36);
    let root = |size: u64| naive_root(&leaves[..size as usize]);
    for new in 0..=36 {
        for old in 0..=new {
            let proof = prove_consistency(&store, old, new).unwrap();
            verify_consistency(old, new, &proof, root(old), root(new)).unwrap();
            let mut changed = proof.clone();
            if let Some(hash) = changed.first_mut() {
                *hash = empty_root();
                assert!(verify_consistency(old, new, &changed, root(old), root(new)).is_err(), "{old} {new}");
                changed.remove(0);
                assert!(verify_consistency(old, new, &changed, root(old), root(new)).is_err(), "{old} {new}");
            }
            let longer = [proof.as_slice(), &[empty_root()]].concat();
            assert!(verify_consistency(old, new, &longer, root(old), root(new)).is_err(), "{old} {new}");
            if old > 0 {
                let other = Digest::of(b"other");
                assert!(verify_consistency(old, new, &proof, other, root(new)).is_err(), "{old} {new}");
                assert!(verify_consistency(old, new, &proof, root(old), other).is_err(), "{old} {new}");
            }
        }
        for index in 0..new {
            let proof = prove::prove_inclusion(&store, index, new).unwrap();
            verify_inclusion(index, new, leaves[index as usize], &proof, root(new)).unwrap();
        }
        assert!(matches!(prove::prove_inclusion(&store, new, new), Err(Error::NoSuchEntry { .. })));
    }
    assert!(verify_consistency(3, 2, &[], root(3), root(2)).is_err());
}

#[test]
fn tiles_fill_and_the_next_level_begins() {
    let (store, receipts) = log_of(258);
    let objects = |name: &str| store.objects.get(name).map(Vec::len);
    assert_eq!(objects("tile/0/000"), Some(256 * 32));
    assert_eq!(objects("tile/0/000.p/255"), None, "the full tile says the same");
    assert_eq!(objects("tile/0/001.p/2"), Some(2 * 32));
    assert_eq!(objects("tile/1/000.p/1"), Some(32));
    assert!(objects("tile/entries/000").is_some() && objects("tile/entries/001.p/2").is_some());
    let verifier = key().verifier().clone();
    let last = receipts[257].verify(&verifier).unwrap();
    assert_eq!(last.checkpoint.root, naive_root(&leaves(258)));
    assert_eq!(current(&store, &verifier).unwrap(), Some(last.checkpoint));
    receipt_for(&store, &verifier, 3).unwrap().verify(&verifier).unwrap();
    receipt_for(&store, &verifier, 256).unwrap().verify(&verifier).unwrap();
    assert!(matches!(receipt_for(&store, &verifier, 258), Err(Error::NoSuchEntry { .. })));
}

#[test]
fn partial_tiles_may_be_deleted_once_there_is_a_full_one() {
    let (mut store, _) = log_of(258);
    store.objects.retain(|name, _| !name.starts_with("tile/0/000.p/"));
    let leaves = leaves(200);
    let proof = prove::prove_inclusion(&store, 77, 200).unwrap();
    verify_inclusion(77, 200, leaves[77], &proof, naive_root(&leaves)).unwrap();
}

#[test]
fn a_log_of_three_levels() {
    let size = 65_536 + 300;
    let leaves: Vec<Digest> = (0_u64..size).map(|number| leaf_hash(&number.to_be_bytes())).collect();
    let mut store = MemoryStore::default();
    // Whole tiles at once, as if the log had grown so far; then on as it really grows.
    for (tile, hashes) in leaves[..65_280].chunks(256).enumerate() {
        let name = tiles::tile_name(0, tile as u64, 256);
        store.objects.insert(name, tiles::tile_bytes(hashes));
    }
    let roots: Vec<Digest> = leaves[..65_280].chunks(256).map(naive_root).collect();
    store.objects.insert(tiles::tile_name(1, 0, 255), tiles::tile_bytes(&roots));
    for number in 65_280..size {
        log::write_hashes(&mut store, number, leaves[number as usize]).unwrap();
    }
    assert!(store.objects.contains_key("tile/2/000.p/1") && store.objects.contains_key("tile/1/001.p/1"));
    let root = naive_root(&leaves);
    assert_eq!(tiles::range_hash(&store, 0, size, size).unwrap(), root);
    for index in [0, 255, 256, 65_535, 65_536, 65_792, size - 1] {
        let proof = prove::prove_inclusion(&store, index, size).unwrap();
        verify_inclusion(index, size, leaves[index as usize], &proof, root).unwrap();
    }
    for old in [1, 256, 65_535, 65_536, 65_537, 65_800] {
        let proof = prove_consistency(&store, old, size).unwrap();
        verify_consistency(old, size, &proof, naive_root(&leaves[..old as usize]), root).unwrap();
    }
}

#[test]
fn tile_names() {
    assert_eq!(tiles::tile_name(1, 1_234_067, 256), "tile/1/x001/x234/067");
    assert_eq!(tiles::bundle_name(0, 5), "tile/entries/000.p/5");
    // The example of the specification: a log of 70,000 entries.
    assert_eq!(tiles::tile_width(0, 272, 70_000), 256);
    assert_eq!(tiles::tile_width(0, 273, 70_000), 112);
    assert_eq!(tiles::tile_width(1, 1, 70_000), 17);
    assert_eq!(tiles::tile_width(2, 0, 70_000), 1);
    assert_eq!(tiles::tile_width(3, 0, 70_000), 0);
}

/// Fails from the nth write on, as a full disk or a crash does.
struct Failing {
    inner: MemoryStore,
    writes_left: u32,
}

impl Store for Failing {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.inner.read(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.writes_left =
            self.writes_left.checked_sub(1).ok_or_else(|| io::Error::other("no space left"))?;
        self.inner.write(name, bytes)
    }

    fn discard(&mut self, folder: &str) -> io::Result<()> {
        self.inner.discard(folder)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.inner.names()
    }
}

#[test]
fn a_crash_between_any_two_writes_loses_nothing_acknowledged() {
    let verifier = key().verifier().clone();
    for before in [0, 1, 255] {
        let (whole, receipts) = log_of(before);
        let needed = if before == 255 { 4 } else { 3 } + u32::from(before == 0);
        for writes_left in 0..=needed {
            let mut store = Failing { inner: whole.clone(), writes_left };
            match append(&mut store, &key(), &entry(1000)) {
                Err(Error::Store { .. }) => {}
                outcome => {
                    assert!(outcome.is_ok() && writes_left == needed, "{before} {writes_left} {outcome:?}")
                }
            }
            let mut store = store.inner;
            for receipt in &receipts {
                receipt.verify(&verifier).unwrap();
            }
            append(&mut store, &key(), &entry(2000)).unwrap();
            let mut seen = Vec::new();
            let state = audit(&store, &verifier, &mut |_, entry| seen.push(entry.clone())).unwrap();
            assert_eq!(state.size, seen.len() as u64);
            assert_eq!(seen.last(), Some(&entry(2000)));
            assert_eq!(seen[..before as usize], (0..before).map(entry).collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_audit_finds_every_changed_byte() {
    let (store, _) = log_of(5);
    let verifier = key().verifier().clone();
    let covered = ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"];
    for name in covered {
        for at in 0..store.objects[name].len() {
            let mut changed = store.clone();
            changed.objects.get_mut(name).unwrap()[at] ^= 1;
            assert!(audit(&changed, &verifier, &mut |_, _| {}).is_err(), "{name} {at}");
        }
        let mut cut = store.clone();
        cut.objects.get_mut(name).unwrap().pop();
        assert!(audit(&cut, &verifier, &mut |_, _| {}).is_err(), "{name} cut");
    }
    for name in &covered[1..] {
        let mut missing = store.clone();
        missing.objects.remove(*name);
        assert!(matches!(audit(&missing, &verifier, &mut |_, _| {}), Err(Error::Damaged(_))), "{name}");
    }
    assert_eq!(audit(&store, &verifier, &mut |_, _| {}).unwrap().size, 5);
    assert_eq!(audit(&MemoryStore::default(), &verifier, &mut |_, _| {}).unwrap().root, empty_root());
}

#[test]
fn a_damaged_or_foreign_log_does_not_grow() {
    let (mut store, _) = log_of(3);
    let other = LogKey::from_seed("log.example/other", &[4; 32]).unwrap();
    assert!(matches!(append(&mut store.clone(), &other, &entry(9)), Err(Error::Unproven(_))));
    let same_name = LogKey::from_seed("log.example/test", &[4; 32]).unwrap();
    assert!(matches!(append(&mut store.clone(), &same_name, &entry(9)), Err(Error::Unproven(_))));
    store.objects.get_mut("tile/0/000.p/3").unwrap()[0] ^= 1;
    assert!(matches!(append(&mut store, &key(), &entry(9)), Err(Error::Damaged(_))));
}

#[test]
fn an_entry_that_is_too_long_is_refused() {
    let long = Entry { predicate_type: "x".repeat(70_000), ..entry(0) };
    let mut store = MemoryStore::default();
    assert!(matches!(append(&mut store, &key(), &long), Err(Error::Malformed(_))));
    assert_eq!(store.objects.keys().collect::<Vec<_>>(), ["checkpoint"]);
    assert_eq!(current(&store, key().verifier()).unwrap().unwrap().size, 0);
}

#[test]
fn receipts_and_checkpoints_that_are_none_are_refused() {
    let (_, receipts) = log_of(3);
    let good = receipts[2].to_string();
    let verifier = key().verifier().clone();
    Receipt::parse(&good).unwrap().verify(&verifier).unwrap();
    let check = |what: &str, text: &str| {
        let refused = Receipt::parse(text).and_then(|receipt| receipt.verify(&verifier)).is_err();
        assert!(refused && text != good, "{what}");
    };
    check("nothing", "");
    check("header", &good.replace("tlog-proof@v1", "tlog-proof@v2"));
    check("no entry", &good.replace("extra ", "Extra "));
    check("index with zero", &good.replace("index 2", "index 02"));
    check("index with sign", &good.replace("index 2", "index +2"));
    check("other index", &good.replace("index 2", "index 1"));
    check("proof", &good.replacen("\n\n", "\nAAAA\n\n", 1));
    check(
        "long proof",
        &good.replacen(
            "\n\n",
            &format!("{}\n\n", "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".repeat(65)),
            1,
        ),
    );
    check("size", &good.replace("\n3\n", "\n4\n"));
    check("origin", &good.replace("log.example/test", "log.example/tent"));
    check("no signature", good.split("\n— ").next().unwrap());
    check("last line", good.trim_end());
    check("control character", &good.replace("\n3\n", "\n3\r\n"));
    // Signatures by others, witnesses for one, are passed over.
    let witnessed = format!("{good}— witness.example AAAAAAAA\n");
    Receipt::parse(&witnessed).unwrap().verify(&verifier).unwrap();
}
