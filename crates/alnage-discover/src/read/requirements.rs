//! `requirements.txt`, as pip reads it.

use alnage_facts::python_name;
use alnage_types::Span;

use super::requirement;
use crate::{Dependency, DependencyFile, Index, Source};

pub(super) fn read(text: &str, file: &mut DependencyFile) {
    for (offset, line) in logical_lines(text) {
        let line = line.trim();
        let span = Some(Span::new(offset, offset + line.len() as u64));
        if line.is_empty() {
            continue;
        }
        if line.starts_with('-') {
            option(line, span, file);
            continue;
        }
        match parse(line) {
            Some(dependency) => file.dependencies.push(Dependency { span, ..dependency }),
            None => file.problems.push((offset, format!("`{:.80}` is no requirement", line.escape_debug()))),
        }
    }
}

/// Lines with their offsets: comments are gone, and a backslash at the end continues a line.
fn logical_lines(text: &str) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    let mut offset = 0;
    let mut current: Option<(u64, String)> = None;
    for physical in text.split_inclusive('\n') {
        let line = physical.trim_end_matches(['\n', '\r']);
        let (start, mut joined) = current
            .take()
            .unwrap_or_else(|| (offset + (line.len() - line.trim_start().len()) as u64, String::new()));
        offset += physical.len() as u64;
        if let Some(continued) = line.strip_suffix('\\') {
            joined.push_str(continued);
            current = Some((start, joined));
            continue;
        }
        joined.push_str(line);
        let comment = if joined.trim_start().starts_with('#') { Some(0) } else { joined.find(" #") };
        joined.truncate(comment.unwrap_or(joined.len()));
        lines.push((start, joined));
    }
    lines.extend(current);
    lines
}

fn option(line: &str, span: Option<Span>, file: &mut DependencyFile) {
    let (name, value) = match line.split_once([' ', '=']) {
        Some((name, value)) => (name, value.trim().trim_start_matches('=').trim()),
        None => (line, ""),
    };
    let index = |extra| Index { url: value.to_owned(), extra, span };
    match name {
        "-i" | "--index-url" | "--pypi-url" => file.indexes.push(index(false)),
        "--extra-index-url" => file.indexes.push(index(true)),
        "-f" | "--find-links" if value.contains("://") => file.indexes.push(index(true)),
        "--trusted-host" => file.trusted_hosts.push((value.to_owned(), span)),
        "-r" | "--requirement" | "-c" | "--constraint" => file.includes.push(value.to_owned()),
        "-e" | "--editable" => {
            if let Some(mut dependency) = parse(value) {
                dependency.span = span;
                file.dependencies.push(dependency);
            }
        }
        _ => {}
    }
}

/// A requirement with its options, or the address or path of a package.
fn parse(line: &str) -> Option<Dependency> {
    let mut words = line.split_whitespace();
    let mut hashes = Vec::new();
    let mut requirement = String::new();
    while let Some(word) = words.next() {
        match word.strip_prefix("--hash") {
            Some(rest) => {
                let hash = rest.strip_prefix('=').filter(|hash| !hash.is_empty()).or_else(|| words.next());
                hashes.push(hash?.to_owned());
            }
            None if word.starts_with("--") && !requirement.is_empty() => {}
            None => {
                requirement.push_str(word);
                requirement.push(' ');
            }
        }
    }
    let requirement = requirement.trim();
    let is_address = requirement.contains("://") && !requirement.contains('@')
        || ["git+", "hg+", "svn+", "bzr+", "http://", "https://", "file://"]
            .iter()
            .any(|s| requirement.starts_with(s));
    let is_path =
        requirement.starts_with(['.', '/']) || requirement.ends_with(".whl") && !requirement.contains('@');
    let mut dependency = if is_address || is_path {
        let source = requirement::address_source(requirement);
        let name = requirement
            .split_once("#egg=")
            .map(|(_, name)| name.split(['[', '&']).next().unwrap_or_default());
        let name = name.or_else(|| file_name(&source)?.split('-').next()).unwrap_or_default();
        Dependency { name: python_name(name), source, ..Dependency::default() }
    } else {
        requirement::parse(requirement)?
    };
    dependency.hashes.extend(hashes);
    Some(dependency)
}

fn file_name(source: &Source) -> Option<&str> {
    match source {
        Source::Address(path) | Source::Path(path) | Source::Repository { url: path, .. } => {
            path.trim_end_matches('/').rsplit('/').next()
        }
        Source::Unstated | Source::Index(_) => None,
    }
}
