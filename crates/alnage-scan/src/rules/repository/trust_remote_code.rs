//! Configuration that switches on trust in remote code by itself.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG003",
    name: "config-trusts-remote-code",
    summary: "a configuration file sets `trust_remote_code` itself",
    why: "Whether code of a repository may run is the decision of the person who loads it. Some model classes of transformers hand this value of the configuration on to the loading of an inner model, so that the attacker decides, and code of any repository runs.",
    remediation: "Remove the key from the configuration; upgrade transformers.",
    references: &["CVE-2026-5241", "CWE-829", "CWE-94", "AML.T0010"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"model_type": "lightglue", "trust_remote_code": true}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for setting in facts.settings.iter().filter(|setting| setting.key == "trust_remote_code") {
            let end = setting.offset.saturating_add(setting.value.len() as u64);
            let evidence = format!("{} = {}", shown(&setting.pointer), shown(&setting.value));
            let message = "the configuration itself says that code of a repository may be run";
            sink.report_at(&artifact.path, (setting.offset, end), message, evidence);
        }
    }
}
