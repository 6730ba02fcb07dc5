//! Compiled Python that no source shows.

use alnage_formats::{Model, repository::python::Validation};
use alnage_types::{Confidence, Level, Severity};

use super::{compiled, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC007",
    name: "python-bytecode-without-source",
    summary: "Python would import a compiled file that no source beside it vouches for",
    why: "A compiled file without a source, or one that Python does not compare with its source by time and size, \
          is imported as it is. What its functions do was not analysed, and no review of the repository shows it.",
    remediation: "Remove the file; Python compiles the source again by itself. Without a source, ask for it.",
    references: &["CWE-506", "CWE-829", "AML.T0010"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "modeling_x.pyc alone",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in compiled(model) {
        let has_source = source_of(artifact.path.as_str()).is_some_and(|source| {
            model.tree.binary_search_by(|entry| entry.path.as_str().cmp(&source)).is_ok()
        });
        let message = match (has_source, facts.validation) {
            (true, Validation::Timestamp) => continue,
            (true, _) => "Python imports this file whatever time its source was changed",
            (false, _) => "Python code without its source",
        };
        let names: Vec<String> = facts.names.iter().take(12).map(|name| shown(name)).collect();
        sink.report(&artifact.path, message).evidence = Some(format!("uses {}", names.join(", ")));
    }
}

/// Where the source of a compiled file would be: `__pycache__/x.cpython-311.pyc` is that of `x.py` above.
fn source_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let cached = folder.strip_suffix("__pycache__");
    match cached {
        Some(folder) => Some(format!("{folder}{}.py", name.split('.').next()?)),
        None => Some(format!("{}.py", path.strip_suffix(".pyc").or_else(|| path.strip_suffix(".pyo"))?)),
    }
}
