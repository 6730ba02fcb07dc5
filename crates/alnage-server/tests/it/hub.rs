//! Stock clients of three major versions against the registry, before a hub that would lead them astray.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alnage_policy::Pack;
use alnage_registry::{Actor, Kind, Registry, Settings, Stage, Version, people::People, upstream, worker};
use serde_json::{Value, json};
use testkit::pickle;

const VERSIONS: [&str; 3] = ["0.36.2", "1.10.2", "2.4.0"];

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The hub that models come from.
struct Hub {
    folder: tempfile::TempDir,
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    _process: Process,
}

impl Hub {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hub/upstream.py");
        let mut process = Command::new(testkit::peers::python())
            .arg(script)
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&requests);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                told.lock().unwrap().push(line);
            }
        });
        Self { folder, url, requests, _process: Process(process) }
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A small model that is fine.
    fn write_model(&self, name: &str) {
        self.write(&format!("models/{name}/config.json"), b"{\"model_type\": \"bert\"}");
        self.write(&format!("models/{name}/model.safetensors"), &safetensors(4000));
        self.write(&format!("models/{name}/sub dir/a+b.txt"), b"text");
    }

    /// One that runs a program when it is loaded.
    fn write_weapon(&self, name: &str) {
        self.write(&format!("models/{name}/config.json"), b"{}");
        self.write(&format!("models/{name}/pytorch_model.bin"), &pickle::call("os", "system", "id"));
    }

    fn count(&self, part: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

fn safetensors(length: usize) -> Vec<u8> {
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{length}],"data_offsets":[0,{length}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((0..length).map(|place| (place % 251) as u8));
    file
}

/// A registry with its server and workers, on loopback.
struct Server {
    registry: Registry,
    url: String,
    /// Of somebody who may do everything.
    token: String,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(upstream: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::below(data.path(), Pack::shipped("default").unwrap());
        settings.public_url = url.clone();
        settings.upstream =
            Some(upstream::Settings { url: upstream.to_owned(), ..upstream::Settings::default() });
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
        Self { registry, url, token: token.reveal().to_owned(), _data: data }
    }

    /// Recalls what a reference leads to.
    fn recall(&self, name: &str) {
        let version = self.registry.version(Kind::Model, name, "main").unwrap().unwrap();
        let actor = Actor::system("test");
        self.registry.transition(version.id, Stage::Revoked, "it steals keys", &actor).unwrap();
    }

    /// Waits until a version has been judged.
    fn judged(&self, kind: Kind, name: &str, commit: &str) -> Version {
        for _ in 0..600 {
            let version = self.registry.version(kind, name, commit).unwrap();
            if let Some(version) = version.filter(|version| version.scan.is_some()) {
                return version;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} at {commit} is not judged")
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A user with a cache of their own.
struct User {
    cache: tempfile::TempDir,
    version: &'static str,
    token: Option<String>,
}

impl User {
    fn new(version: &'static str) -> Self {
        Self { cache: tempfile::tempdir().unwrap(), version, token: None }
    }

    fn with(version: &'static str, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::new(version) }
    }

    fn command(&self, server: &Server, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hub/client.py");
        let mut command = Command::new(testkit::peers::python());
        command.arg(script).args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.cache.path());
        command.env("PYTHONPATH", client_packages(self.version)).env("HF_HOME", self.cache.path().join("hf"));
        command.env("HF_ENDPOINT", &server.url).env("HF_HUB_DISABLE_TELEMETRY", "1");
        command.env("HF_HUB_DISABLE_PROGRESS_BARS", "1").env("HF_HUB_DISABLE_XET", "1");
        if let Some(token) = &self.token {
            command.env("HF_TOKEN", token);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the client says, and what it printed to its user.
    fn does(&self, server: &Server, arguments: &[&str]) -> (Value, String) {
        told(self.command(server, arguments).spawn().unwrap())
    }
}

fn told(process: Child) -> (Value, String) {
    let output = process.wait_with_output().unwrap();
    let (text, printed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = text.lines().last().unwrap_or_default();
    let value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("the client said `{text}`, and `{printed}`"));
    (value, printed.into_owned())
}

/// Where `cargo xtask test` puts one version of the client.
fn client_packages(version: &str) -> PathBuf {
    let place = testkit::peers::python().parent().unwrap().parent().unwrap().join("hub").join(version);
    let hint = "hint: `cargo xtask test` installs the tools that tests compare with";
    assert!(place.exists(), "`{}` is missing\n\n{hint}", place.display());
    place
}

#[test]
fn stock_clients_download_through_a_hub_that_would_lead_them_astray() {
    let hub = Hub::start();
    hub.write_model("acme/m1");
    hub.write(".break", b"");
    let server = Server::start(&hub.url);
    for version in VERSIONS {
        let user = User::new(version);
        let (snapshot, printed) = user.does(&server, &["snapshot", "acme/m1"]);
        let files = json!(["config.json", "model.safetensors", "sub dir/a+b.txt"]);
        assert_eq!(snapshot["files"], files, "{version}: {snapshot} {printed}");
        let (file, _) = User::new(version).does(&server, &["file", "acme/m1", "model.safetensors"]);
        assert_eq!(file["length"], safetensors(4000).len(), "{version}: {file}");
        let (seen, _) = user.does(&server, &["look", "acme/m1"]);
        assert_eq!(seen["sha"], snapshot["commit"], "{version}: {seen}");
        assert_eq!(seen["siblings"], files, "{version}: {seen}");
        assert_eq!(seen["paths"], json!(["config.json"]), "{version}: {seen}");
        assert_eq!(seen["exists"], json!([true, true, false]), "{version}: {seen}");
        assert_eq!((&seen["safe"], &seen["xet"]), (&Value::Bool(true), &json!([])), "{version}: {seen}");
        assert_eq!(seen["listed"], json!(["acme/m1"]), "{version}: {seen}");
        assert_eq!(seen["branches"], json!([["main", snapshot["commit"]]]), "{version}: {seen}");
    }
    let user = User::new("2.4.0");
    let place = "/acme/m1/resolve/main/model.safetensors";
    let (whole, _) = user.does(&server, &["raw", "HEAD", place, ""]);
    let headers = whole["headers"].to_string();
    assert!(!headers.contains("xet") && !headers.contains("\"link\""), "{headers}");
    let length = safetensors(4000).len();
    let table = [
        ("bytes=0-0", 206, 1, format!("bytes 0-0/{length}")),
        ("bytes=4000-", 206, length - 4000, format!("bytes 4000-{}/{length}", length - 1)),
        ("bytes=-5", 206, 5, format!("bytes {}-{}/{length}", length - 5, length - 1)),
        ("bytes=99999-", 416, 0, format!("bytes */{length}")),
    ];
    for (range, status, sent, told) in table {
        let (part, _) = user.does(&server, &["raw", "GET", place, range]);
        assert_eq!(
            (&part["status"], &part["headers"]["content-range"]),
            (&json!(status), &json!(told)),
            "{part}"
        );
        assert!(status == 416 || part["length"] == sent, "{part}");
        assert_eq!(part["headers"]["x-repo-commit"].is_string(), status == 206, "{part}");
    }
    // Once broken off, once to the end, however many asked.
    assert_eq!(hub.count("GET /cdn/models/acme%2Fm1/model.safetensors"), 2);
}

#[test]
fn two_clients_at_once_cause_one_pull() {
    let hub = Hub::start();
    hub.write_model("acme/m1");
    let server = Server::start(&hub.url);
    let users = VERSIONS.map(User::new);
    let clients =
        users.each_ref().map(|user| user.command(&server, &["snapshot", "acme/m1"]).spawn().unwrap());
    for client in clients {
        let (snapshot, printed) = told(client);
        assert_eq!(snapshot["files"].as_array().map(Vec::len), Some(3), "{snapshot} {printed}");
    }
    assert_eq!(hub.count("GET /cdn/"), 1, "{:?}", hub.requests);
    assert_eq!(hub.count("/resolve/"), 3, "{:?}", hub.requests);
}

#[test]
fn a_weapon_is_refused_with_the_reason_and_where_to_ask() {
    let hub = Hub::start();
    hub.write_weapon("evil/m1");
    let server = Server::start(&hub.url);
    for version in VERSIONS {
        let user = User::new(version);
        for arguments in [vec!["snapshot", "evil/m1"], vec!["file", "evil/m1", "pytorch_model.bin"]] {
            let (refused, printed) = user.does(&server, &arguments);
            assert_eq!(refused["error"], "GatedRepoError", "{version}: {refused} {printed}");
            let text = refused["text"].as_str().unwrap();
            assert!(text.contains("ALNAGE: evil/m1") && text.contains("Ask for approval: http"), "{text}");
            if version != "0.36.2" {
                assert!(printed.contains("ALNAGE: evil/m1"), "{version}: {printed}");
            }
        }
    }
    let (raw, _) =
        User::new("2.4.0").does(&server, &["raw", "GET", "/evil/m1/resolve/main/pytorch_model.bin", ""]);
    assert_eq!(raw["status"], 403);
}

#[test]
fn a_recall_stops_clients_that_have_the_model_already() {
    let hub = Hub::start();
    hub.write_model("acme/m1");
    let server = Server::start(&hub.url);
    let users = VERSIONS.map(User::new);
    for user in &users {
        let (snapshot, _) = user.does(&server, &["snapshot", "acme/m1"]);
        assert!(snapshot["commit"].is_string(), "{snapshot}");
    }
    server.recall("acme/m1");
    for user in &users {
        for arguments in [vec!["snapshot", "acme/m1"], vec!["file", "acme/m1", "config.json"]] {
            let (stopped, printed) = user.does(&server, &arguments);
            assert_eq!(stopped["error"], "RevisionNotFoundError", "{}: {stopped} {printed}", user.version);
            assert!(stopped["text"].as_str().unwrap().contains("it steals keys"), "{stopped}");
        }
    }
}

#[test]
fn stock_clients_upload_and_what_they_sent_is_judged_first() {
    let hub = Hub::start();
    let server = Server::start(&hub.url);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), b"{\"model_type\": \"bert\"}").unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    fs::write(folder.path().join("deep/model.safetensors"), safetensors(3 << 20)).unwrap();
    let place = folder.path().to_str().unwrap();
    for version in VERSIONS {
        let name = format!("team/m-{}", version.replace('.', "-"));
        let (refused, _) = User::new(version).does(&server, &["upload", "other/m", place]);
        assert!(refused["error"].is_string(), "{version}: nobody uploads without a token: {refused}");
        let publisher = User::with(version, &server.token);
        let (who, _) = publisher.does(&server, &["whoami", ""]);
        assert_eq!(who["name"], "admin", "{version}: {who}");
        let (sent, printed) = publisher.does(&server, &["upload", &name, place]);
        let commit = sent["commit"].as_str().unwrap_or_else(|| panic!("{version}: {sent} {printed}"));
        if version != "0.36.2" {
            assert!(printed.contains("in quarantine"), "{version}: {printed}");
        }
        let judged = server.judged(Kind::Model, &name, commit);
        assert!(judged.stage.is_served(), "{judged:?}");
        let (snapshot, _) = User::new(version).does(&server, &["snapshot", &name]);
        assert_eq!(
            snapshot["files"],
            json!(["config.json", "deep/model.safetensors"]),
            "{version}: {snapshot}"
        );
        let (file, _) = User::new(version).does(&server, &["file", &name, "deep/model.safetensors"]);
        assert_eq!(file["length"], safetensors(3 << 20).len(), "{version}: {file}");
        let (again, _) = publisher.does(&server, &["upload", &name, place]);
        assert_eq!(again["commit"], sent["commit"], "{version}: the same files make no version");
        let (less, _) = publisher.does(&server, &["delete", &name, "config.json"]);
        let less = less["commit"].as_str().unwrap_or_else(|| panic!("{version}: {less}"));
        server.judged(Kind::Model, &name, less);
        let (snapshot, _) = User::new(version).does(&server, &["snapshot", &name, less]);
        assert_eq!(snapshot["files"], json!(["deep/model.safetensors"]), "{version}: {snapshot}");
    }
    assert_eq!(hub.count("team"), 0, "nobody else is asked for what is ours");
}

#[test]
fn a_weapon_that_is_uploaded_is_not_given_out() {
    let hub = Hub::start();
    let server = Server::start(&hub.url);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pytorch_model.bin"), pickle::call("os", "system", "id")).unwrap();
    let publisher = User::with("1.10.2", &server.token);
    let (sent, printed) = publisher.does(&server, &["upload", "team/w", folder.path().to_str().unwrap()]);
    let commit = sent["commit"].as_str().unwrap_or_else(|| panic!("{sent} {printed}"));
    assert!(!server.judged(Kind::Model, "team/w", commit).stage.is_served());
    let (refused, _) = User::new("2.4.0").does(&server, &["snapshot", "team/w", commit]);
    assert_eq!(refused["error"], "GatedRepoError", "{refused}");
}

#[test]
fn what_nobody_has_is_told_at_once() {
    let hub = Hub::start();
    hub.write_model("new/name");
    hub.write(".renamed", b"old/name new/name");
    let server = Server::start(&hub.url);
    for version in VERSIONS {
        let user = User::new(version);
        let (missing, _) = user.does(&server, &["snapshot", "nobody/nothing"]);
        assert_eq!(missing["error"], "RepositoryNotFoundError", "{version}: {missing}");
        let (renamed, _) = user.does(&server, &["snapshot", "old/name"]);
        assert_eq!(renamed["files"].as_array().map(Vec::len), Some(3), "{version}: {renamed}");
        let (missing, _) = user.does(&server, &["file", "old/name", "nothing"]);
        assert!(missing["error"].as_str().unwrap().contains("EntryNotFoundError"), "{version}: {missing}");
        let (missing, _) = user.does(&server, &["snapshot", "old/name", "nothing"]);
        assert_eq!(missing["error"], "RevisionNotFoundError", "{version}: {missing}");
    }
}

#[test]
fn of_commits_at_once_none_is_lost() {
    let hub = Hub::start();
    let server = Server::start(&hub.url);
    let (done, printed) = User::with("1.10.2", &server.token).does(&server, &["race", "team/r"]);
    assert_eq!(done["done"], true, "{done} {printed}");
    let version = server.registry.version(Kind::Model, "team/r", "main").unwrap().unwrap();
    let files = server.registry.files(version.id, "", "", 100).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "5.txt", "first.txt"]);
}
