//! Scans a version: its files put side by side again, vetted, described, their seals verified.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use alnage_pipeline::{
    Input, KeyHint, KnownKey, Options, Sidecars, Silent, VerifyingKey,
    materials::{self, Declared, Format},
    vet,
};
use alnage_scan::{Date, Policy};
use alnage_types::{Budget, Digest, Finding, Level};
use serde_json::{Value as Json, json};

use super::evidence;
use crate::{
    Actor, Error, Registry, Result,
    records::{NewFinding, Scan, Stage, Version},
};

/// Files of a version that are put side by side at most; as many as a version may have.
const MAX_FILES: u32 = 500_000;

/// The digest of everything that a verdict depends on besides the files: another one asks for new scans.
pub fn rules_digest() -> String {
    let mut text = format!("alnage {}\n", env!("CARGO_PKG_VERSION"));
    for rule in alnage_scan::rules::rules() {
        text.push_str(&format!("{} {} {:?} {:?}\n", rule.code, rule.name, rule.severity, rule.level));
    }
    Digest::of(text.as_bytes()).to_string()
}

/// Scans the version whose number is the payload.
pub(super) fn run(registry: &Registry, payload: &str, alive: &(dyn Fn() -> Result<()> + Sync)) -> Result<()> {
    let id: i64 = payload.parse().map_err(|_| Error::Invalid("the job names no version".into()))?;
    let version = registry.version_by_id(id)?.ok_or_else(|| Error::NotFound("the version".into()))?;
    let place = Place::make(registry, &version)?;
    let model = place.fill(registry, &version, alive)?;
    let scan = scan(registry, &version, &model)?;
    alive()?;
    registry.finish_scan(id, &scan).map(|_| ())
}

/// Says that a version could not be scanned: nobody waits for it any more, and nothing of it is given out.
pub(super) fn give_up(registry: &Registry, payload: &str, message: &str) -> Result<()> {
    let Ok(id) = payload.parse() else { return Ok(()) };
    let Some(version) = registry.version_by_id(id)? else { return Ok(()) };
    if version.stage != Stage::Quarantined || version.scan.is_some() {
        return Ok(());
    }
    let reason = format!("it could not be scanned: {message}");
    registry.transition(id, Stage::Rejected, &reason, &Actor::system("scan")).map(|_| ())
}

/// A directory of its own for a scan; gone afterwards.
struct Place(PathBuf);

impl Place {
    fn make(registry: &Registry, version: &Version) -> Result<Self> {
        let name = format!("{}-{}", version.id, registry.ordered_id());
        let place = registry.scratch().join("scans").join(name);
        fs::create_dir_all(&place)?;
        Ok(Self(place))
    }

    /// Puts the files of the version side by side, where a cache of the hub would have them: so the name is known.
    fn fill(
        &self,
        registry: &Registry,
        version: &Version,
        alive: &dyn Fn() -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = format!("{}s--{}", version.kind.as_str(), version.name.replace('/', "--"));
        let model = self.0.join(folder).join("snapshots").join(&version.commit);
        fs::create_dir_all(&model)?;
        for file in registry.files(version.id, "", "", MAX_FILES)? {
            let to = model.join(&file.path);
            if let Some(above) = to.parent() {
                fs::create_dir_all(above)?;
            }
            registry.blobs().materialise(file.sha256, &to)?;
            alive()?;
        }
        Ok(model)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn scan(registry: &Registry, version: &Version, model: &Path) -> Result<Scan> {
    let started = registry.now();
    let options = Options {
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        budget: Budget::default(),
        policy: Policy::default(),
        level: Level::Default,
        select: Vec::new(),
        ignore: Vec::new(),
        hash: true,
        suppressions: Vec::new(),
        today: Date::from_unix(started),
    };
    let vetted = vet(vec![Input::Settled(model.to_owned())], &options, &Silent);
    if let Some(failure) = vetted.failures.first() {
        return Err(Error::internal(format!("the files could not be read: {}", failure.error)));
    }
    let time = alnage_pipeline::rfc3339(started);
    let bom = alnage_pipeline::describe(&vetted, 0, &time, Some(&version.commit), &Declared::default())
        .map_err(|error| Error::Internal(Box::new(error)))?;
    let record = vetted.record.models.first().ok_or_else(|| Error::internal("a scan without a model"))?;
    // What is judged must be what is given out.
    let seen = record.manifest.digest.map(|digest| digest.to_string());
    if seen.as_ref().is_some_and(|seen| *seen != version.manifest) {
        return Err(Error::internal("the stored files are not those of the version"));
    }
    let sizes = registry.files(version.id, "", "", MAX_FILES)?;
    let sizes: BTreeMap<&str, u64> = sizes.iter().map(|file| (file.path.as_str(), file.size)).collect();
    if record.manifest.files.iter().any(|file| sizes.get(file.path.as_str()) != Some(&file.size)) {
        return Err(Error::Invalid("the stored files do not have the sizes that were announced".into()));
    }
    let seals = seals(registry, model);
    let facts = evidence::facts(&bom);
    let findings = record.findings.iter().map(|finding| finding_of(finding, false));
    let suppressed = record.suppressed.iter().map(|suppressed| finding_of(&suppressed.finding, true));
    let files = evidence::files(record);
    Ok(Scan {
        started,
        verdict: record.verdict,
        rules: rules_digest(),
        input: evidence::input(registry, version, record, &files, &facts, &seals)?,
        record: serde_json::to_string(record)?,
        bom: materials::write(&bom, Format::CycloneDx17),
        findings: findings.chain(suppressed).collect(),
        files,
        edges: evidence::edges(&bom, model),
        seals: Json::Array(seals),
        facts,
    })
}

fn finding_of(finding: &Finding, suppressed: bool) -> NewFinding {
    let confidence = serde_json::to_value(finding.confidence).unwrap_or_default();
    NewFinding {
        code: finding.code.clone().into_owned(),
        name: finding.name.clone().into_owned(),
        severity: finding.severity,
        confidence: confidence.as_str().unwrap_or_default().to_owned(),
        artifact: finding.artifact.as_str().to_owned(),
        message: finding.message.clone(),
        evidence: finding.evidence.clone(),
        remediation: finding.remediation.clone().into_owned(),
        suppressed,
    }
}

/// How the signatures that lie with the model are found, one object each.
fn seals(registry: &Registry, model: &Path) -> Vec<Json> {
    let sidecars = Sidecars::of(model, false);
    let mut found = Vec::new();
    let mut signatures = vec![sidecars.signature.clone()];
    signatures.extend(sidecars.further_signatures());
    for signature in signatures.into_iter().filter(|path| path.exists()) {
        let name = signature.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push(seal(registry, model, &signature, &name));
    }
    found
}

fn seal(registry: &Registry, model: &Path, signature: &Path, name: &str) -> Json {
    let bundle = alnage_pipeline::read_signature(signature).ok();
    let bundle = bundle.and_then(|bytes| alnage_pipeline::Bundle::parse(&bytes).ok());
    let method = bundle.as_ref().map_or("unreadable", |bundle| bundle.credential().method());
    let mut checks = Vec::new();
    let mut key_tried = false;
    for text in &registry.settings().trusted_keys {
        let Ok(key) = VerifyingKey::from_pem(text) else { continue };
        key_tried = true;
        let identity = key.hint().to_string();
        let signer = KnownKey { key, hint: KeyHint::Ignored };
        let nowhere = model.join(".no-log");
        let mut verifying = alnage_pipeline::Verifying::new(model, &signer, &nowhere);
        verifying.signature = Some(signature);
        verifying.jobs = 2;
        verifying.settled = true;
        let Ok(verification) = alnage_pipeline::verify(verifying, &Silent) else { continue };
        let part = |name: &str| verification.checks.iter().find(|check| check.part == name);
        let signed = part("signature").is_some_and(|check| check.outcome == alnage_pipeline::Outcome::Holds);
        if !signed {
            continue;
        }
        let holds = part("files").is_some_and(|check| check.outcome == alnage_pipeline::Outcome::Holds);
        checks = verification
            .checks
            .iter()
            .map(|check| json!({"part": check.part, "outcome": outcome(check.outcome), "message": check.message}))
            .collect();
        return json!({
            "name": name, "method": method, "identity": identity, "issuer": "", "verified": holds,
            "covers_all": holds && verification.uncovered.is_empty() && verification.differences.is_empty(),
            "checks": checks,
        });
    }
    let why = if key_tried { "it was made with none of the trusted keys" } else { "no key is trusted" };
    checks.push(json!({"part": "signature", "outcome": "not-checked", "message": why}));
    json!({
        "name": name, "method": method, "identity": "", "issuer": "", "verified": false, "covers_all": false,
        "checks": checks,
    })
}

fn outcome(outcome: alnage_pipeline::Outcome) -> &'static str {
    match outcome {
        alnage_pipeline::Outcome::Holds => "holds",
        alnage_pipeline::Outcome::Refused => "refused",
        alnage_pipeline::Outcome::NotChecked => "not-checked",
        alnage_pipeline::Outcome::Noted => "noted",
    }
}
