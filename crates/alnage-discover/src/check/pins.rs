//! Versions, hashes and files: whether what is installed tomorrow is what was looked at today.

use super::{Report, listed, shown};
use crate::{Dependency, DependencyFile, Source};

pub(super) fn check(file: &DependencyFile, report: &mut Report) {
    let from_index =
        |dependency: &&Dependency| matches!(dependency.source, Source::Unstated | Source::Index(_));
    let wanted: Vec<&Dependency> = file.dependencies.iter().filter(from_index).collect();
    let names = |which: &dyn Fn(&Dependency) -> bool| -> Vec<&str> {
        wanted
            .iter()
            .filter(|dependency| which(dependency))
            .map(|dependency| dependency.name.as_str())
            .collect()
    };
    // A project states what it works with; pinning is the business of its lock.
    let pins = file.format != "pyproject.toml";
    let floating = names(&|dependency| dependency.version.is_none() && dependency.hashes.is_empty());
    if pins && !floating.is_empty() {
        let message = format!(
            "{} of {} packages have no exact version: {}",
            floating.len(),
            wanted.len(),
            listed(&floating)
        );
        report.add("DEP005", &file.path, None, message);
    }
    let unhashed = names(&|dependency| dependency.version.is_some() && dependency.hashes.is_empty());
    if pins && !unhashed.is_empty() {
        let message =
            format!("{} of {} packages have no hash: {}", unhashed.len(), wanted.len(), listed(&unhashed));
        report.add("DEP006", &file.path, None, message);
    }
    for dependency in &wanted {
        if dependency.files.sdists > 0 && dependency.files.wheels == 0 {
            let message = format!("`{}` is built where it is installed", shown(dependency));
            report.add("DEP008", &file.path, dependency.span, message);
        }
        if dependency.yanked {
            let message = format!("`{}` was withdrawn by its publisher", shown(dependency));
            report.add("DEP009", &file.path, dependency.span, message);
        }
    }
}
