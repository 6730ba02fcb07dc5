use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alnage_policy::Pack;

use super::*;
use crate::{
    Actor, Kind, NewFile, NewVersion, Page, Settings, StorePlace,
    blobs::Stored,
    database::Place,
    oci,
    testing::{Bucket, each_place, each_registry, now},
};

/// Says to a test that it is the one who sweeps.
const DATABASE: &str = "ALNAGE_TEST_SWEEP_DATABASE";
const DATA: &str = "ALNAGE_TEST_SWEEP_DATA";

fn over(bucket: &Bucket, folder: &Path) -> Registry {
    let settings = Settings::below(folder, Pack::shipped("default").unwrap());
    let store = StorePlace::Bucket(bucket.settings());
    Registry::open(Settings { store, ..settings }, now).unwrap()
}

fn put(registry: &Registry, content: &str) -> Stored {
    registry.blobs().put(content.as_bytes(), None).unwrap()
}

fn commit(registry: &Registry, name: &str, stored: &Stored) -> Result<()> {
    let file = NewFile {
        path: "a".into(),
        size: stored.size,
        sha256: stored.digest,
        git_oid: stored.git_oid.clone(),
    };
    let new = NewVersion { refname: "main".into(), files: vec![file], ..NewVersion::default() };
    registry.add_version(Kind::Model, name, new, &Actor::system("test")).map(|_| ())
}

fn sweep(registry: &Registry) -> u64 {
    registry.sweep(0, &|| Ok(())).unwrap()
}

#[test]
fn what_nothing_names_goes_and_the_rest_stays() {
    each_registry(what_is_named_stays);
    let (bucket, folder) = (Bucket::start(), tempfile::tempdir().unwrap());
    what_is_named_stays(&over(&bucket, folder.path()));
}

fn what_is_named_stays(registry: &Registry) {
    let (database, blobs) = (registry.database(), registry.blobs());
    let file = put(registry, "a file of a version");
    commit(registry, "acme/tiny", &file).unwrap();
    let sent = put(registry, "sent and not committed yet");
    registry.note_upload(Kind::Model, "acme/tiny", sent.digest, sent.size, "ann").unwrap();
    let announced = put(registry, "announced, and here already");
    registry.expect_upload(Kind::Model, "acme/tiny", announced.digest, announced.size, "ann").unwrap();
    let pushed = put(registry, "pushed for a manifest that comes");
    oci::note_blob(database, blobs, "acme/tiny", pushed.digest, pushed.size, now()).unwrap();
    oci::begin(database, blobs, "acme/tiny", "u1", now()).unwrap();
    oci::append(database, blobs, "acme/tiny", "u1", 0, &b"half of an upload"[..]).unwrap();
    let pulled = put(registry, "the first file of a pull that takes days");
    let brought = "INSERT INTO pull_files (pull, path, size, sha256, git_oid) VALUES (1, 'a', 1, $1, 'x')";
    registry.write(|records| records.execute(brought, &[pulled.digest.as_bytes()[..].into()])).unwrap();
    let part = Digest::of(b"half of an upload");
    let named = [file.digest, sent.digest, announced.digest, pushed.digest, part, pulled.digest];
    let lost = [put(registry, "nobody names this"), put(registry, "nor this")];

    assert_eq!(registry.sweep(3600, &|| Ok(())).unwrap(), 0, "what came just now may be named in a moment");
    let stopped = registry.sweep(0, &|| Err(Error::Conflict("somebody else does it".into())));
    assert!(matches!(stopped, Err(Error::Conflict(_))));
    assert_eq!(sweep(registry), 2);
    assert!(named.iter().all(|digest| blobs.contains(*digest).unwrap()));
    assert!(lost.iter().all(|stored| !blobs.contains(stored.digest).unwrap()));
    assert_eq!(sweep(registry), 0);

    // Whoever still counts on what went is told, and may send it again.
    assert!(commit(registry, "acme/late", &lost[0]).is_err());
    let late = oci::note_blob(database, blobs, "acme/late", lost[0].digest, 1, now());
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
    commit(registry, "acme/late", &put(registry, "nobody names this")).unwrap();
    // A sweep that died between its steps takes nothing from anybody.
    let kept = put(registry, "swept on paper alone");
    let marked = "INSERT INTO swept (digest, at) VALUES ($1, 1)";
    registry.write(|records| records.execute(marked, &[kept.digest.as_bytes()[..].into()])).unwrap();
    commit(registry, "acme/kept", &kept).unwrap();
    assert_eq!(sweep(registry), 0);
    assert!(blobs.contains(kept.digest).unwrap());
}

#[test]
fn stores_tell_when_content_came() {
    let (bucket, folder) = (Bucket::start(), tempfile::tempdir().unwrap());
    let registry = over(&bucket, folder.path());
    put(&registry, "just now");
    let listed = registry.blobs().list().unwrap().remove(0);
    let passed = listed.modified.unwrap().elapsed().unwrap_or_default();
    assert!(passed < Duration::from_secs(3600), "{passed:?}");
}

#[test]
fn it_is_asked_for_once_a_day() {
    each_registry(|registry| {
        let asked = |registry: &Registry| {
            ask(registry).unwrap();
            registry.jobs(None, Page::first(5)).unwrap().len()
        };
        // A registry that begins has nothing that is old.
        assert_eq!((asked(registry), asked(registry)), (0, 0));
        let yesterday = bigint(now() - PERIOD);
        let set = "UPDATE counters SET value = $1 WHERE name = 'swept'";
        registry.write(|records| records.execute(set, &[yesterday.into()])).unwrap();
        assert_eq!((asked(registry), asked(registry)), (1, 1));
        assert!(crate::worker::run_one(registry, &crate::worker::KINDS).unwrap());
        assert_eq!(registry.jobs(None, Page::first(5)).unwrap(), []);
    });
}

/// Somebody who sweeps without a pause, killed when dropped.
struct Sweeper(Child);

impl Sweeper {
    fn start(database: &str, data: &Path) -> Self {
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sweep::tests::sweeps_that_are_killed_lose_nothing_that_is_named"])
            .env(DATABASE, database)
            .env(DATA, data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(process)
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn sweeps_that_are_killed_lose_nothing_that_is_named() {
    let open = |database: Place, data: &Path| {
        let settings = Settings::below(data, Pack::shipped("default").unwrap());
        Registry::open(Settings { database, ..settings }, now).unwrap()
    };
    if let (Ok(database), Ok(data)) = (std::env::var(DATABASE), std::env::var(DATA)) {
        let registry = open(Place::parse(&database), Path::new(&data));
        loop {
            // Two sweeps at once may meet over a file that is gone already.
            let _ = registry.sweep(0, &|| Ok(()));
        }
    }
    each_place(|place, folder| {
        let text = match place {
            Place::File(path) => path.to_string_lossy().into_owned(),
            Place::Server(url) => url.clone(),
        };
        let registry = open(place.clone(), folder);
        let mut sweepers = [Sweeper::start(&text, folder), Sweeper::start(&text, folder)];
        let deadline = Instant::now() + Duration::from_secs(120);
        for round in 0..90_usize {
            let (name, content) = (format!("acme/m-{round}"), format!("content {}", round % 7));
            // What is swept before it is named is sent again.
            while registry
                .blobs()
                .put(content.as_bytes(), None)
                .and_then(|stored| commit(&registry, &name, &stored))
                .is_err()
            {
                assert!(Instant::now() < deadline, "no commit of round {round} succeeds");
            }
            if round >= 5 && round % 2 == 0 {
                registry
                    .delete_repo(Kind::Model, &format!("acme/m-{}", round - 5), &Actor::system("test"))
                    .unwrap();
            }
            std::thread::sleep(Duration::from_millis(round as u64 % 11));
            if round % 6 == 0 {
                sweepers[round / 6 % 2] = Sweeper::start(&text, folder);
            }
        }
        drop(sweepers);
        let mut named = std::collections::BTreeSet::new();
        for repo in registry.repos(crate::RepoQuery::default(), Page::first(1000)).unwrap() {
            let file = registry.file(repo.head.unwrap().id, "a").unwrap().unwrap();
            assert!(registry.blobs().contains(file.sha256).unwrap(), "{} lost its content", repo.name);
            named.insert(file.sha256);
        }
        put(&registry, "left over");
        sweep(&registry);
        let left: std::collections::BTreeSet<_> =
            registry.blobs().list().unwrap().into_iter().map(|listed| listed.digest).collect();
        assert_eq!(left, named);
    });
}
