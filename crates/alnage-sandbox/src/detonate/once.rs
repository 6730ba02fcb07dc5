//! One load: the jail is made, Python started in it, everything watched until the last process has ended.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
    thread,
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde_json::Value;

use super::{
    Interpreter, Kind, Limits, Outcome, Profile,
    event::Events,
    filter,
    jail::{Jail, Stage},
    root::Content,
    watch::{Ended, Seen, Watch},
};
use crate::{Error, launch::receive_all, raw::before_exec};

/// What is loaded.
pub(super) enum Target<'a> {
    /// A file of a model.
    Model {
        /// The whole model outside.
        root: &'a Path,
        /// The same inside.
        bound: &'a Path,
        /// The file inside.
        inside: &'a Path,
        /// The same outside.
        outside: &'a Path,
    },
    /// A harmless file.
    Control,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) events: Events,
    pub(super) outcome: Outcome,
    /// Packages that were imported, separated by commas.
    pub(super) imports: String,
}

const IMPORTER: &str = include_str!("importer.py");
/// What the process in the jail may say: more is not read.
const MOST_SAID: u64 = 1 << 20;

/// What a secret in the environment looks like; nobody needs them to load a model.
const SECRETS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIAALNAGEDECOY00000"),
    ("AWS_SECRET_ACCESS_KEY", "alnageDecoyAlnageDecoyAlnageDecoyAlnage0"),
    ("GITHUB_TOKEN", "ghp_alnagedecoyalnagedecoyalnagedecoy00"),
    ("HF_TOKEN", "hf_alnagedecoyalnagedecoyalnagedecoy"),
    ("OPENAI_API_KEY", "sk-alnagedecoyalnagedecoyalnagedecoy"),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("HOME", "/home/user"),
    ("LANG", "C.UTF-8"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("USER", "user"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    // Each thread takes address space.
    ("OMP_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("MKL_NUM_THREADS", "1"),
    ("HF_HUB_OFFLINE", "1"),
];

/// Loads it. An error means that there was no jail, and nothing was loaded.
pub(super) fn once(
    interpreter: &Interpreter,
    profile: Profile,
    limits: Limits,
    loader: &'static str,
    target: &Target<'_>,
    imports: &str,
) -> Result<Ran, Error> {
    let control: &[u8] = match loader {
        "code" | "path-file" | "template" => b"\n",
        _ => b"\x80\x04}\x94.",
    };
    let (model, inside, file) = match target {
        Target::Model { root, bound, inside, outside } => {
            let file = File::open(outside).map_err(Error::at(format!("`{}`", outside.display())))?;
            (Some((*root, *bound)), (*inside).to_owned(), Some(file))
        }
        Target::Control => (None, PathBuf::from("/model/control.py"), None),
    };
    let mut files = vec![("/alnage/importer.py", IMPORTER.as_bytes())];
    if file.is_none() {
        files.push(("/model/control.py", control));
    }
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(Error::at("a pair of sockets"))?;
    let address_space = match profile {
        Profile::Stub => limits.memory,
        // Libraries reserve far more than they use; what is used is looked at.
        Profile::Real => limits.memory.saturating_mul(64),
    };
    let content = Content { places: &interpreter.places, model, files: &files };
    let jail = Jail::prepare(&content, limits, address_space, filter::program(), theirs)
        .map_err(Error::at("preparing a jail"))?;
    let mut command = Command::new(&interpreter.program);
    command.arg("-I").args((profile == Profile::Stub).then_some("-S")).args(["-B", "-X", "utf8"]);
    command.arg("/alnage/importer.py").args([profile.as_str(), loader]).arg(&inside);
    command.env_clear().envs(ENVIRONMENT.iter().copied()).envs(SECRETS.iter().copied());
    command.env("ALNAGE_IMPORTS", imports);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    before_exec(&mut command, move || jail.enter());
    let outermost = Arc::new(OnceLock::new());
    let watching = {
        let (outermost, limits) = (Arc::clone(&outermost), (limits.time, limits.memory));
        move || -> io::Result<Result<Seen, u8>> {
            let (stage, descriptors) = receive_all(ours.as_fd())?;
            let Ok([listener, names]) = <[_; 2]>::try_from(descriptors) else { return Ok(Err(stage)) };
            Ok(Ok(Watch::new(listener, names, inside, file, limits).look(&outermost)))
        }
    };
    let watching = thread::Builder::new().spawn(watching).map_err(Error::at("a thread"))?;
    let spawned = command.spawn();
    drop(command);
    let said = match spawned {
        Ok(mut child) => {
            // Nobody else sets it.
            let _ = outermost.set(child.id());
            let said = child.stdout.take().map(read_all).unwrap_or_default();
            child.wait().map_err(Error::at("waiting for the jail's end"))?;
            Ok(said)
        }
        Err(error) => Err(error),
    };
    let seen = match watching.join() {
        Ok(seen) => seen.map_err(Error::at("the filter's questions"))?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    match (said, seen) {
        (Ok(said), Ok(seen)) => Ok(put_together(seen, &said)),
        (Err(error), seen) => {
            let stage = Stage::told(seen.err().unwrap_or(0));
            Err(Error::NoJail(format!("{stage}: {error}")))
        }
        (_, Err(stage)) => Err(Error::NoJail(Stage::told(stage).to_owned())),
    }
}

/// Everything that is said, as far as it is kept; the rest is read too, so that nobody waits.
fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut said = Vec::new();
    let kept = from.by_ref().take(MOST_SAID).read_to_end(&mut said);
    if kept.is_ok() {
        // A pipe that breaks has said all it will.
        let _ = io::copy(&mut from, &mut io::sink());
    }
    said
}

/// What the kernel was asked for, with what Python says of itself.
fn put_together(seen: Seen, said: &[u8]) -> Ran {
    let mut events = seen.events;
    let mut outcome = Outcome::Stopped("the process ended without a word".to_owned());
    let mut imports: Vec<String> = Vec::new();
    for line in said.split(|&byte| byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        let text = |name: &str| {
            let text = message.get(name).and_then(Value::as_str).unwrap_or_default();
            text.chars().take(400).collect::<String>()
        };
        let (subject, detail) = (text("subject"), text("detail"));
        let kind = match &*text("kind") {
            "loaded" => {
                outcome = Outcome::Loaded;
                continue;
            }
            "failed" => {
                outcome = Outcome::Stopped(subject);
                continue;
            }
            "import" => {
                let is_name = subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if is_name && imports.len() < 200 {
                    imports.push(subject);
                }
                continue;
            }
            "code" => Kind::Code,
            "lookup" => Kind::Lookup,
            "environment" => Kind::Environment,
            "call" => {
                let (module, name) = subject.split_once(':').unwrap_or_default();
                if alnage_scan::capability::danger_when_called(module, name).is_some() {
                    events.add(Kind::Call, format!("{module}.{name}"), detail, String::new());
                }
                continue;
            }
            _ => continue,
        };
        // A name is seen by the name service too.
        if kind != Kind::Lookup
            || !events.0.iter().any(|event| event.kind == kind && event.subject == subject)
        {
            events.add(kind, subject, detail, String::new());
        }
    }
    match seen.ended {
        Some(Ended::Time) => outcome = Outcome::TimeOver,
        Some(Ended::Memory) => outcome = Outcome::MemoryOver,
        None if !seen.opened => outcome = Outcome::Stopped("the file was never opened".to_owned()),
        None => {}
    }
    Ran { events, outcome, imports: imports.join(",") }
}
