use alnage_types::{ArtifactPath, Confidence, Digest, Issue, IssueKind, ManifestFile, Severity, Span};

use super::*;

fn finding(code: &'static str, severity: Severity, start: u64) -> Finding {
    Finding {
        code: code.into(),
        name: "name".into(),
        severity,
        confidence: Confidence::High,
        level: Level::Default,
        artifact: ArtifactPath::file("m.pkl"),
        span: Some(Span::new(start, start + 1)),
        message: String::new(),
        evidence: None,
        remediation: "".into(),
        references: Vec::new(),
    }
}

fn issue() -> Issue {
    let (artifact, message) = (ArtifactPath::file("m.pkl"), String::new());
    Issue { artifact, offset: None, kind: IssueKind::Malformed, message }
}

#[track_caller]
fn check(policy: &Policy, findings: Vec<Finding>, issues: Vec<Issue>, verdict: Verdict, decided_by: &[&str]) {
    let model = Model { issues, ..Model::default() };
    let judgement = decide(&model, policy, findings, Vec::new());
    assert_eq!(
        (judgement.verdict, judgement.decided_by),
        (verdict, decided_by.iter().map(|&code| code.into()).collect())
    );
}

#[test]
fn an_issue_keeps_the_verdict_from_being_pass() {
    let policy = Policy::default();
    check(&policy, vec![], vec![], Verdict::Pass, &[]);
    check(&policy, vec![], vec![issue()], Verdict::Unknown, &[]);
    check(&policy, vec![finding("AAA001", Severity::Low, 0)], vec![issue()], Verdict::Unknown, &[]);
    check(&policy, vec![finding("AAA001", Severity::Medium, 0)], vec![issue()], Verdict::Review, &["AAA001"]);
}

#[test]
fn the_heaviest_findings_decide() {
    let findings = vec![
        finding("AAA001", Severity::Medium, 0),
        finding("AAA002", Severity::High, 5),
        finding("AAA003", Severity::Critical, 9),
        finding("AAA002", Severity::High, 7),
    ];
    check(&Policy::default(), findings.clone(), vec![], Verdict::Block, &["AAA003", "AAA002"]);
    let judgement = decide(&Model::default(), &Policy::default(), findings, Vec::new());
    let order: Vec<_> = judgement.findings.iter().map(|finding| finding.code.as_ref()).collect();
    assert_eq!(order, ["AAA003", "AAA002", "AAA002", "AAA001"]);
}

#[test]
fn a_user_overrides_the_policy_by_rule() {
    let mut policy = Policy::default();
    policy.rules.insert("AAA001".to_owned(), Effect::Note);
    check(&policy, vec![finding("AAA001", Severity::Critical, 0)], vec![], Verdict::Pass, &[]);
    policy.high = Effect::Review;
    check(&policy, vec![finding("AAA002", Severity::High, 0)], vec![], Verdict::Review, &["AAA002"]);
}

const TODAY: &str = "2026-11-22";

fn suppression(artifact: &str, expires: &str) -> Suppression {
    Suppression {
        code: "aaa001".into(),
        artifact: artifact.into(),
        sha256: None,
        reason: "looked at".into(),
        expires: expires.parse().unwrap(),
    }
}

/// Applies one suppression to one finding; gives how many findings stay, how many are suppressed, and the codes.
fn check_exception(entry: Suppression, digest: &[u8], expected: (&[&str], usize)) {
    let manifest =
        Manifest::new(vec![ManifestFile { path: "m.pkl".into(), size: 1, sha256: Some(Digest::of(digest)) }]);
    let suppressions = [entry];
    let exceptions =
        Exceptions { suppressions: &suppressions, manifest: &manifest, today: TODAY.parse().unwrap() };
    let (kept, suppressed) = except(vec![finding("AAA001", Severity::High, 0)], exceptions);
    let codes: Vec<_> = kept.iter().map(|finding| finding.code.as_ref()).collect();
    assert_eq!((codes.as_slice(), suppressed.len()), expected);
}

#[test]
fn a_suppression_holds_until_its_last_day() {
    check_exception(suppression("m.*", TODAY), b"x", (&[], 1));
    check_exception(suppression("m.*", "2026-11-21"), b"x", (&["SUP001", "AAA001"], 0));
    check_exception(suppression("n.*", "2027-01-01"), b"x", (&["AAA001"], 0));
}

#[test]
fn a_suppression_with_a_digest_holds_for_that_file_alone() {
    let entry = Suppression { sha256: Some(Digest::of(b"x")), ..suppression("*", "2027-01-01") };
    check_exception(entry.clone(), b"x", (&[], 1));
    check_exception(entry, b"y", (&["AAA001"], 0));
}
