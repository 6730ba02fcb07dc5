//! What a registry has approved, asked when it is opened and remembered for a while; and where it runs, told there.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alnage_sandbox::admission::Records;
use alnage_types::Digest;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::{
    commands::now,
    config::approvals_directory,
    output::warn,
    remote::{Failure, Remote},
};

/// Whoever opens a file waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A refusal is asked again after so many seconds: somebody may approve it this moment.
const REFUSED_FOR: u64 = 5;
/// Where a model runs is told again after so many seconds.
const TOLD_AGAIN: u64 = 300;
/// More is not remembered.
const MOST: usize = 10_000;
/// Nor are longer files read.
const LONGEST: u64 = 16 << 20;

/// How old an answer may be, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ages {
    /// Without asking again.
    pub(crate) fresh: u64,
    /// When nobody can be asked.
    pub(crate) stale: Option<u64>,
}

/// A registry, and what it said.
pub(crate) struct Approvals {
    remote: Remote,
    ages: Ages,
    /// `run`, `guard`.
    kind: &'static str,
    environment: String,
    host: String,
    /// Where approvals outlive this process, when they may be stale.
    file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<Digest, Known>,
    /// By place and model.
    running: BTreeMap<(String, String), Told>,
    /// Whether somebody was told that the registry is away.
    said: bool,
}

/// What was said of a digest, and when.
#[derive(Debug, Clone)]
struct Known {
    asked: u64,
    said: Result<Vec<Approved>, String>,
}

/// A version that is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Approved {
    /// `model/acme/tiny`.
    model: String,
    commit: String,
    manifest: String,
}

/// A model that runs, as it was told.
#[derive(Debug, Clone)]
struct Told {
    version: Approved,
    at: u64,
}

impl Approvals {
    /// What `remote` approved.
    pub(crate) fn of(remote: Remote, ages: Ages, kind: &'static str, environment: String) -> Self {
        let name = Digest::of(remote.address().as_bytes()).to_string();
        let file = ages.stale.map(|_| approvals_directory().join(format!("{name:.16}.json")));
        let known = file.as_deref().map(|file| kept(file, now())).unwrap_or_default();
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            remote: Remote::with(remote.address(), remote.token().map(str::to_owned), Some(PATIENCE)),
            ages,
            kind,
            environment,
            host: host.trim().to_owned(),
            file,
            state: Mutex::new(State { known, ..State::default() }),
        }
    }

    /// Tells the registry that nothing of what was opened runs here any more.
    pub(crate) fn ended(&self) {
        let running = std::mem::take(&mut self.state().running);
        for ((place, _), told) in running {
            if let Err(reason) = self.tell(&place, &told.version, "stopped") {
                // The rest would wait as long, and hear the same.
                warn(format_args!("alnage: `{}` was not told what ended: {reason}", self.remote.address()));
                return;
            }
        }
    }

    /// The versions that hold what has this digest and are given out.
    fn approved(&self, digest: Digest) -> Result<Vec<Approved>, String> {
        let at = now();
        let known = self.state().known.get(&digest).cloned();
        let is_younger =
            |known: &&Known, age: u64| at.checked_sub(known.asked).is_some_and(|passed| passed < age);
        if let Some(known) = known
            .as_ref()
            .filter(|known| is_younger(known, if known.said.is_ok() { self.ages.fresh } else { REFUSED_FOR }))
        {
            return known.said.clone();
        }
        let address = self.remote.address();
        match self.ask(digest) {
            Ok(said) => {
                let mut state = self.state();
                state.said = false;
                if state.known.len() >= MOST {
                    state.known.clear();
                }
                let before = state.known.insert(digest, Known { asked: at, said: said.clone() });
                if said.is_ok() || before.is_some_and(|before| before.said.is_ok()) {
                    self.keep(&state.known);
                }
                said
            }
            Err(Failure::Refused { status, message }) if status < 500 => {
                Err(format!("the registry `{address}` does not say whether it is approved: {message}"))
            }
            Err(Failure::Away(reason) | Failure::Refused { message: reason, .. }) => {
                let known = known.filter(|known| {
                    known.said.is_ok() && self.ages.stale.is_some_and(|stale| is_younger(&known, stale))
                });
                let Some(known) = known else {
                    return Err(format!(
                        "the registry `{address}` cannot be asked whether it is approved: {reason}"
                    ));
                };
                if !std::mem::replace(&mut self.state().said, true) {
                    warn(format_args!(
                        "alnage: the registry `{address}` cannot be asked ({reason}); what it approved before counts"
                    ));
                }
                known.said
            }
        }
    }

    fn ask(&self, digest: Digest) -> Result<Result<Vec<Approved>, String>, Failure> {
        let body = json!({ "digests": [format!("sha256:{digest}")] });
        let answer = self.remote.send(&Method::POST, "/api/v1/standings", Some(&body))?;
        let answer = answer.unwrap_or_default();
        let told = &answer["items"][0];
        if told["digest"].as_str() != Some(&format!("sha256:{digest}")) {
            return Err(Failure::Away("its answer is not understood".to_owned()));
        }
        let reason = told["reason"].as_str().unwrap_or_default();
        let reason = if reason.is_empty() { String::new() } else { format!(": {}", reason.escape_debug()) };
        let address = self.remote.address();
        Ok(match told["standing"].as_str() {
            Some("approved") => {
                let versions = told["versions"].as_array().into_iter().flatten();
                let versions: Vec<Approved> = versions.filter_map(approved_in).collect();
                if versions.is_empty() {
                    return Err(Failure::Away("its answer names no version".to_owned()));
                }
                Ok(versions)
            }
            Some("recalled") => Err(format!("the registry `{address}` has recalled it{reason}")),
            Some("denied") => Err(format!("the registry `{address}` has refused it{reason}")),
            Some("pending") => Err(format!("the registry `{address}` has not approved it yet{reason}")),
            _ => Err(format!("the registry `{address}` does not know it")),
        })
    }

    /// Says that a version runs at `place`, unless it was said a moment ago.
    fn runs(&self, place: &Path, version: &Approved) {
        let place = format!("{}:{}", self.host, place.display());
        let key = (place.clone(), version.model.clone());
        let at = now();
        {
            let mut state = self.state();
            let known = state.running.get(&key);
            let is_told = known.is_some_and(|told| {
                told.version == *version && at.checked_sub(told.at).is_some_and(|passed| passed < TOLD_AGAIN)
            });
            if is_told || state.running.len() >= MOST {
                return;
            }
            // Before it is told: others open the next shard meanwhile.
            state.running.insert(key, Told { version: version.clone(), at });
        }
        if let Err(reason) = self.tell(&place, version, "running") {
            let address = self.remote.address();
            warn(format_args!("alnage: `{address}` was not told that {} runs here: {reason}", version.model));
        }
    }

    fn tell(&self, place: &str, version: &Approved, state: &str) -> Result<(), String> {
        let body = json!({
            "place": place, "kind": self.kind, "model": version.model, "commit": version.commit,
            "manifest": version.manifest, "environment": self.environment, "state": state,
            "details": { "process": std::process::id() },
        });
        match self.remote.send(&Method::POST, "/api/v1/deployments", Some(&body)) {
            Ok(_) => Ok(()),
            Err(Failure::Away(reason) | Failure::Refused { message: reason, .. }) => Err(reason),
        }
    }

    /// Keeps approvals for the next process. Without them it asks; that is all.
    fn keep(&self, known: &HashMap<Digest, Known>) {
        let Some(file) = &self.file else { return };
        let mut approved = serde_json::Map::new();
        for (digest, known) in known {
            let Ok(versions) = &known.said else { continue };
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| json!({ "model": version.model, "commit": version.commit, "manifest": version.manifest }))
                .collect();
            approved.insert(digest.to_string(), json!({ "asked": known.asked, "versions": versions }));
        }
        let _ = file.parent().map(fs::create_dir_all);
        let _ = alnage_fs::replace_secret(file, Value::Object(approved).to_string().as_bytes());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Who panicked left nothing half done behind it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records for Approvals {
    fn vouch(&self, digest: Digest, place: &Path) -> Result<String, String> {
        let versions = self.approved(digest)?;
        let shown = place.to_string_lossy();
        // A hub's cache says which commit it is; the same content may be in several.
        let here = versions.iter().find(|version| shown.contains(&version.commit));
        let Some(version) = here.or(versions.first()) else {
            return Err("the registry names no version".to_owned());
        };
        self.runs(place, version);
        let name = version.model.strip_prefix("model/").unwrap_or(&version.model);
        Ok(format!("{}: {name}@{:.12}", self.remote.address(), version.commit))
    }
}

fn approved_in(version: &Value) -> Option<Approved> {
    let text = |name: &str| version[name].as_str().map(str::to_owned);
    Some(Approved { model: text("model")?, commit: text("commit")?, manifest: text("manifest")? })
}

/// What an earlier process kept.
fn kept(file: &Path, at: u64) -> HashMap<Digest, Known> {
    let bytes = alnage_fs::read_small(file, LONGEST).unwrap_or_default();
    let kept: serde_json::Map<String, Value> = serde_json::from_slice(&bytes).unwrap_or_default();
    let read = |(digest, known): (&String, &Value)| {
        let asked = known["asked"].as_u64().filter(|asked| *asked <= at)?;
        let versions: Vec<Approved> = known["versions"].as_array()?.iter().filter_map(approved_in).collect();
        Some((digest.parse().ok()?, Known { asked, said: Ok(versions) }))
    };
    kept.iter().take(MOST).filter_map(read).collect()
}
