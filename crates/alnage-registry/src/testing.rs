//! What the tests of this crate stand on: a database of either kind, fresh for each test.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alnage_policy::Pack;

use crate::{
    Registry, Settings,
    blobs::S3Settings,
    database::{Database, Place},
};

/// A moment that does not move.
pub(crate) fn now() -> u64 {
    1_795_320_306
}

/// Runs `check` on an empty registry over SQLite, then on one over PostgreSQL.
pub(crate) fn each_registry(check: impl Fn(&Registry)) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::below(folder.path(), Pack::shipped("default").unwrap());
    settings.receivers.this_machine = true;
    check(&Registry::open(settings.clone(), now).unwrap());
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let other = Settings::below(folder.path(), settings.policy.clone());
    let (database, receivers) = (Place::Server(server.url()), settings.receivers);
    check(&Registry::open(Settings { database, receivers, ..other }, now).unwrap());
}

/// Runs `check` on the place of a SQLite file to be, then on that of an empty PostgreSQL, each with an empty directory.
pub(crate) fn each_place(check: impl Fn(&Place, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    check(&Place::File(folder.path().join("registry.db")), folder.path());
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    check(&Place::Server(server.url()), folder.path());
}

/// Runs `check` on an empty SQLite file, then on an empty database of PostgreSQL.
pub(crate) fn each_engine(check: impl Fn(Database)) {
    let folder = tempfile::tempdir().unwrap();
    check(Database::open_file(&folder.path().join("records.db")).unwrap());
    let server = Server::start();
    check(Database::open(&Place::Server(server.url())).unwrap());
}

/// A PostgreSQL server of its own, on a socket in a directory, ended when dropped.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let tools = tools();
        // It does not run as root; `nobody` is everywhere.
        Command::new("chown").arg("nobody").arg(folder.path()).status().unwrap();
        let made = as_nobody(&tools.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=alnage", "--encoding=UTF8", "-D"])
            .arg(&data)
            // A language with an order of its own, as servers have it.
            .args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let process = serve(folder.path());
        let server = Self { folder, process };
        server.wait();
        server
    }

    /// Ends it, with everything that talks to it.
    pub(crate) fn stop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }

    pub(crate) fn start_again(&mut self) {
        self.process = serve(self.folder.path());
        self.wait();
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while postgres::Client::connect(&self.url(), postgres::NoTls).is_err() {
            assert!(Instant::now() < deadline, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> String {
        let host = self.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgresql://alnage@{host}/postgres")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `setpriv` has become the server, so the process is the server; the signal is that for a fast end.
        self.stop();
    }
}

fn serve(folder: &Path) -> Child {
    as_nobody(&tools().join("postgres"))
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=100", "-D"])
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program).current_dir("/");
    command
}

/// Debian keeps the server's programs apart from others.
fn tools() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is missing\n\nhint: `cargo xtask test` installs Debian's package `postgresql`")
        .map(|entry| entry.unwrap().path().join("bin"))
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL has no version")
}

/// An S3 server of its own, on ports of its own, ended when dropped.
pub(crate) struct Bucket {
    folder: tempfile::TempDir,
    process: Child,
    endpoint: String,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("s3.json");
        let rights = r#"{"identities": [{"name": "a", "credentials": [{"accessKey": "key", "secretKey": "secret"}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}"#;
        std::fs::write(&keys, rights).unwrap();
        let ports: Vec<u16> = free_ports(4);
        let [master, volume, filer, s3] = ports[..] else { panic!("four ports") };
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(testkit::peers::python().with_file_name("weed"))
            .args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer", "-volume.max=40"])
            .args(["-master.telemetry=false", "-master.volumeSizeLimitMB=256"])
            // Else it takes nothing any more on a disk with less than one per cent free, gigabytes though they be.
            .arg("-volume.minFreeSpace=1MiB")
            .arg(format!("-dir={}", folder.path().display()))
            .arg(format!("-s3.config={}", keys.display()))
            .args([format!("-master.port={master}"), format!("-volume.port={volume}")])
            .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
            // Else it listens on ports that are the same for all, and ends when another test has them.
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let bucket = Self { folder, process, endpoint: format!("http://127.0.0.1:{s3}") };
        bucket.wait();
        bucket
    }

    pub(crate) fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: self.endpoint.clone(),
            bucket: "alnage-test".into(),
            prefix: "some/where/".into(),
            region: "us-east-1".into(),
            key: "key".into(),
            secret: "secret".into(),
            token: None,
        }
    }

    /// Makes the bucket, as soon as the server takes it.
    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let url = self.endpoint.parse().unwrap();
            let bucket =
                rusty_s3::Bucket::new(url, rusty_s3::UrlStyle::Path, "alnage-test", "us-east-1").unwrap();
            let credentials = rusty_s3::Credentials::new("key", "secret");
            let address =
                rusty_s3::S3Action::sign(&bucket.create_bucket(&credentials), Duration::from_secs(60));
            let answer = ureq::put(address.as_str()).send_empty();
            if answer.is_ok() {
                return;
            }
            let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{answer:?}: {said}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // It takes its time to end in order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ports that nobody listens on now; the server adds ten thousand to some.
fn free_ports(count: usize) -> Vec<u16> {
    let mut ports = Vec::new();
    let mut held = Vec::new();
    while ports.len() < count {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // Below 55535, so that the port ten thousand higher is one, too.
        if port < 55_000 && std::net::TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            ports.push(port);
        }
        held.push(listener);
    }
    ports
}
