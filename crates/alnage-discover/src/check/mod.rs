//! What is wrong with the dependencies of a project, all its files together.

mod addresses;
mod attestations;
mod confusion;
mod pins;

use alnage_scan::{Answers, Rule, Sink, rules};
use alnage_types::{ArtifactPath, Finding, Severity, Span};

pub use attestations::check_attestations;

use crate::{Advisories, Dependency, DependencyFile, Source, top};

/// What the checks are told beside the files.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// Names, normalised, that belong to nobody outside: `acme-core`, or `acme-*`.
    pub internal: Vec<String>,
}

/// Checks the files of one project.
pub fn check(files: &[DependencyFile], advisories: &Advisories, asked: &Asked) -> Vec<Finding> {
    let mut report = Report { findings: Vec::new() };
    for file in files {
        known(file, advisories, &mut report);
        confusion::index_mixing(file, &mut report);
        lookalikes(file, &mut report);
        pins::check(file, &mut report);
        addresses::check(file, &mut report);
    }
    confusion::shadowed(files, asked, &mut report);
    report.findings
}

/// Collects findings by the codes of the catalogue.
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// A finding of the rule `code` at `span` of the file `path`; it comes back to be refined.
    fn add(&mut self, code: &str, path: &str, span: Option<Span>, message: String) -> Option<&mut Finding> {
        let rule: &'static Rule = rules::rule(code)?;
        Sink::new(rule, &Answers::default(), &mut self.findings)
            .report(&ArtifactPath::file(path), message)
            .span = span;
        self.findings.last_mut()
    }
}

/// Advisories about what is pinned, and about what may be taken.
fn known(file: &DependencyFile, advisories: &Advisories, report: &mut Report) {
    for dependency in &file.dependencies {
        for advisory in advisories.against(dependency, may_be_public(file, dependency)) {
            let code = if advisory.is_malicious { "DEP001" } else { "DEP002" };
            let named = shown(dependency);
            let message = match (&dependency.version, advisory.is_malicious) {
                (None, _) => format!("`{named}` may become a release that is an attack: {}", advisory.id),
                (Some(_), true) => format!("`{named}` is an attack: {}", advisory.id),
                (Some(_), false) => format!("`{named}` is affected by {}", advisory.id),
            };
            let pinned = dependency.version.is_some();
            if let Some(finding) = report.add(code, &file.path, dependency.span, message) {
                finding.evidence = Some(format!("{:.300}", advisory.summary.escape_debug()));
                finding.references.push(advisory.id.clone().into());
                finding.references.extend(advisory.aliases.iter().cloned().map(Into::into));
                if !pinned {
                    finding.severity = Severity::High;
                }
            }
        }
    }
}

/// Names one slip away from a much used one.
fn lookalikes(file: &DependencyFile, report: &mut Report) {
    for dependency in file.dependencies.iter().filter(|dependency| may_be_public(file, dependency)) {
        if let Some(known) = top::imitated(&dependency.name) {
            let message = format!("`{}` is one slip away from `{known}`", dependency.name.escape_debug());
            report.add("DEP007", &file.path, dependency.span, message);
        }
    }
}

/// Whether the public index is asked for the package.
fn may_be_public(file: &DependencyFile, dependency: &Dependency) -> bool {
    match &dependency.source {
        Source::Unstated => {
            let replaced = file.indexes.iter().any(|index| !index.extra);
            !replaced || file.indexes.iter().any(|index| is_public(&index.url))
        }
        Source::Index(url) => is_public(url),
        Source::Address(_) | Source::Repository { .. } | Source::Path(_) => false,
    }
}

/// Whether an index is the public one.
fn is_public(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.rsplit('@').next().unwrap_or(host).split(['/', ':']).next().unwrap_or(host);
    ["pypi.org", "pypi.python.org", "files.pythonhosted.org", "test.pypi.org"].contains(&host)
        || url == "pypi"
}

/// `name==version`, or the name with what is asked for.
fn shown(dependency: &Dependency) -> String {
    let text = match &dependency.version {
        Some(version) => format!("{}=={version}", dependency.name),
        None => format!("{}{}", dependency.name, dependency.specifier),
    };
    format!("{:.120}", text.escape_debug())
}

/// The first few names, and how many more there are.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let first: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{:.80}`", name.escape_debug())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
