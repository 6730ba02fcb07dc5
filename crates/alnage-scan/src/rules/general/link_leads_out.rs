//! TRE001: a symbolic link of the model leads out of it, or to nothing.

use alnage_formats::{EntryKind, Model};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TRE001",
    name: "link-leads-out",
    summary: "a symbolic link leads out of the model or to nothing",
    why: "A loader follows the link and reads, as part of the model, a file that nobody vetted: a secret of this \
          machine, or something that is put there later. The link is not followed here, so what lies behind it is \
          unknown.",
    remediation: "Replace the link by the file it stands for, or remove it.",
    references: &["CWE-59", "CWE-61"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`tokenizer.json -> /etc/passwd`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for entry in &model.tree {
        let (what, target) = match &entry.kind {
            EntryKind::SymlinkOutside { target } => ("a link that leads out of the model", target),
            EntryKind::SymlinkBroken { target } => ("a link to nothing", target),
            _ => continue,
        };
        let target: String = target.chars().take(200).flat_map(char::escape_debug).collect();
        sink.report(&entry.path, what).evidence = Some(format!("-> {target}"));
    }
}
