//! Worked examples of the specifications, and checkpoints that public logs and witnesses have signed.

use crate::{
    Cosigned, Error, LogKey, LogVerifier, NoteKey, NoteVerifier, Policy, Scheme, append, message,
    note::Note,
    tests::{entry, key, log_of},
};

#[test]
fn the_example_of_signed_note() {
    let verifier =
        LogVerifier::from_text("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let note = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert_eq!(verifier.unwrap().open(note).unwrap(), "This is an example message.\n");
}

#[test]
fn the_messages_of_cosignatures_are_as_specified() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let cosigned = message::cosignature(text, 1_679_315_147);
    assert_eq!(String::from_utf8(cosigned).unwrap(), format!("cosignature/v1\ntime 1679315147\n{text}"));
    let message = message::subtree(text, "witness.example.com/w1", 1_679_315_147).unwrap();
    let head =
        b"subtree/v1\n\0\x16witness.example.com/w1\0\0\0\0\x64\x18\x50\xcb\x1bexample.com/behind-the-sofa";
    assert_eq!(&message[..head.len()], head);
    assert_eq!(message[head.len()..head.len() + 16], [[0; 8], 20_852_163_u64.to_be_bytes()].concat());
    assert_eq!(message.len(), head.len() + 16 + 32);
    // The example's own cosignature, whose key the specification keeps to itself, is at least read as it stands.
    let note = format!(
        "{text}\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    );
    assert_eq!(Note::parse(&note).unwrap().text, text);
}

/// Checkpoints published by staging logs of Certificate Transparency, with cosignatures by public witnesses.
#[test]
fn what_public_witnesses_have_signed_verifies() {
    let ed25519 = include_str!("ed25519.checkpoint");
    let ml_dsa_44 = include_str!("ml-dsa-44.checkpoint");
    let check = |note: &str, key: &str, scheme: Scheme, time: u64| {
        let verifier = NoteVerifier::from_text(key).unwrap();
        assert_eq!((verifier.to_string().as_str(), verifier.scheme()), (key.trim(), scheme));
        assert_eq!(Note::parse(note).unwrap().verify(&verifier).unwrap(), Some(time), "{}", verifier.name());
        // The size is signed: one digit more, and it is another tree.
        let changed = note.replacen("\n1", "\n11", 1);
        assert!(matches!(Note::parse(&changed).unwrap().verify(&verifier), Err(Error::Unproven(_))));
    };
    let log = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
    check(ed25519, log, Scheme::Ed25519, 0);
    let remora = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    check(ed25519, remora, Scheme::Cosignature, 1_779_573_024);
    check(ml_dsa_44, include_str!("ml-dsa-44.vkey"), Scheme::MlDsa44, 1_785_704_691);
}

#[test]
fn a_log_with_two_keys_wants_both_signatures() {
    let keys = [Scheme::Ed25519, Scheme::MlDsa44]
        .map(|scheme| NoteKey::from_seed(scheme, "log.example/two", &[7; 32]));
    let log = LogKey::new(keys.map(Result::unwrap).into()).unwrap();
    let again = LogKey::from_text(&log.to_text()).unwrap();
    assert_eq!(again.verifier(), log.verifier());
    let verifier = LogVerifier::from_text(&log.verifier().to_string()).unwrap();
    assert_eq!((&verifier, verifier.keys().len()), (log.verifier(), 2));
    let mut store = crate::MemoryStore::default();
    let receipt = append(&mut store, &log, &entry(0)).unwrap();
    receipt.verify(&verifier).unwrap();
    let text = receipt.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('—')).collect();
    for line in lines {
        let without = crate::Receipt::parse(&text.replace(&format!("{line}\n"), "")).unwrap();
        assert!(matches!(without.verify(&verifier), Err(Error::Unproven(_) | Error::Malformed(_))));
    }
    for (text, why) in [
        ("", "no key"),
        ("witness.example/w+aa+BA==", "no key"),
        (&format!("{}\n{}", log.verifier(), key().verifier()), "two logs"),
        (&witness("w", Scheme::Cosignature).verifier().to_string(), "a witness"),
    ] {
        assert!(LogVerifier::from_text(text).is_err(), "{why}");
    }
}

pub(crate) fn witness(name: &str, scheme: Scheme) -> NoteKey {
    let seed = *alnage_types::Digest::of(name.as_bytes()).as_bytes();
    NoteKey::from_seed(scheme, &format!("witness.example/{name}"), &seed).unwrap()
}

#[test]
fn a_policy_counts_cosignatures() {
    let schemes = [
        ("a", Scheme::Cosignature),
        ("b", Scheme::MlDsa44),
        ("c", Scheme::Cosignature),
        ("d", Scheme::MlDsa44),
    ];
    let witnesses = schemes.map(|(name, scheme)| witness(name, scheme));
    let lines: String = schemes
        .iter()
        .zip(&witnesses)
        .map(|((name, _), key)| format!("witness {name} {}\n", key.verifier()))
        .collect();
    let (_, receipts) = log_of(3);
    let signed = receipts[2].checkpoint();
    let text = Note::parse(signed).unwrap().text;
    let check = |quorum: &str, by: &str, met: bool| {
        let policy = Policy::parse(&format!("# people\n{lines}\n{quorum}\n"))
            .unwrap_or_else(|error| panic!("{quorum}: {error}"));
        let mut note = signed.to_owned();
        for (time, (name, _)) in (5..).zip(schemes).filter(|(_, (name, _))| by.contains(name)) {
            note.push_str(&witnesses[usize::try_from(time - 5).unwrap()].signature_line(text, time).unwrap());
            assert!(!name.is_empty());
        }
        let outcome = policy.verify(&note);
        assert_eq!(outcome.is_ok(), met, "{quorum} by {by}: {outcome:?}");
        if let Ok(cosigned) = outcome {
            let names: String = cosigned.iter().map(|Cosigned { witness, .. }| witness.as_str()).collect();
            assert_eq!(names, by, "{quorum}");
        }
    };
    check("quorum none", "", true);
    check("quorum none", "b", true);
    check("quorum a", "", false);
    check("quorum a", "bcd", false);
    check("quorum a", "a", true);
    for (by, met) in
        [("", false), ("a", false), ("ab", false), ("abc", true), ("cd", false), ("bd", false), ("acd", true)]
    {
        check("group X 2 a b d\ngroup all-of all X c\nquorum all-of", by, met);
    }
    check("group X any a b\tc  d\nquorum X", "d", true);
    check("group X all a b\nquorum X", "bcd", false);
}

#[test]
fn policies_that_are_none_are_refused() {
    let a = format!("witness a {}", witness("a", Scheme::Cosignature).verifier());
    let log = key().verifier().to_string();
    let check = |what: &str, text: &str| {
        assert!(matches!(Policy::parse(text), Err(Error::Malformed(_))), "{what}");
    };
    assert!(Policy::parse(&format!("log {log} http://log\n{a} http://a\nquorum a\n")).is_ok());
    check("no quorum", &a);
    check("two quorums", "quorum none\nquorum none");
    check("not known", "quorum a");
    check("known too late", &format!("quorum a\n{a}"));
    check("a log as witness", &format!("witness a {log}\nquorum a"));
    check("a witness as log", &format!("{}\nquorum none", a.replace("witness a", "log")));
    check("twice", &format!("{a}\n{}\nquorum a", a.replace("witness a", "witness b")));
    check("one name", &format!("{a}\ngroup a any a\nquorum a"));
    check("none is no name", &a.replace("witness a", "witness none"));
    check("needs none", &format!("{a}\ngroup g 0 a\nquorum g"));
    check("needs too many", &format!("{a}\ngroup g 2 a\nquorum g"));
    check("no members", &format!("{a}\ngroup g any\nquorum g"));
    check("itself", "group g any g\nquorum g");
    check("a member twice", &format!("{a}\ngroup g 2 a a\nquorum g"));
    check("in two groups", &format!("{a}\ngroup g any a\ngroup h any a\nquorum g"));
    check("another word", "quorums none\nquorum none");
    check("too many words", &format!("{a} http://a more\nquorum a"));
    check("control", "quorum none\r\n");
    check("long", &format!("{}quorum none", "\n".repeat(2000)));
}

#[test]
fn a_cosignature_that_does_not_hold_is_no_cosignature() {
    let key = witness("a", Scheme::Cosignature);
    let policy = Policy::parse(&format!("witness a {}\nquorum none\n", key.verifier())).unwrap();
    let (_, receipts) = log_of(2);
    let text = Note::parse(receipts[1].checkpoint()).unwrap().text;
    let other = Note::parse(receipts[0].checkpoint()).unwrap().text;
    for (line, holds) in [
        (key.signature_line(text, 9).unwrap(), true),
        (key.signature_line(other, 9).unwrap(), false),
        (key.signature_line(text, 1 << 63).unwrap(), false),
        ("— witness.example/a AAAAAAAA\n".to_owned(), true),
    ] {
        let note = format!("{}{line}", receipts[1].checkpoint());
        assert_eq!(policy.verify(&note).is_ok(), holds, "{line}");
    }
}
