//! Documents whose objects have a key twice.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG009",
    name: "config-duplicate-key",
    summary: "an object has the same key twice",
    why: "Readers differ in which of the two values they take, so that a reviewer and a loader can see different settings.",
    remediation: "Write each key once.",
    references: &["CWE-436", "CWE-694"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"auto_map": {}, "auto_map": {"AutoModel": "x.X"}}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        let Some(first) = facts.duplicate_keys.first() else { continue };
        let decides =
            ["auto_map", "_target_", "trust_remote_code", "chat_template", "architectures", "weight_map"];
        let decisive = facts
            .duplicate_keys
            .iter()
            .find(|key| decides.iter().any(|name| key.split('/').any(|part| part == *name)));
        let message = format!("the key `{}` is there twice", shown(decisive.unwrap_or(first)));
        let finding = sink.report(&artifact.path, message);
        finding.evidence = Some(shown(&facts.duplicate_keys.join(", ")));
        if decisive.is_some() {
            finding.severity = Severity::Medium;
        }
    }
}
