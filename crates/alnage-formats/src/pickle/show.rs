//! Writes values and calls as Python, short and without control characters.

use super::{
    facts::Role,
    heap::{Items, Node, Value},
    machine::Machine,
};

/// Longest line.
const LONGEST: usize = 300;

impl Machine<'_> {
    /// A call as a line of Python.
    pub(super) fn line(&self, callee: Value, arguments: Value, keywords: Value, role: Role) -> String {
        let mut out = String::with_capacity(80);
        self.write(&mut out, callee, 4);
        match role {
            Role::New => out.push_str(".__new__"),
            Role::State => out.push_str(".__setstate__"),
            Role::SetItem => out.push_str(".__setitem__"),
            Role::Append => out.push_str(".extend"),
            Role::Call => {}
        }
        match self.heap.elements(arguments) {
            Some(items) => self.write_items(&mut out, items, ("(", ")"), 3),
            None => {
                out.push_str("(*");
                self.write(&mut out, arguments, 3);
                out.push(')');
            }
        }
        if keywords != Value::None && out.ends_with(')') {
            out.pop();
            out.push_str(if out.ends_with('(') { "**" } else { ", **" });
            self.write(&mut out, keywords, 2);
            out.push(')');
        }
        cut(out, LONGEST)
    }

    /// A value, at most about `max` bytes of it.
    pub(super) fn show(&self, value: Value, max: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, value, 3);
        cut(out, max)
    }

    fn write(&self, out: &mut String, value: Value, depth: u32) {
        if out.len() > LONGEST {
            return;
        }
        match value {
            Value::None => out.push_str("None"),
            Value::Bool(true) => out.push_str("True"),
            Value::Bool(false) => out.push_str("False"),
            Value::Int(number) => out.push_str(&number.to_string()),
            Value::Float(number) => out.push_str(&format!("{number:?}")),
            Value::Long(..) => out.push_str("<long>"),
            Value::Huge(_) => out.push_str("<very long string>"),
            Value::Unknown => out.push_str("<unknown>"),
            Value::Text(len, _) => {
                let bytes = self.heap.bytes(self.tape.source(), value, 120).unwrap_or_default();
                quote(out, "'", &String::from_utf8_lossy(&bytes), len as usize > bytes.len());
            }
            Value::Bytes(len, _) => self.write_bytes(out, value, len, "b'"),
            Value::ByteArray(len, _) => self.write_bytes(out, value, len, "bytearray b'"),
            Value::Global(at) => {
                let Some(global) = self.record.globals.get(at as usize) else { return };
                push_escaped(out, clipped(&global.module));
                if !global.name.is_empty() {
                    out.push('.');
                    push_escaped(out, clipped(&global.name));
                }
            }
            Value::Node(_) => self.write_node(out, value, depth),
        }
    }

    fn write_bytes(&self, out: &mut String, value: Value, len: u32, open: &str) {
        let bytes = self.heap.bytes(self.tape.source(), value, 48).unwrap_or_default();
        out.push_str(open);
        for &byte in bytes.as_ref() {
            match byte {
                b' '..=b'~' if !matches!(byte, b'\'' | b'"' | b'\\') => out.push(char::from(byte)),
                _ => out.extend(std::ascii::escape_default(byte).map(char::from)),
            }
        }
        out.push_str(if len as usize > bytes.len() { "…'" } else { "'" });
    }

    fn write_node(&self, out: &mut String, value: Value, depth: u32) {
        let Some(node) = self.heap.get(value) else { return out.push('?') };
        if depth == 0 {
            return out.push('…');
        }
        match node {
            Node::Tuple(items) => {
                self.write_items(out, items, ("(", if items.len == 1 { ",)" } else { ")" }), depth - 1);
            }
            Node::List(items) => self.write_items(out, items, ("[", "]"), depth - 1),
            Node::Set(items) | Node::FrozenSet(items) => self.write_items(out, items, ("{", "}"), depth - 1),
            Node::Dict(items) => {
                out.push('{');
                for (at, (key, value)) in self.heap.pairs(items).take(6).enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    self.write(out, key, depth - 1);
                    out.push_str(": ");
                    self.write(out, value, depth - 1);
                }
                out.push_str(if items.len > 12 { ", …}" } else { "}" });
            }
            Node::Instance { class, arguments, .. } => {
                self.write(out, class, depth - 1);
                match self.heap.elements(arguments) {
                    Some(items) if depth > 1 => self.write_items(out, items, ("(", ")"), depth - 1),
                    _ => out.push_str("(…)"),
                }
            }
            Node::Attribute { base, name } => {
                self.write(out, base, depth - 1);
                out.push('.');
                let name = self.short_text(name).unwrap_or_else(|| "<computed>".to_owned());
                out.extend(name.chars().take(60).flat_map(escape));
            }
            Node::Partial { function, arguments } => {
                out.push_str("partial(");
                self.write(out, function, depth - 1);
                if let Some(items) = self.heap.elements(arguments)
                    && items.len > 0
                {
                    self.write_items(out, items, (", ", ""), depth - 1);
                }
                out.push(')');
            }
            Node::AttributeGetter(arguments) => self.write_getter(out, "attrgetter", arguments, depth),
            Node::ItemGetter(arguments) => self.write_getter(out, "itemgetter", arguments, depth),
            Node::MethodCaller(arguments) => self.write_getter(out, "methodcaller", arguments, depth),
            Node::Persistent(id) => {
                out.push_str("persistent_load(");
                self.write(out, id, depth - 1);
                out.push(')');
            }
            Node::ModuleDict(module) => {
                out.push_str("vars(");
                self.write(out, module, depth - 1);
                out.push(')');
            }
        }
    }

    fn write_getter(&self, out: &mut String, name: &str, arguments: Value, depth: u32) {
        out.push_str(name);
        let items = self.heap.elements(arguments).unwrap_or_default();
        self.write_items(out, items, ("(", ")"), depth - 1);
    }

    fn write_items(&self, out: &mut String, items: Items, (open, close): (&str, &str), depth: u32) {
        out.push_str(open);
        for (at, item) in self.heap.items(items).take(8).enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            self.write(out, item, depth);
        }
        out.push_str(if items.len > 8 { ", …" } else { "" });
        out.push_str(close);
    }
}

fn quote(out: &mut String, mark: &str, text: &str, cut: bool) {
    out.push_str(mark);
    push_escaped(out, text);
    out.push_str(if cut { "…" } else { "" });
    out.push_str(mark);
}

fn push_escaped(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\')) {
        out.push_str(text);
    } else {
        out.extend(text.chars().flat_map(escape));
    }
}

fn escape(c: char) -> impl Iterator<Item = char> {
    let plain =
        !c.is_control() && !matches!(c, '\'' | '\\' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let escaped = (!plain).then(|| c.escape_default());
    plain.then_some(c).into_iter().chain(escaped.into_iter().flatten())
}

/// A name, or as much of it as is shown.
fn clipped(name: &str) -> &str {
    name.char_indices().nth(200).map_or(name, |(end, _)| &name[..end])
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let end = (0..=max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
