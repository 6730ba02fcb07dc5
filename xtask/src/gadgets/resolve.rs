//! From a name in a function to what it stands for, through imports, re-exports and base classes.

use super::program::{Base, Binding, Function, Program};

/// What a dotted name stands for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Target {
    Function(usize),
    Class(usize),
    /// Something that is not in the sources, or a sink, by its full name.
    Outside(String),
    Unknown,
}

/// Imports are followed this far; real chains of re-exports have three or four links.
const LINKS: usize = 8;

/// What `path` stands for inside `function`. A name `stop` knows is not followed further.
pub(super) fn resolve(
    program: &Program,
    function: &Function,
    path: &[String],
    stop: &dyn Fn(&str) -> bool,
) -> Target {
    let Some(first) = path.first() else { return Target::Unknown };
    match (first.as_str(), function.class, path) {
        ("", ..) => Target::Unknown,
        ("self" | "cls", Some(class), [_, name]) => method(program, ancestry(program, class), name),
        ("super()", Some(class), [_, name]) => {
            method(program, ancestry(program, class).get(1..).unwrap_or_default(), name)
        }
        ("self" | "cls" | "super()", ..) => Target::Unknown,
        (name, ..) => match function.imports.get(name) {
            Some(target) => from_top(program, join(target, &path[1..]), stop, LINKS),
            None => from_module(program, function.module, path, stop),
        },
    }
}

/// What `path` stands for at the top level of a module.
pub(super) fn from_module(
    program: &Program,
    module: usize,
    path: &[String],
    stop: &dyn Fn(&str) -> bool,
) -> Target {
    in_module(program, module, path, stop, LINKS)
}

/// The class and its ancestors that are in the sources, nearest first.
pub(super) fn ancestry(program: &Program, class: usize) -> &[usize] {
    program.classes[class].ancestry.get_or_init(|| linearise(program, class))
}

fn linearise(program: &Program, class: usize) -> Vec<usize> {
    let mut found = vec![class];
    let mut next = 0;
    while let Some(class) = found.get(next).copied() {
        next += 1;
        let module = program.classes[class].module;
        for base in &program.classes[class].bases {
            if let Base::Name(path) = base
                && let Target::Class(parent) = from_module(program, module, path, &|_| false)
                && !found.contains(&parent)
            {
                found.push(parent);
            }
        }
    }
    found
}

fn in_module(
    program: &Program,
    module: usize,
    path: &[String],
    stop: &dyn Fn(&str) -> bool,
    links: usize,
) -> Target {
    let Some((first, rest)) = path.split_first() else { return Target::Unknown };
    if links == 0 {
        return Target::Unknown;
    }
    let home = &program.modules[module];
    match home.names.get(first) {
        Some(Binding::Function(index)) => match rest {
            [] => Target::Function(*index),
            _ => Target::Unknown,
        },
        Some(Binding::Class(index)) => match rest {
            [] => Target::Class(*index),
            [name] => method(program, ancestry(program, *index), name),
            _ => Target::Unknown,
        },
        Some(Binding::Absolute(target)) => from_top(program, join(target, rest), stop, links - 1),
        Some(Binding::Same(other)) if other.first() != Some(first) => {
            let whole: Vec<String> = other.iter().chain(rest).cloned().collect();
            in_module(program, module, &whole, stop, links - 1)
        }
        Some(Binding::Same(_)) => Target::Unknown,
        None => {
            let star = home.stars.iter().find_map(|star| {
                let inner = program.by_name.get(star)?;
                program.modules[*inner].names.contains_key(first).then_some(*inner)
            });
            match star {
                Some(inner) => in_module(program, inner, path, stop, links - 1),
                None => Target::Outside(format!("builtins.{}", path.join("."))),
            }
        }
    }
}

fn from_top(program: &Program, name: String, stop: &dyn Fn(&str) -> bool, links: usize) -> Target {
    if links == 0 {
        return Target::Unknown;
    }
    if stop(&name) {
        return Target::Outside(name);
    }
    let mut module = name.as_str();
    loop {
        if let Some(index) = program.by_name.get(module) {
            let rest = name[module.len()..].trim_start_matches('.');
            if rest.is_empty() {
                return Target::Outside(name);
            }
            let path: Vec<String> = rest.split('.').map(str::to_owned).collect();
            return match in_module(program, *index, &path, stop, links - 1) {
                Target::Outside(outside) if outside.starts_with("builtins.") => Target::Outside(name),
                found => found,
            };
        }
        match module.rsplit_once('.') {
            Some((package, _)) => module = package,
            None => return Target::Outside(name),
        }
    }
}

fn method(program: &Program, classes: &[usize], name: &str) -> Target {
    let found = classes.iter().find_map(|class| program.classes[*class].methods.get(name).copied());
    found.map_or(Target::Unknown, Target::Function)
}

fn join(target: &str, rest: &[String]) -> String {
    let mut name = target.to_owned();
    for segment in rest {
        name.push('.');
        name.push_str(segment);
    }
    name
}
