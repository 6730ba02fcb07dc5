//! Configuration that names Python code of another repository.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG002",
    name: "config-remote-repository-code",
    summary: "a configuration names Python code of another repository to import",
    why: "The code is fetched from another repository when the model is loaded with `trust_remote_code=True`. Whoever owns that repository can change it at any time; nothing that is vetted here says what it will do.",
    remediation: "Copy the reviewed code into the model, or pin the revision of both repositories.",
    references: &["CWE-829", "CWE-494", "AML.T0010"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"auto_map": {"AutoModel": "owner/other--modeling_x.XModel"}}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        let remote = facts.auto_map.iter().find_map(|entry| Some((entry, entry.repository.as_ref()?)));
        let Some((entry, repository)) = remote else { continue };
        let message = format!("code is imported from the other repository `{}`", shown(repository));
        let evidence = format!("auto_map.{} = {}", shown(&entry.auto_class), shown(&entry.target));
        sink.report(&artifact.path, message).evidence = Some(evidence);
    }
}
