//! What calls mean: tensors and plain data are built, known harmless objects are kept as what they are called and given,
//! and anything else is refused.

use alnage_scan::capability::{self, Class, Role as Known, Trigger};

use crate::{
    arrays,
    graph::{Node, Piece, Value},
    machine::{Machine, Role, Setting, UnknownCalls},
    rebuild,
    refusal::{Refusal, malformed, unsupported},
};

/// Longest text that is turned into bytes.
const MAX_RECODED: u64 = 48 << 20;
/// Sizes, strides and dictionaries nest like this and no deeper.
const MAX_DEPTH: u32 = 4;

/// The refusal of a call at `offset`; the line of Python is added where the pickle is known.
pub(crate) fn refused(callee: &str, effect: Option<&'static str>, offset: u64) -> Refusal {
    Refusal::Call {
        callee: crate::refusal::shown(callee),
        effect,
        member: String::new(),
        offset,
        line: String::new(),
    }
}

/// What calling `global` gives back.
pub(crate) fn call(
    machine: &mut Machine<'_>,
    global: u32,
    arguments: Value,
    role: Role,
) -> Result<Value, Refusal> {
    let (module, name) = machine.graph.globals.get(global as usize).cloned().unwrap_or_default();
    let Some(given) = machine.graph.items(arguments).map(<[Value]>::to_vec) else {
        return malformed("a call whose arguments are no tuple");
    };
    let first = given.first().copied().unwrap_or(Value::None);
    match (module.as_str(), name.as_str()) {
        ("torch._utils", _) if name.starts_with("_rebuild") => {
            rebuild::tensor(machine, global, &name, &given, arguments)
        }
        ("torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => {
            // `(function, type, arguments, state)`: the tensor, whatever class it is given afterwards.
            let Value::Global(function) = first else { return unsupported("a tensor made by no function") };
            let Some(&inner) = given.get(2) else { return malformed("a tensor without arguments") };
            let is_rebuild = machine
                .graph
                .globals
                .get(function as usize)
                .is_some_and(|(module, name)| module == "torch._utils" && name.starts_with("_rebuild"));
            if !is_rebuild {
                return Err(refused(&machine.graph.path(function), None, machine.at));
            }
            call(machine, function, inner, Role::Call)
        }
        ("torch", "Size") if role == Role::Call && given.len() == 1 => Ok(first),
        ("torch.jit._pickle", _) if name.starts_with("build_") || name == "restore_type_tag" => {
            if name == "build_tensor_from_id" {
                unsupported("tensors that are kept elsewhere")
            } else {
                Ok(first)
            }
        }
        ("torch.storage", "_load_from_bytes") => load_from_bytes(machine, first),
        ("collections", "OrderedDict" | "defaultdict" | "Counter") => {
            dictionary(machine, global, arguments, &name, &given)
        }
        ("builtins", "dict" | "list" | "tuple" | "set" | "frozenset") if given.len() == 1 => {
            let Some(items) = sequence_items(machine, first) else {
                return machine.object(global, arguments);
            };
            match name.as_str() {
                "dict" => machine.object(global, arguments),
                "list" => machine.sequence(items, Node::List),
                "tuple" => machine.sequence(items, Node::Tuple),
                _ => machine.sequence(items, Node::Set),
            }
        }
        ("builtins", "bytes" | "bytearray") | ("_codecs", "encode") => {
            recode(machine, global, &given, arguments)
        }
        ("numpy", "dtype") => arrays::data_type(machine, first),
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => {
            arrays::scalar(machine, global, &given, arguments)
        }
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
            machine.object(global, arguments)
        }
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => arrays::from_buffer(machine, &given),
        ("copyreg", "_reconstructor") => {
            let Value::Global(class) = first else { return malformed("an instance of what is no class") };
            let base = match given.get(1) {
                Some(Value::Global(base)) => machine.graph.path(*base),
                _ => return malformed("an instance whose base is no class"),
            };
            if !matches!(
                base.as_str(),
                "builtins.object"
                    | "builtins.dict"
                    | "builtins.list"
                    | "builtins.tuple"
                    | "builtins.set"
                    | "builtins.str"
                    | "builtins.int"
                    | "builtins.float"
            ) {
                return Err(refused(&base, None, machine.at));
            }
            admit(machine, class, &given[1..], Role::New)?;
            let state = given.get(2).copied().filter(|state| *state != Value::None);
            let empty = machine.sequence(state.into_iter().collect(), Node::Tuple)?;
            machine.object(class, empty)
        }
        ("copyreg", "__newobj__") => {
            let Value::Global(class) = first else { return malformed("an instance of what is no class") };
            let rest = machine.sequence(given[1..].to_vec(), Node::Tuple)?;
            admit(machine, class, &given[1..], Role::New)?;
            machine.object(class, rest)
        }
        _ => {
            admit(machine, global, &given, role)?;
            machine.object(global, arguments)
        }
    }
}

/// Whether an instance of `global` may stand in the graph as an object of which nothing is known.
fn admit(machine: &Machine<'_>, global: u32, given: &[Value], role: Role) -> Result<(), Refusal> {
    let (module, name) = machine.graph.globals.get(global as usize).cloned().unwrap_or_default();
    let path = machine.graph.path(global);
    let dangerous =
        |danger: capability::Danger| Err(refused(&path, Some(capability::describe(danger.sink)), machine.at));
    let unknown = || match machine.unknown {
        UnknownCalls::LeftOut => Ok(()),
        UnknownCalls::Refused => Err(refused(&path, None, machine.at)),
    };
    // TorchScript's classes stand beside the pickle and are no Python modules.
    if machine.setting == Setting::Script && module.split('.').next() == Some("__torch__") {
        return Ok(());
    }
    match capability::classify(&module, &name) {
        Class::Dangerous(danger) if danger.trigger == Trigger::Any || role == Role::Call => dangerous(danger),
        Class::Safe(Known::Constructor) => Ok(()),
        Class::Safe(Known::ByArguments) if is_plain_attribute(machine, &module, &name, given) => Ok(()),
        Class::Safe(Known::ByArguments) => unknown(),
        // No class is called: an object without `__init__` is its name and its state, and both are only read.
        Class::Dangerous(_) | Class::Safe(_) | Class::Unknown if role == Role::New => Ok(()),
        Class::Safe(role) => match capability::danger_when_called(&module, &name) {
            Some(danger) => dangerous(danger),
            None if role == Known::Class => Ok(()),
            None => unknown(),
        },
        Class::Dangerous(_) | Class::Unknown => unknown(),
    }
}

/// `getattr(Class, 'MEMBER')`, as enumerations are pickled.
fn is_plain_attribute(machine: &Machine<'_>, module: &str, name: &str, given: &[Value]) -> bool {
    let ("builtins", "getattr", &[Value::Global(class), attribute]) = (module, name, given) else {
        return false;
    };
    let Some(attribute) = machine.graph.text(machine.source, attribute, 256) else { return false };
    let Some((module, class)) = machine.graph.globals.get(class as usize) else { return false };
    let is_class = class
        .rsplit('.')
        .next()
        .is_some_and(|last| last.trim_start_matches('_').starts_with(char::is_uppercase));
    is_class
        && !attribute.starts_with('_')
        && !attribute.contains('.')
        && matches!(
            capability::classify(module, &format!("{class}.{attribute}")),
            Class::Unknown | Class::Safe(_)
        )
        && !matches!(capability::classify(module, class), Class::Dangerous(_))
}

fn sequence_items(machine: &Machine<'_>, value: Value) -> Option<Vec<Value>> {
    match machine.graph.get(value)? {
        Node::Tuple(items) | Node::List(items) | Node::Set(items) => Some(items.clone()),
        _ => None,
    }
}

/// A dictionary of a class of its own: `OrderedDict()`, `OrderedDict([[key, value]])`, `Counter({…})`.
fn dictionary(
    machine: &mut Machine<'_>,
    global: u32,
    arguments: Value,
    name: &str,
    given: &[Value],
) -> Result<Value, Refusal> {
    let filled = match (name, given) {
        (_, []) | ("defaultdict", [_]) => Some(Vec::new()),
        (_, [first]) => match machine.graph.get(*first) {
            Some(Node::Dict(pairs)) => Some(pairs.clone()),
            Some(Node::List(items) | Node::Tuple(items)) => (items.iter())
                .map(|item| match machine.graph.items(*item)? {
                    &[key, value] => Some((key, value)),
                    _ => None,
                })
                .collect(),
            _ => None,
        },
        _ => None,
    };
    match filled {
        Some(pairs) => {
            machine.graph.keep(32 * pairs.len())?;
            machine.graph.node(Node::Dict(pairs))
        }
        None => machine.object(global, arguments),
    }
}

/// Bytes out of a text, as protocols below 3 must write them.
fn recode(
    machine: &mut Machine<'_>,
    global: u32,
    given: &[Value],
    arguments: Value,
) -> Result<Value, Refusal> {
    let codec = match given.get(1) {
        Some(codec) => machine.graph.text(machine.source, *codec, 32).unwrap_or_default(),
        None => String::new(),
    };
    match (given.first(), codec.as_str()) {
        (None, _) => Ok(Value::Bytes(machine.graph.piece(Piece::Made(Box::default()))?)),
        (Some(Value::Bytes(piece)), "") => Ok(Value::Bytes(*piece)),
        (Some(text @ Value::Text(piece)), "latin1" | "latin-1" | "latin_1" | "iso-8859-1") => {
            let Some(text) = machine.graph.text(machine.source, *text, MAX_RECODED) else {
                let _ = piece;
                return unsupported("more than 48 MiB of bytes written as text, as protocols below 3 do");
            };
            let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let Some(bytes) = bytes else { return malformed("bytes written as text that is not Latin-1") };
            Ok(Value::Bytes(machine.graph.piece(Piece::Made(bytes.into()))?))
        }
        (Some(text @ Value::Text(_)), "utf-8" | "utf8" | "ascii") => {
            let Some(text) = machine.graph.text(machine.source, *text, MAX_RECODED) else {
                return unsupported("more than 48 MiB of bytes written as text, as protocols below 3 do");
            };
            Ok(Value::Bytes(machine.graph.piece(Piece::Made(text.into_bytes().into()))?))
        }
        _ => {
            admit(machine, global, given, Role::Call)?;
            machine.object(global, arguments)
        }
    }
}

/// `torch.storage._load_from_bytes(bytes)`: a whole PyTorch file, which holds one storage.
fn load_from_bytes(machine: &mut Machine<'_>, bytes: Value) -> Result<Value, Refusal> {
    let Value::Bytes(piece) = bytes else { return malformed("a storage is loaded from what is no bytes") };
    if machine.depth >= MAX_DEPTH {
        return Err(Refusal::Limit("max-depth"));
    }
    crate::torch::storage_in(machine, piece)
}

/// Gives an object its state.
pub(crate) fn build(machine: &mut Machine<'_>, target: Value, state: Value) -> Result<(), Refusal> {
    let class = match machine.graph.get(target) {
        Some(Node::Object(object)) => object.class,
        Some(Node::DataType(_)) => return arrays::data_type_state(machine, target, state),
        Some(Node::Dict(_)) => {
            machine.graph.keep(64)?;
            machine.graph.attributes.push((target, state));
            return Ok(());
        }
        Some(Node::Tensor(_) | Node::Composite(_) | Node::Storage { .. }) => {
            return Err(refused("a tensor's __setstate__", None, machine.at));
        }
        _ => return malformed("state is given to what has none"),
    };
    let (module, name) = machine.graph.globals.get(class as usize).cloned().unwrap_or_default();
    match (module.as_str(), name.as_str()) {
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
            arrays::array_state(machine, target, state)
        }
        (_, "NumpyArrayWrapper") if module.ends_with("numpy_pickle") && machine.setting == Setting::Alone => {
            arrays::wrapped(machine, target, state)
        }
        (_, "NDArrayWrapper" | "ZNDArrayWrapper") if module.contains("numpy_pickle") => {
            unsupported("the arrays are in files beside this one, as joblib before 0.10 wrote them")
        }
        _ => {
            machine.graph.keep(16)?;
            if let Some(Node::Object(object)) = machine.graph.get_mut(target) {
                object.state.push(state);
            }
            Ok(())
        }
    }
}
