//! `environment.yml`: of conda's dependencies, those that pip installs; of the rest, what channels say is not looked at.

use alnage_types::Span;

use super::requirement;
use crate::{Dependency, DependencyFile, Index};

/// Reads the list under `pip:` by its indentation: the whole of YAML is not needed for that.
pub(super) fn read(text: &str, file: &mut DependencyFile) {
    let mut offset = 0;
    let mut pip: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len() as u64;
        let content = line.split(" #").next().unwrap_or_default().trim_end();
        let indent = content.len() - content.trim_start().len();
        let item = content.trim_start();
        if item.is_empty() || item.starts_with('#') {
            continue;
        }
        if pip.is_some_and(|above| indent <= above) {
            pip = None;
        }
        if item == "- pip:" {
            pip = Some(indent);
            continue;
        }
        let Some(wanted) = item.strip_prefix("- ").filter(|_| pip.is_some()) else { continue };
        let wanted = wanted.trim().trim_matches(['"', '\'']);
        let span = Some(Span::new(start + indent as u64, start + content.len() as u64));
        if let Some((name, url)) = wanted.split_once([' ', '=']).filter(|_| wanted.starts_with('-')) {
            match name {
                "-r" | "--requirement" => file.includes.push(url.trim().to_owned()),
                "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" => {
                    let extra = name != "-i" && name != "--index-url";
                    file.indexes.push(Index { url: url.trim().to_owned(), extra, span });
                }
                _ => {}
            }
            continue;
        }
        match requirement::parse(wanted) {
            Some(dependency) => file.dependencies.push(Dependency { span, ..dependency }),
            None => file.problems.push((start, format!("`{:.80}` is no requirement", wanted.escape_debug()))),
        }
    }
}
