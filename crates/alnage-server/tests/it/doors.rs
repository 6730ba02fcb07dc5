//! A registry on loopback, with two workers, and the ways to talk to it that the doors' tests share.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alnage_policy::Pack;
use alnage_registry::{Actor, Kind, Registry, Settings, Stage, Version, people::People, worker};
use alnage_types::Digest;
use ureq::{Agent, Body, http};

/// What a registry answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A registry that serves until the process ends.
pub(crate) struct Place {
    pub(crate) registry: Registry,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) folder: tempfile::TempDir,
    agent: Agent,
}

impl Place {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::below(&folder.path().join("data"), Pack::shipped("default").unwrap());
        settings.public_url.clone_from(&url);
        let registry = Registry::open(settings, now).unwrap();
        let token = People::new(registry.database().clone(), now).first_run(None).unwrap().unwrap();
        for _ in 0..2 {
            let registry = registry.clone();
            thread::spawn(move || worker::run(&registry, &worker::KINDS, &AtomicBool::new(false)));
        }
        let (served, public_url) = (registry.clone(), url.clone());
        thread::spawn(move || {
            let settings = alnage_server::Settings {
                public_url,
                anonymous_read: true,
                ..alnage_server::Settings::default()
            };
            alnage_server::serve(listener, served, settings, now).unwrap();
        });
        let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Self { registry, url, token: token.reveal().to_owned(), folder, agent }
    }

    /// Asks as nobody in particular.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let mut request = http::Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply: http::Response<Body> = self.agent.run(request.body(body.to_vec()).unwrap()).unwrap();
        let (parts, mut body) = reply.into_parts();
        let body = body.with_config().limit(1 << 30).read_to_vec().unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Asks as the first administrator.
    pub(crate) fn ask_as_admin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        self.ask(method, path, &all, body)
    }

    /// The newest version, judged.
    pub(crate) fn judged(&self, name: &str, revision: &str) -> Version {
        for _ in 0..600 {
            let version = self.registry.version(Kind::Model, name, revision).unwrap();
            if let Some(version) = version.filter(|version| version.scan.is_some()) {
                return version;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} at {revision} is not judged")
    }

    pub(crate) fn recall(&self, name: &str) {
        let version = self.judged(name, "main");
        self.registry
            .transition(version.id, Stage::Revoked, "it steals keys", &Actor::system("test"))
            .unwrap();
    }

    /// Runs one of our scripts in the peers' Python, with these packages before its own.
    pub(crate) fn script(&self, name: &str, packages: Option<&str>, arguments: &[&str]) -> Output {
        let python = testkit::peers::python();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/doors").join(name);
        let mut command = Command::new(&python);
        command.arg(script).args([&self.url, &self.token]).args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.folder.path());
        if let Some(packages) = packages {
            let place = python.parent().unwrap().parent().unwrap().join(packages);
            let hint = "hint: `cargo xtask test` installs the tools that tests compare with";
            assert!(place.exists(), "`{}` is missing\n\n{hint}", place.display());
            command.env("PYTHONPATH", place);
        }
        command.output().unwrap()
    }

    /// A folder with these files.
    pub(crate) fn folder_of(&self, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (path, content) in files {
            fs::write(folder.join(path), content).unwrap();
        }
        folder
    }

    pub(crate) fn has_blob(&self, content: &[u8]) -> bool {
        self.registry.blobs().contains(Digest::of(content)).unwrap()
    }
}

/// What a script said last, or everything it said when it failed.
pub(crate) fn said(output: &Output) -> String {
    let (text, printed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the script said `{text}`, and `{printed}`");
    text.lines().last().unwrap_or_default().to_owned()
}

/// Weights that nothing compresses, and that are the same every time.
pub(crate) fn safetensors(length: usize) -> Vec<u8> {
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{length}],"data_offsets":[0,{length}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    file.extend((0..length).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }));
    file
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
