use alnage_types::{
    ArtifactPath, Confidence, Digest, Finding, Issue, IssueKind, Level, Manifest, ManifestFile, Severity,
    Span, Verdict,
};
use serde_json::Value;

use super::*;
use crate::{ModelRecord, Record, SCHEMA, Stats, Suppressed};

fn finding(start: u64, severity: Severity) -> Finding {
    Finding {
        code: "XYZ001".into(),
        name: "made-up-rule".into(),
        severity,
        confidence: Confidence::High,
        level: Level::Default,
        artifact: ArtifactPath::file("model.bin").member("archive/data.pkl"),
        span: Some(Span::new(start, start + 4)),
        message: "loading calls `os.system`, which starts a process and is here to make this line longer"
            .into(),
        evidence: Some("os.system('echo \u{1b}[31mpwned')".into()),
        remediation: "do not load it".into(),
        references: vec!["CWE-502".into()],
    }
}

fn model(path: &str, verdict: Verdict) -> ModelRecord {
    ModelRecord {
        path: path.into(),
        verdict,
        manifest: Manifest::new(vec![ManifestFile {
            path: "model.bin".into(),
            size: 3,
            sha256: Some(Digest::of(b"abc")),
        }]),
        tree: Vec::new(),
        artifacts: Vec::new(),
        findings: Vec::new(),
        suppressed: Vec::new(),
        issues: Vec::new(),
        decided_by: Vec::new(),
    }
}

fn record() -> Record {
    let mut blocked = model("models/bad", Verdict::Block);
    blocked.findings = (0..5).map(|number| finding(number * 10, Severity::Critical)).collect();
    blocked.suppressed = vec![Suppressed {
        finding: finding(90, Severity::Medium),
        reason: "looked at | twice".into(),
        expires: "2027-01-31".parse().unwrap(),
    }];
    blocked.decided_by = vec!["XYZ001".into()];
    let mut unknown = model("models/model.bin", Verdict::Unknown);
    unknown.issues = (0..7)
        .map(|number| Issue {
            artifact: ArtifactPath::file("model.bin"),
            offset: Some(number),
            kind: IssueKind::Truncated,
            message: "the bytes end inside <a structure>".into(),
        })
        .collect();
    Record {
        schema: SCHEMA,
        verdict: Verdict::Block,
        models: vec![blocked, model("models/good", Verdict::Pass), unknown],
        stats: Stats { models: 3, files: 3, artifacts: 5, bytes: 1_234_567, excluded: 2 },
    }
}

#[test]
fn text_for_a_terminal() {
    insta::assert_snapshot!(text(&record(), TextStyle { width: 72, color: false, brief: false }));
}

#[test]
fn text_in_brief() {
    insta::assert_snapshot!(text(&record(), TextStyle { width: 72, color: false, brief: true }), @r"
    block   models/bad
    pass    models/good
    unknown models/model.bin
    3 models: 1 block, 1 unknown, 1 pass (3 files, 1.2 MB; 2 files of git left out)
    ");
}

#[test]
fn markdown_for_a_comment() {
    insta::assert_snapshot!(markdown(&record()));
}

fn sarif_run() -> Value {
    let mut bytes = Vec::new();
    sarif(&record(), 1, &mut bytes).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["runs"][0].take()
}

#[test]
fn sarif_points_to_the_file_and_names_the_member() {
    let run = sarif_run();
    let result = &run["results"][0];
    let location = &result["locations"][0];
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "models/bad/model.bin");
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "model.bin!/archive/data.pkl");
    let related = &result["relatedLocations"][0]["physicalLocation"];
    assert_eq!(related["region"]["byteLength"], 4);
    let member = related["artifactLocation"]["index"].as_u64().unwrap() as usize;
    assert_eq!(run["artifacts"][member]["location"]["uri"], "/archive/data.pkl");
    assert_eq!(
        run["artifacts"][member]["parentIndex"],
        location["physicalLocation"]["artifactLocation"]["index"]
    );
    let single = run["invocations"][0]["toolExecutionNotifications"][0]["locations"][0].clone();
    assert_eq!(single["physicalLocation"]["artifactLocation"]["uri"], "models/model.bin");
}

#[test]
fn sarif_marks_what_is_suppressed() {
    let run = sarif_run();
    let results = run["results"].as_array().unwrap();
    let suppressed: Vec<_> = results.iter().filter(|result| !result["suppressions"].is_null()).collect();
    assert_eq!((results.len(), suppressed.len()), (6, 1));
    assert_eq!(suppressed[0]["suppressions"][0]["justification"], "looked at | twice (until 2027-01-31)");
}

#[test]
fn json_is_the_record() {
    let mut bytes = Vec::new();
    json(&record(), &mut bytes).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&value["schema"], &value["verdict"]), (&"alnage.record/1".into(), &"block".into()));
    assert_eq!(value["models"][0]["suppressed"][0]["expires"], "2027-01-31");
}
