//! `alnage deps`: dependency files from the disk, with advisories and wheels beside them.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use alnage_discover::{
    Advisories, Asked, Attestation, Attester, DependencyFile, Signature, check, check_attestations,
    is_dependency_file, members, read, read_included,
};
use alnage_formats::Model;
use alnage_fs::{Tree, walk};
use alnage_scan::{Exceptions, ModelRecord, Record, SCHEMA, Stats, judge_found};
use alnage_sign::{
    keyless::{Evidence, Inclusion, TrustedRoot, verify_statement},
    x509::{AlternativeName, UnixTime},
};
use alnage_types::{ArtifactPath, Digest, Finding, Issue, IssueKind, Manifest, ManifestFile, Verdict};

use crate::{Error, Input, Options, Progress, trusted_root, vet};

/// Longer than the lock file of any project.
const MAX_FILE: u64 = 64 << 20;
/// All advisories of an ecosystem, zipped.
const MAX_ARCHIVE: u64 = 1 << 30;
/// How many files may include each other.
const MAX_INCLUDES: usize = 1000;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Depending {
    /// Dependency files, or directories that are searched for them.
    pub paths: Vec<PathBuf>,
    /// OSV records: a directory of JSON files, or of one `all.zip` an ecosystem, or such a file.
    pub osv: Option<PathBuf>,
    /// A directory of wheels, each of which is vetted, with their attestations.
    pub wheels: Option<PathBuf>,
    /// Names that belong to nobody outside.
    pub internal: Vec<String>,
    /// Whose word counts for attestations: a trusted root of Sigstore; that of the public instance without.
    pub trusted_root: Option<PathBuf>,
    /// Now, in seconds since the beginning of 1970.
    pub now: u64,
}

/// The record of the dependencies, one row a path, and one a wheel.
pub fn deps(what: &Depending, options: &Options, progress: &dyn Progress) -> Result<Record, Error> {
    let mut projects = Vec::new();
    for path in &what.paths {
        projects.push(project(path)?);
    }
    let wanted: HashSet<String> = projects
        .iter()
        .flat_map(|project| &project.files)
        .flat_map(|file| &file.dependencies)
        .map(|found| found.name.clone())
        .collect();
    let mut advisories = Advisories::built_in();
    let mut unread = Vec::new();
    if let Some(osv) = &what.osv {
        read_osv(osv, &wanted, &mut advisories, &mut unread)?;
    }
    let asked =
        Asked { internal: what.internal.iter().map(|name| alnage_facts::python_name(name)).collect() };
    let mut record =
        Record { schema: SCHEMA, verdict: Verdict::Pass, models: Vec::new(), stats: Stats::default() };
    for project in &mut projects {
        project.issues.append(&mut unread);
        let findings = check(&project.files, &advisories, &asked);
        record.stats.files += project.files.len() as u64;
        record.models.push(project.judged(findings, options));
    }
    if let Some(wheels) = &what.wheels {
        let locks: Vec<DependencyFile> = projects.into_iter().flat_map(|project| project.files).collect();
        record.models.extend(wheel_records(wheels, what, &locks, options, progress, &mut record.stats)?);
    }
    record.stats.models = record.models.len() as u64;
    record.verdict = record.models.iter().map(|model| model.verdict).max().unwrap_or(Verdict::Pass);
    Ok(record)
}

/// What one path led to.
struct Project {
    path: String,
    files: Vec<DependencyFile>,
    manifest: Vec<ManifestFile>,
    issues: Vec<Issue>,
}

impl Project {
    fn judged(&self, findings: Vec<Finding>, options: &Options) -> ModelRecord {
        let manifest = Manifest::new(self.manifest.clone());
        let exceptions =
            Exceptions { suppressions: &options.suppressions, manifest: &manifest, today: options.today };
        let model = Model { issues: self.issues.clone(), ..Model::default() };
        let wanted = |code: &str| options.wants(code);
        let judgement = judge_found(&model, &options.policy, options.level, wanted, exceptions, findings);
        ModelRecord {
            path: self.path.clone(),
            verdict: judgement.verdict,
            manifest,
            tree: Vec::new(),
            artifacts: Vec::new(),
            findings: judgement.findings,
            suppressed: judgement.suppressed,
            issues: model.issues,
            decided_by: judgement.decided_by,
        }
    }

    fn take(&mut self, name: &str, bytes: &[u8], file: DependencyFile) {
        for (offset, message) in &file.problems {
            self.issue(name, *offset, message.clone());
        }
        let sha256 = Some(Digest::of(bytes));
        self.manifest.push(ManifestFile { path: name.to_owned(), size: bytes.len() as u64, sha256 });
        self.files.push(file);
    }

    fn issue(&mut self, name: &str, offset: u64, message: String) {
        self.issues.push(Issue {
            artifact: ArtifactPath::file(name),
            offset: Some(offset),
            kind: IssueKind::Malformed,
            message,
        });
    }
}

/// The dependency files of a path, those that they include among them; none outside of it.
fn project(path: &Path) -> Result<Project, Error> {
    let shown = path.display().to_string();
    let mut project = Project { path: shown, files: Vec::new(), manifest: Vec::new(), issues: Vec::new() };
    // A file is read in its directory, so that what it includes beside itself is found.
    let (root, mut waiting) = if path.is_dir() {
        let tree = walk(path)?;
        let names = names(&tree).filter(|name| is_dependency_file(name) && !is_foreign(name)).collect();
        (path.to_owned(), names)
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        (parent.unwrap_or(Path::new(".")).to_owned(), vec![name])
    };
    waiting.sort_by(|a: &String, b| b.cmp(a));
    let named = waiting.len();
    let mut seen: HashSet<String> = waiting.iter().cloned().collect();
    let mut read_files = 0;
    while let Some(name) = waiting.pop() {
        read_files += 1;
        if read_files > named + MAX_INCLUDES {
            project.issue(&name, 0, format!("more than {MAX_INCLUDES} files include each other"));
            break;
        }
        let bytes = match alnage_fs::read_beneath(&root, Path::new(&name), MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if read_files <= named => return Err(error.into()),
            Err(error) => {
                project.issue(&name, 0, format!("it is included and cannot be read: {error}"));
                continue;
            }
        };
        let file = read(&name, &bytes).unwrap_or_else(|| read_included(&name, &bytes));
        for include in &file.includes {
            match beside(&name, include) {
                Some(include) if seen.insert(include.clone()) => waiting.push(include),
                Some(_) => {}
                None => project.issue(
                    &name,
                    0,
                    format!("it includes `{:.120}`, which lies outside", include.escape_debug()),
                ),
            }
        }
        project.take(&name, &bytes, file);
    }
    Ok(project)
}

fn names(tree: &Tree) -> impl Iterator<Item = String> + '_ {
    tree.files.iter().map(|file| file.path.as_str().to_owned())
}

/// Whether a file belongs to an installed package or an environment, not to the project.
fn is_foreign(name: &str) -> bool {
    name.split('/').any(|part| ["node_modules", "site-packages", ".venv", "venv", ".git"].contains(&part))
}

/// The path `include` as seen from the file `name`, when it stays inside.
fn beside(name: &str, include: &str) -> Option<String> {
    if include.starts_with('/') || include.contains("://") || include.contains('\\') {
        return None;
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in include.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Reads OSV records. A record that is none is an issue: what it says is not known.
fn read_osv(
    path: &Path,
    wanted: &HashSet<String>,
    advisories: &mut Advisories,
    unread: &mut Vec<Issue>,
) -> Result<(), Error> {
    let mut add = |name: &str, bytes: &[u8]| {
        if let Err(message) = advisories.add(bytes, wanted) {
            let message = format!("it is no OSV record: {message:.200}");
            unread.push(Issue {
                artifact: ArtifactPath::file(name),
                offset: None,
                kind: IssueKind::Malformed,
                message,
            });
        }
    };
    let files: Vec<(PathBuf, String)> = if path.is_dir() {
        names(&walk(path)?).map(|name| (path.join(&name), name)).collect()
    } else {
        vec![(path.to_owned(), path.file_name().unwrap_or_default().to_string_lossy().into_owned())]
    };
    let mut broken = Vec::new();
    for (path, name) in files {
        if name.ends_with(".json") {
            add(&name, &alnage_fs::read_small(&path, MAX_FILE)?);
        } else if name.ends_with(".zip") {
            let archive = alnage_fs::read_small(&path, MAX_ARCHIVE)?;
            let whole = members(&archive, &mut |member, bytes| {
                if member.ends_with(".json") {
                    add(&format!("{name}!/{member}"), bytes);
                }
            });
            if let Err(message) = whole {
                broken.push((name, message));
            }
        }
    }
    unread.extend(broken.into_iter().map(|(name, message)| Issue {
        artifact: ArtifactPath::file(name),
        offset: None,
        kind: IssueKind::Malformed,
        message,
    }));
    Ok(())
}

/// What becomes of the signature of an attestation.
fn signature(attestation: &Attestation, root: &TrustedRoot, now: UnixTime) -> Signature {
    let evidence = Evidence {
        certificate: &attestation.certificate,
        intermediates: &[],
        entries: &attestation.entries,
        timestamps: &[],
        inclusion: Inclusion::Proven,
    };
    let Attestation { statement, signature, .. } = attestation;
    match verify_statement(statement, signature, &evidence, root, now) {
        Ok(signer) => Signature::By(Attester {
            names: signer
                .path()
                .leaf()
                .alternative_names()
                .into_iter()
                .map(AlternativeName::into_text)
                .collect(),
            provider: signer.provider().to_owned(),
            repository: signer.repository(),
            workflow: signer.workflow(),
        }),
        Err(alnage_sign::Error::Unknown(reason) | alnage_sign::Error::Unsupported(reason)) => {
            Signature::Unknown(reason)
        }
        Err(error) => Signature::Broken(error.to_string()),
    }
}

/// Each wheel vetted as a model, with what its attestations say.
fn wheel_records(
    directory: &Path,
    what: &Depending,
    locks: &[DependencyFile],
    options: &Options,
    progress: &dyn Progress,
    stats: &mut Stats,
) -> Result<Vec<ModelRecord>, Error> {
    let tree = walk(directory)?;
    let all: Vec<String> = names(&tree).collect();
    let wheels: Vec<&String> = all.iter().filter(|name| name.ends_with(".whl")).collect();
    let inputs = wheels.iter().map(|name| Input::Path(directory.join(name))).collect();
    let vetted = vet(inputs, options, progress);
    stats.files += vetted.record.stats.files;
    stats.artifacts += vetted.record.stats.artifacts;
    stats.bytes += vetted.record.stats.bytes;
    let mut records = vetted.record.models;
    let mut about: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    let root = match &what.trusted_root {
        Some(path) => trusted_root(path)?,
        None => TrustedRoot::public_good()?,
    };
    let verify = |attestation: &Attestation| signature(attestation, &root, UnixTime(what.now));
    for name in &wheels {
        let file_name = name.rsplit('/').next().unwrap_or(name);
        for ending in [".publish.attestation", ".slsa.attestation", ".provenance"] {
            let path = format!("{name}{ending}");
            if !all.contains(&path) {
                continue;
            }
            let digest = Digest::of(&alnage_fs::read_small(&directory.join(name), u64::MAX - 1)?);
            let bytes = alnage_fs::read_small(&directory.join(&path), MAX_FILE)?;
            about
                .entry(path.clone())
                .or_default()
                .extend(check_attestations(&path, &bytes, file_name, digest, locks, &verify));
        }
    }
    for (path, findings) in about {
        let shown = directory.join(&path).display().to_string();
        let project = Project { path: shown, files: Vec::new(), manifest: Vec::new(), issues: Vec::new() };
        records.push(project.judged(findings, options));
    }
    Ok(records)
}
