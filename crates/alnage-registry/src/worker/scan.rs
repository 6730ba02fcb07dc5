//! Scans a version: its files put side by side again, vetted, described, their seals verified.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use alnage_pipeline::{
    Input, Options, Sidecars, Silent,
    materials::{self, Declared, Format},
    vet,
};
use alnage_scan::{Date, Policy};
use alnage_types::{Budget, Digest, Finding, Level};
use serde_json::{Value as Json, json};

use super::evidence;
use crate::{
    Actor, Error, Registry, Result, Signer, Signers,
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
    let seals = seals(registry, model)?;
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
fn seals(registry: &Registry, model: &Path) -> Result<Vec<Json>> {
    let signers = registry.signers()?;
    let sidecars = Sidecars::of(model, false);
    let mut found = Vec::new();
    let mut signatures = vec![sidecars.signature.clone()];
    signatures.extend(sidecars.further_signatures());
    for signature in signatures.into_iter().filter(|path| path.exists()) {
        let name = signature.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push(seal(&signers, model, &signature, &name));
    }
    let holding = found.iter().filter(|(_, seal)| seal["verified"] == json!(true));
    let names: BTreeSet<String> =
        holding.filter_map(|(signer, _)| signer.as_ref().map(|signer| signer.name.clone())).collect();
    let mut seals = Vec::new();
    for (signer, mut seal) in found {
        let needed = signer.map_or(1, |signer| signer.needed);
        if seal["verified"] == json!(true) && names.len() < needed {
            seal["verified"] = json!(false);
            seal["covers_all"] = json!(false);
            let message = format!("{needed} signers have to have signed, and {} did", names.len());
            seal["checks"] = json!([{"part": "signature", "outcome": "refused", "message": message}]);
        }
        seals.push(seal);
    }
    Ok(seals)
}

/// What a signature comes to, and who made it if they count.
fn seal(signers: &Signers, model: &Path, signature: &Path, name: &str) -> (Option<Signer>, Json) {
    let bundle = alnage_pipeline::read_signature(signature).map_err(|error| error.to_string());
    let bundle =
        bundle.and_then(|bytes| alnage_pipeline::Bundle::parse(&bytes).map_err(|error| error.to_string()));
    let method = bundle.as_ref().map_or("unreadable", |bundle| bundle.credential().method());
    let refused = |outcome: &str, why: &str| {
        json!({
            "name": name, "method": method, "identity": "", "issuer": "", "verified": false, "covers_all": false,
            "checks": [{"part": "signature", "outcome": outcome, "message": why}],
        })
    };
    let signer = match bundle.as_ref().map_err(Clone::clone).and_then(|bundle| signers.of(bundle)) {
        Ok(signer) => signer,
        Err(why) => return (None, refused("not-checked", &why)),
    };
    let nowhere = model.join(".no-log");
    let mut verifying = alnage_pipeline::Verifying::new(model, signers, &nowhere);
    verifying.signature = Some(signature);
    verifying.jobs = 2;
    verifying.settled = true;
    let verification = match alnage_pipeline::verify(verifying, &Silent) {
        Ok(verification) => verification,
        Err(error) => return (None, refused("not-checked", &error.to_string())),
    };
    let part = |name: &str| verification.checks.iter().find(|check| check.part == name);
    let holds = |name: &str| part(name).is_some_and(|check| check.outcome == alnage_pipeline::Outcome::Holds);
    if !holds("signature") {
        let why = part("signature").map_or_else(String::new, |check| check.message.clone());
        return (None, refused("refused", &why));
    }
    let verified = holds("files");
    let checks: Vec<Json> = verification
        .checks
        .iter()
        .map(|check| json!({"part": check.part, "outcome": outcome(check.outcome), "message": check.message}))
        .collect();
    let seal = json!({
        "name": name, "method": method, "identity": signer.identity, "issuer": signer.issuer, "verified": verified,
        "covers_all": verified && verification.uncovered.is_empty() && verification.differences.is_empty(),
        "checks": checks,
    });
    (Some(signer), seal)
}

fn outcome(outcome: alnage_pipeline::Outcome) -> &'static str {
    match outcome {
        alnage_pipeline::Outcome::Holds => "holds",
        alnage_pipeline::Outcome::Refused => "refused",
        alnage_pipeline::Outcome::NotChecked => "not-checked",
        alnage_pipeline::Outcome::Noted => "noted",
    }
}
