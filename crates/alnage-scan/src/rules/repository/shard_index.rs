//! Shard indexes that do not fit the files.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP005",
    name: "repository-shard-index",
    summary: "a shard index names files that are absent or lie outside",
    why: "The index says which file each tensor is read from. A name that leads out of the repository makes the loader open another file of the machine; an absent file is fetched from elsewhere or fails.",
    remediation: "Restore the files of the index from the original publisher.",
    references: &["CWE-22", "CWE-706"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "model.safetensors.index.json: {\"weight_map\": {\"a\": \"../../x.bin\"}}",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        let Some(shards) = &facts.shards else { continue };
        let path = artifact.path.as_str();
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let (mut absent, mut present) = (Vec::new(), 0);
        for file in &shards.files {
            let climbs = file.split(['/', '\\']).any(|part| part == "..");
            if climbs || file.starts_with(['/', '\\']) || file.contains("://") {
                let message = format!("the index names `{}`, which lies outside the repository", shown(file));
                sink.report(&artifact.path, message).severity = Severity::High;
            } else if model.tree.iter().any(|entry| entry.path.as_str() == format!("{folder}{file}")) {
                present += 1;
            } else {
                absent.push(file);
            }
        }
        let Some(first) = absent.first() else { continue };
        let message = format!("{} of {} files of the index are absent", absent.len(), shards.files.len());
        let finding = sink.report(&artifact.path, message);
        finding.evidence = Some(shown(first));
        // The index alone, without any weights beside it, is no model to load.
        if present == 0 {
            finding.severity = Severity::Low;
        }
    }
}
