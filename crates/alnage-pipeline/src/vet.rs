//! Paths in, record out: open, identify, parse, check, decide.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alnage_formats::{Analysis, EntryKind, Model, TreeEntry, analyse};
use alnage_fs::{Error, MemoryBytes, Tree};
use alnage_scan::{
    Date, Exceptions, ModelRecord, Policy, Record, SCHEMA, Stats, Suppression, judge_found, judge_with,
};
use alnage_types::{
    ArtifactPath, Budget, Digest, Finding, Issue, IssueKind, Level, Manifest, ManifestFile, Source, Verdict,
};

use crate::parallel;

/// How many models are open at a time: each directory keeps a descriptor.
const BATCH: usize = 256;

/// One model to be vetted.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file or a directory.
    Path(PathBuf),
    /// A file or a directory, of files that nobody writes to any more.
    Settled(PathBuf),
    /// Bytes that have no file, such as standard input.
    Bytes {
        /// What the record calls them.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// How to vet.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads.
    pub jobs: usize,
    /// Limits for each file.
    pub budget: Budget,
    /// What findings do to the verdict.
    pub policy: Policy,
    /// Which findings are shown.
    pub level: Level,
    /// Codes, or beginnings of codes, of the rules that run; all when empty.
    pub select: Vec<String>,
    /// Codes, or beginnings of codes, of the rules that do not run.
    pub ignore: Vec<String>,
    /// Whether files are hashed.
    pub hash: bool,
    /// What a person has decided to let pass.
    pub suppressions: Vec<Suppression>,
    /// The day on which is judged.
    pub today: Date,
}

/// Hears how far a run is.
pub trait Progress: Sync {
    /// There are `bytes` more to read.
    fn expect(&self, bytes: u64);
    /// `bytes` more have been read.
    fn advance(&self, bytes: u64);
}

/// For who does not want to hear.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn expect(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Vetted {
    /// The verdicts.
    pub record: Record,
    /// What else is known about each model of the record, in the same order.
    pub models: Vec<VettedModel>,
    /// Inputs that could not be opened at all; the record says nothing of them.
    pub failures: Vec<Failure>,
}

/// What a seal needs besides the record.
#[derive(Debug)]
pub struct VettedModel {
    /// The model on disk; absent for bytes without a file.
    pub(crate) tree: Option<Box<Tree>>,
}

/// An input that could not be opened.
#[derive(Debug)]
pub struct Failure {
    /// As the user named it.
    pub path: PathBuf,
    /// Why.
    pub error: Error,
}

/// Vets every input; each is a model of its own.
pub fn vet(inputs: Vec<Input>, options: &Options, progress: &dyn Progress) -> Vetted {
    let mut vetted = Vetted {
        record: Record {
            schema: SCHEMA,
            verdict: Verdict::Pass,
            models: Vec::new(),
            stats: Stats::default(),
        },
        models: Vec::new(),
        failures: Vec::new(),
    };
    let mut inputs = inputs.into_iter();
    loop {
        let batch: Vec<Input> = inputs.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        vet_batch(batch, options, progress, &mut vetted);
    }
    let record = &mut vetted.record;
    record.verdict = record.models.iter().map(|model| model.verdict).max().unwrap_or(Verdict::Pass);
    vetted
}

impl Vetted {
    /// Adds what was found out about the model at `index` otherwise than by reading it, and decides anew.
    pub fn add(&mut self, index: usize, found: Vec<Finding>, issues: Vec<Issue>, options: &Options) {
        let Some(record) = self.record.models.get_mut(index) else { return };
        record.issues.extend(issues);
        let model = Model { issues: record.issues.clone(), ..Model::default() };
        let exceptions = Exceptions {
            suppressions: &options.suppressions,
            manifest: &record.manifest,
            today: options.today,
        };
        let mut all = std::mem::take(&mut record.findings);
        all.extend(found);
        let wanted = |code: &str| options.wants(code);
        let judgement = judge_found(&model, &options.policy, options.level, wanted, exceptions, all);
        record.verdict = judgement.verdict;
        record.findings = judgement.findings;
        record.suppressed.extend(judgement.suppressed);
        record.decided_by = judgement.decided_by;
        self.record.verdict = self.record.verdict.max(judgement.verdict);
    }
}

/// A model whose files are about to be read.
struct Opened {
    name: String,
    content: Content,
}

enum Content {
    Tree(Box<Tree>),
    Bytes(Arc<MemoryBytes>),
}

/// What came out of one file.
#[derive(Default)]
struct FileResult {
    analysis: Analysis,
    sha256: Option<Digest>,
    size: u64,
}

fn vet_batch(batch: Vec<Input>, options: &Options, progress: &dyn Progress, vetted: &mut Vetted) {
    let mut batch: Vec<_> = batch.into_iter().map(|input| std::sync::Mutex::new(Some(input))).collect();
    let opened = parallel::map(options.jobs, batch.len(), |index| {
        let input = batch[index].lock().ok().and_then(|mut slot| slot.take());
        input.map(open)
    });
    batch.clear();
    let mut models = Vec::new();
    for result in opened.into_iter().flatten() {
        match result {
            Ok(model) => models.push(model),
            Err(failure) => vetted.failures.push(failure),
        }
    }
    let work: Vec<(usize, usize)> = (models.iter().enumerate())
        .flat_map(|(index, model)| (0..model.files()).map(move |file| (index, file)))
        .collect();
    progress.expect(models.iter().map(Opened::bytes).sum());
    let mut results = parallel::map(options.jobs, work.len(), |index| {
        let (model, file) = work[index];
        models[model].read(file, options, progress)
    })
    .into_iter();
    let gathered: Vec<_> = models
        .into_iter()
        .map(|model| {
            let files = results.by_ref().take(model.files()).collect();
            std::sync::Mutex::new(Some((model, files)))
        })
        .collect();
    let records = parallel::map(options.jobs, gathered.len(), |index| {
        let taken = gathered[index].lock().ok().and_then(|mut slot| slot.take());
        taken.map(|(model, files)| conclude(model, files, options))
    });
    for (record, model, stats) in records.into_iter().flatten() {
        let total = &mut vetted.record.stats;
        total.models += 1;
        total.files += stats.files;
        total.artifacts += stats.artifacts;
        total.bytes += stats.bytes;
        total.excluded += stats.excluded;
        vetted.record.models.push(record);
        vetted.models.push(model);
    }
}

fn open(input: Input) -> Result<Opened, Failure> {
    let settled = matches!(input, Input::Settled(_));
    match input {
        Input::Path(path) | Input::Settled(path) => match alnage_fs::walk(&path) {
            Ok(mut tree) => {
                tree.settled = settled;
                let name = path.to_string_lossy().into_owned();
                Ok(Opened { name, content: Content::Tree(Box::new(tree)) })
            }
            Err(error) => Err(Failure { path, error }),
        },
        Input::Bytes { name, bytes } => {
            Ok(Opened { name, content: Content::Bytes(Arc::new(MemoryBytes(bytes))) })
        }
    }
}

impl Opened {
    fn files(&self) -> usize {
        match &self.content {
            Content::Tree(tree) => tree.files.len(),
            Content::Bytes(_) => 1,
        }
    }

    fn bytes(&self) -> u64 {
        match &self.content {
            Content::Tree(tree) => tree.files.iter().map(|file| file.size).sum(),
            Content::Bytes(bytes) => bytes.len(),
        }
    }

    fn read(&self, file: usize, options: &Options, progress: &dyn Progress) -> FileResult {
        match &self.content {
            Content::Tree(tree) => read_file(tree, file, options, progress),
            Content::Bytes(bytes) => {
                let sha256 = options.hash.then(|| Digest::of(&bytes.0));
                progress.advance(bytes.len());
                let analysis = analyse_guarded(ArtifactPath::file(&*self.name), bytes.clone(), options);
                FileResult { analysis, sha256, size: bytes.len() }
            }
        }
    }
}

fn read_file(tree: &Tree, index: usize, options: &Options, progress: &dyn Progress) -> FileResult {
    let Some(file) = tree.files.get(index) else { return FileResult::default() };
    let content = match tree.read(file, options.hash, &|bytes| progress.advance(bytes)) {
        Ok(content) => content,
        Err(error) => {
            let mut analysis = Analysis::default();
            analysis.issues.push(unreadable(&file.path, format!("the file could not be read: {error}")));
            return FileResult { analysis, sha256: None, size: file.size };
        }
    };
    if !options.hash {
        let in_memory = content.source.as_bytes().map_or(0, |bytes| bytes.len() as u64);
        progress.advance(file.size.saturating_sub(in_memory));
    }
    let mut analysis = analyse_guarded(file.path.clone(), content.source.clone(), options);
    if content.has_changed() {
        analysis.issues.push(unreadable(&file.path, "the file was written to while it was read".to_owned()));
    }
    FileResult { analysis, sha256: content.sha256, size: content.source.len() }
}

fn analyse_guarded(path: ArtifactPath, source: Arc<dyn Source>, options: &Options) -> Analysis {
    parallel::guarded(|| analyse(path.clone(), source, &options.budget)).unwrap_or_else(|said| {
        let mut analysis = Analysis::default();
        analysis.issues.push(internal(&path, &format!("the analysis failed: {said}")));
        analysis
    })
}

fn unreadable(path: &ArtifactPath, message: String) -> Issue {
    Issue { artifact: path.clone(), offset: None, kind: IssueKind::Unreadable, message }
}

fn internal(path: &ArtifactPath, message: &str) -> Issue {
    Issue { artifact: path.clone(), offset: None, kind: IssueKind::Internal, message: message.to_owned() }
}

/// Puts a model's files together and judges them.
fn conclude(
    opened: Opened,
    results: Vec<FileResult>,
    options: &Options,
) -> (ModelRecord, VettedModel, Stats) {
    let mut model = Model::default();
    let mut files = Vec::new();
    let mut stats = Stats { files: results.len() as u64, ..Stats::default() };
    let mut vetted = VettedModel { tree: None };
    let mut names: Vec<Option<String>> = Vec::new();
    match opened.content {
        Content::Tree(mut tree) => {
            tree.close();
            model.tree = tree.entries.clone();
            stats.excluded = tree.excluded;
            for (path, error) in &tree.unreadable {
                model.issues.push(unreadable(path, format!("the directory could not be read: {error}")));
            }
            for file in &tree.files {
                if file.name.is_none() {
                    let message = "the file's name is not UTF-8".to_owned();
                    let (artifact, kind) = (file.path.clone(), IssueKind::Unsupported);
                    model.issues.push(Issue { artifact, offset: None, kind, message });
                }
                names.push(file.name.clone().filter(|_| file.in_manifest));
            }
            vetted.tree = Some(tree);
        }
        Content::Bytes(bytes) => {
            let path = ArtifactPath::file(&*opened.name);
            model.tree =
                vec![TreeEntry { path, kind: EntryKind::File, size: bytes.len(), executable: false }];
            names.push(Some(opened.name.clone()));
        }
    }
    for (result, name) in results.into_iter().zip(names) {
        stats.bytes += result.size;
        stats.artifacts += result.analysis.artifacts.len() as u64;
        model.artifacts.extend(result.analysis.artifacts);
        model.issues.extend(result.analysis.issues);
        if let Some(path) = name {
            files.push(ManifestFile { path, size: result.size, sha256: result.sha256 });
        }
    }
    let manifest = Manifest::new(files);
    (record(opened.name, model, manifest, options), vetted, stats)
}

fn record(path: String, mut model: Model, manifest: Manifest, options: &Options) -> ModelRecord {
    let exceptions =
        Exceptions { suppressions: &options.suppressions, manifest: &manifest, today: options.today };
    let wanted = |code: &str| options.wants(code);
    let run = |model: &Model| judge_with(model, &options.policy, options.level, wanted, exceptions);
    let judged = parallel::guarded(|| run(&model));
    let judgement = judged.unwrap_or_else(|said| {
        let whole = ArtifactPath::file(Path::new(&path).file_name().unwrap_or_default().to_string_lossy());
        model.issues.push(internal(&whole, &format!("a rule failed: {said}")));
        judge_with(&model, &options.policy, options.level, |_| false, exceptions)
    });
    ModelRecord {
        path,
        verdict: judgement.verdict,
        manifest,
        tree: model
            .tree
            .into_iter()
            .filter(|entry| entry.kind != EntryKind::File || entry.executable)
            .collect(),
        artifacts: model.artifacts,
        findings: judgement.findings,
        suppressed: judgement.suppressed,
        issues: model.issues,
        decided_by: judgement.decided_by,
    }
}

impl Options {
    /// What names the choices of the user that a verdict depends on; `None` when they are the built-in ones.
    pub(crate) fn policy_digest(&self) -> Option<Digest> {
        let built_in = self.policy == Policy::default() && self.suppressions.is_empty();
        if built_in && self.select.is_empty() && self.ignore.is_empty() {
            return None;
        }
        let suppressions: Vec<_> = (self.suppressions.iter())
            .map(|entry| (&entry.code, &entry.artifact, &entry.sha256, &entry.reason, &entry.expires))
            .collect();
        let chosen = (&self.policy, suppressions, &self.select, &self.ignore);
        serde_json::to_vec(&chosen).ok().map(|bytes| Digest::of(&bytes))
    }

    /// Whether the rule `code` runs. The longest matching beginning decides; `select` wins a tie.
    pub(crate) fn wants(&self, code: &str) -> bool {
        let longest = |list: &[String]| {
            let matching = list
                .iter()
                .filter(|start| code.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)));
            matching.map(String::len).max()
        };
        match (longest(&self.select), longest(&self.ignore)) {
            (selected, Some(ignored)) => selected.is_some_and(|selected| selected >= ignored),
            (Some(_), None) => true,
            (None, None) => self.select.is_empty(),
        }
    }
}
