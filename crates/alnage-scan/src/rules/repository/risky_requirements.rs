//! Requirements that are taken from elsewhere than the package index.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{lines_of, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP003",
    name: "repository-risky-requirements",
    summary: "requirements name another index, an address or a package known from attacks",
    why: "Packages run code when they are installed and imported. A second index lets anyone who registers a name there, or in the public one, replace a package; an address may give something else tomorrow.",
    remediation: "Name packages of one index with exact versions and hashes.",
    references: &["CWE-829", "CWE-427", "CWE-1357"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: --extra-index-url http://host/simple",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in lines_of(model, "requirements") {
        for line in &facts.lines {
            // In a Conda environment a requirement is an item of a list.
            let Some(what) = risk(line.text.trim_start_matches("- ")) else { continue };
            sink.report_at(&artifact.path, (line.start, line.end), what, shown(&line.text));
        }
    }
    // A project names its dependencies as texts; its other lines have addresses of home pages.
    for (artifact, facts) in lines_of(model, "python-lock") {
        for line in facts.lines.iter().filter(|_| artifact.path.name() == "pyproject.toml") {
            let requirement = line.text.trim_matches(['"', '\'', ',', ' ', '[', ']']);
            let risk = requirement.contains('@').then(|| risk(requirement)).flatten();
            let Some(what) = risk else { continue };
            sink.report_at(&artifact.path, (line.start, line.end), what, shown(&line.text));
        }
    }
}

/// Indexes of the projects themselves.
const KNOWN_INDEXES: [&str; 5] = [
    "https://download.pytorch.org/",
    "https://pypi.org/",
    "https://pypi.python.org/",
    "https://pypi.nvidia.com",
    "https://storage.googleapis.com/jax-releases/",
];

fn risk(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    let known = KNOWN_INDEXES.iter().any(|index| line.contains(index));
    let option = |names: &[&str]| names.iter().any(|name| line.starts_with(name));
    if option(&["--extra-index-url", "--index-url", "-i ", "--find-links", "-f ", "--trusted-host"]) && !known
    {
        return Some("packages are taken from another index");
    }
    let address = ["git+", "hg+", "svn+", "bzr+", "http://", "https://", "file://"].iter().any(|scheme| {
        line.starts_with(scheme)
            || line.contains(&format!("@ {scheme}"))
            || line.contains(&format!("@{scheme}"))
    });
    if address && !known {
        return Some("a package is taken from an address");
    }
    let name: &str = line.split(['=', '<', '>', '~', '!', '[', ';', ' ', '@']).next().unwrap_or_default();
    matches!(name, "torchtriton").then_some("a package known from an attack is named")
}
