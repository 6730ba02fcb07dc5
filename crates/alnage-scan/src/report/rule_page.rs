//! A rule told to a person and to a program.

use std::fmt::Write;

use serde_json::{Value, json};

use super::words::{severity, wrap};
use crate::Rule;

/// Everything about a rule, as text of `width` columns.
pub fn explanation(rule: &Rule, width: usize) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} {}\n", rule.code, rule.name);
    wrap(&mut text, "", "", rule.summary, width);
    let _ = writeln!(
        text,
        "\nseverity {}, confidence {}, shown from level {}\n",
        severity(rule.severity),
        format!("{:?}", rule.confidence).to_ascii_lowercase(),
        format!("{:?}", rule.level).to_ascii_lowercase()
    );
    wrap(&mut text, "Why: ", "  ", rule.why, width);
    text.push('\n');
    wrap(&mut text, "What to do: ", "  ", rule.remediation, width);
    if !rule.example.is_empty() {
        text.push_str("\nSet off by:\n");
        for line in rule.example.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    if !rule.references.is_empty() {
        text.push('\n');
        wrap(&mut text, "References: ", "  ", &rule.references.join(", "), width);
    }
    text
}

/// Everything about a rule, as a JSON object.
pub fn rule_json(rule: &Rule) -> Value {
    json!({
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "level": rule.level,
        "why": rule.why,
        "remediation": rule.remediation,
        "example": rule.example,
        "references": rule.references,
    })
}
