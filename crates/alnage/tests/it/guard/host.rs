//! A host to guard: a file system of its own, in mounts of its own, so that nothing outside is touched.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    run::{models, plain_environment, python, text},
    sandbox::Sandbox,
};

/// Everything below `fs` lies on a file system that only the programs of this host see.
pub(crate) struct Host {
    pub(crate) sandbox: Sandbox,
    /// Keeps the mounts.
    keeper: Child,
}

/// A guard that runs.
pub(crate) struct Guard {
    pub(crate) child: Child,
    stderr: PathBuf,
}

impl Host {
    /// A host with the models of `models` below `fs`; none, and a line that says so, where the tests may not guard.
    pub(crate) fn new() -> Option<Self> {
        let sandbox = models();
        if let Err(why) = may_guard(&sandbox) {
            return not_run(&why);
        }
        let script = "
mkdir -p fs && truncate -s 96M image
{ mkfs.ext4 -q image && mount -o loop image fs; } 2>/dev/null || mount -t tmpfs guarded fs || exit 1
cp -a good bad bare text fs/ && echo ready && exec sleep 600
";
        let mut keeper = Command::new("unshare");
        keeper.args(["--mount", "--", "sh", "-c", script]).current_dir(sandbox.root()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "a file system of its own");
        Some(Self { sandbox, keeper })
    }

    /// A command in this host's mounts and the sandbox's folder.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.keeper.id().to_string(), "--", "sh", "-c"]);
        command.arg("cd \"$0\" && exec \"$@\"").arg(self.sandbox.root()).arg(program);
        plain_environment(&self.sandbox, &mut command);
        command.stdin(Stdio::null());
        command
    }

    /// `alnage guard-host` with the key of `models`, ready when this returns.
    pub(crate) fn guard(&self, options: &str) -> Guard {
        self.guard_with(&format!("--key keys/signing.pub.pem {options}"))
    }

    pub(crate) fn guard_with(&self, options: &str) -> Guard {
        self.started(self.command(env!("CARGO_BIN_EXE_alnage")), options)
    }

    pub(crate) fn started(&self, mut command: Command, options: &str) -> Guard {
        let stderr = self.sandbox.path(&format!("stderr-{:?}", Instant::now()).replace(' ', ""));
        let figures = stderr.with_extension("figures");
        command.args(["guard-host", "--log", "log", "--no-cache"]).args(options.split_whitespace());
        if !options.contains("--metrics") {
            command.arg("--metrics").arg(&figures);
        }
        command.stderr(fs::File::create(&stderr).unwrap());
        let mut guard = Guard { child: command.spawn().unwrap(), stderr };
        // It counts as soon as it guards.
        let begun = Instant::now();
        while !figures.exists() && !options.contains("--metrics") {
            assert!(guard.child.try_wait().unwrap().is_none(), "{}", guard.said());
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", guard.said());
            thread::sleep(Duration::from_millis(10));
        }
        guard
    }

    /// Reads `file` by `way`.
    pub(crate) fn read_by(&self, way: &str, file: &str) -> Output {
        self.command(python()).args(["ways.py", way, file]).output().unwrap()
    }

    pub(crate) fn read(&self, file: &str) -> String {
        text(&self.read_by("plain", file).stdout)
    }

    pub(crate) fn shell(&self, script: &str) -> Output {
        self.command("sh").args(["-c", script]).output().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

impl Guard {
    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Ends it and gives its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `there` gives something.
pub(crate) fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Asks the machine itself, not the guard: a guard that does not start must fail its tests.
fn may_guard(sandbox: &Sandbox) -> Result<(), String> {
    const ASK: &str = "
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x20000) < 0: raise SystemExit('no mounts of its own: ' + os.strerror(ctypes.get_errno()))
if libc.fanotify_init(0x4 | 0x10 | 0x20, 0) < 0: raise SystemExit('no fanotify: ' + os.strerror(ctypes.get_errno()))
";
    let asked = Command::new(python()).args(["-c", ASK]).current_dir(sandbox.root()).output().unwrap();
    if asked.status.success() { Ok(()) } else { Err(text(&asked.stderr).trim().to_owned()) }
}

/// Says that a test did not run, where `cargo xtask test` counts it.
pub(crate) fn not_run<T>(why: &str) -> Option<T> {
    let test = thread::current().name().unwrap_or_default().to_owned();
    eprintln!("NOT RUN: {test}: {why}");
    if let Some(list) = std::env::var_os("ALNAGE_NOT_RUN") {
        let mut list = fs::File::options().append(true).create(true).open(Path::new(&list)).unwrap();
        writeln!(list, "{test}: {why}").unwrap();
    }
    None
}

/// Everything that `address` answers.
pub(crate) fn asked(address: &str) -> String {
    let mut stream = until(address, || std::net::TcpStream::connect(address).ok());
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
