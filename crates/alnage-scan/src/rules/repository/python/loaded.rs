//! Which Python files a loader imports without being asked for them by name.

use std::collections::BTreeSet;

use alnage_formats::Model;

use super::{super::configs, files};

/// Paths of the Python files that loaders of models import: those a configuration names, those with a name that
/// loaders look for, and what these import from beside them.
pub(super) fn loaded(model: &Model) -> BTreeSet<&str> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for (artifact, facts) in configs(model) {
        let folder = folder(artifact.path.as_str());
        for entry in facts.auto_map.iter().filter(|entry| entry.repository.is_none()) {
            named.insert(format!("{folder}{}.py", entry.module.replace('.', "/")));
        }
        for part in &facts.components {
            named.insert(format!("{folder}{}/{}.py", part.name, part.module));
        }
    }
    let mut loaded: BTreeSet<&str> = BTreeSet::new();
    for (artifact, _) in files(model) {
        let path = artifact.path.as_str();
        let begins = if folder(path).ends_with("!/") { path.rsplit("!/").nth(1) } else { None };
        // Code that a loaded file holds as text belongs to that file.
        let of_code = begins.is_some_and(|outer| outer.ends_with(".py"));
        // The packages below are imported if something imports them.
        let begin = path == "__init__.py";
        if begin || named.contains(path) || is_name_of_loaders(artifact.path.name()) || of_code {
            loaded.insert(path);
        }
    }
    // What they import from beside them is imported with them.
    loop {
        let mut more: BTreeSet<String> = BTreeSet::new();
        for (artifact, facts) in files(model).filter(|(artifact, _)| loaded.contains(artifact.path.as_str()))
        {
            let here = folder(artifact.path.as_str());
            for module in &facts.imports {
                let local = module.trim_start_matches('.').replace('.', "/");
                more.insert(format!("{here}{local}.py"));
                more.insert(format!("{here}{local}/__init__.py"));
            }
        }
        let before = loaded.len();
        loaded.extend(
            files(model).map(|(artifact, _)| artifact.path.as_str()).filter(|path| more.contains(*path)),
        );
        if loaded.len() == before {
            return loaded;
        }
    }
}

fn folder(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |at| at + 1)]
}

fn is_name_of_loaders(name: &str) -> bool {
    const BEGINNINGS: [&str; 10] = [
        "modeling_",
        "modelling_",
        "configuration_",
        "tokenization_",
        "tokenizer_",
        "processing_",
        "image_processing_",
        "feature_extraction_",
        "pipeline_",
        "generation_",
    ];
    const NAMES: [&str; 10] = [
        "setup.py",
        "handler.py",
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "pipeline.py",
        "model.py",
        "modeling.py",
        "configuration.py",
        "generate.py",
    ];
    NAMES.contains(&name)
        || (name.ends_with(".py") && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)))
}
