//! What the tests of this crate stand on: a database of either kind, fresh for each test.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alnage_policy::Pack;

use crate::{
    Registry, Settings,
    database::{Database, Place},
};

/// A moment that does not move.
pub(crate) fn now() -> u64 {
    1_795_320_306
}

/// Runs `check` on an empty registry over SQLite, then on one over PostgreSQL.
pub(crate) fn each_registry(check: impl Fn(&Registry)) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::below(folder.path(), Pack::shipped("default").unwrap());
    check(&Registry::open(settings.clone(), now).unwrap());
    let server = Server::start();
    check(&Registry::open(Settings { database: Place::Server(server.url()), ..settings }, now).unwrap());
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
            .args(["--no-sync", "--auth=trust", "--username=alnage", "--encoding=UTF8", "--no-locale", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let process = as_nobody(&tools.join("postgres"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=100", "-D"])
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { folder, process };
        let deadline = Instant::now() + Duration::from_secs(60);
        while postgres::Client::connect(&server.url(), postgres::NoTls).is_err() {
            assert!(Instant::now() < deadline, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        let host = self.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgresql://alnage@{host}/postgres")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The signal for a fast end; `setpriv` has become the server, so the process is the server.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
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
