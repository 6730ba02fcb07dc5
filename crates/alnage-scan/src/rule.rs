//! What a rule is: one `static` in a file of its own, with everything the user is told about it.

use std::{borrow::Cow, cell::OnceCell};

use alnage_facts::Contradiction;
use alnage_formats::Model;
use alnage_types::{ArtifactPath, Confidence, Finding, Level, Severity, Span};

use crate::rules::WeighedCalls;

/// A rule. The `static` is the one source of its documentation, SARIF metadata and severity.
pub struct Rule {
    /// Stable code, three letters and three digits: `PKL001`. Never reused.
    pub code: &'static str,
    /// Stable kebab-case name: `pickle-dangerous-call`.
    pub name: &'static str,
    /// One line: what is found.
    pub summary: &'static str,
    /// Why it matters, for someone who does not know the technique.
    pub why: &'static str,
    /// What to do about it.
    pub remediation: &'static str,
    /// CWE, CVE, MITRE ATLAS (`AML.T…`), OWASP, paper or advisory ids.
    pub references: &'static [&'static str],
    /// Severity of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// Confidence of its findings, unless a finding says otherwise.
    pub confidence: Confidence,
    /// From which level on it is shown.
    pub level: Level,
    /// A minimal model that sets it off, in words or as a line of Python.
    pub example: &'static str,
    /// Looks at the model and reports.
    pub check: fn(&Model, &mut Sink<'_>),
}

/// What several rules ask of the same model, answered once.
#[derive(Debug, Default)]
pub struct Answers {
    contradictions: OnceCell<Vec<Contradiction>>,
    weighed_calls: OnceCell<WeighedCalls>,
}

/// Takes one rule's findings.
pub struct Sink<'a> {
    rule: &'static Rule,
    answers: &'a Answers,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Sink<'a> {
    /// A sink for `rule`, which shares `answers` with the other rules that look at the same model.
    pub fn new(rule: &'static Rule, answers: &'a Answers, findings: &'a mut Vec<Finding>) -> Self {
        Self { rule, answers, findings }
    }

    /// The contradictions between the files of `model`, the one model that this sink's answers are about.
    pub(crate) fn contradictions(&self, model: &Model) -> &'a [Contradiction] {
        self.answers.contradictions.get_or_init(|| alnage_facts::contradictions(model))
    }

    /// What the calls of its pickles amount to.
    pub(crate) fn weighed_calls(&self, model: &Model) -> &'a WeighedCalls {
        self.answers.weighed_calls.get_or_init(|| WeighedCalls::of(model))
    }

    /// Reports a finding with the rule's own severity, confidence, remediation and references. The finding comes
    /// back to be refined: add a span, evidence, or another severity.
    pub fn report(&mut self, artifact: &ArtifactPath, message: impl Into<String>) -> &mut Finding {
        let rule = self.rule;
        self.findings.push(Finding {
            code: Cow::Borrowed(rule.code),
            name: Cow::Borrowed(rule.name),
            severity: rule.severity,
            confidence: rule.confidence,
            level: rule.level,
            artifact: artifact.clone(),
            span: None,
            message: message.into(),
            evidence: None,
            remediation: Cow::Borrowed(rule.remediation),
            references: rule.references.iter().map(|&reference| Cow::Borrowed(reference)).collect(),
        });
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// Reports a finding at `start..end` with `evidence`.
    pub fn report_at(
        &mut self,
        artifact: &ArtifactPath,
        (start, end): (u64, u64),
        message: impl Into<String>,
        evidence: impl Into<String>,
    ) -> &mut Finding {
        let finding = self.report(artifact, message);
        finding.span = Some(Span::new(start, end));
        finding.evidence = Some(evidence.into());
        finding
    }
}
