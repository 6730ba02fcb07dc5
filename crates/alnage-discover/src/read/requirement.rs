//! One requirement as PEP 508 writes it: `name[extra] >=1 ; marker`, `name @ address`.

use crate::{Dependency, Source};
use alnage_facts::python_name;

/// Reads a requirement; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<Dependency> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let mut rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    let mut dependency = Dependency { name: python_name(name), ..Dependency::default() };
    if let Some(address) = rest.strip_prefix('@') {
        // An address may hold `;`; a marker follows white space.
        let (address, marker) = match address.split_once(" ;") {
            Some((address, marker)) => (address, Some(marker)),
            None => (address, None),
        };
        dependency.source = address_source(address.trim());
        dependency.marker = marker.map(|marker| marker.trim().to_owned());
        if let Some((_, fragment)) = address.split_once("#sha256=") {
            dependency
                .hashes
                .push(format!("sha256:{}", fragment.split('&').next().unwrap_or_default().trim()));
        }
        return Some(dependency);
    }
    let (specifier, marker) = match rest.split_once(';') {
        Some((specifier, marker)) => (specifier, Some(marker.trim().to_owned())),
        None => (rest, None),
    };
    let specifier = specifier.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "<>=!~.,*+-_ ".contains(c);
    if !specifier.is_empty()
        && (!specifier.starts_with(['<', '>', '=', '!', '~']) || !specifier.chars().all(allowed))
    {
        return None;
    }
    dependency.version = pinned(specifier);
    dependency.specifier = specifier.to_owned();
    dependency.marker = marker;
    Some(dependency)
}

/// The version that `==1.2` or `===1.2` allows alone.
fn pinned(specifier: &str) -> Option<String> {
    let version = specifier.strip_prefix("===").or_else(|| specifier.strip_prefix("=="))?.trim();
    let one = !version.is_empty() && !version.contains([',', '*', ' ']);
    one.then(|| version.to_owned())
}

/// Where an address leads.
pub(super) fn address_source(address: &str) -> Source {
    for scheme in ["git+", "hg+", "svn+", "bzr+"] {
        if let Some(rest) = address.strip_prefix(scheme) {
            let rest = rest.split('#').next().unwrap_or(rest);
            // The `@` of a user stands before the path.
            let path = rest.find("://").map_or(0, |at| at + 3);
            let path = rest[path..].find('/').map_or(rest.len(), |slash| path + slash);
            let (url, revision) = match rest[path..].rsplit_once('@') {
                Some((in_path, revision)) => (&rest[..path + in_path.len()], Some(revision.to_owned())),
                None => (rest, None),
            };
            return Source::Repository { url: url.to_owned(), revision };
        }
    }
    let bare = address.split('#').next().unwrap_or(address);
    match bare.split_once("://") {
        Some(("http" | "https" | "ftp", _)) => Source::Address(bare.to_owned()),
        Some(("file", path)) => Source::Path(path.to_owned()),
        _ => Source::Path(bare.to_owned()),
    }
}
