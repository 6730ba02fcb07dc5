//! Which Python modules and names a framework's configuration has no business with.

use alnage_formats::repository::python::is_standard_library;

use crate::capability::{Class, SinkKind, classify};

/// Why a callable that a configuration names is dangerous.
pub(super) enum Reach {
    /// It reaches process, code, file or network.
    Dangerous(String),
    /// It is in Python's standard library, where no model's class lives.
    StandardLibrary,
}

/// Whether naming `module.name` reaches outside of what a model needs.
pub(super) fn reach(module: &str, name: &str) -> Option<Reach> {
    let root = module.split('.').next().unwrap_or(module);
    if root == "builtins" {
        return CODE_BUILTINS
            .contains(&name)
            .then(|| Reach::Dangerous("is a builtin that runs code or hands out other objects".to_owned()));
    }
    // What frameworks keep under these names is judged by their own rules.
    if matches!(root, "keras" | "tensorflow" | "tf_keras") {
        return None;
    }
    if let Class::Dangerous(danger) = classify(module, name) {
        let what = match danger.sink {
            SinkKind::Process => "starts a process",
            SinkKind::Code => "runs code given to it",
            SinkKind::Native => "loads native code",
            SinkKind::Import => "imports a module of the caller's choice",
            SinkKind::File => "reads, writes or removes files",
            SinkKind::Network => "connects to the network",
            SinkKind::Gadget => "hands out another callable",
        };
        return Some(Reach::Dangerous(what.to_owned()));
    }
    (is_standard_library(root) && !PLAIN_DATA.contains(&root)).then_some(Reach::StandardLibrary)
}

/// Builtins that run code, open files or lead to other objects.
const CODE_BUILTINS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "execfile",
    "open",
    "__import__",
    "getattr",
    "setattr",
    "delattr",
    "globals",
    "locals",
    "vars",
    "breakpoint",
    "input",
    "map",
    "filter",
    "help",
    "memoryview",
    "classmethod",
    "staticmethod",
    "super",
];

/// Modules of plain values, which configurations do name.
const PLAIN_DATA: &[&str] =
    &["collections", "typing", "enum", "datetime", "decimal", "fractions", "numbers", "math", "dataclasses"];
