//! The log against a second implementation, in Python: `second.py`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{fs, process::Command};

use alnage_log::{
    Entry, LogKey, MemoryStore, NoteKey, Policy, Scheme, Store, Update, add_cosignatures, append_all,
    checkpoint_text, leaf_hash, verify_consistency, verify_inclusion, witness,
};
use alnage_types::Digest;

fn second(arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/second.py");
    let output = Command::new(testkit::peers::python()).arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_proofs_hold_and_no_changed_one_does() {
    let digest = |value: &serde_json::Value| value.as_str().unwrap().parse::<Digest>().unwrap();
    let digests =
        |value: &serde_json::Value| value.as_array().unwrap().iter().map(digest).collect::<Vec<_>>();
    let another = leaf_hash(b"another");
    let (mut included, mut consistent) = (0, 0);
    for line in second(&["vectors"]).lines() {
        let tree: serde_json::Value = serde_json::from_str(line).unwrap();
        let (size, root) = (tree["size"].as_u64().unwrap(), digest(&tree["root"]));
        for case in tree["inclusion"].as_array().unwrap() {
            let (index, proof) = (case[0].as_u64().unwrap(), digests(&case[1]));
            let leaf = leaf_hash(format!("entry {index}").as_bytes());
            verify_inclusion(index, size, leaf, &proof, root).unwrap();
            let refuse = |index, leaf, proof: &[Digest]| {
                assert!(verify_inclusion(index, size, leaf, proof, root).is_err(), "{index} of {size}");
            };
            refuse(index, leaf, &[proof.as_slice(), &[root]].concat());
            refuse(index, another, &proof);
            refuse(size, leaf, &proof);
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = another;
                refuse(index, leaf, &changed);
                refuse(index, leaf, &proof[..at]);
            }
            included += 1;
        }
        for case in tree["consistency"].as_array().unwrap() {
            let (old, old_root, proof) = (case[0].as_u64().unwrap(), digest(&case[1]), digests(&case[2]));
            verify_consistency(old, size, &proof, old_root, root).unwrap();
            let refuse = |proof: &[Digest]| {
                assert!(verify_consistency(old, size, proof, old_root, root).is_err(), "{old} to {size}");
            };
            refuse(&[proof.as_slice(), &[root]].concat());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = another;
                refuse(&changed);
                refuse(&proof[..at]);
            }
            consistent += 1;
        }
    }
    assert!(included > 2_500 && consistent > 2_500, "{included} {consistent}");
}

/// A log signed with both kinds of keys and cosigned by witnesses of both kinds, read by the second implementation.
#[test]
fn it_reads_our_logs_and_verifies_our_signatures() {
    let key = |scheme, name: &str, seed| NoteKey::from_seed(scheme, name, &[seed; 32]).unwrap();
    let origin = "log.example/python";
    let log = LogKey::new(vec![key(Scheme::Ed25519, origin, 1), key(Scheme::MlDsa44, origin, 2)]).unwrap();
    let witnesses =
        [key(Scheme::Cosignature, "witness.example/w", 3), key(Scheme::MlDsa44, "witness.example/w", 4)];
    let verifiers = witnesses.each_ref().map(|key| key.verifier().clone());
    let keys: Vec<String> = log.verifier().keys().iter().chain(&verifiers).map(ToString::to_string).collect();
    let directory = tempfile::tempdir().unwrap();
    let mut store = MemoryStore::default();
    let mut grown = 0_u64;
    for size in [1, 2, 255, 256, 257, 600, 66_000] {
        let mut entries = (grown..size).map(|number| {
            Ok(Entry {
                statement: Digest::of(&number.to_be_bytes()),
                subject: Digest::of(b"model"),
                predicate_type: "p".into(),
                time: "2026-11-22T03:00:00Z".into(),
            })
        });
        append_all(&mut store, &log, &mut entries).unwrap();
        grown = size;
        let checkpoint = checkpoint_text(&store).unwrap().unwrap();
        let update = Update { old_size: 0, proof: Vec::new(), checkpoint };
        let agreed = witness(&update, log.verifier(), None, &witnesses, 1_800_000_000 + size).unwrap();
        add_cosignatures(&mut store, log.verifier(), &verifiers, &agreed.cosignatures).unwrap();
        for (name, bytes) in &store.objects {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let mut arguments = vec!["check", directory.path().to_str().unwrap()];
        arguments.extend(keys.iter().map(String::as_str));
        assert_eq!(second(&arguments).trim(), format!("{size} {}", agreed.checkpoint.root));
        let policy = Policy::parse(&format!("witness w {}\nquorum w\n", verifiers[1])).unwrap();
        policy.verify(&checkpoint_text(&store).unwrap().unwrap()).unwrap();
    }
    assert!(store.names().unwrap().iter().any(|name| name == "tile/2/000.p/1"));
}
