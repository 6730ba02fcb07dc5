//! `pyproject.toml`: what a project asks for, and the indexes that its tool is told of.

use alnage_facts::python_name;
use toml::{Table, Value};

use super::{
    place, requirement,
    tables::{table, text_of},
};
use crate::{Dependency, DependencyFile, Index, Source};

pub(super) fn read(text: &str, file: &mut DependencyFile) {
    let Some(project) = table(text, file) else { return };
    let at = |path: &[&str]| path.iter().try_fold(&project, |table, key| table.get(*key)?.as_table());
    let mut lists: Vec<&Value> = Vec::new();
    lists.extend(at(&["project"]).and_then(|table| table.get("dependencies")));
    lists.extend(at(&["build-system"]).and_then(|table| table.get("requires")));
    for groups in
        [at(&["project", "optional-dependencies"]), at(&["dependency-groups"])].into_iter().flatten()
    {
        lists.extend(groups.values());
    }
    lists.extend(at(&["tool", "uv"]).and_then(|table| table.get("dev-dependencies")));
    for wanted in lists.into_iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
        let span = place(text, wanted);
        match requirement::parse(wanted) {
            Some(dependency) => file.dependencies.push(Dependency { span, ..dependency }),
            None => {
                let offset = span.map_or(0, |span| span.start);
                file.problems.push((offset, format!("`{:.80}` is no requirement", wanted.escape_debug())));
            }
        }
    }
    if let Some(poetry) = at(&["tool", "poetry"]) {
        poetry_tables(text, poetry, file);
    }
    if let Some(sources) = at(&["tool", "uv", "sources"]) {
        uv_sources(sources, at(&["tool", "uv"]), file);
    }
    indexes(text, at(&["tool", "uv"]), at(&["tool", "poetry"]), file);
}

fn poetry_tables(text: &str, poetry: &Table, file: &mut DependencyFile) {
    let groups = poetry.get("group").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let groups = groups.filter_map(|group| group.get("dependencies")?.as_table());
    let own = ["dependencies", "dev-dependencies"].into_iter().filter_map(|key| poetry.get(key)?.as_table());
    for (name, wanted) in own.chain(groups).flatten().filter(|(name, _)| *name != "python") {
        let mut dependency =
            Dependency { name: python_name(name), span: place(text, name), ..Dependency::default() };
        let specifier = wanted.as_str().map(str::to_owned);
        if let Some(details) = wanted.as_table() {
            let of = |key| text_of(details, key);
            if let Some(url) = of("git") {
                let revision = of("rev").or_else(|| of("tag")).or_else(|| of("branch"));
                dependency.source = Source::Repository { url, revision };
            } else if let Some(url) = of("url") {
                dependency.source = Source::Address(url);
            } else if let Some(path) = of("path") {
                dependency.source = Source::Path(path);
            } else if let Some(name) = of("source") {
                dependency.source = Source::Index(poetry_source(poetry, &name).unwrap_or(name));
            }
            dependency.marker = of("markers");
        }
        let details = wanted.as_table().and_then(|details| text_of(details, "version"));
        dependency.specifier = specifier.or(details).unwrap_or_default();
        dependency.version = dependency.specifier.strip_prefix("==").map(|version| version.trim().to_owned());
        file.dependencies.push(dependency);
    }
}

fn poetry_source(poetry: &Table, name: &str) -> Option<String> {
    let sources = poetry.get("source")?.as_array()?.iter().filter_map(Value::as_table);
    sources
        .into_iter()
        .find(|source| text_of(source, "name").as_deref() == Some(name))?
        .get("url")?
        .as_str()
        .map(str::to_owned)
}

fn uv_sources(sources: &Table, uv: Option<&Table>, file: &mut DependencyFile) {
    let index_url = |name: &str| {
        let indexes = uv?.get("index")?.as_array()?.iter().filter_map(Value::as_table);
        indexes
            .into_iter()
            .find(|index| text_of(index, "name").as_deref() == Some(name))
            .and_then(|index| text_of(index, "url"))
    };
    for (name, source) in sources {
        let Some(source) = source.as_table() else { continue };
        let of = |key| text_of(source, key);
        let source = if let Some(url) = of("git") {
            Source::Repository { url, revision: of("rev").or_else(|| of("tag")).or_else(|| of("branch")) }
        } else if let Some(url) = of("url") {
            Source::Address(url)
        } else if let Some(path) = of("path") {
            Source::Path(path)
        } else if let Some(name) = of("index") {
            Source::Index(index_url(&name).unwrap_or(name))
        } else {
            continue;
        };
        let name = python_name(name);
        for dependency in file.dependencies.iter_mut().filter(|dependency| dependency.name == name) {
            dependency.source = source.clone();
        }
    }
}

/// An index that is asked for named packages alone is no danger to the others.
fn indexes(text: &str, uv: Option<&Table>, poetry: Option<&Table>, file: &mut DependencyFile) {
    let tables = |table: Option<&'_ Table>, key: &str| {
        let array = table.and_then(|table| table.get(key)).and_then(Value::as_array);
        array.into_iter().flatten().filter_map(Value::as_table).cloned().collect::<Vec<Table>>()
    };
    let mut push = |url: String, extra| {
        let span = place(text, &url);
        file.indexes.push(Index { url, extra, span });
    };
    for index in tables(uv, "index") {
        let is = |key: &str| index.get(key).and_then(Value::as_bool).unwrap_or(false);
        if let Some(url) = text_of(&index, "url").filter(|_| !is("explicit")) {
            // uv takes a package from the first index that has it, unless it is told to be unsafe.
            let strategy = uv.and_then(|uv| text_of(uv, "index-strategy")).unwrap_or_default();
            push(url, strategy.starts_with("unsafe") && !is("default"));
        }
    }
    for source in tables(poetry, "source") {
        let priority = text_of(&source, "priority").unwrap_or_default().to_ascii_lowercase();
        if let Some(url) = text_of(&source, "url").filter(|_| priority != "explicit") {
            push(url, priority != "primary" && priority != "default");
        }
    }
    for (key, extra) in [("index-url", false), ("extra-index-url", true)] {
        let strategy = uv.and_then(|uv| text_of(uv, "index-strategy")).unwrap_or_default();
        let value = uv.and_then(|uv| uv.get(key));
        let several = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for url in value.and_then(Value::as_str).into_iter().chain(several) {
            push(url.to_owned(), extra && strategy.starts_with("unsafe"));
        }
    }
}
