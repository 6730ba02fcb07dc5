//! Runs the rules over a model and decides.

use std::{borrow::Cow, cmp::Reverse};

use alnage_formats::Model;
use alnage_types::{Finding, Level, Verdict};

use crate::{Effect, Policy, Sink, rules};

/// The findings and the verdict they and the issues lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// Heaviest first.
    pub findings: Vec<Finding>,
    /// The codes of the findings that decided; empty for `pass` and for `unknown`, which issues decide.
    pub decided_by: Vec<Cow<'static, str>>,
}

/// Judges a model: `wanted` says which rules run, `level` which findings are shown.
pub fn judge(model: &Model, policy: &Policy, level: Level, wanted: impl Fn(&str) -> bool) -> Judgement {
    let mut findings = Vec::new();
    for rule in rules::rules().filter(|rule| rule.level <= level && wanted(rule.code)) {
        (rule.check)(model, &mut Sink::new(rule, &mut findings));
    }
    findings.retain(|finding| finding.level <= level);
    decide(model, policy, findings)
}

/// The verdict over `findings` as they stand.
fn decide(model: &Model, policy: &Policy, mut findings: Vec<Finding>) -> Judgement {
    findings.sort_by(|a, b| {
        let weight =
            |finding: &Finding| Reverse((policy.effect(finding), finding.severity, finding.confidence));
        let place = |finding: &Finding| finding.span.map(|span| span.start);
        (weight(a), &a.artifact, place(a), &a.code).cmp(&(weight(b), &b.artifact, place(b), &b.code))
    });
    findings.dedup();
    let effect = findings.iter().map(|finding| policy.effect(finding)).max().unwrap_or(Effect::Note);
    let by_issues = if model.issues.is_empty() { Verdict::Pass } else { Verdict::Unknown };
    let mut decided_by = Vec::new();
    if effect > Effect::Note {
        for finding in findings.iter().filter(|finding| policy.effect(finding) == effect) {
            if !decided_by.contains(&finding.code) {
                decided_by.push(finding.code.clone());
            }
        }
    }
    Judgement { verdict: effect.verdict().max(by_issues), findings, decided_by }
}

#[cfg(test)]
mod tests;
