use alnage_types::{ArtifactPath, Confidence, Issue, IssueKind, Severity, Span};

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
    let judgement = decide(&model, policy, findings);
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
    let judgement = decide(&Model::default(), &Policy::default(), findings);
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
