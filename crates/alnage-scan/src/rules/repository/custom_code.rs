//! Configuration that hands a task to custom code.

use alnage_formats::{Model, repository::config::ConfigRole};
use alnage_types::{Confidence, Level, Severity};

use super::{
    configs, shown,
    target::{TargetClass, target_class},
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG007",
    name: "config-custom-code",
    summary: "a configuration hands generation, a pipeline or a module to custom code",
    why: "Pipelines, generation loops and modules can be replaced by Python code of this or another repository. It runs when the model is loaded or used with the matching option.",
    remediation: "Read the code that is named; use the stock pipeline.",
    references: &["CWE-829", "AML.T0010"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"model_index.json: {"unet": ["my_unet", "MyUNet"]}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for setting in &facts.settings {
            let known = match setting.key.as_str() {
                "custom_pipeline" | "custom_pipelines" | "custom_generate" | "impl" => false,
                "parent_library" => {
                    matches!(target_class(&format!("{}.x", setting.value)), TargetClass::Known)
                }
                _ => continue,
            };
            if !known {
                let evidence = format!("{} = {}", shown(&setting.pointer), shown(&setting.value));
                let message = format!("custom code is used: `{}`", shown(&setting.value));
                let end = setting.offset.saturating_add(setting.value.len() as u64);
                sink.report_at(&artifact.path, (setting.offset, end), message, evidence);
            }
        }
        for part in &facts.components {
            let dotted = format!("{}.{}", part.module, if part.class.is_empty() { "x" } else { &part.class });
            let named = facts.role == ConfigRole::Modules;
            let class = target_class(if named { &part.module } else { &dotted });
            // A bare word names a pipeline folder of diffusers, unless the repository has such a file.
            let file = format!("{}/{}.py", part.name, part.module);
            let has_file = model.tree.iter().any(|entry| entry.path.as_str().ends_with(&file));
            let severity = match class {
                TargetClass::Dangerous(_) => Severity::Critical,
                TargetClass::Known => continue,
                TargetClass::Unknown if named || has_file => Severity::Medium,
                TargetClass::Unknown => Severity::Low,
            };
            let evidence =
                format!("{} = [{}, {}]", shown(&part.name), shown(&part.module), shown(&part.class));
            let message =
                format!("the part `{}` is made by the module `{}`", shown(&part.name), shown(&part.module));
            let finding = sink.report(&artifact.path, message);
            finding.severity = severity;
            finding.evidence = Some(evidence);
        }
    }
}
