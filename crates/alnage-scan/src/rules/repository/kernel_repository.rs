//! Configuration that has an attention implementation fetched from a hub repository.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG004",
    name: "config-kernel-repository",
    summary: "a configuration names a hub repository as the implementation of attention or experts",
    why: "A name with a slash is taken for a repository of compiled kernels: it is downloaded and its Python and native code is loaded, without `trust_remote_code` being asked for in releases of transformers before 5.3.0.",
    remediation: "Remove the key; choose the implementation in the code that loads the model. Upgrade transformers.",
    references: &["CVE-2026-4372", "CWE-829", "CWE-494", "AML.T0010"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"_attn_implementation_internal": "attacker/kernel"}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for setting in facts.settings.iter().filter(|setting| setting.key.contains("_implementation")) {
            let end = setting.offset.saturating_add(setting.value.len() as u64);
            let evidence = format!("{} = {}", shown(&setting.pointer), shown(&setting.value));
            let message =
                format!("kernels are fetched from the repository `{}` and loaded", shown(&setting.value));
            let finding = sink.report_at(&artifact.path, (setting.offset, end), message, evidence);
            // The hub's own collection of kernels: still code from elsewhere, of a known publisher.
            if setting.value.starts_with("kernels-community/") && !setting.key.ends_with("_internal") {
                finding.severity = Severity::Medium;
            }
        }
    }
}
