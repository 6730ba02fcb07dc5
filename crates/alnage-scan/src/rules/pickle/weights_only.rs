//! PKL020: the checkpoint needs the unrestricted unpickler.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::pickles;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL020",
    name: "pickle-not-weights-only",
    summary: "the checkpoint needs the unrestricted unpickler",
    why: "PyTorch from 2.6 on loads with a restricted unpickler unless told otherwise. This file can be loaded only by switching that off, which is what turns a hostile file into running code.",
    remediation: "Save the weights alone, as a state dictionary or in safetensors.",
    references: &["CWE-502", "CVE-2025-32434"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`torch.save(model)` instead of `torch.save(model.state_dict())`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        if let Some(reason) = &facts.weights_only.reason
            && !facts.tensors.storages.is_empty()
        {
            sink.report(&artifact.path, "`torch.load` refuses the file with `weights_only=True`").evidence =
                Some(reason.chars().take(200).flat_map(char::escape_debug).collect());
        }
    }
}
