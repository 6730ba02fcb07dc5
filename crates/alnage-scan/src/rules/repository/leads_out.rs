//! Configuration whose file names lead elsewhere.

use alnage_formats::{Model, repository::config::ConfigRole};
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG008",
    name: "config-path-leads-out",
    summary: "a configuration names a file by a URL or through a parent folder",
    why: "Loaders open such names as they are: a URL fetches from a place nobody vetted, and a path with `..` reads files of the machine that loads the model.",
    remediation: "Name files of the repository only.",
    references: &["CWE-22", "CWE-918"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: r#"tokenizer_config.json: {"vocab_file": "../../../etc/passwd"}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for setting in &facts.settings {
            let climbs = setting.value.split(['/', '\\']).any(|part| part == "..");
            let scheme = setting.value.split_once("://").map(|(scheme, _)| scheme);
            let severity = match scheme {
                _ if !(setting.key.ends_with("_file")
                    || setting.key.ends_with("_path")
                    || setting.key == "path") =>
                {
                    continue;
                }
                Some("file") => Severity::Medium,
                None if climbs && facts.role != ConfigRole::Other => Severity::Medium,
                _ => Severity::Low,
            };
            let message = format!("the setting `{}` leads out of the repository", shown(&setting.key));
            let evidence = format!("{} = {}", shown(&setting.pointer), shown(&setting.value));
            let end = setting.offset.saturating_add(setting.value.len() as u64);
            sink.report_at(&artifact.path, (setting.offset, end), message, evidence).severity = severity;
        }
    }
}
