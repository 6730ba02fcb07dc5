//! What was decided: one line of JSON each, and one line for the person where something was refused.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use alnage_pipeline::rfc3339;
use serde_json::{Map, Value, json};

use crate::{
    Error,
    admission::{Admission, Judgement, Places, Refusal},
    resolve::status_field,
};

/// What a refusal leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The file is not opened.
    Enforce,
    /// The person is told.
    Warn,
    /// It is written down.
    Observe,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::Observe => "observe",
        }
    }
}

/// Where decisions go.
#[derive(Debug)]
pub struct Audit {
    mode: Mode,
    path: Option<PathBuf>,
    file: Option<Mutex<File>>,
    told: Mutex<HashSet<(PathBuf, String)>>,
}

impl Audit {
    /// Decisions go to the end of `file`, when there is one.
    pub fn open(mode: Mode, file: Option<&Path>) -> Result<Self, Error> {
        let opened = file.map(append).transpose()?.map(Mutex::new);
        Ok(Self { mode, path: file.map(Path::to_owned), file: opened, told: Mutex::default() })
    }

    /// Goes on in what lies where the file was, which may have been moved away.
    pub(crate) fn reopen(&self) -> Result<(), Error> {
        if let (Some(path), Some(file)) = (&self.path, &self.file) {
            *file.lock().unwrap_or_else(PoisonError::into_inner) = append(path)?;
        }
        Ok(())
    }

    /// What a refusal leads to.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Writes down what came of a file that `thread` opened; gives whether it was the first time.
    pub(crate) fn judged(&self, thread: u32, places: &Places, judgement: &Judgement) {
        match judgement {
            Judgement::NoModel => {}
            Judgement::Admitted(admission) => {
                let told = self.mode == Mode::Observe && self.file.is_none();
                if told && self.is_news(places.shown(), &admission.signer) {
                    let formats = shown(&admission.formats);
                    let path = places.shown().display();
                    say(format_args!("`{path}`{formats} is vouched for by {}", admission.signer));
                }
                self.line(thread, places, "admitted", of_admission(admission));
            }
            Judgement::Refused(refusal) => {
                let Refusal { formats, reason } = refusal;
                let decision = match self.mode {
                    Mode::Enforce => "refused",
                    Mode::Warn | Mode::Observe => "not-refused",
                };
                let quiet = self.mode == Mode::Observe && self.file.is_some();
                if !quiet && self.is_news(places.shown(), reason) {
                    let (path, formats) = (places.shown().display(), shown(formats));
                    match self.mode {
                        Mode::Enforce => say(format_args!("refused `{path}`{formats}: {reason}")),
                        _ => say(format_args!("would refuse `{path}`{formats}: {reason}")),
                    }
                }
                self.line(
                    thread,
                    places,
                    decision,
                    vec![("formats", json!(formats)), ("reason", json!(reason))],
                );
            }
        }
    }

    /// Says and writes down that something was refused that was not judged by its content.
    pub(crate) fn refused(&self, thread: u32, places: &Places, reason: &str) {
        let refusal = Refusal { formats: Vec::new(), reason: reason.to_owned() };
        self.judged(thread, places, &Judgement::Refused(refusal));
    }

    /// Says and writes down that a file was changed while a program had it open.
    pub(crate) fn changed(&self, path: &Path) {
        say(format_args!("`{}` was verified, and somebody is writing to it", path.display()));
        self.event("changed", vec![("path", json!(path.to_string_lossy()))]);
    }

    /// Writes down that the run began or ended.
    pub(crate) fn event(&self, event: &str, more: Vec<(&str, Value)>) {
        let mut line = Map::new();
        line.insert("time".into(), json!(now()));
        line.insert("event".into(), json!(event));
        line.insert("mode".into(), json!(self.mode.as_str()));
        line.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.write(&Value::Object(line));
    }

    fn line(&self, thread: u32, places: &Places, decision: &str, more: Vec<(&str, Value)>) {
        if self.file.is_none() {
            return;
        }
        let mut all = vec![
            ("decision", json!(decision)),
            ("path", json!(places.place.to_string_lossy())),
            ("process", json!(thread)),
            ("program", json!(status_field(thread, "Name:"))),
        ];
        if let Some(named) = &places.named {
            all.insert(2, ("named", json!(named.to_string_lossy())));
        }
        all.extend(more);
        self.event("open", all);
    }

    fn write(&self, line: &Value) {
        let Some(file) = &self.file else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            say(format_args!("the audit cannot be written: {error}"));
        }
    }

    fn is_news(&self, path: &Path, what: &str) -> bool {
        const MOST: usize = 10_000;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST && told.insert((path.to_owned(), what.to_owned()))
    }
}

fn append(path: &Path) -> Result<File, Error> {
    let options = File::options().append(true).create(true).mode(0o600).open(path);
    options.map_err(Error::at(format!("`{}`", path.display())))
}

fn of_admission(admission: &Admission) -> Vec<(&'static str, Value)> {
    vec![
        ("formats", json!(admission.formats)),
        ("model", json!(admission.model.to_string_lossy())),
        ("digest", json!(admission.digest.to_string())),
        ("signer", json!(admission.signer)),
    ]
}

fn shown(formats: &[&str]) -> String {
    if formats.is_empty() { String::new() } else { format!(" ({})", formats.join(", ")) }
}

fn now() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    rfc3339(since.as_secs())
}

/// One line on standard error, which the program shares; that nobody reads it is no error.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = io::stderr().write_all(format!("alnage: {line}\n").as_bytes());
}
