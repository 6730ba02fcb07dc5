//! What `pip install --report` writes: which files pip chose, and whether their releases were withdrawn.

use alnage_facts::python_name;
use serde_json::Value;

use super::place;
use crate::{Dependency, DependencyFile, Files, Source};

pub(super) fn read(text: &str, file: &mut DependencyFile) {
    let report: Value = match serde_json::from_str(text) {
        Ok(report) => report,
        Err(error) => {
            file.problems.push((0, format!("it is not JSON: {error}")));
            return;
        }
    };
    let Some(chosen) = report["install"].as_array() else {
        file.problems.push((0, "it is not an installation report: it has no list `install`".into()));
        return;
    };
    for package in chosen {
        let of = |key: &str| package["metadata"][key].as_str();
        let Some(name) = of("name") else {
            file.problems.push((0, "a package of `install` has no name".into()));
            continue;
        };
        let download = &package["download_info"];
        let url = download["url"].as_str().unwrap_or_default();
        let archive = &download["archive_info"];
        let wheel = url.split(['#', '?']).next().is_some_and(|path| path.ends_with(".whl"));
        let files = match archive.is_object() {
            true => Files { sdists: usize::from(!wheel), wheels: usize::from(wheel) },
            false => Files::default(),
        };
        let hashes = archive["hashes"].as_object().into_iter().flatten();
        file.dependencies.push(Dependency {
            name: python_name(name),
            version: of("version").map(str::to_owned),
            hashes: hashes
                .filter_map(|(algorithm, hash)| Some(format!("{algorithm}:{}", hash.as_str()?)))
                .collect(),
            source: source(package["is_direct"] == true, download, url),
            files,
            yanked: package["is_yanked"] == true,
            span: place(text, url),
            ..Dependency::default()
        });
    }
}

/// What comes from an index is told by the address of the file, which does not name the index.
fn source(direct: bool, download: &Value, url: &str) -> Source {
    let repository = &download["vcs_info"];
    if repository.is_object() {
        let revision = repository["commit_id"].as_str().map(str::to_owned);
        return Source::Repository { url: url.to_owned(), revision };
    }
    if download["dir_info"].is_object() {
        return Source::Path(url.trim_start_matches("file://").to_owned());
    }
    if direct { Source::Address(url.to_owned()) } else { Source::Unstated }
}
