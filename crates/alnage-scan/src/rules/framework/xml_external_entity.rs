//! XML001: entities and documents that an XML reader would fetch.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, xml};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "XML001",
    name: "xml-external-entity",
    summary: "an XML document declares an entity that is read from a file or a URL",
    why: "A reader that resolves external entities opens the file or connects to the server while it parses the \
          model, and puts the content into it.",
    remediation: "Remove the document type from the file; read models with entities switched off.",
    references: &["CWE-611", "CWE-918"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in xml(model) {
        for entity in &facts.external_entities {
            let (name, target) = (quote(&entity.name, 80), quote(&entity.target, 200));
            let message = format!("the entity `{name}` is read from `{target}`");
            sink.report_at(
                &artifact.path,
                (entity.offset, entity.offset),
                message,
                format!("&{name}; = {target}"),
            );
        }
        let is_model = artifact.format != "xml";
        for include in &facts.includes {
            let (name, target) = (quote(&include.name, 80), quote(&include.target, 200));
            let message = format!("`{name}` asks the reader to load `{target}`");
            let span = (include.offset, include.offset);
            sink.report_at(&artifact.path, span, message, target).severity = Severity::Medium;
        }
        if let Some(subset) = facts.external_subset.as_ref().filter(|_| is_model) {
            let target = quote(&subset.target, 200);
            let message = format!("the document type is read from `{target}`");
            sink.report_at(&artifact.path, (subset.offset, subset.offset), message, target).severity =
                Severity::Medium;
        }
    }
}
