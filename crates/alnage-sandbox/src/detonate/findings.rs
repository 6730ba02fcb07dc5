//! Events as findings, and loads that did not reach their end as issues.

use alnage_scan::{Answers, Rule, Sink, rules};
use alnage_types::{Finding, Issue, IssueKind};

use super::{Detonated, Detonation, Event, Kind, Outcome};

/// How many events of a file become findings.
const MOST: usize = 100;

/// A finding for each event.
pub fn findings(detonation: &Detonation) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answers = Answers::default();
    for file in &detonation.files {
        for event in file.events.iter().take(MOST) {
            let Some(rule) = rules::rule(code(event.kind)) else { continue };
            let rule: &'static Rule = rule;
            let finding = &mut Sink::new(rule, &answers, &mut findings);
            finding.report(&file.artifact, message(event)).evidence = Some(evidence(event));
        }
    }
    findings
}

/// An issue for each load that did not reach its end: what would have come later is not known.
pub fn issues(detonation: &Detonation) -> Vec<Issue> {
    detonation.files.iter().filter_map(issue).collect()
}

fn issue(file: &Detonated) -> Option<Issue> {
    let (kind, message) = match &file.outcome {
        Outcome::Loaded => return None,
        Outcome::Stopped(error) => (
            IssueKind::Unsupported,
            format!(
                "detonation: the load stopped early, and what would follow was not seen: {}",
                plain(error)
            ),
        ),
        Outcome::TimeOver => (IssueKind::Budget, "detonation: the load did not end in its time".to_owned()),
        Outcome::MemoryOver => {
            (IssueKind::Budget, "detonation: the load used more memory than it may".to_owned())
        }
    };
    Some(Issue { artifact: file.artifact.clone(), offset: None, kind, message })
}

/// The rule that an event of this kind falls under.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::Process => "DET001",
        Kind::Code => "DET002",
        Kind::Connection | Kind::Lookup | Kind::Listening => "DET003",
        Kind::Persistence => "DET004",
        Kind::Written | Kind::Removed => "DET005",
        Kind::Secret | Kind::Environment => "DET006",
        Kind::Escape => "DET007",
        Kind::Exhaustion => "DET008",
        Kind::Call => "DET009",
    }
}

fn message(event: &Event) -> String {
    let verb = event.kind.told();
    match event.kind {
        Kind::Code => format!("when loaded, it {verb} that it brought"),
        Kind::Call => format!("when loaded, it {verb} `{}`", plain(&event.subject)),
        _ => format!("when loaded, it {verb} `{:.160}`", plain(&event.subject)),
    }
}

/// What was seen, in one line.
pub(super) fn evidence(event: &Event) -> String {
    let mut text = match event.kind {
        Kind::Call => format!("{}({})", event.subject, event.detail),
        Kind::Process if !event.detail.is_empty() => event.detail.clone(),
        _ if event.detail.is_empty() => event.subject.clone(),
        _ => format!("{}  ({})", event.subject, event.detail),
    };
    if !event.by.is_empty() && !event.by.starts_with("python") {
        text = format!("{text}  by {}", event.by);
    }
    if event.times > 1 {
        text = format!("{text}  {} times", event.times);
    }
    plain(&text)
}

/// Without what could deceive at a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .take(400)
        .flat_map(|character| match character {
            ' '..='~' => vec![character],
            other if other.is_alphanumeric() => vec![other],
            other => other.escape_default().collect(),
        })
        .collect()
}
