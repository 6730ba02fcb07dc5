//! The rows of safe callables: what real pickles were seen to name, and the classes of the packages models are made
//! of whose instances come into being without any effect.

use std::collections::BTreeMap;

use alnage_scan::capability::{self, Class as Known};

use super::{
    dangerous::{harmless_call, harmless_instance},
    effects::{Effects, outside_bases},
    program::{Binding, Program},
    resolve::{Target, ancestry, from_module},
};

/// Where functions are kept as values in models: activations, losses, distances, tokenisers.
const REFERENCED: [&str; 18] = [
    "torch.nn.",
    "torch.functional",
    "torch.special",
    "numpy.",
    "scipy.special",
    "scipy.stats",
    "scipy.spatial",
    "scipy.optimize",
    "sklearn.",
    "timm.",
    "torchvision.",
    "ultralytics.nn",
    "transformers.activations",
    "keras.src.activations",
    "keras.src.losses",
    "nltk.",
    "thinc.",
    "xgboost.",
];

/// Bases that are not in the sources, written in C or in Cython, and have no effect of their own.
const QUIET_BASES: [&str; 22] = [
    "builtins.",
    "typing.",
    "typing_extensions.",
    "abc.",
    "collections.",
    "_collections",
    "torch.",
    "numpy.",
    "sklearn.",
    "scipy.",
    "pandas.",
    "spacy.",
    "thinc.",
    "gensim.",
    "statsmodels.",
    "_catboost",
    "tokenizers.",
    "pydantic.BaseModel",
    "pydantic.main.BaseModel",
    "?NamedTuple",
    "?typing.NamedTuple",
    "?TypedDict",
];

/// How sure a role is: a name known in two is listed by the first.
const ROLES: [&str; 4] = ["constructor", "byarguments", "class", "reference"];

pub(super) fn rows(program: &Program, effects: &[Effects], seen: &str) -> Vec<String> {
    let mut roles: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
    let mut add = |module: &str, name: &str, role: &str, source: &str| {
        let (module, name) = capability::canonical(module, name);
        let by_hand = !matches!(capability::known_by_hand(&module, name), Known::Unknown);
        let Some(rank) = ROLES.iter().position(|known| *known == role) else { return };
        if by_hand || !name.is_ascii() {
            return;
        }
        let entry = roles.entry((module.into_owned(), name.to_owned())).or_insert((rank, source.to_owned()));
        if rank < entry.0 {
            *entry = (rank, source.to_owned());
        }
    };
    for line in seen.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        if let [module, name, role, source] = columns[..] {
            add(module, name, role, source);
        }
    }
    for (index, class) in program.classes.iter().enumerate() {
        let module = &program.modules[class.module];
        if !module.safe || !is_top_level(program, index) {
            continue;
        }
        let source = label(&module.file);
        if let Some(role) = class_role(program, effects, index) {
            add(&module.name, &class.name, role, source);
        }
        for reduce in ["__reduce__", "__reduce_ex__"] {
            let Some(method) = class.methods.get(reduce) else { continue };
            for callee in &program.functions[*method].returned {
                if let Target::Function(function) = from_module(program, class.module, callee, &|_| false)
                    && effects[function].is_empty()
                    && program.functions[function].class.is_none()
                {
                    let function = &program.functions[function];
                    let home = &program.modules[function.module];
                    if home.safe {
                        add(&home.name, &function.name, "constructor", source);
                    }
                }
            }
        }
    }
    for (index, function) in program.functions.iter().enumerate() {
        let module = &program.modules[function.module];
        let bound = matches!(module.names.get(&function.name), Some(Binding::Function(at)) if *at == index);
        let kept = REFERENCED.iter().any(|prefix| module.name.starts_with(prefix));
        if module.safe && bound && kept && function.class.is_none() && effects[index].is_empty() {
            add(&module.name, &function.name, "reference", label(&module.file));
        }
    }
    grouped(roles)
}

/// One line for each module, role and source.
fn grouped(roles: BTreeMap<(String, String), (usize, String)>) -> Vec<String> {
    let mut lines: BTreeMap<(String, &str, String), Vec<String>> = BTreeMap::new();
    for ((module, name), (rank, source)) in roles {
        lines.entry((module, ROLES[rank], source)).or_default().push(name);
    }
    let mut rows: Vec<String> = lines
        .into_iter()
        .map(|((module, role, source), names)| format!("{module}\t{role}\t{source}\t{}", names.join(" ")))
        .collect();
    rows.sort();
    rows
}

fn is_top_level(program: &Program, class: usize) -> bool {
    let module = &program.modules[program.classes[class].module];
    matches!(module.names.get(&program.classes[class].name), Some(Binding::Class(at)) if *at == class)
}

fn class_role(program: &Program, effects: &[Effects], class: usize) -> Option<&'static str> {
    let family = ancestry(program, class);
    let listed = family.iter().any(|class| {
        let class = &program.classes[*class];
        capability::listed(&program.modules[class.module].name, &class.name).is_some()
    });
    let outside = outside_bases(program, class);
    if listed || !known_descent(program, class) || !harmless_instance(program, effects, class) {
        return None;
    }
    let has = |method: &str| family.iter().any(|class| program.classes[*class].methods.contains_key(method));
    let is_enum = family.iter().any(|class| program.modules[program.classes[*class].module].name == "enum");
    let is_value = outside.iter().any(|base| base.ends_with("NamedTuple") || base.ends_with("namedtuple()"));
    let is_error = outside.iter().any(|base| {
        base.starts_with("builtins.")
            && ["Error", "Exception", "Warning"].iter().any(|end| base.ends_with(end))
    });
    let called = is_enum || is_value || is_error || has("__reduce__") || has("__reduce_ex__");
    Some(if called && harmless_call(program, effects, class) { "constructor" } else { "class" })
}

fn label(file: &str) -> &str {
    file.split(' ').next().unwrap_or(file)
}

/// Whether everything the class inherits is in the sources, or is known to have no effect.
pub(super) fn known_descent(program: &Program, class: usize) -> bool {
    outside_bases(program, class)
        .iter()
        .all(|base| QUIET_BASES.iter().any(|known| base.starts_with(known)) || base.ends_with("namedtuple()"))
}
