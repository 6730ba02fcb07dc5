//! A registry on loopback that serves until the test ends.

use std::{
    net::TcpListener,
    path::Path,
    sync::atomic::AtomicBool,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use alnage_policy::Pack;
use alnage_registry::{Registry, Settings, people::People, worker};

/// A registry, where it is, and its administrator's token.
pub(crate) struct Served {
    pub(crate) registry: Registry,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Served {
    /// A registry whose data lies in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::below(&folder.join("data"), Pack::shipped("default").unwrap());
        settings.public_url.clone_from(&url);
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
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
