//! Detonation: a model is loaded in a jail, and what it does there is told. What it did not do there it may still do
//! elsewhere: nothing here says that a model is safe.

mod event;
mod filter;
mod findings;
mod interpreter;
mod jail;
mod loads;
mod names;
mod once;
mod report;
mod root;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use alnage_fs::{Tree, TreeFile, walk};
use alnage_types::{ArtifactPath, Digest};

use self::{
    event::Events,
    once::{Ran, Target, once},
};
use crate::Error;

pub use event::{Event, Kind};
pub use findings::{findings, issues};
pub use interpreter::{Interpreter, Profile};
pub use jail::Limits;
pub use report::{json, text};

/// Loads models, one file after the other, each in a jail of its own.
#[derive(Debug)]
pub struct Detonator {
    interpreter: Interpreter,
    profile: Profile,
    limits: Limits,
    controls: BTreeMap<(&'static str, String), Events>,
}

/// What became of one model.
#[derive(Debug, Clone)]
pub struct Detonation {
    /// As the user named it.
    pub path: String,
    /// The files that were loaded.
    pub files: Vec<Detonated>,
    /// The files that were not loaded: data, in which nothing runs, and scripts that nothing imports.
    pub data: Vec<(ArtifactPath, Option<Digest>)>,
}

/// What was seen while one file was loaded.
#[derive(Debug, Clone)]
pub struct Detonated {
    /// Which file.
    pub artifact: ArtifactPath,
    /// The digest of its bytes.
    pub sha256: Option<Digest>,
    /// How it was loaded.
    pub loader: &'static str,
    /// What it did that a harmless file does not.
    pub events: Vec<Event>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was loaded to its end.
    Loaded,
    /// It stopped before: with this error, or without a word.
    Stopped(String),
    /// It was killed when its time was over.
    TimeOver,
    /// It was killed when it had used more memory than it may.
    MemoryOver,
}

impl Detonator {
    /// Who loads with `interpreter` under these limits.
    pub fn new(interpreter: Interpreter, profile: Profile, limits: Limits) -> Self {
        Self { interpreter, profile, limits, controls: BTreeMap::new() }
    }

    /// The interpreter's version.
    pub fn version(&self) -> &str {
        &self.interpreter.version
    }

    /// What takes the place of the frameworks.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// What a load may use.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Loads every file of the model at `path` that something runs in.
    pub fn detonate(&mut self, path: &Path) -> Result<Detonation, Error> {
        let tree = walk(path)?;
        let mut detonation =
            Detonation { path: path.to_string_lossy().into_owned(), files: Vec::new(), data: Vec::new() };
        let root = path.canonicalize().map_err(Error::at(format!("`{}`", path.display())))?;
        let mut named = BTreeSet::new();
        for file in tree.files.iter().filter(|file| file.path.as_str().ends_with("config.json")) {
            if let Ok(content) = tree.read(file, false, &|_| {}) {
                named.extend(loads::named_modules(content.source.as_ref()));
            }
        }
        for file in &tree.files {
            let content = tree.read(file, true, &|_| {});
            let content = content.map_err(Error::at(format!("`{}`", file.path)))?;
            let loader = loads::loader(&file.path, &content.source, self.profile);
            let is_used = |loader: &&str| {
                *loader != "code" || tree.single_file || loads::is_imported(file.path.as_str(), &named)
            };
            match loader.filter(is_used) {
                Some(loader) => {
                    let sha256 = content.sha256;
                    detonation.files.push(self.file(&tree, &root, file, (loader, sha256))?);
                }
                None => detonation.data.push((file.path.clone(), content.sha256)),
            }
        }
        Ok(detonation)
    }

    fn file(
        &mut self,
        tree: &Tree,
        root: &Path,
        file: &TreeFile,
        (loader, sha256): (&'static str, Option<Digest>),
    ) -> Result<Detonated, Error> {
        let name = file.path.as_str();
        let (inside, bound) = match tree.single_file {
            true => {
                let inside = Path::new("/model").join(root.file_name().unwrap_or("model".as_ref()));
                (inside.clone(), inside)
            }
            false => (Path::new("/model").join(name), PathBuf::from("/model")),
        };
        let outside = if tree.single_file { root.to_owned() } else { root.join(file.location()) };
        let target = Target::Model { root, bound: &bound, inside: &inside, outside: &outside };
        let ran = once(&self.interpreter, self.profile, self.limits, loader, &target, "")?;
        let Ran { mut events, outcome, imports } = ran;
        if !events.0.is_empty() {
            events.subtract(self.control(loader, imports)?);
        }
        let artifact = file.path.clone();
        Ok(Detonated { artifact, sha256, loader, events: events.0, outcome })
    }

    /// What a harmless file does that is loaded in the same way, after the same modules were imported.
    fn control(&mut self, loader: &'static str, imports: String) -> Result<&Events, Error> {
        let key = (loader, imports);
        if !self.controls.contains_key(&key) {
            let ran = once(&self.interpreter, self.profile, self.limits, loader, &Target::Control, &key.1)?;
            self.controls.insert(key.clone(), ran.events);
        }
        self.controls.get(&key).ok_or_else(|| Error::Unsupported("the control run gave nothing".to_owned()))
    }
}

impl Detonation {
    /// All events.
    pub fn events(&self) -> impl Iterator<Item = (&Detonated, &Event)> {
        self.files.iter().flat_map(|file| file.events.iter().map(move |event| (file, event)))
    }
}

impl Outcome {
    /// For people and reports.
    pub fn told(&self) -> String {
        match self {
            Self::Loaded => "loaded to its end".to_owned(),
            Self::Stopped(error) => format!("stopped early: {error}"),
            Self::TimeOver => "killed when its time was over".to_owned(),
            Self::MemoryOver => "killed when it used more memory than it may".to_owned(),
        }
    }
}
