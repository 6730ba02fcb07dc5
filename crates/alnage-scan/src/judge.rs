//! Runs the rules over a model and decides.

use std::{borrow::Cow, cmp::Reverse};

use alnage_formats::Model;
use alnage_types::{Finding, Level, Manifest, Verdict};

use crate::{Answers, Date, Effect, Policy, Sink, Suppressed, Suppression, rules};

/// The findings and the verdict they and the issues lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// Heaviest first.
    pub findings: Vec<Finding>,
    /// Findings that a suppression let pass; they decide nothing.
    pub suppressed: Vec<Suppressed>,
    /// The codes of the findings that decided; empty for `pass` and for `unknown`, which issues decide.
    pub decided_by: Vec<Cow<'static, str>>,
}

/// What a person has decided to let pass, and what is needed to apply it.
#[derive(Debug, Clone, Copy)]
pub struct Exceptions<'a> {
    /// What passes.
    pub suppressions: &'a [Suppression],
    /// The model's digests, for suppressions that name one.
    pub manifest: &'a Manifest,
    /// The day on which is judged.
    pub today: Date,
}

/// Judges a model: `wanted` says which rules run, `level` which findings are shown.
pub fn judge(model: &Model, policy: &Policy, level: Level, wanted: impl Fn(&str) -> bool) -> Judgement {
    decide(model, policy, find(model, level, wanted), Vec::new())
}

/// Judges a model as [`judge`] does, with exceptions.
pub fn judge_with(
    model: &Model,
    policy: &Policy,
    level: Level,
    wanted: impl Fn(&str) -> bool,
    exceptions: Exceptions<'_>,
) -> Judgement {
    let (findings, suppressed) = except(find(model, level, wanted), exceptions);
    decide(model, policy, findings, suppressed)
}

/// Judges findings that were made elsewhere than by the rules' own checks, as [`judge_with`] does its own. Of `model`
/// only the issues count.
pub fn judge_found(
    model: &Model,
    policy: &Policy,
    level: Level,
    wanted: impl Fn(&str) -> bool,
    exceptions: Exceptions<'_>,
    mut found: Vec<Finding>,
) -> Judgement {
    found.retain(|finding| finding.level <= level && wanted(&finding.code));
    let (findings, suppressed) = except(found, exceptions);
    decide(model, policy, findings, suppressed)
}

/// Takes what is suppressed out of `found`, and reports what no longer is.
fn except(found: Vec<Finding>, exceptions: Exceptions<'_>) -> (Vec<Finding>, Vec<Suppressed>) {
    let mut findings = Vec::with_capacity(found.len());
    let mut suppressed = Vec::new();
    let mut expired: Vec<&Suppression> = Vec::new();
    for finding in found {
        let covering =
            exceptions.suppressions.iter().filter(|entry| entry.covers(&finding, exceptions.manifest));
        let (holding, over): (Vec<_>, Vec<_>) = covering.partition(|entry| entry.expires >= exceptions.today);
        if let Some(entry) = holding.first() {
            suppressed.push(Suppressed { finding, reason: entry.reason.clone(), expires: entry.expires });
            continue;
        }
        for entry in over {
            if !expired.contains(&entry) {
                rules::suppression_expired(&finding, entry, &mut findings);
                expired.push(entry);
            }
        }
        findings.push(finding);
    }
    (findings, suppressed)
}

fn find(model: &Model, level: Level, wanted: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answers = Answers::default();
    for rule in rules::rules().filter(|rule| rule.level <= level && wanted(rule.code)) {
        (rule.check)(model, &mut Sink::new(rule, &answers, &mut findings));
    }
    findings.retain(|finding| finding.level <= level);
    findings
}

/// The verdict over `findings` as they stand.
fn decide(
    model: &Model,
    policy: &Policy,
    mut findings: Vec<Finding>,
    suppressed: Vec<Suppressed>,
) -> Judgement {
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
    Judgement { verdict: effect.verdict().max(by_issues), findings, suppressed, decided_by }
}

#[cfg(test)]
mod tests;
