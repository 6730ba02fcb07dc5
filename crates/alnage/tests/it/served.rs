//! A registry on loopback that serves until the test ends, and models in it.

use std::{
    net::TcpListener,
    path::Path,
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alnage_policy::Pack;
use alnage_registry::{
    Actor, Kind, NewFile, NewVersion, Registry, Settings, Version, people::People, worker,
};

/// A registry, where it is, and its administrator's token.
pub(crate) struct Served {
    pub(crate) registry: Registry,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Served {
    /// A registry whose data lies in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::set_up(folder, |_| {})
    }

    /// The same, with other settings.
    pub(crate) fn set_up(folder: &Path, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::below(&folder.join("data"), Pack::shipped("default").unwrap());
        settings.public_url.clone_from(&url);
        change(&mut settings);
        let registry = Registry::open(settings, now).unwrap();
        let token = People::new(registry.database().clone(), now).first_run(None).unwrap().unwrap();
        let working = registry.clone();
        thread::spawn(move || worker::run(&working, &worker::KINDS, &AtomicBool::new(false)));
        let (serving, public_url) = (registry.clone(), url.clone());
        thread::spawn(move || {
            let settings = alnage_server::Settings { public_url, ..alnage_server::Settings::default() };
            alnage_server::serve(listener, serving, settings, now).unwrap();
        });
        Self { registry, url, token: token.reveal().to_owned() }
    }

    /// Takes what lies in the directory `model`, and gives the version once it is judged.
    pub(crate) fn take(&self, name: &str, model: &Path) -> Version {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(model).unwrap() {
            let entry = entry.unwrap();
            let content = std::fs::read(entry.path()).unwrap();
            let stored = self.registry.blobs().put(&*content, None).unwrap();
            files.push(NewFile {
                path: entry.file_name().into_string().unwrap(),
                size: stored.size,
                sha256: stored.digest,
                git_oid: stored.git_oid,
            });
        }
        let new =
            NewVersion { message: "taken".into(), refname: "main".into(), files, ..NewVersion::default() };
        let version = self.registry.add_version(Kind::Model, name, new, &Actor::system("test")).unwrap();
        for _ in 0..600 {
            let version = self.registry.version(Kind::Model, name, &version.commit).unwrap().unwrap();
            if version.scan.is_some() {
                return version;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} is not judged")
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
