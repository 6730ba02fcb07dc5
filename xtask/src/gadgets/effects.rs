//! What each function reaches with what its caller gives it: a fix-point over the call graph.

use std::collections::{BTreeMap, HashMap};

use super::{
    program::{Argument, Base, Binding, Bound, Call, Function, Place, Program, Step},
    resolve::{Target, ancestry, resolve},
};

/// Calls between a function and the sink; longer chains are rarely real.
const DEPTH: usize = 4;
const SINKS: &str = include_str!("../../gadgets/sinks.tsv");

/// What one function reaches, by kind of sink.
pub(super) type Effects = BTreeMap<&'static str, Effect>;

/// One way to a sink.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Effect {
    /// The parameters whose value reaches the sink, a bit each.
    pub(super) parameters: u64,
    /// The calls to it: `get_handle > builtins.open`.
    pub(super) chain: String,
    /// The line in the function where the first of them is made.
    pub(super) line: usize,
}

#[derive(Clone, Copy)]
struct Sink {
    kind: &'static str,
    first: bool,
}

pub(super) struct Sinks(HashMap<&'static str, Sink>);

impl Sinks {
    pub(super) fn read() -> Self {
        let rows = SINKS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let mut columns = line.split('\t');
            let (name, kind, which) = (columns.next()?, columns.next()?, columns.next()?);
            Some((name, Sink { kind, first: which == "first" }))
        });
        Self(rows.collect())
    }

    pub(super) fn kind(&self, name: &str) -> Option<&'static str> {
        self.0.get(name).map(|sink| sink.kind).filter(|kind| *kind != "none")
    }
}

/// The effects of every function of the program.
pub(super) fn analyse(program: &Program, sinks: &Sinks) -> Vec<Effects> {
    let mut effects = vec![Effects::new(); program.functions.len()];
    for _ in 0..DEPTH {
        let next: Vec<Effects> = program
            .functions
            .iter()
            .map(|function| of_function(program, sinks, function, &effects))
            .collect();
        if next == effects {
            break;
        }
        effects = next;
    }
    effects
}

fn of_function(program: &Program, sinks: &Sinks, function: &Function, known: &[Effects]) -> Effects {
    let taint = taint(function);
    let mask = |names: &[String]| {
        names.iter().fold(0, |all, name| all | taint.get(name.as_str()).copied().unwrap_or(0))
    };
    let mut found = Effects::new();
    for step in &function.steps {
        let Step::Call(call) = step else { continue };
        let mut reach = |kind: &'static str, parameters: u64, chain: String| {
            if parameters == 0 {
                return;
            }
            let entry = found.entry(kind).or_insert(Effect { parameters: 0, chain, line: call.line });
            entry.parameters |= parameters;
        };
        let local = call.callee.first().is_some_and(|first| taint.contains_key(first.as_str()));
        let target = if local && !matches!(call.callee[0].as_str(), "self" | "cls") {
            Target::Unknown
        } else {
            resolve(program, function, &call.callee, &|name| sinks.0.contains_key(name))
        };
        match target {
            Target::Outside(name) => {
                if let Some(sink) = sinks.0.get(name.as_str()).filter(|sink| sink.kind != "none") {
                    reach(sink.kind, given(call, sink.first, mask), name);
                }
            }
            Target::Function(index) => {
                let callee = &program.functions[index];
                let shift = usize::from(!explicit_object(callee, call));
                pass(callee, &known[index], call, shift, mask, &mut reach);
            }
            Target::Class(index) => {
                for constructor in ["__init__", "__new__"] {
                    if let Some(method) = method_of(program, index, constructor) {
                        pass(&program.functions[method], &known[method], call, 1, mask, &mut reach);
                    }
                }
            }
            Target::Unknown => {
                if let Some(method) = call.callee.last().filter(|_| call.callee.len() > 1)
                    && let Some(sink) = sinks.0.get(format!(".{method}").as_str())
                {
                    reach(sink.kind, mask(&call.receiver), format!(".{method}"));
                }
            }
        }
    }
    found
}

/// Carries the effects of the called function to the caller's parameters.
fn pass(
    callee: &Function,
    effects: &Effects,
    call: &Call,
    shift: usize,
    mask: impl Fn(&[String]) -> u64,
    reach: &mut impl FnMut(&'static str, u64, String),
) {
    for (kind, effect) in effects {
        let mut parameters = 0;
        for argument in &call.arguments {
            if effect.parameters & accepts(callee, argument, shift) != 0 {
                parameters |= mask(&argument.names);
            }
        }
        let object = call.callee.len() == 2 && matches!(call.callee[0].as_str(), "self" | "cls" | "super()");
        if object && shift == 1 && effect.parameters & 1 != 0 {
            parameters |= 1;
        }
        reach(kind, parameters, format!("{} > {}", callee.name, effect.chain));
    }
}

/// The parameters of the callee that an argument can arrive at.
fn accepts(callee: &Function, argument: &Argument, shift: usize) -> u64 {
    let bit = |at: Option<usize>| at.map_or(0, |at| 1_u64 << at.min(63));
    match &argument.place {
        Place::Position(at) if at + shift < callee.positional => bit(Some(at + shift)),
        Place::Position(_) => bit(callee.vararg),
        Place::Keyword(name) => match callee.parameters.iter().position(|parameter| parameter == name) {
            Some(at) => bit(Some(at)),
            None => bit(callee.kwarg),
        },
        Place::Spread => (shift..callee.parameters.len()).fold(0, |all, at| all | bit(Some(at))),
    }
}

fn given(call: &Call, first: bool, mask: impl Fn(&[String]) -> u64) -> u64 {
    let counts = |argument: &&Argument| !first || !matches!(argument.place, Place::Position(1..));
    call.arguments.iter().filter(counts).fold(0, |all, argument| all | mask(&argument.names))
}

/// Whether the call gives the object itself: a plain function, a static method, or `Class.method(object)`.
fn explicit_object(callee: &Function, call: &Call) -> bool {
    match callee.bound {
        Bound::Plain | Bound::Static => true,
        Bound::ClassMethod => false,
        Bound::Method => !matches!(call.callee[0].as_str(), "self" | "cls" | "super()"),
    }
}

/// Which parameters each name of the function can carry a value of.
fn taint(function: &Function) -> HashMap<&str, u64> {
    let mut taint: HashMap<&str, u64> = HashMap::new();
    for (at, parameter) in function.parameters.iter().enumerate() {
        taint.insert(parameter, 1 << at.min(63));
    }
    for _ in 0..DEPTH {
        let mut changed = false;
        for step in &function.steps {
            let Step::Assign { targets, sources } = step else { continue };
            let mask =
                sources.iter().fold(0, |all, name| all | taint.get(name.as_str()).copied().unwrap_or(0));
            if mask == 0 {
                continue;
            }
            for target in targets {
                let entry = taint.entry(target).or_insert(0);
                changed |= *entry | mask != *entry;
                *entry |= mask;
            }
        }
        if !changed {
            break;
        }
    }
    taint
}

/// The method an instance of the class finds by this name.
pub(super) fn method_of(program: &Program, class: usize, name: &str) -> Option<usize> {
    ancestry(program, class).iter().find_map(|class| program.classes[*class].methods.get(name).copied())
}

/// Whether a class is written out in full here, so that nothing it inherits is unknown.
pub(super) fn outside_bases(program: &Program, class: usize) -> Vec<String> {
    let mut outside = Vec::new();
    for class in ancestry(program, class) {
        let class = &program.classes[*class];
        let module = class.module;
        for base in &class.bases {
            match base {
                Base::Name(path) => match super::resolve::from_module(program, module, path, &|_| false) {
                    Target::Class(_) => {}
                    Target::Outside(name) => outside.push(name),
                    Target::Function(_) | Target::Unknown => outside.push(format!("?{}", path.join("."))),
                },
                Base::Other(callee) => {
                    outside
                        .push(format!("{}()", callee.as_ref().map_or(String::new(), |path| path.join("."))));
                }
            }
        }
    }
    outside
}

/// Names of a module that stand for a sink of the sink list or for something of another module.
pub(super) fn borrowed<'a>(program: &'a Program, module: usize, sinks: &Sinks) -> Vec<(&'a str, Target)> {
    let names = program.modules[module].names.iter();
    names
        .filter(|(_, binding)| matches!(binding, Binding::Absolute(_) | Binding::Same(_)))
        .map(|(name, _)| {
            let path = [name.clone()];
            (
                name.as_str(),
                super::resolve::from_module(program, module, &path, &|name| sinks.kind(name).is_some()),
            )
        })
        .collect()
}
