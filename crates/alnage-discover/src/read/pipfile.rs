//! `Pipfile.lock`, which is JSON.

use alnage_facts::python_name;
use serde_json::Value;

use super::place;
use crate::{Dependency, DependencyFile, Index, Source};

pub(super) fn read(text: &str, file: &mut DependencyFile) {
    let lock: Value = match serde_json::from_str(text) {
        Ok(lock) => lock,
        Err(error) => {
            file.problems.push((0, format!("it is not JSON: {error}")));
            return;
        }
    };
    let sources = lock["_meta"]["sources"].as_array().cloned().unwrap_or_default();
    let url = |name: &str| {
        let source = sources.iter().find(|source| source["name"] == name)?;
        Some(source["url"].as_str()?.to_owned())
    };
    for (number, source) in sources.iter().enumerate() {
        if let Some(url) = source["url"].as_str() {
            file.indexes.push(Index { url: url.to_owned(), extra: number > 0, span: place(text, url) });
        }
        if source["verify_ssl"] == false {
            file.trusted_hosts
                .push((source["url"].as_str().unwrap_or_default().to_owned(), place(text, "verify_ssl")));
        }
    }
    let packages = ["default", "develop"].into_iter().filter_map(|group| lock[group].as_object()).flatten();
    for (name, package) in packages {
        let of = |key: &str| package[key].as_str().map(str::to_owned);
        let source = if let Some(url) = of("git") {
            Source::Repository { url, revision: of("ref") }
        } else if let Some(url) = of("file") {
            Source::Address(url)
        } else if let Some(path) = of("path") {
            Source::Path(path)
        } else {
            of("index").map_or(Source::Unstated, |name| Source::Index(url(&name).unwrap_or(name)))
        };
        let hashes = package["hashes"].as_array().into_iter().flatten();
        file.dependencies.push(Dependency {
            name: python_name(name),
            version: of("version").map(|version| version.trim_start_matches('=').to_owned()),
            hashes: hashes.filter_map(|hash| hash.as_str().map(str::to_owned)).collect(),
            source,
            marker: of("markers"),
            span: place(text, &format!("\"{name}\"")),
            ..Dependency::default()
        });
    }
}
