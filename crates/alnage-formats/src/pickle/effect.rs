//! What the opcodes that call do: imports, calls, state, items. Nothing is called; it is written down.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{
    compat,
    facts::{AnomalyKind, Argument, Call, Callee, Import, Role},
    heap::{Items, Node, Value},
    known::Known,
    machine::Machine,
    opcode,
    run::End,
    torch, weights_only,
};

/// The first arguments of a call.
pub(super) struct Arguments {
    values: [Value; 8],
    pub(super) len: usize,
}

impl Arguments {
    pub(super) fn get(&self, at: usize) -> Value {
        if at < self.len { self.values.get(at).copied().unwrap_or(Value::Unknown) } else { Value::None }
    }
}

const MAX_INDIRECTION: u32 = 24;

impl Machine<'_> {
    /// Imports `module.name` as the unpickler does.
    pub(super) fn global(&mut self, module: &str, name: &str, how: Import) -> Value {
        self.resolved += 1;
        self.plausible += u64::from(plausible_name(module) && plausible_name(name));
        let (new_module, new_name) =
            if self.protocol < 3 { compat::modern(module, name) } else { (module, name) };
        let at = self.record.global(new_module, new_name, how, self.at);
        if self.record.refused.is_none() && !weights_only::accepts_global(new_module, new_name) {
            self.record.refused = Some(format!("global {new_module}.{new_name}"));
        }
        if (new_module, new_name) != (module, name) {
            self.record.globals[at as usize].spelled = Some(format!("{module}.{name}"));
        }
        Value::Global(at)
    }

    /// A global that a computation leads to.
    pub(super) fn reached(&mut self, module: &str, name: &str) -> Value {
        const LONGEST: usize = 1000;
        if module.len() + name.len() > LONGEST {
            return Value::Unknown;
        }
        Value::Global(self.record.global(module, name, Import::Computed, self.at))
    }

    pub(super) fn stack_global(&mut self, module: Value, name: Value, how: Import) -> Result<Value, End> {
        let computed = self.heap.is_computed(module) || self.heap.is_computed(name);
        let how = if computed && how == Import::StackGlobal { Import::ComputedName } else { how };
        let could_be_text = |machine: &Self, value| match value {
            Value::Text(..) | Value::Unknown | Value::Global(_) => true,
            Value::Node(_) => !matches!(
                machine.heap.get(value),
                Some(Node::Tuple(_) | Node::List(_) | Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_))
            ),
            _ => false,
        };
        if how != Import::Extension && (!could_be_text(self, module) || !could_be_text(self, name)) {
            return Err(End::BadOperand(self.opcode));
        }
        let read = |value| self.heap.text(self.tape.source(), value, 4096).map(|text| text.into_owned());
        let (module, name) = (read(module), read(name));
        if module.is_none() || name.is_none() {
            let how = Import::ComputedName;
            let (module, name) = (module.as_deref(), name.as_deref());
            return Ok(self.global(module.unwrap_or("<computed>"), name.unwrap_or("<computed>"), how));
        }
        Ok(self.global(&module.unwrap_or_default(), &name.unwrap_or_default(), how))
    }

    pub(super) fn extension(&mut self, code: i64) -> Result<(), End> {
        let value = match self.extensions.get(&code).copied() {
            Some((value, Value::None)) => value,
            Some((module, name)) => self.stack_global(module, name, Import::Extension)?,
            None => {
                self.anomaly(AnomalyKind::UnknownExtension, format!("extension code {code}"));
                Value::Unknown
            }
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn arguments(&self, arguments: Value) -> Arguments {
        let mut found = Arguments { values: [Value::None; 8], len: 0 };
        if let Some(items) = self.heap.elements(arguments) {
            for value in self.heap.items(items) {
                if found.len < found.values.len() {
                    found.values[found.len] = value;
                }
                found.len += 1;
            }
        }
        found
    }

    pub(super) fn call(&mut self, callee: Value, arguments: Value, keywords: Value, role: Role) -> Value {
        self.invoke(callee, arguments, keywords, role, None, 0)
    }

    /// Calls `callee`; `via` says what makes the call when it is not the opcode.
    pub(super) fn invoke(
        &mut self,
        callee: Value,
        arguments: Value,
        keywords: Value,
        role: Role,
        via: Option<&str>,
        depth: u32,
    ) -> Value {
        self.calls += 1;
        self.steps += 1;
        if depth > MAX_INDIRECTION {
            self.write_down(Callee::Unknown, callee, arguments, keywords, role, via);
            return Value::Unknown;
        }
        match callee {
            Value::Global(at) => {
                self.named_calls += 1;
                let global = &mut self.record.globals[at as usize];
                match role {
                    Role::New => global.instantiated = true,
                    _ => global.called = true,
                }
                self.write_down(Callee::Global(at as usize), callee, arguments, keywords, role, via);
                let given = self.apply(at, callee, arguments, role, depth);
                // What arguments with names do to a text is not known.
                match given {
                    Value::Text(..) | Value::Bytes(..) if self.is_container(keywords) => Value::Unknown,
                    _ => given,
                }
            }
            Value::Node(_) => self.invoke_node(callee, arguments, keywords, role, via, depth),
            Value::Unknown => {
                self.write_down(Callee::Unknown, callee, arguments, keywords, role, via);
                Value::Unknown
            }
            // Plain data is not callable: the unpickler fails here, and there is nothing to report.
            _ => Value::Unknown,
        }
    }

    fn invoke_node(
        &mut self,
        callee: Value,
        arguments: Value,
        keywords: Value,
        role: Role,
        via: Option<&str>,
        depth: u32,
    ) -> Value {
        match self.heap.get(callee) {
            Some(Node::Partial { function, arguments: bound }) => {
                let all = self.joined(bound, arguments);
                self.invoke(function, all, keywords, Role::Call, via.or(Some("functools.partial")), depth + 1)
            }
            Some(Node::AttributeGetter(names)) => {
                let base = self.arguments(arguments).get(0);
                let name = self.arguments(names).get(0);
                self.attribute(base, name)
            }
            Some(Node::ItemGetter(keys)) => {
                let base = self.arguments(arguments).get(0);
                let key = self.arguments(keys).get(0);
                self.item(base, key, depth)
            }
            Some(Node::MethodCaller(all)) => {
                let base = self.arguments(arguments).get(0);
                let method = self.arguments(all).get(0);
                let method = self.attribute(base, method);
                let rest = self.rest(all, 1);
                self.invoke(method, rest, Value::None, Role::Call, Some("operator.methodcaller"), depth + 1)
            }
            Some(Node::Attribute { base, name }) => {
                let method = self.heap.text(self.tape.source(), name, 256).map(|name| name.into_owned());
                let method = method.unwrap_or_else(|| "<computed>".to_owned());
                if super::heap::is_plain(base) || self.is_container(base) {
                    return self.string_method(base, &method, arguments);
                }
                let target = match self.class_of(base) {
                    Some(class) => Callee::Method { class: class as usize, name: method },
                    None => Callee::Unknown,
                };
                self.write_down(target, callee, arguments, keywords, role, via);
                self.instance(callee, arguments)
            }
            Some(Node::Tuple(_) | Node::List(_) | Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_)) => {
                Value::Unknown
            }
            _ => {
                // An instance: its class says what calling it does.
                let target = match self.class_of(callee) {
                    Some(class) => Callee::Method { class: class as usize, name: "__call__".to_owned() },
                    None => Callee::Unknown,
                };
                self.write_down(target, callee, arguments, keywords, role, via);
                self.instance(callee, arguments)
            }
        }
    }

    pub(super) fn instance(&mut self, class: Value, arguments: Value) -> Value {
        self.heap.node(Node::Instance { class, arguments, states: Items::default() })
    }

    pub(super) fn is_container(&self, value: Value) -> bool {
        matches!(
            self.heap.get(value),
            Some(Node::Tuple(_) | Node::List(_) | Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_))
        )
    }

    /// The class an instance was made of, by its index among the globals.
    pub(super) fn class_of(&self, mut value: Value) -> Option<u32> {
        for _ in 0..MAX_INDIRECTION {
            match value {
                Value::Global(at) => return Some(at),
                Value::Node(_) => match self.heap.get(value)? {
                    Node::Instance { class, .. } => value = class,
                    _ => return None,
                },
                _ => return None,
            }
        }
        None
    }

    /// `first + second` of two argument tuples.
    pub(super) fn joined(&mut self, first: Value, second: Value) -> Value {
        let mut values: Vec<Value> = Vec::new();
        for part in [first, second] {
            if let Some(items) = self.heap.elements(part) {
                values.extend(self.heap.items(items).take(1000));
            }
        }
        self.heap.tuple(&values)
    }

    /// The arguments from index `from` on.
    pub(super) fn rest(&mut self, arguments: Value, from: usize) -> Value {
        let items = self.heap.elements(arguments).unwrap_or_default();
        let values: Vec<Value> = self.heap.items(items).skip(from).take(1000).collect();
        self.heap.tuple(&values)
    }

    /// Writes a call down, once.
    pub(super) fn write_down(
        &mut self,
        target: Callee,
        callee: Value,
        arguments: Value,
        keywords: Value,
        role: Role,
        via: Option<&str>,
    ) {
        if self.scouting {
            return;
        }
        let mut hasher = DefaultHasher::new();
        let mut plain = true;
        let key = match &target {
            Callee::Global(at) => *at as u32,
            Callee::Method { class, name } => {
                name.hash(&mut hasher);
                plain = false;
                *class as u32
            }
            Callee::Unknown => u32::MAX,
        };
        (key, role, via).hash(&mut hasher);
        self.sign(arguments, &mut hasher, &mut plain, 3);
        self.sign(keywords, &mut hasher, &mut plain, 2);
        let gadget = self.record.known.get(key as usize).is_none_or(|&known| judged_by_arguments(known));
        let signature = hasher.finish();
        if self.record.counted(signature) {
            return;
        }
        let line = self.line(callee, arguments, keywords, role);
        let found = self.describe_arguments(arguments, keywords);
        let (offset, code) = (self.at, self.opcode);
        self.record.call(key, role, signature, plain && !gadget, || Call {
            offset,
            opcode: opcode::name(code),
            role,
            line,
            count: 1,
            via: via.map(str::to_owned),
            callee: target,
            arguments: found,
        });
    }

    /// Hashes what distinguishes calls of the same callable.
    fn sign(&self, value: Value, hasher: &mut DefaultHasher, plain: &mut bool, depth: u32) {
        std::mem::discriminant(&value).hash(hasher);
        match value {
            Value::None | Value::Long(..) | Value::Huge(_) => {}
            Value::Bool(value) => value.hash(hasher),
            Value::Int(value) => value.hash(hasher),
            Value::Float(value) => value.to_bits().hash(hasher),
            Value::Text(len, _) | Value::Bytes(len, _) | Value::ByteArray(len, _) => {
                len.hash(hasher);
                self.heap.bytes(self.tape.source(), value, 256).hash(hasher);
            }
            Value::Global(at) => {
                *plain = false;
                at.hash(hasher);
            }
            Value::Unknown => *plain = false,
            Value::Node(_) => {
                let Some(node) = self.heap.get(value) else { return };
                std::mem::discriminant(&node).hash(hasher);
                match node {
                    Node::Tuple(items)
                    | Node::List(items)
                    | Node::Set(items)
                    | Node::FrozenSet(items)
                    | Node::Dict(items) => {
                        items.len.hash(hasher);
                        if depth > 0 {
                            for item in self.heap.items(items).take(32) {
                                self.sign(item, hasher, plain, depth - 1);
                            }
                        }
                    }
                    Node::Instance { .. } => self.class_of(value).hash(hasher),
                    Node::Persistent(_) => {}
                    _ => *plain = false,
                }
            }
        }
    }

    fn describe_arguments(&self, arguments: Value, keywords: Value) -> Vec<Argument> {
        const MAX_ARGUMENTS: usize = 32;
        let mut found: Vec<Argument> = match self.heap.elements(arguments) {
            Some(items) => {
                self.heap.items(items).take(MAX_ARGUMENTS).map(|value| self.argument(value)).collect()
            }
            None => vec![self.argument(arguments)],
        };
        if keywords != Value::None {
            found.push(self.argument(keywords));
        }
        found
    }

    fn argument(&self, value: Value) -> Argument {
        match value {
            Value::Global(at) => Argument::Global(at as usize),
            Value::Text(..) => match self.heap.bytes(self.tape.source(), value, 256) {
                Some(bytes) => Argument::Text(String::from_utf8_lossy(&bytes).into_owned()),
                None => Argument::Plain,
            },
            Value::Bytes(len, _) | Value::ByteArray(len, _) => Argument::Bytes(len.into()),
            Value::Int(value) => Argument::Int(value),
            Value::Unknown => Argument::Unknown,
            Value::Node(_) => match self.heap.get(value) {
                Some(Node::Instance { .. }) => Argument::Instance(self.class_of(value).map(|at| at as usize)),
                Some(Node::Tuple(_) | Node::List(_) | Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_)) => {
                    let mut globals = Vec::new();
                    self.globals_in(value, &mut globals);
                    Argument::Container(globals)
                }
                Some(Node::Partial { function, .. }) => self.argument_of_partial(function),
                Some(Node::Persistent(_)) => Argument::Plain,
                _ => Argument::Unknown,
            },
            _ => Argument::Plain,
        }
    }

    fn argument_of_partial(&self, function: Value) -> Argument {
        match function {
            Value::Global(at) => Argument::Container(vec![at as usize]),
            _ => Argument::Unknown,
        }
    }

    /// The globals within a container, as far as a bounded walk gets.
    fn globals_in(&self, value: Value, found: &mut Vec<usize>) {
        let mut pending = vec![value];
        let mut visits = 0;
        while let Some(value) = pending.pop() {
            visits += 1;
            if visits > 200 || found.len() > 32 {
                return;
            }
            match value {
                Value::Global(at) if !found.contains(&(at as usize)) => found.push(at as usize),
                Value::Node(_) => match self.heap.get(value) {
                    Some(Node::Tuple(items) | Node::List(items) | Node::Set(items) | Node::Dict(items)) => {
                        pending.extend(
                            self.heap.items(items).take(64).filter(|&item| !super::heap::is_plain(item)),
                        );
                    }
                    Some(Node::Partial { function, .. }) => pending.push(function),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    pub(super) fn append_to(&mut self, target: Value, items: &[Value]) {
        match self.heap.get(target) {
            Some(Node::List(mut list)) => {
                self.heap.extend(&mut list, items, 1);
                self.heap.set(target, Node::List(list));
            }
            Some(Node::Set(mut set)) => {
                self.heap.extend(&mut set, items, 1);
                self.heap.set(target, Node::Set(set));
            }
            Some(Node::Instance { .. }) => {
                for hook in ["extend", "append", "add"] {
                    if let Some(planted) = self.planted(target, hook) {
                        let whole = if hook == "extend" {
                            let list = self.heap.sequence(items);
                            vec![self.heap.node(Node::List(list))]
                        } else {
                            items.to_vec()
                        };
                        for value in whole.into_iter().take(1000) {
                            let arguments = self.heap.tuple(&[value]);
                            let via = format!("planted `{hook}`");
                            self.invoke(planted, arguments, Value::None, Role::Call, Some(&via), 1);
                        }
                        return;
                    }
                }
                self.touch(target, items, Role::Append);
            }
            Some(Node::Tuple(_) | Node::FrozenSet(_) | Node::Dict(_)) => {}
            _ => self.touch(target, items, Role::Append),
        }
    }

    pub(super) fn set_items(&mut self, target: Value, items: &[Value]) {
        for pair in items.chunks_exact(2) {
            torch::name_tensor(self, pair[0], pair[1]);
        }
        match self.heap.get(target) {
            Some(Node::Dict(mut dict)) => {
                self.heap.extend(&mut dict, items, 2);
                self.heap.set(target, Node::Dict(dict));
                return;
            }
            Some(Node::Tuple(_) | Node::List(_) | Node::Persistent(_)) => {
                self.anomaly(
                    AnomalyKind::ItemOnOther,
                    "items set on something that is no dictionary".to_owned(),
                );
                return;
            }
            Some(Node::Instance { .. }) if self.record.tensor_of.contains_key(&node_index(target)) => {
                self.anomaly(AnomalyKind::ItemOnOther, "items set on a tensor".to_owned());
            }
            _ => {}
        }
        if let Value::Global(at) = target {
            self.register_extensions(at, items);
        }
        self.touch(target, items, Role::SetItem);
    }

    /// `copyreg`'s tables, written directly.
    fn register_extensions(&mut self, table: u32, items: &[Value]) {
        let global = &self.record.globals[table as usize];
        if super::record::innermost(&global.module, &global.name).0 != "copyreg" {
            return;
        }
        let cache = global.name.ends_with("_extension_cache");
        for pair in items.chunks_exact(2) {
            if let Value::Int(code) = pair[0] {
                let names = self.arguments(pair[1]);
                let entry = if cache { (pair[1], Value::None) } else { (names.get(0), names.get(1)) };
                self.extensions.insert(code, entry);
            }
        }
    }

    /// Changes something that is not a plain container: on an instance its class decides, on a global everybody
    /// who uses it is affected.
    fn touch(&mut self, target: Value, items: &[Value], role: Role) {
        let shared = match target {
            Value::Global(at) => Some(self.record.globals[at as usize].path()),
            Value::Node(_) => match self.heap.get(target) {
                Some(Node::Attribute { .. } | Node::ModuleDict(_)) => Some(self.show(target, 80)),
                _ => None,
            },
            _ => None,
        };
        if let Some(path) = shared {
            let first = items.first().map(|&item| self.show(item, 80)).unwrap_or_default();
            let detail = match role {
                Role::SetItem => format!("{path}[{first}] = …"),
                Role::Append => format!("{path}.append({first})"),
                _ => format!("{path}.__dict__.update({first})"),
            };
            self.anomaly(AnomalyKind::ShadowedGlobal, detail);
        }
        if super::heap::is_plain(target) {
            return;
        }
        self.calls += 1;
        let callee = match self.class_of(target) {
            Some(class) if matches!(target, Value::Node(_)) && self.record.touched(class, role) => return,
            Some(class) => Callee::Global(class as usize),
            None => Callee::Unknown,
        };
        let few = &items[..items.len().min(4)];
        let arguments = self.heap.tuple(few);
        self.write_down(callee, target, arguments, Value::None, role, None);
    }

    /// BUILD.
    pub(super) fn build(&mut self, target: Value, state: Value) -> Result<(), End> {
        match self.heap.get(target) {
            Some(Node::Partial { .. }) => {
                let parts = self.arguments(state);
                if parts.len >= 2 {
                    let (function, arguments) = (parts.get(0), parts.get(1));
                    self.heap.set(target, Node::Partial { function, arguments });
                }
            }
            Some(Node::Instance { class, arguments, mut states }) => {
                if let Some(planted) = self.planted(target, "__setstate__") {
                    let arguments = self.heap.tuple(&[state]);
                    self.invoke(
                        planted,
                        arguments,
                        Value::None,
                        Role::Call,
                        Some("planted `__setstate__`"),
                        1,
                    );
                    return Ok(());
                }
                self.heap.extend(&mut states, &[state], 1);
                self.heap.set(target, Node::Instance { class, arguments, states });
                self.look_for_hooks(state);
                self.touch(target, &[state], Role::State);
                super::joblib::built(self, class, arguments, target, state)?;
            }
            Some(Node::Tuple(_) | Node::List(_) | Node::Dict(_) | Node::Set(_) | Node::FrozenSet(_)) => {}
            _ => self.touch(target, &[state], Role::State),
        }
        Ok(())
    }

    /// The dictionaries a state sets attributes from.
    fn attribute_dicts(&self, state: Value) -> [Option<Items>; 2] {
        let dict = |value| match self.heap.get(value) {
            Some(Node::Dict(items)) => Some(items),
            _ => None,
        };
        match self.heap.get(state) {
            Some(Node::Tuple(items)) if items.len == 2 => {
                let parts = self.arguments(state);
                [dict(parts.get(0)), dict(parts.get(1))]
            }
            _ => [dict(state), None],
        }
    }

    fn look_for_hooks(&mut self, state: Value) {
        for items in self.attribute_dicts(state).into_iter().flatten() {
            let hook = self.heap.pairs(items).find_map(|(key, value)| {
                let Value::Text(len @ 3..=16, _) = key else { return None };
                let callable = match value {
                    Value::Global(_) | Value::Unknown => true,
                    Value::Node(_) => !self.is_container(value),
                    _ => false,
                };
                let name = callable.then(|| self.heap.text(self.tape.source(), key, len)).flatten()?;
                matches!(
                    name.as_ref(),
                    "__setstate__"
                        | "append"
                        | "extend"
                        | "add"
                        | "__new__"
                        | "__getinitargs__"
                        | "__reduce__"
                        | "__reduce_ex__"
                        | "__setitem__"
                        | "__getattr__"
                        | "__del__"
                        | "__call__"
                )
                .then(|| (name.into_owned(), value))
            });
            if let Some((name, value)) = hook {
                let shown = self.show(value, 80);
                self.anomaly(AnomalyKind::PlantedHook, format!("{name} = {shown}"));
            }
        }
    }

    /// The attribute `name` that an earlier BUILD gave an instance.
    pub(super) fn planted(&mut self, instance: Value, name: &str) -> Option<Value> {
        let Some(Node::Instance { states, .. }) = self.heap.get(instance) else { return None };
        let mut found = None;
        let mut looked_at = 0;
        for state in self.heap.items(states) {
            for items in self.attribute_dicts(state).into_iter().flatten() {
                for (key, value) in self.heap.pairs(items) {
                    looked_at += 1;
                    if matches!(key, Value::Text(len, _) if len as usize == name.len())
                        && self.heap.bytes(self.tape.source(), key, 64).as_deref() == Some(name.as_bytes())
                    {
                        found = Some(value);
                    }
                }
            }
        }
        self.steps += looked_at / 8;
        found
    }
}

pub(super) fn node_index(value: Value) -> u32 {
    match value {
        Value::Node(at) => at,
        _ => u32::MAX,
    }
}

/// Whether a callable is judged by what it is called with, so that each of its calls must be kept.
fn judged_by_arguments(known: Known) -> bool {
    !matches!(
        known,
        Known::Other
            | Known::Str
            | Known::Bytes
            | Known::ByteArray
            | Known::Encode
            | Known::Decode
            | Known::TorchTensor
            | Known::TorchParameter
            | Known::NumpyDtype
            | Known::NumpyReconstruct
            | Known::ToList
            | Known::ToDict
            | Known::ToTuple
            | Known::Identity
            | Known::MakesInstanceOf(_)
            | Known::Reconstructor
    )
}

/// Whether this could be the name of a module or of something in one.
pub(super) fn plausible_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 256
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            || name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>' | '-')))
}
