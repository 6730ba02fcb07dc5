//! `alnage rules` and `alnage explain`.

use std::fmt::Write;

use alnage_scan::{Rule, rules};

use crate::{
    args::ListFormat,
    output::{self, hinted},
};

/// Lists the rules, sorted by code.
pub(super) fn list(format: ListFormat) -> anyhow::Result<()> {
    let mut all: Vec<&Rule> = rules::rules().collect();
    all.sort_by_key(|rule| rule.code);
    let mut text = String::new();
    match format {
        ListFormat::Text => {
            let width = all.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
            for rule in all {
                let severity = format!("{:?}", rule.severity).to_ascii_lowercase();
                let _ = writeln!(text, "{} {:width$} {severity:8} {}", rule.code, rule.name, rule.summary);
            }
        }
        ListFormat::Markdown => {
            text.push_str("| code | name | severity | confidence | level | what is found |\n|---|---|---|---|---|---|\n");
            for rule in all {
                let words = format!("{:?} | {:?} | {:?}", rule.severity, rule.confidence, rule.level);
                let words = words.to_ascii_lowercase();
                let _ = writeln!(text, "| {} | {} | {words} | {} |", rule.code, rule.name, rule.summary);
            }
        }
        ListFormat::Json => {
            let rows: Vec<_> = all.into_iter().map(alnage_scan::report::rule_json).collect();
            text = serde_json::to_string_pretty(&rows)? + "\n";
        }
    }
    Ok(output::print(&text)?)
}

/// Tells everything about one rule.
pub(super) fn explain(code: &str) -> anyhow::Result<()> {
    let rule = rules::rule(code).or_else(|| rules::rules().find(|rule| rule.name == code));
    let Some(rule) = rule else {
        return Err(hinted(format!("there is no rule `{code}`"), "`alnage rules` lists them"));
    };
    Ok(output::print(&alnage_scan::report::explanation(rule, output::width()))?)
}
