//! What a witness agrees to, and what it refuses in which words.

use crate::{
    Checkpoint, LogKey, LogVerifier, MemoryStore, NoteKey, Policy, Refusal, Scheme, Update, add_cosignatures,
    append, checkpoint_text, log_of_update, prove_consistency, receipt_for,
    tests::{entry, key, notes},
    witness,
};

struct Seen {
    store: MemoryStore,
    log: LogVerifier,
    keys: Vec<NoteKey>,
    latest: Option<Checkpoint>,
}

impl Seen {
    fn new() -> Self {
        let keys = vec![notes::witness("w", Scheme::Cosignature), notes::witness("w", Scheme::MlDsa44)];
        Self { store: MemoryStore::default(), log: key().verifier().clone(), keys, latest: None }
    }

    fn grow(&mut self, entries: u64) {
        for _ in 0..entries {
            append(&mut self.store, &key(), &entry(0)).unwrap();
        }
    }

    fn update(&self, old_size: u64) -> Update {
        let checkpoint = checkpoint_text(&self.store).unwrap().unwrap();
        let new = Checkpoint::open(&checkpoint, &self.log).unwrap();
        let proof = prove_consistency(&self.store, old_size.min(new.size), new.size).unwrap();
        Update::parse(&Update { old_size, proof, checkpoint }.to_string()).unwrap()
    }

    fn ask(&mut self, update: &Update) -> Result<String, Refusal> {
        let log = log_of_update(update, std::slice::from_ref(&self.log))?;
        let agreed = witness(update, log, self.latest.as_ref(), &self.keys, 77)?;
        self.latest = Some(agreed.checkpoint);
        Ok(agreed.cosignatures)
    }
}

#[test]
fn a_log_that_grows_is_cosigned_and_its_receipts_carry_it() {
    let mut seen = Seen::new();
    let verifiers: Vec<_> = seen.keys.iter().map(|key| key.verifier().clone()).collect();
    let policy = format!(
        "witness one {}\nwitness two {}\ngroup both all one two\nquorum both\n",
        verifiers[0], verifiers[1]
    );
    let policy = Policy::parse(&policy).unwrap();
    let mut old = 0;
    for entries in [1, 3, 0, 300] {
        seen.grow(entries);
        let update = seen.update(old);
        let lines = seen.ask(&update).unwrap();
        assert_eq!(lines.lines().count(), 2);
        assert_eq!(add_cosignatures(&mut seen.store, &seen.log.clone(), &verifiers, &lines).unwrap(), 2);
        let receipt = receipt_for(&seen.store, &seen.log, 0).unwrap();
        assert_eq!(receipt.witnessed(&policy).unwrap().len(), 2);
        receipt.verify(&seen.log).unwrap();
        old += entries;
    }
    // A new checkpoint begins without.
    seen.grow(1);
    assert!(receipt_for(&seen.store, &seen.log, 0).unwrap().witnessed(&policy).is_err());
    let lines = seen.ask(&seen.update(old)).unwrap().replacen('A', "B", 9);
    assert!(add_cosignatures(&mut seen.store, &seen.log.clone(), &verifiers, &lines).is_err());
}

#[test]
fn what_a_witness_refuses() {
    let mut seen = Seen::new();
    seen.grow(5);
    let first = seen.update(0);
    seen.ask(&first).unwrap();
    seen.grow(4);
    let good = seen.update(5);
    let before = seen.latest.clone();

    let other = LogKey::from_seed("log.example/other", &[1; 32]).unwrap();
    let mut elsewhere = MemoryStore::default();
    append(&mut elsewhere, &other, &entry(0)).unwrap();
    let foreign = checkpoint_text(&elsewhere).unwrap().unwrap();
    let impostor = LogKey::from_seed("log.example/test", &[1; 32]).unwrap();
    let mut forged = MemoryStore::default();
    append(&mut forged, &impostor, &entry(0)).unwrap();
    let forged = checkpoint_text(&forged).unwrap().unwrap();
    // A log with another history under the same key.
    let mut second = MemoryStore::default();
    for number in 0..9 {
        append(&mut second, &key(), &entry(number + 50)).unwrap();
    }
    let split = checkpoint_text(&second).unwrap().unwrap();
    let split_proof = prove_consistency(&second, 5, 9).unwrap();

    let mut check = |what: &str, update: Update, fits: fn(&Refusal) -> bool| {
        let refusal = seen.ask(&update).expect_err(what);
        assert!(fits(&refusal), "{what}: {refusal:?}");
        assert_eq!(seen.latest, before, "{what}");
    };
    let with = |checkpoint: &str| Update { checkpoint: checkpoint.to_owned(), ..good.clone() };
    check("another log", with(&foreign), |refusal| matches!(refusal, Refusal::UnknownLog(_)));
    check("another key", with(&forged), |refusal| matches!(refusal, Refusal::NotSigned(_)));
    check("no checkpoint", with("a\n1\n\n— b AAAAAAAA\n"), |refusal| {
        matches!(refusal, Refusal::Malformed(_))
    });
    let turned = Update { old_size: 10, ..good.clone() };
    check("old above new", turned, |refusal| matches!(refusal, Refusal::Malformed(_)));
    check("stale", Update { old_size: 4, ..good.clone() }, |refusal| *refusal == Refusal::Stale(5));
    check("as if it were new", Update { old_size: 0, proof: Vec::new(), ..good.clone() }, |refusal| {
        *refusal == Refusal::Stale(5)
    });
    let unproven = Update { proof: Vec::new(), ..good.clone() };
    check("no proof", unproven, |refusal| matches!(refusal, Refusal::NotProven(_)));
    let another = Update { proof: split_proof, checkpoint: split.clone(), ..good.clone() };
    check("two histories", another, |refusal| matches!(refusal, Refusal::NotProven(_)));
    check("two roots", with(&split), |refusal| matches!(refusal, Refusal::NotProven(_)));
    seen.ask(&good).unwrap();
    let same_size = Update { old_size: 9, proof: Vec::new(), checkpoint: split };
    assert_eq!(seen.ask(&same_size), Err(Refusal::Stale(9)));
    seen.ask(&seen.update(9)).unwrap();
}

#[test]
fn updates_that_are_none_are_refused() {
    let mut seen = Seen::new();
    seen.grow(6);
    let good = seen.update(3).to_string();
    assert!(Update::parse(&good).is_ok());
    let many = format!("old 3\n{}\na\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(64));
    for text in [
        "",
        "old 3",
        "old 03\n\na\n",
        "old -3\n\na\n",
        "new 3\n\na\n",
        "old 3\nAAAA\n\na\n",
        &good.replacen("old", "Old", 1),
        &many,
    ] {
        assert!(Update::parse(text).is_err(), "{text}");
    }
}
