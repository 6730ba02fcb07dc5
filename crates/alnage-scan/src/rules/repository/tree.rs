//! Links and special files in a model.

use alnage_formats::{EntryKind, Model};
use alnage_types::{Confidence, Level, Severity};

use super::shown;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP006",
    name: "repository-tree",
    summary: "a model has links that lead out, broken links, special or hidden files",
    why: "A link out of the repository makes a loader read another file of the machine, and an archive of the model carry it away. Special files block or act when they are opened. Hidden files are overlooked in a review.",
    remediation: "Remove what is no part of the model.",
    references: &["CWE-59", "CWE-61"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "weights.bin -> /etc/passwd",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for entry in &model.tree {
        let (severity, message) = match &entry.kind {
            EntryKind::SymlinkOutside { target } => {
                (Severity::High, format!("a link leads out of the model to `{}`", shown(target)))
            }
            EntryKind::SymlinkBroken { target } => {
                (Severity::Medium, format!("a link leads to `{}`, which is not there", shown(target)))
            }
            EntryKind::Special => (Severity::Medium, "a socket, pipe or device".to_owned()),
            EntryKind::File | EntryKind::SymlinkInside { .. } if is_hidden(entry.path.as_str()) => {
                (Severity::Low, "a hidden file".to_owned())
            }
            EntryKind::File | EntryKind::SymlinkInside { .. } => continue,
        };
        sink.report(&entry.path, message).severity = severity;
    }
}

fn is_hidden(path: &str) -> bool {
    const KNOWN: [&str; 9] = [
        ".gitattributes",
        ".gitignore",
        ".gitmodules",
        ".huggingface",
        ".cache",
        ".git",
        ".github",
        ".dockerignore",
        ".pre-commit-config.yaml",
    ];
    path.split('/')
        .find(|part| part.starts_with('.') && part.len() > 1 && *part != "..")
        .is_some_and(|part| !KNOWN.contains(&part))
}
