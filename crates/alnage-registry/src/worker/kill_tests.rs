//! Workers in processes of their own, killed at any moment.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use alnage_policy::Pack;

use super::*;
use crate::{
    Actor, Answer, Kind, NewFile, NewVersion, Settings, Stage, Version, database::Place, testing::each_place,
};

/// Says to this test that it is one of the workers.
const DATABASE: &str = "ALNAGE_TEST_WORKER_DATABASE";
const DATA: &str = "ALNAGE_TEST_WORKER_DATA";
const VERSIONS: usize = 40;

fn clock() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn open(database: Place, data: &Path) -> Registry {
    let settings = Settings { database, ..Settings::below(data, Pack::shipped("default").unwrap()) };
    Registry::open(settings, clock).unwrap()
}

#[test]
fn killed_workers_lose_nothing_and_let_nothing_pass() {
    if let (Ok(database), Ok(data)) = (std::env::var(DATABASE), std::env::var(DATA)) {
        return run(&open(Place::parse(&database), Path::new(&data)), &["scan"], &AtomicBool::new(false));
    }
    each_place(|place, folder| {
        let text = match place {
            Place::File(path) => path.to_string_lossy().into_owned(),
            Place::Server(url) => url.clone(),
        };
        let registry = open(place.clone(), folder);
        let start = || worker_process(&text, folder);
        let mut workers = [start(), start()];
        let mut versions = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(240);
        let mut round = 0_usize;
        while versions.len() < VERSIONS || !versions.iter().all(|version| is_decided(&registry, version)) {
            assert!(Instant::now() < deadline, "{:?}", registry.jobs(None, crate::Page::first(50)));
            if versions.len() < VERSIONS {
                versions.push(add(&registry, versions.len()));
            }
            // Another moment of its work each time.
            std::thread::sleep(Duration::from_millis(7 * (round as u64 % 13) + 20));
            if versions.len() < VERSIONS && round.is_multiple_of(3) {
                let process = workers[round % 2].0.id();
                workers[round % 2] = start();
                expire(&registry, process);
            }
            round += 1;
        }
        drop(workers);
        let stats = registry.stats().unwrap();
        assert_eq!(stats.repos, VERSIONS as u64);
        let mut steps = 0;
        for version in &versions {
            let taken = registry.transitions(version.id).unwrap();
            assert_eq!(taken.len(), 2, "each is decided once: {taken:?}");
            steps += taken.len() as u64;
        }
        assert_eq!(registry.log_checkpoint().unwrap().unwrap().size, steps, "each step is an entry");
        registry.log_export(&mut |_| Ok(())).unwrap();
    });
}

/// A process, killed when dropped.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn worker_process(database: &str, data: &Path) -> Worker {
    let process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::kill_tests::killed_workers_lose_nothing_and_let_nothing_pass"])
        .env(DATABASE, database)
        .env(DATA, data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Worker(process)
}

/// The lease of a dead worker's job has run out.
fn expire(registry: &Registry, process: u32) {
    let pattern = format!("{process}-%");
    registry
        .write(|transaction| {
            transaction.execute(
                "UPDATE jobs SET leased_until = 1 WHERE state = 'running' AND worker LIKE $1",
                &[(&pattern).into()],
            )
        })
        .unwrap();
}

fn is_bad(number: usize) -> bool {
    number.is_multiple_of(3)
}

fn add(registry: &Registry, number: usize) -> Version {
    let content: Vec<u8> = if is_bad(number) {
        super::tests::WEAPON.to_vec()
    } else {
        format!("# model {number}\n").into_bytes()
    };
    let path = if is_bad(number) { "pytorch_model.bin" } else { "README.md" };
    let stored = registry.blobs().put(&*content, None).unwrap();
    let file =
        NewFile { path: path.into(), size: stored.size, sha256: stored.digest, git_oid: stored.git_oid };
    let new = NewVersion { refname: "main".into(), files: vec![file], ..NewVersion::default() };
    registry.add_version(Kind::Model, &format!("acme/m-{number}"), new, &Actor::system("test")).unwrap()
}

/// Whether it is decided; what is bad is given out at no time.
fn is_decided(registry: &Registry, version: &Version) -> bool {
    let now = registry.version_by_id(version.id).unwrap().unwrap();
    let number: usize = version.name.rsplit('-').next().unwrap().parse().unwrap();
    let answer = registry.answer(Kind::Model, &version.name, "main").unwrap();
    if is_bad(number) {
        assert!(!matches!(answer, Answer::Serve(_)), "{answer:?}");
        return now.stage == Stage::Rejected;
    }
    matches!(answer, Answer::Serve(_))
}
