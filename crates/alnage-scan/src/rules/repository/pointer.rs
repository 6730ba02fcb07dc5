//! Git LFS pointers in place of weights.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{lines_of, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP001",
    name: "repository-lfs-pointer",
    summary: "a file is a Git LFS pointer, its content is absent",
    why: "What was looked at is a note about a file, not the file. Whatever is fetched for it later has not been vetted.",
    remediation: "Fetch the content with `git lfs pull` and vet it again.",
    references: &["CWE-494"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "model.safetensors: version https://git-lfs.github.com/spec/v1",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in lines_of(model, "git-lfs-pointer") {
        let oid = facts.lines.iter().find(|line| line.text.starts_with("oid "));
        let finding = sink.report(&artifact.path, "the file is a Git LFS pointer, its content is absent");
        finding.evidence = oid.map(|line| shown(&line.text));
    }
}
