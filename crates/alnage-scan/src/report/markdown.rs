//! The record as Markdown, for a comment on a pull request.

use std::fmt::Write;

use super::words::{UNKNOWN, by_rule, clean, count, issue_place, place, severity, shorten, size};
use crate::{ModelRecord, Record, rules};

/// How many places of one rule are told.
const PLACES: usize = 5;
/// How many issues of one model are told.
const ISSUES: usize = 10;

/// The record as Markdown: a table of verdicts, then each model that did not simply pass.
pub fn markdown(record: &Record) -> String {
    let stats = &record.stats;
    let mut output = format!(
        "### Alnage: {}\n\n{}, {}, {}\n\n| verdict | model | decided by |\n|---|---|---|\n",
        record.verdict.as_str(),
        count(stats.models, "model"),
        count(stats.files, "file"),
        size(stats.bytes)
    );
    for model in &record.models {
        let decided: Vec<&str> = model.decided_by.iter().map(|code| code.as_ref()).collect();
        let _ = writeln!(
            output,
            "| **{}** | {} | {} |",
            model.verdict.as_str(),
            code(&model.path),
            if decided.is_empty() && !model.issues.is_empty() { UNKNOWN.into() } else { decided.join(", ") }
        );
    }
    for model in &record.models {
        if !(model.findings.is_empty() && model.issues.is_empty() && model.suppressed.is_empty()) {
            write_model(&mut output, model);
        }
    }
    output
}

fn write_model(output: &mut String, model: &ModelRecord) {
    let _ = writeln!(output, "\n#### {}: {}", code(&model.path), model.verdict.as_str());
    for group in by_rule(&model.findings) {
        let Some(first) = group.first() else { continue };
        let _ = writeln!(output, "\n**{} {}** ({})\n", first.code, first.name, severity(first.severity));
        for finding in group.iter().take(PLACES) {
            let _ = write!(output, "- {}: {}", code(&place(finding)), prose(&finding.message));
            if let Some(evidence) = &finding.evidence {
                let _ = write!(output, " {}", code(&shorten(evidence, 300)));
            }
            output.push('\n');
        }
        if group.len() > PLACES {
            let _ = writeln!(output, "- and {} more", group.len() - PLACES);
        }
        if let Some(rule) = rules::rule(&first.code) {
            let _ = writeln!(output, "\n> {}\n>\n> What to do: {}", rule.why, prose(&first.remediation));
        }
    }
    if !model.issues.is_empty() {
        let _ = writeln!(output, "\n**{UNKNOWN}**\n");
        for issue in model.issues.iter().take(ISSUES) {
            let _ = writeln!(output, "- {}: {}", code(&issue_place(issue)), prose(&issue.message));
        }
        if model.issues.len() > ISSUES {
            let _ = writeln!(output, "- and {} more", model.issues.len() - ISSUES);
        }
    }
    if !model.suppressed.is_empty() {
        output.push_str("\n**let pass by the configuration**\n\n");
        for entry in &model.suppressed {
            let finding = &entry.finding;
            let (place, reason) = (code(&place(finding)), prose(&entry.reason));
            let _ = writeln!(output, "- {} {place} until {}: {reason}", finding.code, entry.expires);
        }
    }
}

/// `text` as inline code, whatever backticks and line ends are in it.
fn code(text: &str) -> String {
    let text = clean(text).replace('\n', " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// `text` as a sentence in which nothing becomes a link, an image, a mention or HTML. Pairs of backticks stay.
fn prose(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let text = clean(text).replace('\n', " ");
    let balanced = text.matches('`').count().is_multiple_of(2);
    let mut in_code = false;
    for character in text.chars() {
        match character {
            '`' if balanced => in_code = !in_code,
            '<' | '>' | '[' | ']' | '!' | '*' | '_' | '#' | '|' | '\\' | '`' if !in_code => output.push('\\'),
            // A zero-width space keeps a name from being notified.
            '@' if !in_code => {
                output.push_str("@\u{200b}");
                continue;
            }
            _ => {}
        }
        output.push(character);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(prose("see `a_b` ![x](y) <b> @you"), "see `a_b` \\!\\[x\\](y) \\<b\\> @\u{200b}you");
        assert_eq!(prose("a ` b"), "a \\` b");
    }
}
