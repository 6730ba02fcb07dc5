//! Many who change the same thing at once: one is first, and the others hear it.

use std::sync::{
    Barrier,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{Error, Registry, testing::each_registry};

const WRITERS: usize = 8;

fn someone() -> Actor {
    Actor { name: "ann".into(), kind: ActorKind::User, address: String::new() }
}

/// Has every writer do `work` at the same moment, and gives how often it succeeded.
fn at_once(work: impl Fn(usize) -> Result<()> + Sync) -> usize {
    let (ready, done) = (Barrier::new(WRITERS), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..WRITERS {
            let (ready, done, work) = (&ready, &done, &work);
            scope.spawn(move || {
                ready.wait();
                match work(number) {
                    Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                    Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error}"),
                }
            });
        }
    });
    done.into_inner()
}

fn new(registry: &Registry, number: usize, onto: Onto) -> NewVersion {
    let content = format!("content {number}");
    let stored = registry.blobs().put(content.as_bytes(), None).unwrap();
    let path = format!("{number}.txt");
    let file = NewFile { path, size: stored.size, sha256: stored.digest, git_oid: stored.git_oid };
    NewVersion { refname: "main".into(), message: content, onto, files: vec![file], ..NewVersion::default() }
}

/// Commits what is there and one file more, as clients do that hear of a conflict.
fn commit_on_top(registry: &Registry, name: &str, number: usize) -> Result<()> {
    loop {
        let before = registry.version(Kind::Model, name, "main")?;
        let mut wanted = new(registry, number, Onto::Nothing);
        if let Some(before) = before {
            for kept in registry.files(before.id, "", "", 1000)? {
                let FileRecord { path, size, sha256, git_oid, .. } = kept;
                wanted.files.push(NewFile { path, size, sha256, git_oid });
            }
            wanted.parent = Some(before.commit);
        }
        match registry.add_version(Kind::Model, name, wanted, &someone()) {
            Err(Error::Conflict(_)) => {}
            made => return made.map(|_| ()),
        }
    }
}

#[test]
fn of_many_first_commits_one_is_the_first() {
    each_registry(|registry| {
        let made = at_once(|number| {
            let wanted = new(registry, number, Onto::Nothing);
            registry.add_version(Kind::Model, "acme/first", wanted, &someone()).map(|_| ())
        });
        assert_eq!(made, 1);
        assert_eq!(registry.versions(Kind::Model, "acme/first", Page::first(100)).unwrap().len(), 1);
    });
}

#[test]
fn commits_at_once_lose_no_file() {
    each_registry(|registry| {
        assert_eq!(at_once(|number| commit_on_top(registry, "acme/all", number)), WRITERS);
        let head = registry.version(Kind::Model, "acme/all", "main").unwrap().unwrap();
        assert_eq!(head.files, WRITERS as u64);
        // The versions are one line, from the first to the last.
        let (mut length, mut at) = (0, Some(head.commit));
        while let Some(commit) = at {
            at = registry.version(Kind::Model, "acme/all", &commit).unwrap().unwrap().parent;
            length += 1;
        }
        assert_eq!(length, WRITERS);
    });
}

#[test]
fn a_repository_and_a_tag_are_made_once() {
    each_registry(|registry| {
        let fresh = AtomicUsize::new(0);
        let made = at_once(|_| {
            let is_new = registry.make_repo(Kind::Model, "acme/tagged", &someone())?;
            fresh.fetch_add(usize::from(is_new), Ordering::Relaxed);
            Ok(())
        });
        assert_eq!((made, fresh.into_inner()), (WRITERS, 1));
        let add = |number| {
            let wanted = new(registry, number, Onto::Anything);
            registry.add_version(Kind::Model, "acme/tagged", wanted, &someone()).unwrap().commit
        };
        let commits: Vec<String> = (0..WRITERS).map(add).collect();
        let made = at_once(|number| {
            registry.make_ref(Kind::Model, "acme/tagged", "v1", RefKind::Tag, &commits[number])
        });
        assert_eq!(made, 1);
        // Who asks for a branch that is there hears so, and it stays where it is.
        let again = registry.make_ref(Kind::Model, "acme/tagged", "main", RefKind::Branch, &commits[0]);
        assert!(matches!(again, Err(Error::Conflict(_))));
        let head = registry.version(Kind::Model, "acme/tagged", "main").unwrap().unwrap();
        assert_eq!(Some(&head.commit), commits.last());
    });
}

#[test]
fn what_is_made_here_is_not_pulled_over_nor_the_other_way_round() {
    each_registry(|registry| {
        let pulled = |number| NewVersion {
            origin: "https://hub.example.org".into(),
            ..new(registry, number, Onto::Anything)
        };
        let add = |name, wanted| registry.add_version(Kind::Model, name, wanted, &someone());
        add("acme/ours", new(registry, 1, Onto::Nothing)).unwrap();
        assert!(matches!(add("acme/ours", pulled(2)), Err(Error::Forbidden(_))));
        add("acme/theirs", pulled(1)).unwrap();
        add("acme/theirs", pulled(2)).unwrap();
        assert!(matches!(add("acme/theirs", new(registry, 3, Onto::Anything)), Err(Error::Forbidden(_))));
        assert_eq!(registry.version(Kind::Model, "acme/ours", "main").unwrap().unwrap().message, "content 1");
    });
}
