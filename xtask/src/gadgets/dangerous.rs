//! The rows of dangerous callables that follow from the effects.

use std::collections::BTreeMap;

use alnage_scan::capability::{self, Class, Role};

use super::{
    effects::{Effect, Effects, Sinks, borrowed, method_of},
    program::{Bound, Program},
    resolve::Target,
    safe::known_descent,
};

/// The gravest first: a callable that reaches several is listed by the first.
const KINDS: [&str; 7] = ["process", "code", "native", "gadget", "import", "network", "file"];

/// Methods that unpickling an instance runs.
const LIFECYCLE: [&str; 8] =
    ["__new__", "__setstate__", "__del__", "__setattr__", "__setitem__", "append", "extend", "__hash__"];

/// A row's sink and source.
#[derive(Clone)]
struct Row {
    sink: String,
    source: String,
}

pub(super) fn rows(program: &Program, effects: &[Effects], sinks: &Sinks) -> Vec<String> {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut add = |module: &str, name: &str, row: Row| {
        let (module, name) = capability::canonical(module, name);
        let settled = matches!(
            capability::known_by_hand(&module, name),
            Class::Dangerous(_) | Class::Safe(Role::Constructor | Role::ByArguments)
        );
        if name.is_ascii() && !settled {
            rows.entry((module.into_owned(), name.to_owned())).or_insert(row);
        }
    };
    for (index, function) in program.functions.iter().enumerate() {
        let module = &program.modules[function.module].name;
        match function.class {
            None if top_level(program, function.module, &function.name) => {
                if let Some(row) = function_row(program, effects, index, u64::MAX) {
                    add(module, &function.name, row);
                }
            }
            Some(class) if !function.name.starts_with("__") => {
                let object = if function.bound == Bound::ClassMethod { !1 } else { u64::MAX };
                let row = function_row(program, effects, index, object).filter(|row| row.sink != "file");
                if let Some(row) = row {
                    add(module, &format!("{}.{}", program.classes[class].name, function.name), row);
                }
            }
            _ => {}
        }
    }
    for (index, class) in program.classes.iter().enumerate() {
        if let Some(row) = class_row(program, effects, index) {
            add(&program.modules[class.module].name, &class.name, row);
        }
    }
    for (index, module) in program.modules.iter().enumerate() {
        // The packages a user imports from; deeper ones repeat the same names by the hundred.
        let public = module.file.ends_with("__init__.py") && module.name.matches('.').count() < 2;
        for (name, target) in borrowed(program, index, sinks) {
            let row = match target {
                Target::Function(function) if public => function_row(program, effects, function, u64::MAX),
                Target::Class(class) if public => class_row(program, effects, class),
                Target::Outside(outside) => sinks
                    .kind(&outside)
                    .filter(|kind| *kind != "file")
                    .map(|kind| Row { sink: kind.to_owned(), source: format!("{} {outside}", module.file) }),
                _ => None,
            };
            if let Some(row) = row {
                add(&module.name, name, row);
            }
        }
    }
    rows.into_iter()
        .map(|((module, name), row)| format!("{module}\t{name}\t{}\t{}", row.sink, row.source))
        .collect()
}

fn top_level(program: &Program, module: usize, name: &str) -> bool {
    matches!(program.modules[module].names.get(name), Some(super::program::Binding::Function(_)))
}

/// The row of a function, by the gravest thing that one of the `counted` parameters reaches.
fn function_row(program: &Program, effects: &[Effects], function: usize, counted: u64) -> Option<Row> {
    let (kind, effect) = gravest(&effects[function], counted)?;
    let function = &program.functions[function];
    let file = &program.modules[function.module].file;
    Some(Row { sink: kind.to_owned(), source: format!("{file}:{} {}", effect.line, effect.chain) })
}

/// The row of a class: by what making an instance of it reaches, or what calling it does.
fn class_row(program: &Program, effects: &[Effects], class: usize) -> Option<Row> {
    if let Some(row) = instance_row(program, effects, class) {
        return Some(row);
    }
    // A row that says "only when called" promises that an instance is harmless.
    if !harmless_instance(program, effects, class) || !known_descent(program, class) {
        return None;
    }
    let mut row = function_row(program, effects, method_of(program, class, "__init__")?, !1)?;
    row.sink.push_str(":call");
    Some(row)
}

/// What filling an instance reaches. Files are left out: a class that spools its state through one is common, and
/// for a person to judge.
fn instance_row(program: &Program, effects: &[Effects], class: usize) -> Option<Row> {
    let rows = LIFECYCLE
        .iter()
        .filter_map(|name| function_row(program, effects, method_of(program, class, name)?, counted(name)));
    let rows = rows.filter(|row| row.sink != "file" && row.sink != "network");
    // Looked up on every instance that BUILD fills; only its own state is the attacker's.
    let lookup =
        method_of(program, class, "__getattr__").and_then(|method| function_row(program, effects, method, 1));
    rows.chain(lookup).next()
}

/// Whether unpickling an instance of the class reaches nothing, not even a file.
pub(super) fn harmless_instance(program: &Program, effects: &[Effects], class: usize) -> bool {
    LIFECYCLE.iter().chain(&["__getattr__"]).all(|name| {
        method_of(program, class, name)
            .is_none_or(|method| gravest(&effects[method], counted(name)).is_none())
    })
}

/// The parameters of a method that are the attacker's: for `__new__` all but the class.
fn counted(method: &str) -> u64 {
    if method == "__new__" { !1 } else { u64::MAX }
}

/// Whether calling the class reaches nothing either.
pub(super) fn harmless_call(program: &Program, effects: &[Effects], class: usize) -> bool {
    class_row(program, effects, class).is_none()
}

fn gravest(effects: &Effects, counted: u64) -> Option<(&'static str, &Effect)> {
    KINDS.iter().find_map(|kind| {
        let effect = effects.get(kind)?;
        (effect.parameters & counted != 0).then_some((*kind, effect))
    })
}
