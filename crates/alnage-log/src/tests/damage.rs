//! Twenty ways to damage a log, and the place that fsck names for each.

use std::cell::RefCell;

use crate::{
    Error, MemoryStore, Problem, Weight, audit, export,
    export::{ExportHead, verify_export},
    fsck,
    tests::{entry, key, log_of},
};

fn problems(store: &MemoryStore) -> Vec<Problem> {
    let mut problems = Vec::new();
    let verifier = key().verifier().clone();
    fsck(store, &verifier, &mut |_, _| {}, &mut |problem| problems.push(problem)).unwrap();
    problems
}

#[test]
fn fsck_names_the_place_of_each_of_twenty_corruptions() {
    // Two full tiles, a partial one, and a level above.
    let (whole, _) = log_of(600);
    assert_eq!(problems(&whole), []);
    let seen = RefCell::new(0);
    let check = |what: &str, places: &[&str], harm: &dyn Fn(&mut MemoryStore)| {
        let mut store = whole.clone();
        harm(&mut store);
        assert_ne!(store, whole, "{what}");
        let found: Vec<Problem> =
            problems(&store).into_iter().filter(|problem| problem.weight == Weight::Damage).collect();
        let named: Vec<&str> = found.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(named, places, "{what}: {found:?}");
        assert!(matches!(audit(&store, key().verifier(), &mut |_, _| {}), Err(Error::Damaged(_))), "{what}");
        *seen.borrow_mut() += 1;
    };
    let flip = |name: &'static str, at: usize| {
        move |store: &mut MemoryStore| store.objects.get_mut(name).unwrap()[at] ^= 1
    };
    let cut = |name: &'static str, by: usize| {
        move |store: &mut MemoryStore| {
            let object = store.objects.get_mut(name).unwrap();
            object.truncate(object.len() - by);
        }
    };
    let longer = |name: &'static str| {
        move |store: &mut MemoryStore| store.objects.get_mut(name).unwrap().extend_from_slice(&[0; 32])
    };
    let remove =
        |name: &'static str| move |store: &mut MemoryStore| drop(store.objects.remove(name).unwrap());
    let copy = |from: &'static str, to: &'static str| {
        move |store: &mut MemoryStore| drop(store.objects.insert(to.into(), store.objects[from].clone()))
    };
    // Byte 40 of an entry is within the digest of its statement: another digit, but an entry all the same.
    let digit = |name: &'static str| {
        move |store: &mut MemoryStore| {
            let object = store.objects.get_mut(name).unwrap();
            let at = 70 + object[70..].iter().position(|byte| *byte == b'1').unwrap();
            object[at] = b'2';
        }
    };
    check("a changed entry", &["tile/entries/000"], &digit("tile/entries/000"));
    check("a changed entry at the end", &["tile/entries/002.p/88"], &digit("tile/entries/002.p/88"));
    check("an entry that is none", &["tile/entries/001", "tile/entries/001"], &flip("tile/entries/001", 2));
    check("a changed leaf hash", &["tile/0/000"], &flip("tile/0/000", 320));
    check("a changed last leaf hash", &["tile/0/002.p/88"], &flip("tile/0/002.p/88", 87 * 32));
    check("a changed hash above", &["tile/1/000.p/2"], &flip("tile/1/000.p/2", 33));
    check("a short tile", &["tile/0/001"], &cut("tile/0/001", 32));
    check("a torn tile", &["tile/0/001"], &cut("tile/0/001", 7));
    check("a long tile", &["tile/0/001"], &longer("tile/0/001"));
    check("a torn last tile", &["tile/0/002.p/88"], &cut("tile/0/002.p/88", 5));
    check("a torn bundle", &["tile/entries/001"], &cut("tile/entries/001", 9));
    check("a long bundle", &["tile/entries/001"], &longer("tile/entries/001"));
    check("a missing tile", &["tile/0/001"], &remove("tile/0/001"));
    check("a missing bundle", &["tile/entries/001"], &remove("tile/entries/001"));
    check("a missing last bundle", &["tile/entries/002.p/88"], &remove("tile/entries/002.p/88"));
    check("a missing level", &["tile/1/000.p/2"], &remove("tile/1/000.p/2"));
    check("a missing checkpoint", &["checkpoint"], &remove("checkpoint"));
    check("a changed checkpoint", &["checkpoint"], &flip("checkpoint", 20));
    check("a checkpoint of another size", &["checkpoint"], &|store| {
        let text = String::from_utf8(store.objects["checkpoint"].clone()).unwrap();
        store.objects.insert("checkpoint".into(), text.replace("\n600\n", "\n500\n").into_bytes());
    });
    check("a tile in another's place", &["tile/0/001"], &copy("tile/0/000", "tile/0/001"));
    check(
        "a bundle in another's place",
        &["tile/entries/001"],
        &copy("tile/entries/000", "tile/entries/001"),
    );
    check("an older state that is not its beginning", &["tile/0/002.p/40"], &flip("tile/0/002.p/40", 3));
    check(
        "an older bundle that is not its beginning",
        &["tile/entries/002.p/40"],
        &flip("tile/entries/002.p/40", 9),
    );
    check("an entry and its hash", &["tile/1/000.p/2", "checkpoint"], &|store| {
        digit("tile/entries/000")(store);
        let entries = crate::tiles::parse_bundle(&store.objects["tile/entries/000"], 256).unwrap();
        let hashes: Vec<_> = entries.iter().map(|entry| crate::leaf_hash(entry)).collect();
        store.objects.insert("tile/0/000".into(), crate::tiles::tile_bytes(&hashes));
    });
    assert!(*seen.borrow() >= 20);
}

#[test]
fn what_an_interrupted_append_leaves_is_no_damage() {
    let (mut store, _) = log_of(3);
    let verifier = key().verifier().clone();
    for name in
        ["tile/0/000.p/4", "tile/0/000", "tile/entries/000.p/9", "tile/4/000", "tile/0/0000", "tile/x"]
    {
        store.objects.insert(name.into(), vec![1; 40]);
        let found = problems(&store);
        let named: Vec<_> = found.iter().map(|problem| (problem.place.as_str(), problem.weight)).collect();
        assert_eq!(named, [(name, Weight::Leftover)]);
        audit(&store, &verifier, &mut |_, _| {}).unwrap();
        store.objects.remove(name);
    }
    // A checkpoint that was lost with everything there is damage; nothing at all is an empty log.
    assert_eq!(problems(&MemoryStore::default()), []);
}

#[test]
fn a_checkpoint_of_an_impossible_size_ends_soon() {
    let (mut store, _) = log_of(3);
    let huge = crate::Checkpoint::seal(u64::MAX, crate::empty_root(), &key()).unwrap();
    store.objects.insert("checkpoint".into(), huge.into_bytes());
    let found = problems(&store);
    assert!(found.iter().any(|problem| problem.weight == Weight::Damage) && found.len() < 100, "{found:?}");
}

#[test]
fn an_exported_log_is_verified_without_the_log() {
    let (store, _) = log_of(300);
    let verifier = key().verifier().clone();
    let mut lines = Vec::new();
    export(&store, &verifier, &mut |line| {
        lines.push(line.to_owned());
        Ok(())
    })
    .unwrap();
    let verify = |lines: &[String]| {
        let mut seen = Vec::new();
        let head = ExportHead::parse(&lines[0])?;
        assert_eq!(head.verifier()?, verifier);
        let mut rest = lines[1..].iter().map(|line| Ok(line.clone()));
        let state = verify_export(&head, &mut rest, &verifier, &mut |_, entry| seen.push(entry.clone()))?;
        Ok::<_, Error>((state.size, seen))
    };
    let (size, seen) = verify(&lines).unwrap();
    assert_eq!((size, seen), (300, (0..300).map(entry).collect::<Vec<_>>()));
    let mut changed = lines.clone();
    changed.swap(4, 5);
    assert!(matches!(verify(&changed), Err(Error::Unproven(_))), "order");
    assert!(matches!(verify(&lines[..300]), Err(Error::Unproven(_))), "the last is missing");
    let more = [lines.as_slice(), &[lines[300].clone()]].concat();
    assert!(matches!(verify(&more), Err(Error::Unproven(_))), "one more");
    changed = lines.clone();
    changed[0] = changed[0].replace("\\n300\\n", "\\n299\\n");
    assert!(verify(&changed).is_err(), "another size");
    changed[0] = "{}".into();
    assert!(matches!(verify(&changed), Err(Error::Malformed(_))), "no head");
}
