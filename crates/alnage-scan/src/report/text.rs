//! The record for a person at a terminal.

use std::fmt::Write;

use alnage_types::{Finding, Verdict};

use super::words::{UNKNOWN, by_rule, clean, count, issue_place, place, severity, shorten, size, wrap};
use crate::{ModelRecord, Record, rules};

/// How the text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether verdicts are coloured; they are words all the same.
    pub color: bool,
    /// Only the verdicts.
    pub brief: bool,
}

/// How many places of one rule are told after the first.
const FURTHER: usize = 2;
/// How many issues of one model are told.
const ISSUES: usize = 5;

/// The record as text: verdicts, findings with the heaviest first, what was not understood, a summary line.
pub fn text(record: &Record, style: TextStyle) -> String {
    let mut output = String::new();
    for model in &record.models {
        let told = write_model(&mut output, model, style);
        if told {
            output.push('\n');
        }
    }
    summary(&mut output, record);
    output
}

/// Writes one model; gives whether it took more than its verdict's line.
fn write_model(output: &mut String, model: &ModelRecord, style: TextStyle) -> bool {
    let verdict = painted(model.verdict, style.color);
    let padding = " ".repeat(8 - model.verdict.as_str().len());
    let _ = writeln!(output, "{verdict}{padding}{}", clean(&model.path));
    if style.brief || (model.findings.is_empty() && model.issues.is_empty() && model.suppressed.is_empty()) {
        return false;
    }
    for group in by_rule(&model.findings) {
        output.push('\n');
        write_group(output, &group, style);
    }
    if !model.issues.is_empty() {
        let _ = writeln!(output, "\n  {UNKNOWN}:");
        for issue in model.issues.iter().take(ISSUES) {
            let message = format!("{}: {}", issue_place(issue), clean(&issue.message));
            wrap(output, "    ", "      ", &message, style.width);
        }
        write_more(output, model.issues.len().saturating_sub(ISSUES));
    }
    if !model.suppressed.is_empty() {
        let _ = writeln!(output, "\n  let pass by the configuration:");
        for entry in &model.suppressed {
            let finding = &entry.finding;
            let message = format!(
                "{} {} until {}: {}",
                finding.code,
                place(finding),
                entry.expires,
                clean(&entry.reason)
            );
            wrap(output, "    ", "      ", &message, style.width);
        }
    }
    true
}

fn write_group(output: &mut String, group: &[&Finding], style: TextStyle) {
    let Some(first) = group.first() else { return };
    let _ = writeln!(output, "  {} {}  {}", first.code, first.name, severity(first.severity));
    write_finding(output, first, style);
    if let Some(rule) = rules::rule(&first.code) {
        wrap(output, "    why: ", "      ", rule.why, style.width);
    }
    if !first.remediation.is_empty() {
        wrap(output, "    what to do: ", "      ", &first.remediation, style.width);
    }
    for finding in group.iter().skip(1).take(FURTHER) {
        write_finding(output, finding, style);
    }
    write_more(output, group.len().saturating_sub(1 + FURTHER));
}

fn write_finding(output: &mut String, finding: &Finding, style: TextStyle) {
    let _ = writeln!(output, "    {}", place(finding));
    wrap(output, "      ", "      ", &clean(&finding.message), style.width);
    if let Some(evidence) = &finding.evidence {
        const MAX_EVIDENCE: usize = 600;
        for line in clean(&shorten(evidence, MAX_EVIDENCE)).lines() {
            let _ = writeln!(output, "        {line}");
        }
    }
}

fn write_more(output: &mut String, more: usize) {
    if more > 0 {
        let _ = writeln!(output, "    and {more} more");
    }
}

fn summary(output: &mut String, record: &Record) {
    let mut parts = Vec::new();
    for verdict in [Verdict::Block, Verdict::Review, Verdict::Unknown, Verdict::Pass] {
        let models = record.models.iter().filter(|model| model.verdict == verdict).count();
        if models > 0 {
            parts.push(format!("{models} {}", verdict.as_str()));
        }
    }
    let stats = &record.stats;
    let _ = write!(
        output,
        "{}: {} ({}, {}",
        count(stats.models, "model"),
        if parts.is_empty() { "nothing was vetted".into() } else { parts.join(", ") },
        count(stats.files, "file"),
        size(stats.bytes)
    );
    if stats.excluded > 0 {
        let _ = write!(output, "; {} of git left out", count(stats.excluded, "file"));
    }
    output.push_str(")\n");
}

fn painted(verdict: Verdict, color: bool) -> String {
    let code = match verdict {
        Verdict::Pass => 32,
        Verdict::Unknown => 35,
        Verdict::Review => 33,
        Verdict::Block => 31,
    };
    match color {
        true => format!("\u{1b}[1;{code}m{}\u{1b}[0m", verdict.as_str()),
        false => verdict.as_str().to_owned(),
    }
}
