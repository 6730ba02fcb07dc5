//! Names that two indexes can answer for.

use alnage_types::Severity;

use super::{Asked, Report, is_public, listed, may_be_public};
use crate::{Dependency, DependencyFile, Source, top};

/// A file that asks several indexes for the same names: dangerous for every name without a hash, and most of all for
/// names that nobody holds in the public index.
pub(super) fn index_mixing(file: &DependencyFile, report: &mut Report) {
    let Some(extra) = file.indexes.iter().find(|index| index.extra) else { return };
    let others = file.indexes.iter().filter(|index| index.url != extra.url);
    let asked_first = others.map(|index| index.url.as_str()).next().unwrap_or("https://pypi.org/simple");
    if asked_first == extra.url {
        return;
    }
    let open: Vec<&Dependency> = file
        .dependencies
        .iter()
        .filter(|dependency| dependency.source == Source::Unstated && dependency.hashes.is_empty())
        .collect();
    if open.is_empty() {
        return;
    }
    // A local version such as `2.0+cu118` exists in no public index.
    let local =
        |dependency: &Dependency| dependency.version.as_ref().is_some_and(|version| version.contains('+'));
    let unheld: Vec<&str> = open
        .iter()
        .filter(|dependency| !top::is_well_known(&dependency.name) && !local(dependency))
        .map(|dependency| dependency.name.as_str())
        .collect();
    let (severity, message) = if unheld.is_empty() {
        let message = format!(
            "`{}` is asked beside `{}` for {} packages",
            shown(&extra.url),
            shown(asked_first),
            open.len()
        );
        (Severity::Low, message)
    } else {
        let message = format!(
            "`{}` is asked beside `{}`, and whoever registers {} in either of them is installed",
            shown(&extra.url),
            shown(asked_first),
            listed(&unheld)
        );
        (Severity::Medium, message)
    };
    if let Some(finding) = report.add("DEP003", &file.path, extra.span, message) {
        finding.severity = severity;
    }
}

/// Names that are private by what the user or another file says, taken from where everybody may register them.
pub(super) fn shadowed(files: &[DependencyFile], asked: &Asked, report: &mut Report) {
    for file in files {
        for dependency in file.dependencies.iter().filter(|dependency| may_be_public(file, dependency)) {
            let name = &dependency.name;
            let internal = asked.internal.iter().any(|pattern| matches(pattern, name));
            let private = || {
                let elsewhere = files.iter().flat_map(|other| &other.dependencies);
                elsewhere.filter(|other| other.name == *name).find_map(|other| match &other.source {
                    Source::Index(url) if !is_public(url) && !is_mirror_of_known(name) => Some(url.clone()),
                    _ => None,
                })
            };
            let whose = if internal {
                "it is internal".to_owned()
            } else if let Some(url) = private() {
                format!("it is a package of `{}`", shown(&url))
            } else {
                continue;
            };
            let message = format!("`{}` is taken from the public index, but {whose}", name.escape_debug());
            report.add("DEP004", &file.path, dependency.span, message);
        }
    }
}

/// Widely used packages in a private index are copies of the public ones.
fn is_mirror_of_known(name: &str) -> bool {
    top::is_well_known(name)
}

/// `acme-*` stands for every name that begins so.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// An address without the password that may stand in it.
pub(super) fn shown(url: &str) -> String {
    let bare = match url.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('/') {
            Some((host, path)) => format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or(host)),
            None => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or(rest)),
        },
        None => url.to_owned(),
    };
    format!("{:.120}", bare.escape_debug())
}
