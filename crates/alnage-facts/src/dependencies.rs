//! The packages that the model's code and environment need: requirements, lock files, environments, imports.

use std::collections::{BTreeMap, BTreeSet};

use alnage_formats::{
    Facts as ArtifactFacts, Model,
    repository::{Entry, RepositoryFacts, lines::LinesFacts, python::is_standard_library},
};

use alnage_types::ArtifactPath;

use crate::{Facts, Field, Origin, Place, Source, configuration::configs, python_name};

/// How many packages of one file are told.
const MAX: usize = 2000;

/// Adds what requirements, lock files, environments and imports of `model` name.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    let mut imports: BTreeMap<&str, &str> = BTreeMap::new();
    let mut modules: BTreeSet<&str> = BTreeSet::new();
    for artifact in model.artifacts.iter().filter(|artifact| !artifact.path.is_member()) {
        let ArtifactFacts::Repository(repository) = &artifact.facts else { continue };
        let file = artifact.path.as_str();
        match repository.as_ref() {
            RepositoryFacts::Lines(lines)
                if artifact.format == "requirements" && !is_conda(&artifact.path) =>
            {
                requirements(file, lines, facts)
            }
            RepositoryFacts::Lines(lines) if artifact.format == "python-lock" => lock(file, lines, facts),
            RepositoryFacts::Python(python) => {
                modules.extend(file.split('/').map(|part| part.trim_end_matches(".py")));
                for import in &python.imports {
                    let top = import.split('.').next().unwrap_or_default();
                    imports.entry(top).or_insert(file);
                }
            }
            _ => {}
        }
    }
    for (artifact, config) in configs(model) {
        if matches!(artifact.path.name(), "environment.yml" | "environment.yaml" | "conda.yaml" | "conda.yml")
        {
            environment(artifact.path.as_str(), &config.entries, facts);
        }
    }
    for (module, file) in imports {
        if module.is_empty() || modules.contains(module) || is_standard_library(module) {
            continue;
        }
        let name =
            PACKAGES.iter().find(|(import, _)| *import == module).map_or(module, |(_, package)| package);
        let mut source = Source::new(Origin::Configuration, file, "import", Place::Whole);
        (source.technique, source.confidence) = (crate::Technique::SourceCodeAnalysis, 60);
        facts.add(Field::Dependency, python_name(name), source);
    }
}

/// Whether a file describes a conda environment: YAML, though its lines can be read as requirements.
fn is_conda(path: &ArtifactPath) -> bool {
    matches!(path.name(), "environment.yml" | "environment.yaml" | "conda.yaml" | "conda.yml")
}

/// Adds one requirement: `torch[extra]>=2.1; marker --hash=…`.
fn requirement(text: &str, source: Source, facts: &mut Facts) {
    let text = text.split(" #").next().unwrap_or(text);
    let text = text.split(';').next().unwrap_or(text).trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return;
    }
    let rest = rest.split(" --").next().unwrap_or(rest).trim();
    let specifier = rest.rsplit_once(']').map_or(rest, |(_, after)| after).trim().trim_matches(['(', ')']);
    let pinned = specifier.strip_prefix("==").filter(|version| !version.contains([',', '*', '=']));
    let details = vec![
        ("version", pinned.unwrap_or_default().trim().to_owned()),
        ("range", if pinned.is_some() { String::new() } else { specifier.to_owned() }),
    ];
    facts.add_with(Field::Dependency, python_name(name), details, source);
}

fn requirements(file: &str, lines: &LinesFacts, facts: &mut Facts) {
    for line in lines.lines.iter().filter(|line| !line.text.starts_with('-')).take(MAX) {
        let place = Place::Bytes(line.start, line.end);
        requirement(&line.text, Source::new(Origin::Configuration, file, "requirement", place), facts);
    }
}

/// Lock files and `pyproject.toml`, as their programs write them: a table a package, one key a line.
fn lock(file: &str, lines: &LinesFacts, facts: &mut Facts) {
    let mut table = "";
    let mut name: Option<(String, u64)> = None;
    let mut list = false;
    let source = |place| Source::new(Origin::Configuration, file, "package", place);
    for line in &lines.lines {
        let text = line.text.as_str();
        if text.starts_with('[') && !list {
            if let Some((package, start)) = name.take() {
                facts.add(Field::Dependency, package, source(Place::Bytes(start, line.start)));
            }
            table = text.trim_matches(['[', ']', ' ']);
            continue;
        }
        let package = matches!(table, "package" | "packages");
        let (key, value) = text.split_once('=').map_or(("", text), |(key, value)| (key.trim(), value.trim()));
        if package && key == "name" {
            name = Some((python_name(unquoted(value)), line.start));
        } else if package && key == "version" {
            if let Some((package, start)) = name.take() {
                let version = vec![("version", unquoted(value).to_owned())];
                facts.add_with(Field::Dependency, package, version, source(Place::Bytes(start, line.end)));
            }
        } else if table == "project" && key == "dependencies" || list {
            list = !text.trim_end_matches(',').trim_end().ends_with(']') || text.ends_with("],") && list;
            for quoted in text.split('"').skip(1).step_by(2) {
                requirement(quoted, source(Place::Bytes(line.start, line.end)), facts);
            }
        }
    }
    if let Some((package, start)) = name {
        facts.add(Field::Dependency, package, source(Place::Bytes(start, start)));
    }
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

/// conda: `name=version=build`, and pip's requirements below `pip`.
fn environment(file: &str, entries: &[Entry], facts: &mut Facts) {
    for entry in entries.iter().filter(|entry| entry.pointer.starts_with("/dependencies/")).take(MAX) {
        let source =
            Source::new(Origin::Configuration, file, "dependencies", Place::Pointer(entry.pointer.clone()));
        if entry.pointer.contains("/pip/") {
            requirement(&entry.value, source, facts);
        } else if let Some((name, rest)) = entry.value.split_once('=') {
            let version = rest.trim_start_matches('=').split('=').next().unwrap_or_default().to_owned();
            let details = vec![("version", version), ("kind", "conda".into())];
            facts.add_with(Field::Dependency, python_name(name), details, source);
        } else {
            let details = vec![("kind", "conda".into())];
            facts.add_with(Field::Dependency, python_name(&entry.value), details, source);
        }
    }
}

/// Modules that are imported under another name than their package has.
static PACKAGES: &[(&str, &str)] = &[
    ("PIL", "pillow"),
    ("cv2", "opencv-python"),
    ("sklearn", "scikit-learn"),
    ("skimage", "scikit-image"),
    ("yaml", "pyyaml"),
    ("bs4", "beautifulsoup4"),
    ("dateutil", "python-dateutil"),
    ("sentence_transformers", "sentence-transformers"),
    ("google", "protobuf"),
    ("faiss", "faiss-cpu"),
    ("attr", "attrs"),
    ("dotenv", "python-dotenv"),
    ("flash_attn", "flash-attn"),
    ("pkg_resources", "setuptools"),
];
