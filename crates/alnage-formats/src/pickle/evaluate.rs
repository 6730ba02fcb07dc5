//! Computes what known callables give back, so that names and nested programs resolve.
//!
//! A value that is wrong hides what is reached with it, one that is unknown does not: what depends on anything that is not
//! known for certain, such as the order of a set or how many letters a damaged text has, is unknown.

use std::borrow::Cow;

use super::{
    carried,
    facts::Role,
    heap::{Items, Node, Value, is_plain},
    known::Known,
    machine::Machine,
    record::innermost,
    text, torch,
};

/// Longest string that is computed.
const LONGEST: u64 = 8 << 20;
/// Items of a sequence that a carrier such as `map` is followed for.
const MAX_CARRIED: usize = 1000;

/// An argument that is not known.
struct Unknown;

impl Machine<'_> {
    /// What calling the global `at` gives back.
    pub(super) fn apply(
        &mut self,
        at: u32,
        callee: Value,
        arguments: Value,
        role: Role,
        depth: u32,
    ) -> Value {
        let known = self.record.known[at as usize];
        let args = self.arguments(arguments);
        if known == Known::Other {
            (0..args.len.min(8)).for_each(|at| self.may_change(args.get(at)));
            return self.instance(callee, arguments);
        }
        let (first, second) = (args.get(0), args.get(1));
        let none = Value::None;
        match known {
            Known::Getattr => self.attribute(first, second),
            Known::ImportModule => self.module(first),
            Known::Import => {
                // `__import__('a.b')` gives `a` unless a list of names is passed.
                let module = self.module(first);
                let has_list = self.heap.elements(args.get(3)).is_some_and(|items| items.len > 0);
                match (module, has_list) {
                    (Value::Global(at), false) => {
                        let top =
                            self.record.globals[at as usize].module.split('.').next().map(str::to_owned);
                        self.reached(&top.unwrap_or_default(), "")
                    }
                    _ => module,
                }
            }
            Known::ResolveName | Known::Locate => self.resolve_path(first),
            Known::AttributeGetter => self.heap.node(Node::AttributeGetter(arguments)),
            Known::ItemGetter => self.heap.node(Node::ItemGetter(arguments)),
            Known::MethodCaller => self.heap.node(Node::MethodCaller(arguments)),
            Known::Partial | Known::MethodType => {
                let bound = self.rest(arguments, 1);
                self.heap.node(Node::Partial { function: first, arguments: bound })
            }
            Known::Apply => {
                let rest = self.rest(arguments, 1);
                self.invoke(first, rest, none, Role::Call, Some("operator.call"), depth + 1)
            }
            Known::Map | Known::StarMap | Known::Filter => self.carry(callee, arguments, known, depth),
            Known::Reduce => {
                let items = self.heap.elements(second).unwrap_or_default();
                let unknown = items.dropped || items.len as usize > MAX_CARRIED;
                let mut items: Vec<Value> = self.heap.items(items).take(MAX_CARRIED).collect();
                if args.len > 2 {
                    items.insert(0, args.get(2));
                }
                let mut items = items.into_iter();
                let mut result = items.next().unwrap_or(Value::Unknown);
                for item in items {
                    let pair = self.heap.tuple(&[result, item]);
                    result = self.invoke(first, pair, none, Role::Call, Some("functools.reduce"), depth + 1);
                }
                if unknown { Value::Unknown } else { result }
            }
            Known::NewObject | Known::NewObjectEx => {
                let rest = if known == Known::NewObject { self.rest(arguments, 1) } else { second };
                self.invoke(first, rest, none, Role::New, Some("copyreg.__newobj__"), depth + 1)
            }
            Known::Reconstructor => {
                self.instantiate(first);
                if let Value::Global(base) = second
                    && self.record.globals[base as usize].path() != "builtins.object"
                {
                    let state = self.heap.tuple(&[args.get(2)]);
                    self.invoke(second, state, none, Role::New, Some("copyreg._reconstructor"), depth + 1);
                }
                self.instance(first, arguments)
            }
            Known::MakesInstanceOf(index) => {
                let class = args.get(index.into());
                self.instantiate(class);
                self.instance(class, arguments)
            }
            Known::RebuildFromType => {
                self.instantiate(second);
                let made = self.invoke(
                    first,
                    args.get(2),
                    none,
                    Role::Call,
                    Some("torch._tensor._rebuild_from_type_v2"),
                    depth + 1,
                );
                if is_plain(made) { self.instance(second, arguments) } else { made }
            }
            Known::Str => self.recode(first, second, args.len > 2, Value::Text),
            Known::Bytes => self.recode(first, second, args.len > 2, Value::Bytes),
            Known::ByteArray => self.recode(first, second, args.len > 2, Value::ByteArray),
            Known::Chr => match first {
                Value::Int(code) => {
                    let text = u32::try_from(code).ok().and_then(char::from_u32).map(String::from);
                    self.text_or_unknown(text)
                }
                _ => Value::Unknown,
            },
            // `codecs.encode(…, 'base64')` goes the other way than what is computed here.
            Known::Encode if self.is_binary_transform(second) => Value::Unknown,
            Known::Decode | Known::Encode => self.codec(first, second, args.len > 2),
            Known::DecodePart => {
                let text = self.whole(first).filter(|bytes| bytes.is_ascii()).map(Cow::into_owned);
                let Some(text) = text else { return Value::Unknown };
                let parts = [self.heap.computed(&text, Value::Text), Value::Int(text.len() as i64)];
                self.heap.tuple(&parts)
            }
            Known::StringMethod => {
                let global = &self.record.globals[at as usize];
                let name = innermost(&global.module, &global.name).1;
                let method = name.rsplit('.').next().unwrap_or_default().to_owned();
                let rest = self.rest(arguments, 1);
                self.string_method(first, &method, rest)
            }
            Known::FromHex | Known::Unhex => self.transform(first, text::unhex),
            // Further arguments are other alphabets, and what is ignored.
            Known::Base64 | Known::UrlsafeBase64 | Known::Ascii85 if args.len > 1 => Value::Unknown,
            Known::Base64 => self.transform(first, |text| text::base64(text, false)),
            Known::UrlsafeBase64 => self.transform(first, |text| text::base64(text, true)),
            Known::Base32 => self.transform(first, text::base32),
            Known::Ascii85 => self.transform(first, text::ascii85),
            Known::Base85 => self.transform(first, text::base85),
            Known::Inflate => {
                self.note_loaded(first, None);
                match second {
                    Value::None | Value::Int(0..=2 | 8..) => self.transform(first, text::inflate),
                    Value::Int(..0) => self.transform(first, text::inflate_raw),
                    _ => Value::Unknown,
                }
            }
            Known::Add => self.string_method(first, "__add__", arguments),
            Known::Modulo => {
                let rest = self.rest(arguments, 1);
                self.string_method(first, "__mod__", rest)
            }
            Known::Multiply => match second {
                Value::Int(count @ 0..=4096) => self.transform_text(first, |bytes| {
                    (bytes.len().saturating_mul(count as usize) < 1 << 20)
                        .then(|| bytes.repeat(count as usize))
                }),
                _ => Value::Unknown,
            },
            Known::GetItem => self.item(first, second, depth),
            Known::Pop => {
                let item = self.item(first, second, depth);
                self.may_change(first);
                item
            }
            Known::Vars => match first {
                Value::Global(_) => self.heap.node(Node::ModuleDict(first)),
                _ => self.instance(callee, arguments),
            },
            Known::ToList | Known::ToTuple | Known::Identity | Known::ToDict | Known::Reordered => {
                match self.heap.get(first) {
                    Some(
                        node @ (Node::Tuple(items)
                        | Node::List(items)
                        | Node::Set(items)
                        | Node::FrozenSet(items)),
                    ) => {
                        let in_order = args.len == 1 && known != Known::Reordered;
                        let in_order = in_order && !matches!(node, Node::Set(_) | Node::FrozenSet(_));
                        // Which of them comes first is not known.
                        let items = items.dropped_if(!in_order && items.len > 1);
                        self.heap.node(if known == Known::ToTuple {
                            Node::Tuple(items)
                        } else {
                            Node::List(items)
                        })
                    }
                    Some(Node::Dict(items)) => self.heap.node(Node::Dict(items)),
                    _ => self.instance(callee, arguments),
                }
            }
            Known::Reversed => self.reversed(first).unwrap_or_else(|| self.instance(callee, arguments)),
            Known::OneOf => match self.heap.elements(first) {
                Some(items) if items.len == 1 && args.len == 1 => {
                    self.heap.items(items).next().unwrap_or(Value::Unknown)
                }
                _ => Value::Unknown,
            },
            Known::Next => match self.heap.get(first) {
                Some(Node::Tuple(items) | Node::List(items)) if !items.dropped => {
                    let values: Vec<Value> = self.heap.items(items).take(MAX_CARRIED).collect();
                    let Some((&next, rest)) = values.split_first() else { return Value::Unknown };
                    // Whoever asks once more gets another.
                    let left = self.heap.sequence(rest).dropped_if(items.len as usize > MAX_CARRIED);
                    self.heap.set(first, Node::List(left));
                    next
                }
                _ => Value::Unknown,
            },
            Known::LoadsPickle | Known::LoadsMarshal => {
                let by = self.record.globals[at as usize].path();
                self.note_loaded(first, Some(by));
                self.instance(callee, arguments)
            }
            Known::AddExtension => {
                if let Value::Int(code) = args.get(2) {
                    self.extensions.insert(code, (first, second));
                }
                Value::None
            }
            Known::TypeOf => self.type_named(first),
            Known::TorchTensor => torch::rebuilt(self, callee, arguments),
            Known::TorchParameter => torch::parameter(self, callee, arguments),
            Known::NumpyReconstruct => {
                self.instantiate(first);
                self.instance(callee, arguments)
            }
            Known::CodeType | Known::FunctionType | Known::NumpyDtype | Known::Other => {
                let _ = role;
                self.instance(callee, arguments)
            }
        }
    }

    fn instantiate(&mut self, class: Value) {
        if let Value::Global(at) = class {
            self.record.globals[at as usize].instantiated = true;
        }
    }

    fn module(&mut self, name: Value) -> Value {
        match self.short_text(name) {
            Some(name) => self.reached(&name, ""),
            None => self.reached("<computed>", ""),
        }
    }

    pub(super) fn short_text(&self, value: Value) -> Option<String> {
        self.heap.text(self.tape.source(), value, 512).map(|text| text.into_owned())
    }

    /// `pkgutil.resolve_name('os:system')`, `pydoc.locate('os.system')`.
    fn resolve_path(&mut self, path: Value) -> Value {
        let Some(path) = self.short_text(path) else { return self.reached("<computed>", "<computed>") };
        let (module, name) = path.split_once(':').or_else(|| path.rsplit_once('.')).unwrap_or((&path, ""));
        self.reached(module, name)
    }

    fn type_named(&mut self, name: Value) -> Value {
        match self.short_text(name).as_deref() {
            Some("CodeType") => self.reached("types", "CodeType"),
            Some("FunctionType" | "LambdaType") => self.reached("types", "FunctionType"),
            Some("MethodType") => self.reached("types", "MethodType"),
            Some(
                name @ ("NoneType" | "NotImplementedType" | "EllipsisType" | "MappingProxyType" | "CellType"
                | "ModuleType" | "BuiltinMethodType" | "MethodWrapperType" | "GeneratorType"),
            ) => {
                let name = name.to_owned();
                self.reached("types", &name)
            }
            Some(name) => {
                let name = name.to_owned();
                self.reached("builtins", &name)
            }
            None => self.reached("<computed>", "<computed>"),
        }
    }

    /// `getattr(base, name)`.
    pub(super) fn attribute(&mut self, base: Value, name: Value) -> Value {
        let Some(text) = self.short_text(name) else {
            return match base {
                Value::Global(at) => {
                    let module = self.record.globals[at as usize].path();
                    self.reached(&module, "<computed>")
                }
                _ => Value::Unknown,
            };
        };
        match base {
            Value::Global(at) => {
                let global = &self.record.globals[at as usize];
                let module = global.module.clone();
                let name = if global.name.is_empty() { text } else { format!("{}.{text}", global.name) };
                self.reached(&module, &name)
            }
            Value::Node(_) => {
                if let Some(planted) = self.planted(base, &text) {
                    return planted;
                }
                if text == "__class__"
                    && let Some(class) = self.class_of(base)
                {
                    return Value::Global(class);
                }
                if let Some(Node::Partial { function, .. }) = self.heap.get(base)
                    && text == "func"
                {
                    return function;
                }
                self.heap.node(Node::Attribute { base, name })
            }
            _ => self.heap.node(Node::Attribute { base, name }),
        }
    }

    /// `container[key]`.
    pub(super) fn item(&mut self, container: Value, key: Value, depth: u32) -> Value {
        match container {
            Value::Global(at) => {
                let global = &self.record.globals[at as usize];
                let (module, name) = innermost(&global.module, &global.name);
                if (module, name) == ("sys", "modules") {
                    return self.module(key);
                }
                let base = global.name.strip_suffix("__dict__").map(|base| base.trim_end_matches('.'));
                let base = base.or_else(|| (global.name == "__builtins__").then_some("__builtins__"));
                let Some(base) = base else { return Value::Unknown };
                let (module, base) = (global.module.clone(), base.to_owned());
                let key = self.short_text(key).unwrap_or_else(|| "<computed>".to_owned());
                let name = if base.is_empty() { key } else { format!("{base}.{key}") };
                self.reached(&module, &name)
            }
            Value::Text(..) | Value::Bytes(..) => match key {
                Value::Int(at) => {
                    let Some(bytes) = self.letters(container) else { return Value::Unknown };
                    let at = if at < 0 { bytes.len() as i64 + at } else { at };
                    let byte = usize::try_from(at).ok().and_then(|at| bytes.get(at)).copied();
                    match (byte, container) {
                        (None, _) => Value::Unknown,
                        (Some(byte), Value::Bytes(..)) => Value::Int(byte.into()),
                        (Some(byte), _) => self.heap.computed(&[byte], Value::Text),
                    }
                }
                _ => self.sliced(container, key),
            },
            _ => match self.heap.get(container) {
                Some(Node::Tuple(items) | Node::List(items)) if !items.dropped => match key {
                    Value::Int(at) => {
                        let at = if at < 0 { items.len as i64 + at } else { at };
                        let at = usize::try_from(at).unwrap_or(usize::MAX);
                        self.steps += at.min(items.len as usize) as u64 / 8;
                        self.heap.items(items).nth(at).unwrap_or(Value::Unknown)
                    }
                    _ => Value::Unknown,
                },
                Some(Node::Dict(items)) if !items.dropped => {
                    self.steps += items.len / 8;
                    let mut found = Value::Unknown;
                    for (candidate, value) in self.heap.pairs(items) {
                        match candidate {
                            Value::Unknown => found = Value::Unknown,
                            _ if self.equal(candidate, key) => found = value,
                            _ => {}
                        }
                    }
                    found
                }
                Some(Node::ModuleDict(module)) => self.attribute(module, key),
                Some(Node::Instance { arguments, .. }) => {
                    // A `defaultdict` calls its factory for a missing key.
                    let factory = self.arguments(arguments).get(0);
                    let default = self.class_of(container).is_some_and(|class| {
                        self.record.globals[class as usize].name.ends_with("defaultdict")
                    });
                    if !default {
                        return Value::Unknown;
                    }
                    let nothing = self.heap.tuple(&[]);
                    self.invoke(factory, nothing, Value::None, Role::Call, Some("defaultdict"), depth + 1)
                }
                _ => Value::Unknown,
            },
        }
    }

    fn sliced(&mut self, text: Value, slice: Value) -> Value {
        let Some(Node::Instance { arguments, .. }) = self.heap.get(slice) else { return Value::Unknown };
        let args = self.arguments(arguments);
        let (start, stop, step) = match args.len {
            1 => (Value::None, args.get(0), Value::None),
            _ => (args.get(0), args.get(1), args.get(2)),
        };
        let known = |value: Value| matches!(value, Value::None | Value::Int(_));
        if ![start, stop, step].into_iter().all(known) || self.letters(text).is_none() {
            return Value::Unknown;
        }
        self.transform_text(text, |bytes| {
            let len = bytes.len() as i64;
            let clamp = |value: i64, low: i64, high: i64| {
                (if value < 0 { value + len } else { value }).clamp(low, high)
            };
            let step = if let Value::Int(step) = step { step } else { 1 };
            let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
            let bound = |value, default| match value {
                Value::Int(value) => clamp(value, low, high),
                _ => default,
            };
            let (mut at, end) = if step < 0 {
                (bound(start, high), bound(stop, low))
            } else {
                (bound(start, 0), bound(stop, len))
            };
            let mut out = Vec::new();
            while step != 0 && (if step > 0 { at < end } else { at > end }) {
                out.push(*bytes.get(usize::try_from(at).ok()?)?);
                at = at.checked_add(step)?;
            }
            Some(out)
        })
    }

    /// The bytes of a text or byte string that is cut: those of a text only when each is a letter.
    fn letters(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        self.whole(value).filter(|bytes| matches!(value, Value::Bytes(..)) || bytes.is_ascii())
    }

    /// The bytes of a text or byte string, all of them.
    fn whole(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        match value {
            Value::Text(len, _) | Value::Bytes(len, _) | Value::ByteArray(len, _)
                if u64::from(len) <= LONGEST =>
            {
                self.heap.bytes(self.tape.source(), value, LONGEST)
            }
            _ => None,
        }
    }

    fn equal(&self, a: Value, b: Value) -> bool {
        match (a, b) {
            (Value::Text(one, _), Value::Text(other, _)) | (Value::Bytes(one, _), Value::Bytes(other, _)) => {
                let source = self.tape.source();
                one == other && self.heap.bytes(source, a, LONGEST) == self.heap.bytes(source, b, LONGEST)
            }
            (Value::Bool(one), Value::Int(other)) | (Value::Int(other), Value::Bool(one)) => {
                i64::from(one) == other
            }
            _ => a == b,
        }
    }

    /// `map(function, items)` and its like: the function is called with each item.
    fn carry(&mut self, callee: Value, arguments: Value, known: Known, depth: u32) -> Value {
        let args = self.arguments(arguments);
        let function = args.get(0);
        // What a filter gives back depends on what its function says.
        let mut unknown = known == Known::Filter || args.len > 6;
        let columns: Vec<Vec<Value>> = (1..args.len.min(6))
            .map(|at| {
                let items = self.heap.elements(args.get(at)).unwrap_or_default();
                unknown |= items.dropped || items.len as usize > MAX_CARRIED;
                self.heap.items(items).take(MAX_CARRIED).collect()
            })
            .collect();
        let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
        let callable = !matches!(function, Value::None);
        let mut results = Vec::new();
        for row in 0..rows {
            if !callable {
                results.push(columns[0][row]);
                continue;
            }
            let row_arguments = if known == Known::StarMap {
                columns[0][row]
            } else {
                let values: Vec<Value> = columns.iter().map(|column| column[row]).collect();
                self.heap.tuple(&values)
            };
            let via = self.show(callee, 60);
            results.push(self.invoke(
                function,
                row_arguments,
                Value::None,
                Role::Call,
                Some(&via),
                depth + 1,
            ));
        }
        if rows == 0 && callable && args.len > 1 {
            // What is iterated over is not known; that it is called is.
            let unknown = self.heap.tuple(&[Value::Unknown]);
            let via = self.show(callee, 60);
            self.invoke(function, unknown, Value::None, Role::Call, Some(&via), depth + 1);
        }
        let items = self.heap.sequence(&results).dropped_if(unknown);
        self.heap.node(Node::List(items))
    }

    fn reversed(&mut self, value: Value) -> Option<Value> {
        if let Some(items) = self.heap.elements(value) {
            let mut values: Vec<Value> = self.heap.items(items).take(MAX_CARRIED).collect();
            values.reverse();
            let unknown = items.dropped || items.len as usize > MAX_CARRIED;
            let items = self.heap.sequence(&values).dropped_if(unknown);
            return Some(self.heap.node(Node::List(items)));
        }
        let text = self.short_text(value).filter(|text| text.is_ascii())?;
        let letters: Vec<Value> = text
            .chars()
            .rev()
            .map(|letter| self.heap.computed(letter.encode_utf8(&mut [0; 4]).as_bytes(), Value::Text))
            .collect();
        let items = self.heap.sequence(&letters);
        Some(self.heap.node(Node::List(items)))
    }

    fn text_or_unknown(&mut self, text: Option<String>) -> Value {
        match text {
            Some(text) => self.heap.computed(text.as_bytes(), Value::Text),
            None => Value::Unknown,
        }
    }

    /// `str(value, encoding)`, `bytes(value, encoding)`.
    fn recode(&mut self, value: Value, encoding: Value, lenient: bool, make: fn(u32, u64) -> Value) -> Value {
        let to_text = matches!(make(0, 0), Value::Text(..));
        let is_text = matches!(value, Value::Text(..));
        let bytes = match value {
            Value::Text(..) | Value::Bytes(..) | Value::ByteArray(..) => {
                if matches!(value, Value::Bytes(len, _) | Value::ByteArray(len, _) if u64::from(len) > LONGEST)
                {
                    return value;
                }
                self.whole(value).map(Cow::into_owned)
            }
            Value::Int(number) if to_text => Some(number.to_string().into_bytes()),
            Value::Node(_) if !to_text => {
                let items = self.sequence_of(value).unwrap_or_default();
                self.heap
                    .items(items)
                    .take(LONGEST as usize)
                    .map(|item| match item {
                        Value::Int(byte) => u8::try_from(byte).ok(),
                        _ => None,
                    })
                    .collect::<Option<Vec<u8>>>()
                    .filter(|bytes| !bytes.is_empty())
            }
            Value::None if !to_text => Some(Vec::new()),
            _ => None,
        };
        let Some(bytes) = bytes else { return Value::Unknown };
        let bytes = match (self.text_argument(encoding), is_text, to_text) {
            (Err(Unknown), ..) => None,
            (Ok(Some(encoding)), true, false) => {
                text::codec(&bytes, &encoding, text::Direction::Encode, lenient)
            }
            (Ok(Some(encoding)), false, true) => {
                text::codec(&bytes, &encoding, text::Direction::Decode, lenient)
            }
            (Ok(None), false, true) if matches!(value, Value::Bytes(..)) => text::shown(&bytes),
            (Ok(None), false, true) if matches!(value, Value::ByteArray(..)) => None,
            _ => Some(bytes),
        };
        match bytes {
            Some(bytes) => self.heap.computed(&bytes, make),
            None => Value::Unknown,
        }
    }

    /// `codecs.encode(value, encoding)` and `decode`: which it is follows from the value.
    fn codec(&mut self, value: Value, encoding: Value, lenient: bool) -> Value {
        let encoding = match self.text_argument(encoding) {
            Ok(encoding) => encoding.unwrap_or_else(|| "utf-8".to_owned()),
            Err(Unknown) => return Value::Unknown,
        };
        let (direction, make): (_, fn(u32, u64) -> Value) = match (value, text::is_text_transform(&encoding))
        {
            (Value::Text(..), true) => (text::Direction::Decode, Value::Text),
            (Value::Text(..), false) if text::is_binary_transform(&encoding) => {
                (text::Direction::Decode, Value::Bytes)
            }
            (Value::Text(..), false) => (text::Direction::Encode, Value::Bytes),
            (_, _) if text::is_binary_transform(&encoding) => (text::Direction::Decode, Value::Bytes),
            _ => (text::Direction::Decode, Value::Text),
        };
        let Some(bytes) = self.whole(value).map(Cow::into_owned) else { return Value::Unknown };
        match text::codec(&bytes, &encoding, direction, lenient) {
            Some(bytes) => self.heap.computed(&bytes, make),
            None => Value::Unknown,
        }
    }

    /// Notes that a list or dictionary was given to who may change it: what it holds now is not known.
    pub(super) fn may_change(&mut self, value: Value) {
        match self.heap.get(value) {
            Some(Node::List(items)) => self.heap.set(value, Node::List(items.dropped_if(true))),
            Some(Node::Dict(items)) => self.heap.set(value, Node::Dict(items.dropped_if(true))),
            _ => {}
        }
    }

    fn is_binary_transform(&self, encoding: Value) -> bool {
        self.short_text(encoding).is_some_and(|encoding| text::is_binary_transform(&encoding))
    }

    /// The items of a tuple or list in their order; of a set only when there are no two.
    fn sequence_of(&self, value: Value) -> Option<Items> {
        let items = self.heap.elements(value)?;
        let in_order = matches!(self.heap.get(value), Some(Node::Tuple(_) | Node::List(_)));
        (!items.dropped && (in_order || items.len < 2)).then_some(items)
    }

    /// The text that is an argument; none when it was not given.
    fn text_argument(&self, value: Value) -> Result<Option<String>, Unknown> {
        match value {
            Value::None => Ok(None),
            Value::Text(..) => self.short_text(value).map(Some).ok_or(Unknown),
            Value::Bytes(len, _) if len <= 512 => {
                let bytes = self.whole(value).ok_or(Unknown)?;
                String::from_utf8(bytes.into_owned()).map(Some).map_err(|_| Unknown)
            }
            _ => Err(Unknown),
        }
    }

    fn transform(&mut self, value: Value, how: fn(&[u8]) -> Option<Vec<u8>>) -> Value {
        let Some(bytes) = self.whole(value) else { return Value::Unknown };
        match how(&bytes) {
            Some(bytes) => {
                // What is decoded may go where nobody sees it loaded.
                if carried::may_begin(&bytes) && carried::is_program(&bytes) {
                    self.record.carried(self.at, &bytes, None);
                }
                self.heap.computed(&bytes, Value::Bytes)
            }
            None => Value::Unknown,
        }
    }

    fn transform_text(&mut self, value: Value, how: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Value {
        let Some(bytes) = self.whole(value) else { return Value::Unknown };
        let make = if matches!(value, Value::Text(..)) { Value::Text } else { Value::Bytes };
        match how(&bytes) {
            Some(bytes) => self.heap.computed(&bytes, make),
            None => Value::Unknown,
        }
    }

    /// A method of a string, byte string or plain container.
    pub(super) fn string_method(&mut self, base: Value, method: &str, arguments: Value) -> Value {
        let args = self.arguments(arguments);
        let (first, second) = (args.get(0), args.get(1));
        match method {
            "__getitem__" | "get" => return self.item(base, first, 1),
            "pop" | "setdefault" => {
                let item = self.item(base, first, 1);
                self.may_change(base);
                return item;
            }
            _ if self.is_container(base) && method != "__add__" => {
                self.may_change(base);
                return Value::Unknown;
            }
            "encode" | "decode" => return self.codec(base, first, args.len > 1),
            "join" => {
                let letters = self.text_argument(first).ok().flatten().filter(|letters| letters.is_ascii());
                let items = self.sequence_of(first).filter(|items| items.len > 0 && items.len <= 100_000);
                let part = |part| self.whole(part).filter(|part| part.len() <= 1 << 16).map(Cow::into_owned);
                let parts: Option<Vec<Vec<u8>>> = match (letters, items) {
                    (Some(letters), _) => Some(letters.bytes().map(|letter| vec![letter]).collect()),
                    (None, Some(items)) => self.heap.items(items).map(part).collect(),
                    (None, None) => None,
                };
                return self.transform_text(base, |separator| {
                    let parts = parts?;
                    let len = parts.iter().map(|part| part.len() + separator.len()).sum::<usize>();
                    (len < 1 << 22).then(|| parts.join(separator))
                });
            }
            "__add__" => {
                // Both as a method (one argument) and as `operator.add` (two).
                let other = if args.len > 1 { second } else { first };
                if self.is_container(base) {
                    return self.joined(base, other);
                }
                let other = self.whole(other).map(Cow::into_owned);
                return self.transform_text(base, |bytes| Some([bytes, &other?].concat()));
            }
            "__mod__" | "format" | "format_map" => {
                let mut parts: Vec<text::Part> = Vec::new();
                let source = match self.heap.get(first) {
                    Some(Node::Tuple(items)) if method == "__mod__" => {
                        self.heap.items(items).take(64).collect()
                    }
                    _ => {
                        let items = self.heap.elements(arguments).unwrap_or_default();
                        self.heap.items(items).take(64).collect::<Vec<_>>()
                    }
                };
                for value in source {
                    parts.push(match value {
                        Value::Int(number) => text::Part::Number(number),
                        _ => match self.short_text(value) {
                            Some(text) => text::Part::Text(text),
                            None => return Value::Unknown,
                        },
                    });
                }
                return self.transform_text(base, |bytes| {
                    let template = std::str::from_utf8(bytes).ok()?;
                    text::fill(template, &parts, method == "__mod__").map(String::into_bytes)
                });
            }
            "split" | "rsplit" => {
                let most = match second {
                    Value::None => None,
                    Value::Int(most) => usize::try_from(most).ok(),
                    _ => return Value::Unknown,
                };
                let (Ok(separator), Some(whole)) = (self.text_argument(first), self.short_text(base)) else {
                    return Value::Unknown;
                };
                let parts = text::split(&whole, separator.as_deref(), most, method == "rsplit");
                let Some(parts) = parts else { return Value::Unknown };
                let parts: Vec<Value> =
                    parts.iter().map(|part| self.heap.computed(part.as_bytes(), Value::Text)).collect();
                let items = self.heap.sequence(&parts);
                return self.heap.node(Node::List(items));
            }
            _ => {}
        }
        let count = match args.get(2) {
            Value::None => None,
            Value::Int(count) => usize::try_from(count).ok(),
            _ => return Value::Unknown,
        };
        let (Ok(one), Ok(two)) = (self.text_argument(first), self.text_argument(second)) else {
            return Value::Unknown;
        };
        let of_bytes = !matches!(base, Value::Text(..));
        self.transform_text(base, |bytes| {
            let whole = std::str::from_utf8(bytes).ok()?;
            let arguments = [one.as_deref(), two.as_deref()];
            text::method(whole, method, arguments, count, of_bytes).map(String::into_bytes)
        })
    }

    /// A byte string is loaded as a program.
    fn note_loaded(&mut self, value: Value, by: Option<String>) {
        let by = by.unwrap_or_else(|| "decompress".to_owned());
        if let Some(extent) = self.heap.extent(value) {
            self.record.loaded(extent, by);
        } else if let Some(bytes) = self.heap.bytes(self.tape.source(), value, LONGEST) {
            self.record.carried(self.at, &bytes, Some(&by));
        }
    }
}
