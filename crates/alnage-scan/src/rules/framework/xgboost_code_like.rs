//! XGB001: texts in an XGBoost model that look like code.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, xgboost};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "XGB001",
    name: "xgboost-code-like",
    summary: "an XGBoost model's objective or attribute looks like code",
    why: "Names of objectives and attributes are plain words. One that reads like a call is meant for a program that \
          evaluates it, or for a person to paste.",
    remediation: "Ask the publisher what the text is for.",
    references: &["CWE-94"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "the objective `__import__('os').system('id')`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in xgboost(model) {
        for (key, text) in &facts.code_like {
            let (key, text) = (quote(key, 64), quote(text, 200));
            sink.report(&artifact.path, format!("`{key}` looks like code")).evidence =
                Some(format!("{key} = {text}"));
        }
        let Some(objective) = facts.objective.as_deref() else { continue };
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        if !objective.chars().all(is_word) && !facts.code_like.iter().any(|(_, text)| text == objective) {
            let objective = quote(objective, 200);
            sink.report(&artifact.path, "the objective is no word").evidence =
                Some(format!("objective = {objective}"));
        }
    }
}
