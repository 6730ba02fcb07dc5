//! Calls in a Python file: which ones act on the machine, which give a name or a constant.

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged;

use super::{
    analyser::Analyser,
    facts::{Action, ArgumentOrigin},
    fold, sinks,
    value::Value,
};

impl<'a> Analyser<'a> {
    pub(super) fn call(&mut self, call: &'a ast::ExprCall) -> Value {
        // A method of a constant has no name of its own: its object is looked at first.
        let (object, method) = match &*call.func {
            Expr::Attribute(attribute) => {
                let object = self.value(&attribute.value);
                (Some(object.clone()), Some((object, attribute.attr.as_str())))
            }
            _ => (None, None),
        };
        let callee = match method {
            Some((object, name)) => self.attribute(object, name),
            None => self.value(&call.func),
        };
        let arguments: Vec<Value> = call.arguments.args.iter().map(|argument| self.value(argument)).collect();
        let keywords: Vec<(Option<&str>, Value)> = call
            .arguments
            .keywords
            .iter()
            .map(|keyword| (keyword.arg.as_ref().map(|name| name.as_str()), self.value(&keyword.value)))
            .collect();
        for value in arguments.iter().chain(keywords.iter().map(|(_, value)| value)) {
            self.handed_on(call, &callee, value);
        }
        match callee {
            Value::Named(name) => self.named(call, &name, &arguments, &keywords),
            Value::Function(id) => {
                self.leads_to(id);
                self.return_of(id)
            }
            Value::Class(id) => {
                for method in ["__init__", "__new__", "__post_init__"] {
                    self.leads_to_method(id, method);
                }
                Value::Instance(id)
            }
            Value::Instance(id) => {
                self.leads_to_method(id, "__call__");
                Value::COMPUTED
            }
            Value::Getter(path) => match arguments.first() {
                Some(Value::Named(name)) => {
                    let base = Value::Named(name.clone());
                    let (path, calls) =
                        path.strip_suffix("()").map_or((path.as_str(), false), |path| (path, true));
                    let reached = path.split('.').fold(base, |value, part| self.attribute(value, part));
                    match reached {
                        Value::Named(name) if calls => self.named(call, &name, &[], &[]),
                        reached => reached,
                    }
                }
                _ => Value::COMPUTED,
            },
            _ => self.method_call(call, object, &arguments),
        }
    }

    /// A method of something that is no module: of a constant, a path, a result.
    fn method_call(&mut self, call: &'a ast::ExprCall, object: Option<Value>, arguments: &[Value]) -> Value {
        let (Some(object), Expr::Attribute(attribute)) = (object, &*call.func) else {
            return fold::mixed(arguments.iter());
        };
        let method = attribute.attr.as_str();
        let of_path = matches!(&object, Value::Text(_))
            || matches!(&object, Value::Result(name) if name.starts_with("pathlib."));
        if of_path {
            let place = object.as_text();
            let sensitive = place.as_deref().is_some_and(sinks::is_sensitive_path);
            let action = match method {
                "write_text" | "write_bytes" | "touch" | "unlink" | "symlink_to" | "hardlink_to"
                | "chmod" | "rmdir" => Some(Action::WriteFile),
                "open" if writes(arguments.first()) => Some(Action::WriteFile),
                "read_text" | "read_bytes" | "open" if sensitive => Some(Action::SensitiveFile),
                _ => None,
            };
            if let Some(action) = action {
                let action = if sensitive { Action::SensitiveFile } else { action };
                let name = format!("pathlib.Path.{method}");
                self.note(&name, action, call.range(), object.origin(), place);
                return Value::Unknown(ArgumentOrigin::File);
            }
        }
        if let Value::Result(name) = &object
            && name.starts_with("ctypes.")
            && matches!(
                method,
                "system"
                    | "popen"
                    | "WinExec"
                    | "ShellExecuteA"
                    | "ShellExecuteW"
                    | "execve"
                    | "execv"
                    | "execl"
                    | "execlp"
            )
        {
            let name = format!("{name}.{method}");
            let origin = arguments.first().map_or(ArgumentOrigin::None, Value::origin);
            self.note(&name, Action::Process, call.range(), origin, arguments.first().and_then(Value::shown));
            return Value::COMPUTED;
        }
        if let Value::Result(name) = &object
            && sinks::connects_by_method(name)
            && matches!(
                method,
                "connect"
                    | "connect_ex"
                    | "sendto"
                    | "send"
                    | "get"
                    | "post"
                    | "put"
                    | "patch"
                    | "delete"
                    | "head"
                    | "request"
                    | "urlopen"
                    | "open"
                    | "stream"
                    | "run_forever"
                    | "perform"
                    | "login"
                    | "sendmail"
            )
        {
            let name = format!("{name}.{method}");
            let origin = arguments.first().map_or(ArgumentOrigin::None, Value::origin);
            let shown = arguments.first().and_then(Value::shown);
            self.note(&name, Action::Network, call.range(), origin, shown);
            return Value::Unknown(ArgumentOrigin::Network);
        }
        if let Some(value) = fold::method(&object, method, arguments) {
            return self.produce(value);
        }
        // What is read, decoded or joined stays what it was.
        match object {
            Value::Text(text) if method == "format" && text.trim().len() >= 4 => {
                let origin = fold::mixed(arguments.iter()).origin();
                let plain = origin == ArgumentOrigin::Computed;
                Value::Unknown(if plain { ArgumentOrigin::Template } else { origin })
            }
            Value::Result(name) => Value::Unknown(Value::Result(name).origin()),
            other => fold::mixed(std::iter::once(&other).chain(arguments)),
        }
    }

    /// A function that is handed to another: it will be called from there.
    fn handed_on(&mut self, call: &'a ast::ExprCall, callee: &Value, value: &Value) {
        match value {
            Value::Function(id) => match callee {
                Value::Function(_) | Value::Class(_) => self.leads_to(*id),
                Value::Named(callee) if calls_back(callee) => self.leads_to(*id),
                // Decorators and registries keep it for later.
                _ => self.may_lead_to(*id),
            },
            Value::Named(name) => {
                let only_looks = callee.name().is_some_and(|callee| {
                    callee.starts_with("builtins.")
                        && !matches!(callee, "builtins.map" | "builtins.filter" | "builtins.setattr")
                        || callee.starts_with("unittest.")
                        || callee.ends_with("wraps")
                        || callee.starts_with("inspect.")
                        || callee == "functools.partial"
                });
                let is_class =
                    name.rsplit('.').next().is_some_and(|last| last.starts_with(char::is_uppercase));
                if let Some(action @ (Action::Process | Action::Code)) = sinks::action(name)
                    && !only_looks
                    && !is_class
                {
                    let name = name.clone();
                    self.note(&name, action, call.range(), ArgumentOrigin::Computed, None);
                } else if name == "os.environ" && gives_away(callee) {
                    self.note("os.environ", Action::Environment, call.range(), ArgumentOrigin::None, None);
                }
            }
            _ => {}
        }
    }

    /// A call of something with a dotted name.
    fn named(
        &mut self,
        call: &'a ast::ExprCall,
        name: &str,
        arguments: &[Value],
        keywords: &[(Option<&str>, Value)],
    ) -> Value {
        let keyword =
            |wanted: &str| keywords.iter().find(|(name, _)| *name == Some(wanted)).map(|(_, value)| value);
        if let Some(value) = self.reached_by_name(call, name, arguments) {
            return value;
        }
        let first = arguments.first().or_else(|| keywords.first().map(|(_, value)| value));
        match name {
            "builtins.map" => return self.mapped(arguments),
            "functools.partial" => return arguments.first().cloned().unwrap_or(Value::COMPUTED),
            "operator.attrgetter" => {
                return first.and_then(Value::as_text).map_or(Value::COMPUTED, Value::Getter);
            }
            "operator.methodcaller" => {
                let path = first.and_then(Value::as_text);
                return path.map_or(Value::COMPUTED, |path| Value::Getter(format!("{path}()")));
            }
            "builtins.open" | "io.open" | "codecs.open" | "os.fdopen" | "os.open" | "io.FileIO" => {
                return self.opened(call, name, first, arguments.get(1).or_else(|| keyword("mode")));
            }
            "os.environ.items" | "os.environ.values" => {
                self.note("os.environ", Action::Environment, call.range(), ArgumentOrigin::None, None);
            }
            _ => {}
        }
        let folded = fold::function(name, arguments);
        if let Some(Value::Text(place)) = &folded
            && sinks::is_sensitive_path(place)
            && !self.silent
        {
            let place = place.clone();
            let origin = ArgumentOrigin::Constant;
            self.note(name, Action::SensitiveFile, call.range(), origin, Some(place));
        }
        if let Some(action) = sinks::action(name) {
            return self.acted(call, name, action, arguments, first);
        }
        if let Some(value) = folded {
            return self.produce(value);
        }
        if sinks::decodes(name) {
            let network = first.is_some_and(|first| first.origin() == ArgumentOrigin::Network);
            return Value::Unknown(if network { ArgumentOrigin::Network } else { ArgumentOrigin::Decoded });
        }
        match name {
            "io.BytesIO" if matches!(arguments, [Value::Bytes(_)]) => arguments[0].clone(),
            // They change the shape, not where it comes from.
            "builtins.str" | "builtins.bytes" | "builtins.bytearray" | "builtins.list" | "builtins.tuple"
            | "builtins.reversed" | "builtins.filter" | "builtins.repr" | "io.BytesIO" | "io.StringIO"
            | "os.path.join" | "textwrap.dedent" | "json.loads" => fold::mixed(arguments.iter()),
            _ => Value::Result(name.to_owned()),
        }
    }

    /// `getattr(os, 'system')`, `__import__('os')`, `vars(os)`, `sys.modules.get('os')`.
    fn reached_by_name(&mut self, call: &'a ast::ExprCall, name: &str, arguments: &[Value]) -> Option<Value> {
        let text = |at: usize| arguments.get(at).and_then(Value::as_text);
        let short = name.rsplit('.').next().unwrap_or(name);
        match name {
            "builtins.getattr"
            | "object.__getattribute__"
            | "builtins.object.__getattribute__"
            | "types.ModuleType.__getattribute__"
            | "inspect.getattr_static" => {
                let base = arguments.first()?.clone();
                return Some(match (base, text(1)) {
                    (base, Some(key)) => self.attribute(base, &key),
                    (Value::Named(module), None) if sinks::is_system_module(&module) => {
                        let shown = arguments.get(1).and_then(Value::shown);
                        let origin = arguments.get(1).map_or(ArgumentOrigin::None, Value::origin);
                        let attribute = format!("{module}.?");
                        self.note(&attribute, Action::ComputedAttribute, call.range(), origin, shown);
                        Value::COMPUTED
                    }
                    _ => Value::COMPUTED,
                });
            }
            "builtins.__import__" | "importlib.import_module" | "importlib.__import__" => {
                return Some(match text(0) {
                    Some(module) => {
                        if arguments.get(1).is_none() || !module.starts_with('.') {
                            self.import(module.chars().take(200).collect());
                        }
                        // `__import__('a.b')` gives `a`; what is reached through either is the same.
                        Value::Named(module)
                    }
                    None => {
                        let origin = arguments.first().map_or(ArgumentOrigin::None, Value::origin);
                        self.note(name, Action::Import, call.range(), origin, None);
                        Value::COMPUTED
                    }
                });
            }
            "builtins.vars" => {
                if let Some(Value::Named(module)) = arguments.first() {
                    return Some(Value::Named(format!("{module}.__dict__")));
                }
            }
            "sys.modules.get" | "sys.modules.__getitem__" => {
                return text(0).map(Value::Named);
            }
            _ => {}
        }
        let holder = name.strip_suffix(short)?.strip_suffix('.')?;
        match (short, text(0)) {
            ("__getattribute__" | "__getattr__", Some(key)) => {
                Some(self.attribute(Value::Named(holder.to_owned()), &key))
            }
            ("get" | "__getitem__" | "pop" | "setdefault", Some(key))
                if holder.ends_with(".__dict__") || holder == "builtins" =>
            {
                Some(self.keyed(holder, &key))
            }
            // `os.system.__call__('…')`.
            ("__call__", _) => {
                let keywords: Vec<(Option<&str>, Value)> = Vec::new();
                sinks::action(holder).map(|_| self.named(call, holder, arguments, &keywords))
            }
            _ => None,
        }
    }

    /// `map(f, items)`: computed where `f` is a known function of constants.
    fn mapped(&mut self, arguments: &[Value]) -> Value {
        let (Some(function), Some(values)) = (arguments.first(), arguments.get(1)) else {
            return Value::COMPUTED;
        };
        let (Value::Named(name), Some(items)) = (function, values.items()) else {
            return fold::mixed(arguments.iter());
        };
        let results: Option<Vec<Value>> =
            items.iter().map(|item| fold::function(name, std::slice::from_ref(item))).collect();
        results.map_or_else(|| fold::mixed(arguments.iter()), Value::List)
    }

    fn opened(
        &mut self,
        call: &'a ast::ExprCall,
        name: &str,
        file: Option<&Value>,
        mode: Option<&Value>,
    ) -> Value {
        let place = file.and_then(Value::as_text);
        let origin = file.map_or(ArgumentOrigin::None, Value::origin);
        if place.as_deref().is_some_and(sinks::is_sensitive_path) {
            self.note(name, Action::SensitiveFile, call.range(), origin, place);
        } else if writes(mode) {
            self.note(name, Action::WriteFile, call.range(), origin, place);
        }
        Value::Result("builtins.open".to_owned())
    }

    /// A call that acts.
    fn acted(
        &mut self,
        call: &'a ast::ExprCall,
        name: &str,
        action: Action,
        arguments: &[Value],
        first: Option<&Value>,
    ) -> Value {
        let origin = first.map_or(ArgumentOrigin::None, Value::origin);
        let shown = first.and_then(Value::shown);
        match (action, name) {
            (Action::Code, "builtins.compile") => {
                // It runs nothing by itself; `exec` of its result is judged by what was compiled.
                return first.cloned().map_or(Value::COMPUTED, |source| match source {
                    Value::Text(_) | Value::Bytes(_) => source,
                    other => Value::Unknown(other.origin()),
                });
            }
            (Action::Code, "builtins.exec" | "builtins.eval") => {
                if let Some(text) = first.and_then(Value::as_text) {
                    self.nested_code(call.range(), &text);
                }
                self.note(name, action, call.range(), origin, shown);
                return Value::COMPUTED;
            }
            // They run the text they are given as it stands.
            (
                Action::Code,
                "timeit.timeit" | "timeit.repeat" | "cProfile.run" | "profile.run" | "pdb.run",
            ) => {
                if let Some(text) = first.and_then(Value::as_text) {
                    self.nested_code(call.range(), &text);
                }
                self.note(name, action, call.range(), origin, shown);
            }
            (Action::Code, "marshal.loads" | "marshal.load") => {
                self.note(name, action, call.range(), origin, None);
                return Value::Unknown(origin.max(ArgumentOrigin::Decoded));
            }
            (Action::Deserialize, _) => {
                if let Some(Value::Bytes(bytes)) = first {
                    self.nested_pickle(call.range(), bytes);
                }
                self.note(name, action, call.range(), origin, shown);
            }
            (Action::Process, _) => {
                let whole = arguments.first().and_then(Value::shown).map(|command| {
                    let more: Vec<String> =
                        arguments.iter().skip(1).take(8).filter_map(Value::shown).collect();
                    if more.is_empty() { command } else { format!("{command} {}", more.join(" ")) }
                });
                self.note(name, action, call.range(), origin, whole.or(shown));
                return Value::Result(name.to_owned());
            }
            (Action::WriteFile, _) => {
                let places: Vec<String> = arguments.iter().filter_map(Value::as_text).collect();
                let sensitive = places.iter().any(|place| sinks::is_sensitive_path(place));
                let action = if sensitive { Action::SensitiveFile } else { action };
                let shown = (!places.is_empty()).then(|| places.join(" "));
                self.note(name, action, call.range(), origin, shown);
            }
            _ => self.note(name, action, call.range(), origin, shown),
        }
        Value::Result(name.to_owned())
    }
}

/// Whether a function calls, soon and by itself, a function that it is given.
fn calls_back(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    matches!(
        last,
        "Thread"
            | "Timer"
            | "Process"
            | "register"
            | "map"
            | "filter"
            | "reduce"
            | "sorted"
            | "start_new_thread"
            | "submit"
            | "run"
            | "partial"
            | "signal"
            | "call_soon"
            | "ensure_future"
            | "create_task"
            | "starmap"
    ) && [
        "threading.",
        "multiprocessing.",
        "atexit.",
        "builtins.",
        "functools.",
        "_thread.",
        "asyncio.",
        "signal.",
        "concurrent.",
        "itertools.",
        "torch.multiprocessing.",
    ]
    .iter()
    .any(|module| name.starts_with(module))
}

/// Whether a mode opens for writing.
fn writes(mode: Option<&Value>) -> bool {
    mode.and_then(Value::as_text).is_some_and(|mode| mode.contains(['w', 'a', 'x', '+']))
}

/// Whether a callable turns its argument into something that can be sent.
fn gives_away(callee: &Value) -> bool {
    callee.name().is_some_and(|name| {
        matches!(name, "builtins.str" | "builtins.repr" | "builtins.dict" | "json.dumps" | "pickle.dumps")
            || sinks::fetches(name)
    })
}
