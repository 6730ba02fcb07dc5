//! Shard indexes that do not fit the files.

use std::collections::HashSet;

use alnage_formats::{Artifact, Facts, Model, repository::config::ShardIndex};
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP005",
    name: "repository-shard-index",
    summary: "a shard index does not fit the files: absent, outside, or with other tensors",
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
        misplaced(model, artifact, shards, folder, sink);
        extra(model, artifact, shards, folder, sink);
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

/// Tensors that are not in the file that the index says they are in.
fn misplaced(model: &Model, index: &Artifact, shards: &ShardIndex, folder: &str, sink: &mut Sink<'_>) {
    for (number, file) in shards.files.iter().enumerate() {
        let path = format!("{folder}{file}");
        let tensors: HashSet<&str> = model
            .artifacts
            .iter()
            .filter(|artifact| artifact.path.as_str() == path)
            .filter_map(|artifact| match &artifact.facts {
                Facts::Tensor(facts) => Some(facts.tensor_names()),
                _ => None,
            })
            .flatten()
            .collect();
        if tensors.is_empty() {
            continue;
        }
        let lacking: Vec<&str> = shards
            .weight_map
            .iter()
            .filter(|(tensor, of)| usize::try_from(*of) == Ok(number) && !tensors.contains(tensor.as_str()))
            .map(|(tensor, _)| tensor.as_str())
            .collect();
        if let Some(first) = lacking.first() {
            let message =
                format!("{} tensors that the index places in `{}` are not there", lacking.len(), shown(file));
            sink.report(&index.path, message).evidence = Some(shown(first));
        }
    }
}

/// Files that are numbered like the shards of the index and are none of them.
fn extra(model: &Model, index: &Artifact, shards: &ShardIndex, folder: &str, sink: &mut Sink<'_>) {
    let named: HashSet<&str> = shards.files.iter().map(String::as_str).collect();
    let bases: HashSet<(&str, &str)> = shards.files.iter().filter_map(|file| numbered(file)).collect();
    for entry in &model.tree {
        let Some(file) = entry.path.as_str().strip_prefix(folder) else { continue };
        if !named.contains(file) && numbered(file).is_some_and(|base| bases.contains(&base)) {
            let message =
                format!("`{}` is numbered like a shard, but the index does not name it", shown(file));
            sink.report(&index.path, message).severity = Severity::Low;
        }
    }
}

/// What stands before and behind the numbers of a shard's name: `model-00001-of-00002.safetensors`.
fn numbered(file: &str) -> Option<(&str, &str)> {
    let (before, _) = file.split_once("-of-")?;
    let (base, number) = before.rsplit_once('-')?;
    let (_, extension) = file.rsplit_once('.')?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then_some((base, extension))
}
