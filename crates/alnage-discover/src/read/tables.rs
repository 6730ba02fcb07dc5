//! Lock files that are TOML tables of packages: uv's, Poetry's, and PEP 751's.

use alnage_facts::python_name;
use alnage_types::Span;
use toml::{Table, Value};

use super::place;
use crate::{Dependency, DependencyFile, Files, Source};

pub(super) fn table(text: &str, file: &mut DependencyFile) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start as u64);
            file.problems.push((offset, format!("it is not TOML: {:.200}", error.message())));
            None
        }
    }
}

fn packages<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

pub(super) fn text_of(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn entries<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// A package with a name; its place is that of its name, which is looked for from where the last one stood.
fn named(text: &str, from: &mut usize, package: &Table) -> Option<Dependency> {
    let name = text_of(package, "name")?;
    let needle = format!("name = \"{name}\"");
    let rest = text.get(*from..).unwrap_or(text);
    let span = place(rest, &needle).map(|span| Span::new(span.start + *from as u64, span.end + *from as u64));
    *from = span.and_then(|span| usize::try_from(span.end).ok()).unwrap_or(*from);
    let version = text_of(package, "version");
    let marker = text_of(package, "marker").or_else(|| text_of(package, "markers"));
    Some(Dependency { name: python_name(&name), version, marker, span, ..Dependency::default() })
}

pub(super) fn uv_lock(text: &str, file: &mut DependencyFile) {
    let Some(lock) = table(text, file) else { return };
    let mut from = 0;
    for package in packages(&lock, "package") {
        let Some(mut dependency) = named(text, &mut from, package) else { continue };
        let source = package.get("source").and_then(Value::as_table);
        let of = |key: &str| source.and_then(|source| text_of(source, key));
        if of("virtual").is_some() || of("editable").is_some() {
            // The project itself.
            continue;
        }
        dependency.source = if let Some(url) = of("registry") {
            Source::Index(url)
        } else if let Some(url) = of("git") {
            let revision = url.split_once('#').map(|(_, commit)| commit.to_owned());
            Source::Repository { url: url.split(['#', '?']).next().unwrap_or_default().to_owned(), revision }
        } else if let Some(url) = of("url") {
            Source::Address(url)
        } else if let Some(path) = of("path").or_else(|| of("directory")) {
            Source::Path(path)
        } else {
            Source::Unstated
        };
        let sdist = package.get("sdist").and_then(Value::as_table);
        let wheels: Vec<&Table> = entries(package, "wheels").collect();
        dependency.files = Files { sdists: usize::from(sdist.is_some()), wheels: wheels.len() };
        dependency.hashes =
            sdist.into_iter().chain(wheels).filter_map(|file| text_of(file, "hash")).collect();
        file.dependencies.push(dependency);
    }
}

pub(super) fn poetry_lock(text: &str, file: &mut DependencyFile) {
    let Some(lock) = table(text, file) else { return };
    let mut from = 0;
    for package in packages(&lock, "package") {
        let Some(mut dependency) = named(text, &mut from, package) else { continue };
        if let Some(source) = package.get("source").and_then(Value::as_table) {
            let url = text_of(source, "url").unwrap_or_default();
            dependency.source = match text_of(source, "type").as_deref() {
                Some("git") => {
                    let commit =
                        text_of(source, "resolved_reference").or_else(|| text_of(source, "reference"));
                    Source::Repository { url, revision: commit }
                }
                Some("directory" | "file") => Source::Path(url),
                Some("url") => Source::Address(url),
                _ => Source::Index(url),
            };
        }
        // Before version 2 of the format, the files stood in a table of their own.
        let own = entries(package, "files");
        let shared =
            lock.get("metadata").and_then(|metadata| metadata.get("files")).and_then(Value::as_table);
        let shared =
            shared.and_then(|files| files.get(package.get("name")?.as_str()?)).and_then(Value::as_array);
        for listed in own.chain(shared.into_iter().flatten().filter_map(Value::as_table)) {
            count(&mut dependency.files, &text_of(listed, "file").unwrap_or_default());
            dependency.hashes.extend(text_of(listed, "hash"));
        }
        file.dependencies.push(dependency);
    }
}

fn count(files: &mut Files, name: &str) {
    if name.ends_with(".whl") { files.wheels += 1 } else { files.sdists += 1 }
}

pub(super) fn pylock(text: &str, file: &mut DependencyFile) {
    let Some(lock) = table(text, file) else { return };
    let mut from = 0;
    for package in packages(&lock, "packages") {
        let Some(mut dependency) = named(text, &mut from, package) else { continue };
        let of = |key: &str| package.get(key).and_then(Value::as_table);
        dependency.source = if let Some(vcs) = of("vcs") {
            let url = text_of(vcs, "url").or_else(|| text_of(vcs, "path")).unwrap_or_default();
            Source::Repository { url, revision: text_of(vcs, "commit-id") }
        } else if let Some(archive) = of("archive") {
            text_of(archive, "url")
                .map_or_else(|| Source::Path(text_of(archive, "path").unwrap_or_default()), Source::Address)
        } else if let Some(directory) = of("directory") {
            Source::Path(text_of(directory, "path").unwrap_or_default())
        } else {
            text_of(package, "index").map_or(Source::Unstated, Source::Index)
        };
        let sdist = of("sdist");
        let wheels: Vec<&Table> = entries(package, "wheels").collect();
        dependency.files = Files { sdists: usize::from(sdist.is_some()), wheels: wheels.len() };
        for listed in sdist.into_iter().chain(of("archive")).chain(wheels) {
            let hashes = listed.get("hashes").and_then(Value::as_table).into_iter().flatten();
            let hashes =
                hashes.filter_map(|(algorithm, hash)| Some(format!("{algorithm}:{}", hash.as_str()?)));
            dependency.hashes.extend(hashes);
        }
        dependency.attested = entries(package, "attestation-identities").next().is_some();
        file.dependencies.push(dependency);
    }
}
