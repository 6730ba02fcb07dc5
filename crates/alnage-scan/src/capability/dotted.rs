//! Names with dots: the attributes they walk through, and what the walk ends at.

use super::{Danger, SinkKind, Trigger, alias, table, whole_module};

const WALK: &str = "CVE-2026-22607 GHSA-5j3x dotted STACK_GLOBAL";

/// What a name reaches by the attributes it walks through, or by what it starts from.
///
/// `torch` with `serialization.os.system` is `os.system`, however long the way to it; `collections` with
/// `_sys.modules` hands over every module.
pub(super) fn danger(module: &str, name: &str) -> Option<Danger> {
    let segments: Vec<&str> = name.split('.').collect();
    if segments.iter().any(|segment| opens_the_interpreter(segment)) {
        return Some(gadget());
    }
    through_a_module(&segments)
        .or_else(|| of_a_dangerous_owner(module, name))
        .or_else(|| by_method(&segments))
}

/// The longest walk any module is reached by: deeper names are judged by their tail.
const LONGEST: usize = 32;

fn through_a_module(segments: &[&str]) -> Option<Danger> {
    let tail = &segments[segments.len().saturating_sub(LONGEST)..];
    for (start, first) in tail.iter().enumerate() {
        if !is_module_name(first) {
            continue;
        }
        let first = first.trim_start_matches('_');
        let rest = &tail[start + 1..];
        if rest.is_empty() {
            return Some(gadget());
        }
        for split in (0..rest.len()).rev() {
            let mut inner = first.to_owned();
            for segment in &rest[..split] {
                inner.push('.');
                inner.push_str(segment);
            }
            let name = rest[split..].join(".");
            let (inner, name) = alias::canonical(&inner, &name);
            if let Some(danger) = table::DANGEROUS.danger(&inner, name).or_else(|| whole_module(&inner)) {
                return Some(danger);
            }
        }
        return Some(gadget());
    }
    None
}

/// `zipimporter.load_module` of a class that is dangerous by itself.
fn of_a_dangerous_owner(module: &str, name: &str) -> Option<Danger> {
    let mut owner = name;
    while let Some((before, _)) = owner.rsplit_once('.') {
        owner = before;
        let known = table::DANGEROUS.danger(module, owner);
        let derived =
            || table::GENERATED.danger(module, owner).filter(|danger| danger.trigger == Trigger::Any);
        if let Some(danger) = known.or_else(derived) {
            return Some(danger);
        }
    }
    None
}

/// Methods that are dangerous whatever class of a framework they belong to.
fn by_method(segments: &[&str]) -> Option<Danger> {
    let [_, .., method] = segments else { return None };
    let sink = match *method {
        "from_pretrained" | "push_to_hub" | "from_hub" | "load_state_dict_from_url" => SinkKind::Network,
        "load_from_checkpoint" | "load_pickle" | "unpickle" | "loads_pickle" => SinkKind::Gadget,
        "save_pretrained" | "write_text" | "write_bytes" | "read_text" | "read_bytes" | "to_pickle"
        | "to_csv" | "tofile" | "fromfile" => SinkKind::File,
        "exec_module" | "load_module" | "runcode" | "runsource" => SinkKind::Code,
        _ => return None,
    };
    Some(Danger { sink, trigger: Trigger::Any, source: "method of a framework class" })
}

fn gadget() -> Danger {
    Danger { sink: SinkKind::Gadget, trigger: Trigger::Any, source: WALK }
}

/// Attributes by which any object leads to the interpreter's own modules and frames.
fn opens_the_interpreter(segment: &str) -> bool {
    matches!(
        segment,
        "__globals__"
            | "__builtins__"
            | "__class__"
            | "__subclasses__"
            | "__base__"
            | "__bases__"
            | "__mro__"
            | "mro"
            | "__dict__"
            | "__code__"
            | "__closure__"
            | "__func__"
            | "__self__"
            | "__wrapped__"
            | "__getattribute__"
            | "__getattr__"
            | "__setattr__"
            | "__delattr__"
            | "__import__"
            | "__loader__"
            | "__spec__"
            | "__reduce__"
            | "__reduce_ex__"
            | "__setstate__"
            | "__init_subclass__"
            | "__defaults__"
            | "__kwdefaults__"
            | "__module__"
            | "__weakref__"
            | "__traceback__"
            | "f_globals"
            | "f_locals"
            | "f_builtins"
            | "f_back"
            | "func_globals"
            | "func_code"
            | "gi_frame"
            | "gi_code"
            | "cr_frame"
            | "cr_code"
            | "ag_frame"
            | "tb_frame"
            | "co_code"
    )
}

/// Names that, met as an attribute, are a module which opens the machine. Words that are as likely a method or a
/// field (`code`, `test`, `signal`) are left out.
fn is_module_name(segment: &str) -> bool {
    matches!(
        segment.trim_start_matches('_'),
        "os" | "sys"
            | "posix"
            | "nt"
            | "subprocess"
            | "builtins"
            | "builtin__"
            | "importlib"
            | "frozen_importlib"
            | "frozen_importlib_external"
            | "imp"
            | "ctypes"
            | "cffi"
            | "socket"
            | "shutil"
            | "pty"
            | "runpy"
            | "pickle"
            | "cPickle"
            | "marshal"
            | "pkgutil"
            | "pydoc"
            | "inspect"
            | "linecache"
            | "zipimport"
            | "multiprocessing"
            | "threading"
            | "tempfile"
            | "sqlite3"
            | "cloudpickle"
            | "dill"
            | "joblib"
            | "webbrowser"
            | "urllib"
            | "urllib2"
            | "requests"
            | "posixsubprocess"
            | "codeop"
            | "gc"
            | "pip"
            | "setuptools"
            | "distutils"
    )
}
