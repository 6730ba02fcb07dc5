//! What a call of a pickle amounts to: the one place where callables are judged.

use alnage_formats::{
    Artifact, Model,
    pickle::{Argument, Call, Callee, Global, PickleFacts, Role as Kind},
};

use super::pickles;
use crate::capability::{Class, Danger, Role, SinkKind, Trigger, classify, danger_when_called};

/// What a call amounts to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Weight {
    /// What real frameworks write.
    Quiet,
    /// Reaches a sink.
    Dangerous(Danger),
    /// Builds a function or class from code in the pickle, without calling it.
    Builds,
    /// Calls code that the pickle itself carries.
    RunsCarried,
    /// Nobody knows what the callable does.
    UnknownCallable,
    /// An instance of an unknown class, without `__init__`.
    UnknownClass,
    /// What is called is not known.
    Unresolved,
    /// A callable that is fine with other arguments.
    Arguments(&'static str, Graveness),
}

/// How grave arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Graveness {
    /// No framework needs this: it leads out of plain data.
    Escapes,
    /// Unusual.
    Odd,
}

/// The calls of a model's pickles that are not quiet.
#[derive(Debug)]
pub(crate) struct WeighedCalls(Vec<(usize, Vec<(usize, Weight)>)>);

impl WeighedCalls {
    pub(crate) fn of(model: &Model) -> Self {
        let weighed = pickles(model).enumerate().map(|(at, (_, facts))| {
            let calls = facts.calls.iter().map(|call| weigh(facts, call)).enumerate();
            (at, calls.filter(|(_, weight)| *weight != Weight::Quiet).collect::<Vec<_>>())
        });
        Self(weighed.filter(|(_, calls)| !calls.is_empty()).collect())
    }

    /// Each pickle with such calls, and those; `model` is the model that was weighed.
    pub(super) fn pickles<'a>(
        &'a self,
        model: &'a Model,
    ) -> impl Iterator<Item = (&'a Artifact, &'a PickleFacts, impl Iterator<Item = (&'a Call, &'a Weight)>)>
    {
        let mut weighed = self.0.iter().peekable();
        pickles(model).enumerate().filter_map(move |(at, (artifact, facts))| {
            let (_, calls) = weighed.next_if(|(next, _)| *next == at)?;
            let calls = calls.iter().filter_map(|(call, weight)| Some((facts.calls.get(*call)?, weight)));
            Some((artifact, facts, calls))
        })
    }
}

fn weigh(facts: &PickleFacts, call: &Call) -> Weight {
    match &call.callee {
        Callee::Unknown => match call.role {
            Kind::Call | Kind::New => Weight::Unresolved,
            _ => Weight::Quiet,
        },
        Callee::Method { class, name } => match facts.globals.get(*class) {
            Some(class) => method(class, name),
            None => Weight::Unresolved,
        },
        Callee::Global(at) => match facts.globals.get(*at) {
            Some(global) => called(facts, call, global),
            None => Weight::Unresolved,
        },
    }
}

fn method(class: &Global, name: &str) -> Weight {
    if builds_code(&class.module, &class.name) {
        return Weight::RunsCarried;
    }
    let path = format!("{}.{name}", class.name);
    if let Some(danger) = danger_when_called(&class.module, &path) {
        return Weight::Dangerous(danger);
    }
    match classify(&class.module, &path) {
        Class::Dangerous(danger) => Weight::Dangerous(danger),
        Class::Safe(_) => Weight::Quiet,
        Class::Unknown => Weight::UnknownCallable,
    }
}

fn called(facts: &PickleFacts, call: &Call, global: &Global) -> Weight {
    let (module, name) = (global.module.as_str(), global.name.as_str());
    if !matches!(call.role, Kind::Call | Kind::New) {
        // The instance was made by a call that is weighed; a global that is changed is a rule of its own.
        return Weight::Quiet;
    }
    if builds_code(module, name) {
        return Weight::Builds;
    }
    if (module, name) == ("torch.storage", "_load_from_bytes")
        && matches!(call.arguments.as_slice(), [Argument::Bytes(_)])
    {
        // The bytes are analysed as an artifact of their own.
        return Weight::Quiet;
    }
    if let Some(text) = evaluated_text(call, module) {
        return Weight::Dangerous(text);
    }
    let with_arguments = call.opcode == "REDUCE" || !call.arguments.is_empty() || call.via.is_some();
    match classify(module, name) {
        Class::Dangerous(danger) if danger.trigger == Trigger::Any => Weight::Dangerous(danger),
        Class::Dangerous(danger) if call.role == Kind::Call && with_arguments => Weight::Dangerous(danger),
        Class::Dangerous(_) => Weight::Quiet,
        Class::Safe(Role::Constructor) => Weight::Quiet,
        Class::Safe(Role::ByArguments) => by_arguments(facts, call, global),
        Class::Safe(Role::Class | Role::Reference) if call.role == Kind::New => Weight::Quiet,
        Class::Safe(role) => match danger_when_called(module, name) {
            Some(danger) if with_arguments => Weight::Dangerous(danger),
            // Nothing is known that its `__init__` would reach.
            _ if role == Role::Class => Weight::Quiet,
            _ => Weight::UnknownCallable,
        },
        Class::Unknown if call.role == Kind::New => Weight::UnknownClass,
        Class::Unknown => Weight::UnknownCallable,
    }
}

/// What a class of SymPy evaluates: `Add('…')` hands each text among its arguments to `sympify`, which is `eval`,
/// whether `__init__` runs or only `__new__`. Names and numbers, which symbols are made of, evaluate to themselves.
fn evaluated_text(call: &Call, module: &str) -> Option<Danger> {
    if module.split('.').next() != Some("sympy") {
        return None;
    }
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-' | ' ' | '{' | '}' | '^' | '\\'))
    };
    let has_code = call.arguments.iter().any(|argument| match argument {
        Argument::Text(text) => !is_plain(text),
        _ => false,
    });
    has_code.then_some(Danger {
        sink: SinkKind::Code,
        trigger: Trigger::Call,
        source: "sympy/core/sympify.py: sympify > parse_expr > builtins.eval",
    })
}

/// Classes of TorchScript, which stand beside the pickle in the same archive and are no Python modules.
pub(super) fn is_torchscript(artifact: &Artifact, global: &Global) -> bool {
    artifact.path.is_member() && global.module.split('.').next() == Some("__torch__")
}

/// Callables that make functions and classes out of what the pickle carries.
pub(super) fn builds_code(module: &str, name: &str) -> bool {
    let cloudpickle =
        ["cloudpickle", "cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast"].iter().any(|name| {
            module.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with("externals."))
        });
    match name {
        "CodeType" | "FunctionType" | "LambdaType" => module == "types",
        "code" | "function" => module == "builtins",
        "_create_code" | "_create_function" | "_create_type" => module == "dill._dill",
        "_make_function"
        | "_make_skel_func"
        | "_fill_function"
        | "_function_setstate"
        | "_class_setstate"
        | "_make_skeleton_class"
        | "_make_skeleton_enum"
        | "_rehydrate_skeleton_class"
        | "_builtin_type"
        | "_make_code"
        | "_make_typevar"
        | "dynamic_subimport" => cloudpickle,
        _ => false,
    }
}

fn by_arguments(facts: &PickleFacts, call: &Call, global: &Global) -> Weight {
    let plain = |argument: Option<&Argument>| match argument {
        Some(Argument::Text(name)) => name_weight(name),
        _ => Weight::Arguments("the name is computed while loading", Graveness::Odd),
    };
    let last = global.name.rsplit('.').next().unwrap_or_default();
    match last {
        "getattr" => match call.arguments.first() {
            Some(Argument::Global(at)) => {
                let base = facts.globals.get(*at);
                let module = base.is_some_and(|base| base.name.is_empty() || leads_to_module(&base.name));
                if module {
                    Weight::Arguments("an attribute of a module", Graveness::Escapes)
                } else {
                    plain(call.arguments.get(1))
                }
            }
            Some(Argument::Instance(_)) => plain(call.arguments.get(1)),
            Some(Argument::Text(_) | Argument::Bytes(_) | Argument::Container(_) | Argument::Plain) => {
                Weight::Arguments("a method of plain data, as code does that hides names", Graveness::Odd)
            }
            _ => Weight::Arguments("an attribute of something that is not known", Graveness::Odd),
        },
        "attrgetter" | "methodcaller" => {
            let names = if last == "attrgetter" {
                &call.arguments[..]
            } else {
                &call.arguments[..1.min(call.arguments.len())]
            };
            names
                .iter()
                .map(|name| plain(Some(name)))
                .find(|weight| *weight != Weight::Quiet)
                .unwrap_or(Weight::Quiet)
        }
        "type" | "ABCMeta" | "EnumMeta" if call.arguments.len() > 1 => {
            Weight::Arguments("a class made while loading", Graveness::Odd)
        }
        "encode" | "decode" => match call.arguments.get(1) {
            Some(Argument::Text(codec)) if is_transform(codec) => {
                Weight::Arguments("a codec that hides text", Graveness::Odd)
            }
            _ => Weight::Quiet,
        },
        _ => Weight::Quiet,
    }
}

fn is_transform(codec: &str) -> bool {
    let codec = codec.to_ascii_lowercase();
    ["rot", "hex", "base64", "zlib", "zip", "bz2", "uu", "quopri", "escape"]
        .iter()
        .any(|part| codec.contains(part))
}

/// Attributes that start processes, run code or import wherever they are found; whoever fetches them by name, for
/// an object that is not known yet, means those.
const RUNS: &[&str] = &[
    "system",
    "popen",
    "Popen",
    "check_output",
    "check_call",
    "getoutput",
    "getstatusoutput",
    "spawnl",
    "spawnle",
    "spawnlp",
    "spawnv",
    "spawnve",
    "spawnvp",
    "execl",
    "execle",
    "execlp",
    "execv",
    "execve",
    "execvp",
    "posix_spawn",
    "startfile",
    "exec",
    "eval",
    "execfile",
    "runsource",
    "runcode",
    "run_path",
    "run_module",
    "import_module",
    "exec_module",
    "load_module",
    "find_spec",
    "CDLL",
    "LoadLibrary",
    "urlretrieve",
    "rmtree",
];

/// Attribute names that lead from any object to the interpreter, and plain ones.
fn name_weight(name: &str) -> Weight {
    if name.split('.').any(|part| RUNS.contains(&part)) {
        return Weight::Arguments("an attribute that runs commands or code where it exists", Graveness::Odd);
    }
    if name.split('.').any(|part| part.starts_with("__") && part.ends_with("__")) {
        return Weight::Arguments(
            "a special attribute, which leads from any object to the interpreter",
            Graveness::Escapes,
        );
    }
    Weight::Quiet
}

fn leads_to_module(name: &str) -> bool {
    name.split('.').any(|part| matches!(part, "__dict__" | "__globals__" | "__builtins__" | "modules"))
}

/// Whether a global that a computation leads to is a plain attribute of a class that is reported, or safe, itself.
pub(super) fn is_plain_attribute(global: &Global) -> bool {
    let Some((class, attribute)) = global.name.rsplit_once('.') else { return false };
    let capital = class.rsplit('.').next().and_then(|last| last.trim_start_matches('_').chars().next());
    capital.is_some_and(char::is_uppercase)
        && !attribute.starts_with("__")
        && !matches!(classify(&global.module, class), Class::Dangerous(_))
}
