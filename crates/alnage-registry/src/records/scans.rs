//! What scans found, and what the policy made of it.

use alnage_policy::{Decision, Effect};
use alnage_types::{Severity, Verdict};
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Actor, Edge, Kind, Page, Stage, Version, events, exceptions, lineage, project_of,
    stages::Step,
    types::{parse_effect, parse_verdict, read},
    versions::by_id,
};
use crate::{
    Error, Registry, Result,
    columns::bigint,
    database::{Connection, Database, Row, Transaction, Value},
};

/// What a scan found out about a version.
#[derive(Debug, Clone)]
pub struct Scan {
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// The answer of the rules.
    pub verdict: Verdict,
    /// The digest of rules and version of Alnage: another one means that a scan may say something else.
    pub rules: String,
    /// What the policy is asked, without exceptions and approvals, which are put in when it is.
    pub input: Json,
    /// The record of `alnage vet`, JSON.
    pub record: String,
    /// The bill of materials, CycloneDX.
    pub bom: String,
    /// How the signatures were found.
    pub seals: Json,
    /// What the files say about the model.
    pub facts: Json,
    /// What was found.
    pub findings: Vec<NewFinding>,
    /// Path, verdict and format of each file.
    pub files: Vec<(String, Verdict, String)>,
    /// What it was made from.
    pub edges: Vec<Edge>,
}

/// A finding that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// `PKL004`.
    pub code: String,
    /// `pickle-dangerous-call`.
    pub name: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: String,
    /// Where.
    pub artifact: String,
    /// One sentence.
    pub message: String,
    /// The evidence.
    pub evidence: Option<String>,
    /// The way out.
    pub remediation: String,
    /// Whether it is let pass.
    pub suppressed: bool,
}

/// A scan as it was kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScanRecord {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// When it was done.
    pub finished: u64,
    /// The answer of the rules.
    pub verdict: Verdict,
    /// What the policy makes of it.
    pub effect: Effect,
    /// The digest of the rules.
    pub rules: String,
    /// The digest of the policy.
    pub policy: String,
    /// What the policy says, in full.
    pub decision: Json,
    /// What the policy was asked: with the same policy it gives the same decision.
    pub input: Json,
    /// How the signatures were found.
    pub seals: Json,
    /// What the files say about the model.
    pub facts: Json,
}

/// Which findings.
#[derive(Debug, Clone, Copy, Default)]
pub struct FindingQuery<'a> {
    /// Of this version.
    pub version: Option<i64>,
    /// Of this rule.
    pub code: Option<&'a str>,
    /// At least so bad.
    pub severity: Option<Severity>,
}

/// A finding as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingRecord {
    /// Its number.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// What its repository holds.
    pub kind: Kind,
    /// The name of its repository.
    pub model: String,
    /// The commit.
    pub commit: String,
    /// `PKL004`.
    pub code: String,
    /// `pickle-dangerous-call`.
    pub name: String,
    /// `info` to `critical`.
    pub severity: String,
    /// `low` to `high`.
    pub confidence: String,
    /// Where.
    pub artifact: String,
    /// One sentence.
    pub message: String,
    /// The evidence.
    pub evidence: Option<String>,
    /// The way out.
    pub remediation: String,
    /// Whether it is let pass.
    pub suppressed: bool,
}

const SEVERITIES: [(Severity, &str); 5] = [
    (Severity::Info, "info"),
    (Severity::Low, "low"),
    (Severity::Medium, "medium"),
    (Severity::High, "high"),
    (Severity::Critical, "critical"),
];

const SCAN: &str =
    "id, version, started, finished, verdict, effect, rules, policy, decision, input, seals, facts";

impl Registry {
    /// Keeps what a scan found, asks the policy, and moves the version on.
    pub fn finish_scan(&self, version: i64, scan: &Scan) -> Result<Version> {
        let actor = Actor::system("scan");
        self.write(|transaction| {
            let before = by_id(transaction, version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            let id = Database::next_id(transaction)?;
            let (input, decision) = self.decide(transaction, &before, scan.input.clone())?;
            self.keep_scan(transaction, id, version, scan, &input, &decision)?;
            keep_findings(transaction, id, version, &scan.findings)?;
            for (path, verdict, format) in &scan.files {
                transaction.execute(
                    "UPDATE files SET verdict = $3, format = $4 WHERE version = $1 AND path = $2",
                    &[version.into(), path.into(), verdict.as_str().into(), format.into()],
                )?;
            }
            lineage::keep(transaction, version, &scan.edges)?;
            transaction.execute(
                "UPDATE versions SET verdict = $2, scan = $3 WHERE id = $1",
                &[version.into(), scan.verdict.as_str().into(), id.into()],
            )?;
            if before.verdict.is_some_and(|verdict| verdict != scan.verdict) {
                let payload = serde_json::json!({
                    "version": version, "before": before.verdict, "after": scan.verdict, "scan": id,
                });
                let subject = format!("{}/{}@{}", before.kind.as_str(), before.name, before.commit);
                let project = project_of(&before.name);
                let now = self.now();
                events::add(
                    transaction,
                    now,
                    "scan.changed",
                    project,
                    &subject,
                    &actor,
                    &payload.to_string(),
                )?;
            }
            self.apply(transaction, &before, &decision, &actor)
        })?;
        self.bell().ring();
        self.version_by_id(version)?.ok_or_else(|| Error::NotFound("the version".into()))
    }

    /// Asks the policy again about what the newest scan found, with the exceptions and approvals of now.
    pub fn decide_again(&self, version: i64, actor: &Actor) -> Result<Option<Decision>> {
        let decided = self.write(|transaction| {
            let before = by_id(transaction, version)?.ok_or_else(|| Error::NotFound("the version".into()))?;
            let Some(scan) = before.scan else { return Ok(None) };
            let row = transaction.query_one("SELECT input FROM scans WHERE id = $1", &[scan.into()])?;
            let row = row.ok_or_else(|| Error::internal("a version's scan is missing"))?;
            let (input, decision) =
                self.decide(transaction, &before, serde_json::from_str(&row.text(0)?)?)?;
            transaction.execute(
                "UPDATE scans SET input = $2, decision = $3, policy = $4, effect = $5 WHERE id = $1",
                &[
                    scan.into(),
                    (&input.to_string()).into(),
                    (&serde_json::to_string(&decision)?).into(),
                    (&decision.digest.to_string()).into(),
                    decision.effect.as_str().into(),
                ],
            )?;
            self.apply(transaction, &before, &decision, actor)?;
            Ok(Some(decision))
        })?;
        self.bell().ring();
        Ok(decided)
    }

    /// The scans of a version, the newest first.
    pub fn scans(&self, version: i64) -> Result<Vec<ScanRecord>> {
        let sql = format!("SELECT {SCAN} FROM scans WHERE version = $1 ORDER BY id DESC LIMIT 100");
        self.read(|connection| connection.query(&sql, &[version.into()])?.iter().map(scan_of).collect())
    }

    /// The scan with this number.
    pub fn scan(&self, id: i64) -> Result<Option<ScanRecord>> {
        let sql = format!("SELECT {SCAN} FROM scans WHERE id = $1");
        self.read(|connection| connection.query_one(&sql, &[id.into()])?.as_ref().map(scan_of).transpose())
    }

    /// The record of `alnage vet` that a scan wrote, JSON.
    pub fn scan_record(&self, id: i64) -> Result<Option<String>> {
        self.scan_text(id, "record")
    }

    /// The bill of materials that a scan wrote, CycloneDX.
    pub fn scan_bom(&self, id: i64) -> Result<Option<String>> {
        self.scan_text(id, "bom")
    }

    fn scan_text(&self, id: i64, column: &str) -> Result<Option<String>> {
        let sql = format!("SELECT {column} FROM scans WHERE id = $1");
        self.read(|connection| connection.query_one(&sql, &[id.into()])?.map(|row| row.text(0)).transpose())
    }

    /// Findings, the newest first; the page goes on after a number.
    pub fn findings(&self, query: FindingQuery<'_>, page: Page<'_>) -> Result<Vec<FindingRecord>> {
        let mut values: Vec<Value<'_>> = vec![page.before()?.into(), page.rows().into()];
        let mut clauses = String::new();
        let wanted: [(&str, Option<Value<'_>>); 3] = [
            ("f.version =", query.version.map(Into::into)),
            ("f.code =", query.code.map(Into::into)),
            ("f.severity >=", query.severity.map(|severity| rank(severity).into())),
        ];
        for (clause, value) in wanted {
            if let Some(value) = value {
                values.push(value);
                clauses.push_str(&format!(" AND {clause} ${}", values.len()));
            }
        }
        let sql = format!(
            "SELECT f.id, f.version, r.kind, r.name, v.commit_id, f.code, f.name, f.severity, f.confidence, f.artifact,
                 f.message, f.evidence, f.remediation, f.suppressed
             FROM findings f JOIN versions v ON v.id = f.version JOIN repos r ON r.id = v.repo
             WHERE f.id < $1{clauses} ORDER BY f.id DESC LIMIT $2"
        );
        self.read(|connection| connection.query(&sql, &values)?.iter().map(finding_of).collect())
    }

    /// What the policy is asked and says, with what people decided so far.
    fn decide(
        &self,
        connection: &mut Connection,
        version: &Version,
        mut input: Json,
    ) -> Result<(Json, Decision)> {
        let now = self.now();
        let exceptions: Vec<Json> = exceptions::counting(connection, version.id, now)?
            .into_iter()
            .map(|exception| {
                serde_json::json!({
                    "rule": exception.rule, "file": exception.file, "reason": exception.reason,
                    "by": exception.author, "expires": exception.expires,
                })
            })
            .collect();
        let lineage = lineage::evidence(connection, version.id)?;
        if let Json::Object(fields) = &mut input {
            fields.insert("exceptions".into(), exceptions.into());
            fields.insert("now".into(), now.into());
            if !lineage.is_empty() {
                fields.insert("lineage".into(), lineage.into());
            }
        }
        let decision = self.policy().decide_or_deny(&input);
        Ok((input, decision))
    }

    fn keep_scan(
        &self,
        transaction: &mut Transaction,
        id: i64,
        version: i64,
        scan: &Scan,
        input: &Json,
        decision: &Decision,
    ) -> Result<()> {
        transaction.execute(
            "INSERT INTO scans (id, version, started, finished, verdict, effect, rules, policy, decision, input, record,
                 bom, seals, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            &[
                id.into(),
                version.into(),
                bigint(scan.started).into(),
                bigint(self.now()).into(),
                scan.verdict.as_str().into(),
                decision.effect.as_str().into(),
                (&scan.rules).into(),
                (&decision.digest.to_string()).into(),
                (&serde_json::to_string(decision)?).into(),
                (&input.to_string()).into(),
                (&scan.record).into(),
                (&scan.bom).into(),
                (&scan.seals.to_string()).into(),
                (&scan.facts.to_string()).into(),
            ],
        )?;
        Ok(())
    }

    /// Does with a version what the policy says, and leaves what a person decided knowing the same.
    fn apply(
        &self,
        transaction: &mut Transaction,
        before: &Version,
        decision: &Decision,
        actor: &Actor,
    ) -> Result<()> {
        let version = before.id;
        withhold(transaction, version, decision)?;
        transaction.execute(
            "UPDATE versions SET effect = $2 WHERE id = $1",
            &[version.into(), decision.effect.as_str().into()],
        )?;
        if before.stage == Stage::Revoked {
            return super::touch(transaction);
        }
        let revoked = lineage::revoked_subject(transaction, before)?;
        let headline = decision.headline().unwrap_or("the policy allows it").to_owned();
        let lifted = exceptions::counting(transaction, version, self.now())?;
        let ends =
            lifted.iter().map(|exception| exception.expires).min().filter(|_| !decision.lifted.is_empty());
        let (after, reason) = match (revoked, decision.effect) {
            (Some((subject, reason)), _) => (Stage::Revoked, format!("{subject} was revoked: {reason}")),
            (None, Effect::Deny) => (Stage::Rejected, headline),
            // A person has refused it, or let it pass knowing what the policy says, or taken it back.
            (None, _) if decided_by_a_person(before, decision.effect) => return super::touch(transaction),
            (None, Effect::Quarantine) => (Stage::Quarantined, headline),
            (None, Effect::Allow) if before.stage.is_served() && ends == before.expires => {
                return super::touch(transaction);
            }
            (None, Effect::Allow) if before.stage.is_served() => (before.stage, headline),
            (None, Effect::Allow) => (Stage::Approved, headline),
        };
        let expires = ends.filter(|_| after.is_served());
        let same = before.stage == after && before.reason == reason && before.expires == expires;
        // The first scan of what stays in quarantine is no step, but says why.
        if same {
            return super::touch(transaction);
        }
        let step = Step { after, reason: &reason, actor, expires, conditions: "" };
        self.step(transaction, before, &step)
    }
}

/// Whether a version is where a person put it who knew what the policy says now, or something graver.
fn decided_by_a_person(before: &Version, effect: Effect) -> bool {
    let Some(known) = before.effect.filter(|_| before.scan.is_some()) else { return false };
    match before.stage {
        Stage::Rejected => known != Effect::Deny,
        Stage::Quarantined => known == Effect::Allow && effect == Effect::Allow,
        _ => known == Effect::Quarantine && effect == Effect::Quarantine,
    }
}

/// Marks the files that the policy withholds, and those it does not any more.
fn withhold(transaction: &mut Transaction, version: i64, decision: &Decision) -> Result<()> {
    transaction.execute(
        "UPDATE files SET served = 1, reason = NULL WHERE version = $1 AND served = 0",
        &[version.into()],
    )?;
    for withheld in &decision.withheld {
        transaction.execute(
            "UPDATE files SET served = 0, reason = $3 WHERE version = $1 AND path = $2",
            &[version.into(), (&withheld.file).into(), (&withheld.message).into()],
        )?;
    }
    Ok(())
}

fn keep_findings(
    transaction: &mut Transaction,
    scan: i64,
    version: i64,
    findings: &[NewFinding],
) -> Result<()> {
    transaction.execute("DELETE FROM findings WHERE version = $1", &[version.into()])?;
    for finding in findings {
        let id = Database::next_id(transaction)?;
        transaction.execute(
            "INSERT INTO findings (id, version, scan, code, name, severity, confidence, artifact, message, evidence,
                 remediation, suppressed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &[
                id.into(),
                version.into(),
                scan.into(),
                (&finding.code).into(),
                (&finding.name).into(),
                rank(finding.severity).into(),
                (&finding.confidence).into(),
                (&finding.artifact).into(),
                (&finding.message).into(),
                finding.evidence.as_ref().into(),
                (&finding.remediation).into(),
                finding.suppressed.into(),
            ],
        )?;
    }
    Ok(())
}

fn rank(severity: Severity) -> i64 {
    (0..).zip(SEVERITIES).find(|(_, (known, _))| *known == severity).map_or(0, |(rank, _)| rank)
}

fn scan_of(row: &Row) -> Result<ScanRecord> {
    Ok(ScanRecord {
        id: row.int(0)?,
        version: row.int(1)?,
        started: read(row.int(2)?),
        finished: read(row.int(3)?),
        verdict: parse_verdict(&row.text(4)?)?,
        effect: parse_effect(&row.text(5)?)?,
        rules: row.text(6)?,
        policy: row.text(7)?,
        decision: serde_json::from_str(&row.text(8)?)?,
        input: serde_json::from_str(&row.text(9)?)?,
        seals: serde_json::from_str(&row.text(10)?)?,
        facts: serde_json::from_str(&row.text(11)?)?,
    })
}

fn finding_of(row: &Row) -> Result<FindingRecord> {
    let severity = usize::try_from(row.int(7)?).ok().and_then(|rank| SEVERITIES.get(rank));
    Ok(FindingRecord {
        id: row.int(0)?,
        version: row.int(1)?,
        kind: Kind::parse(&row.text(2)?)?,
        model: row.text(3)?,
        commit: row.text(4)?,
        code: row.text(5)?,
        name: row.text(6)?,
        severity: severity.map_or("info", |(_, name)| name).to_owned(),
        confidence: row.text(8)?,
        artifact: row.text(9)?,
        message: row.text(10)?,
        evidence: row.opt_text(11)?,
        remediation: row.text(12)?,
        suppressed: row.flag(13)?,
    })
}
