//! Programs and native libraries in a model.

use alnage_formats::{Model, format, repository::RepositoryFacts};
use alnage_types::{Confidence, Level, Severity};

use super::{repository_facts, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "EXE001",
    name: "executable-in-model",
    summary: "a program or native library lies in the model",
    why: "Weights and configuration need no programs. What lies beside them is run by a loader that looks for native code, or by someone who follows the instructions of the repository.",
    remediation: "Remove the file; build native code from its source.",
    references: &["CWE-506", "CWE-829"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "model/helper.so",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in repository_facts(model) {
        let RepositoryFacts::Executable(program) = facts else { continue };
        let kind = format(artifact.format).map_or(artifact.format, |format| format.title);
        let extension = artifact.path.extension().unwrap_or_default();
        let honest = matches!(
            extension.as_str(),
            "so" | "dll"
                | "dylib"
                | "exe"
                | "pyd"
                | "wasm"
                | "class"
                | "a"
                | "o"
                | "bundle"
                | "node"
                | "llamafile"
                | ""
        ) || artifact.path.name().contains(".so.");
        let finding =
            sink.report(&artifact.path, format!("{kind}, {}", program.platform.unwrap_or("any platform")));
        if !honest {
            finding.severity = Severity::High;
            finding.message = format!("{kind} under the name of a `.{}` file", shown(&extension));
        }
    }
}
