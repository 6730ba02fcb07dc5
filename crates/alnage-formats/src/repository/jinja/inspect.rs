//! Looks at each expression of a template for what leads out of the template's sandbox.

use std::collections::BTreeSet;

use super::{
    facts::{Construct, ConstructKind, TemplateFacts},
    fold::{Folder, Value},
    parser::{Arena, Argument, Node, NodeId},
    statements::{Statement, Step},
};

const MAX_CONSTRUCTS: usize = 128;
const MAX_VARIABLES: usize = 128;
/// Modules of Python that no renderer gives to a template.
const MODULES: &[&str] = &[
    "os",
    "sys",
    "subprocess",
    "requests",
    "httpx",
    "socket",
    "urllib",
    "shutil",
    "builtins",
    "importlib",
    "pickle",
    "ctypes",
    "base64",
];
/// Beyond this a repetition is no conversation any more.
const HUGE: i64 = 1_000_000;

/// Inspects the statements of `template`.
pub(super) fn inspect(template: &str, arena: &Arena, statements: &[Statement]) -> TemplateFacts {
    let mut inspector = Inspector {
        template,
        arena,
        folder: Folder::default(),
        facts: TemplateFacts { blocks: statements.len() as u64, ..TemplateFacts::default() },
        variables: BTreeSet::new(),
        macros: statements
            .iter()
            .flat_map(|statement| &statement.steps)
            .filter_map(|step| match step {
                Step::Bind(name, _) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
    };
    for statement in statements {
        inspector.statement(statement);
    }
    let mut facts = inspector.facts;
    facts.variables = inspector.variables.into_iter().take(MAX_VARIABLES).collect();
    facts.constructs.dedup();
    facts
}

struct Inspector<'a> {
    template: &'a str,
    arena: &'a Arena,
    folder: Folder,
    facts: TemplateFacts,
    variables: BTreeSet<String>,
    /// Every name the template binds anywhere: macros may be called before they stand in the text.
    macros: BTreeSet<&'a str>,
}

impl<'a> Inspector<'a> {
    fn statement(&mut self, statement: &'a Statement) {
        let first = self.folder.values.len();
        self.folder.fold_until(self.arena, statement.nodes_end, self.template);
        for id in first..statement.nodes_end {
            self.node(id);
        }
        for step in &statement.steps {
            match step {
                Step::Bind(name, value) => self.folder.bind(name, *value),
                Step::Load(tag) => {
                    let span = (statement.start, statement.text.0);
                    self.report(ConstructKind::Load, span, Some(tag.clone()));
                }
                Step::Condition(condition) => self.trigger(*condition, statement),
                Step::Output(_) | Step::Use(_) => {}
            }
        }
    }

    fn report(&mut self, kind: ConstructKind, (start, end): (usize, usize), resolved: Option<String>) {
        if self.facts.constructs.len() == MAX_CONSTRUCTS {
            return;
        }
        let text = self.template.get(start..end).unwrap_or_default().chars().take(160).collect();
        self.facts.constructs.push(Construct { kind, start: start as u64, end: end as u64, text, resolved });
    }

    fn at(&self, id: NodeId) -> (usize, usize) {
        self.arena.spans.get(id).copied().unwrap_or_default()
    }

    fn node(&mut self, id: NodeId) {
        let span = self.at(id);
        match self.arena.node(id) {
            Node::Name(name) => self.name(id, name),
            Node::String(text) => self.string(text, span),
            Node::Attribute(base, name) => {
                let of_engine = matches!(self.arena.node(*base), Node::Name(base) if base == "self")
                    && name.starts_with('_');
                if is_internal(name) || of_engine {
                    self.report(ConstructKind::InternalAttribute, span, Some(name.clone()));
                }
            }
            Node::Subscript(base, index) => self.subscript(*base, *index, span),
            Node::Filter(_, name, arguments) => self.filter(name, arguments, span),
            Node::Test(_, _, arguments) => self.attribute_arguments(arguments, span),
            Node::Call(callee, arguments) => self.call(*callee, arguments, span),
            Node::Binary(operator @ ("*" | "**"), left, right) => {
                let huge = [left, right]
                    .iter()
                    .any(|&&side| self.folder.value(side).as_integer().is_some_and(|value| value > HUGE));
                let result = self.folder.value(id).as_integer().is_some_and(|value| value == i64::MAX);
                if (*operator == "*" && huge) || result {
                    self.report(ConstructKind::Huge, span, None);
                }
            }
            Node::Binary("~" | "+" | "%", ..) => {
                // Reported where it is used as a name; as text alone only when the parts hide the whole.
                if let Some(text) = self.folder.value(id).as_text().filter(|text| is_object_machinery(text)) {
                    let text = text.to_owned();
                    self.report(ConstructKind::InternalName, span, Some(text));
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, id: NodeId, name: &str) {
        if self.folder.is_bound(name) || self.macros.contains(name) || is_given(name) {
            return;
        }
        if name.starts_with("__") {
            self.report(ConstructKind::InternalAttribute, self.at(id), Some(name.to_owned()));
        } else if ENGINE_OBJECTS.contains(&name) {
            self.report(ConstructKind::EngineObject, self.at(id), None);
        } else if self.variables.len() < MAX_VARIABLES {
            self.variables.insert(name.to_owned());
        }
    }

    fn string(&mut self, text: &str, span: (usize, usize)) {
        let written = self.template.get(span.0..span.1).unwrap_or_default();
        let escaped = ["\\x5f", "\\x5F", "\\u005f", "\\u005F", "\\137", "\\U0000005"];
        if is_object_machinery(text) {
            self.report(ConstructKind::InternalName, span, Some(text.to_owned()));
        } else if escaped.iter().any(|escape| written.contains(escape))
            || text.contains('\u{fffd}') && written.contains("\\N")
        {
            self.report(ConstructKind::InternalName, span, Some(text.chars().take(80).collect()));
        }
        let walks = text.match_indices('{').any(|(at, _)| {
            let field = text[at + 1..].split(['}', '{', ':']).next().unwrap_or_default();
            field.split(['.', '[', ']', '!']).skip(1).any(|part| is_internal(part.trim_matches(['\'', '"'])))
        });
        if walks {
            self.report(ConstructKind::FormatTraversal, span, None);
        }
    }

    fn subscript(&mut self, base: NodeId, index: NodeId, span: (usize, usize)) {
        match self.folder.value(index) {
            Value::Text(name) if is_internal(name) => {
                let name = name.clone();
                self.report(ConstructKind::InternalAttribute, span, Some(name));
            }
            Value::Unknown if !matches!(self.arena.node(index), Node::Slice(_)) => {
                let literal = match self.arena.node(base) {
                    Node::String(_) => true,
                    Node::List(items) => items.is_empty(),
                    _ => false,
                };
                let counted = matches!(self.arena.node(index), Node::Binary(..) | Node::Unary(..));
                if literal && !(counted && self.is_arithmetic(index)) {
                    self.report(ConstructKind::ComputedAttribute, span, None);
                }
            }
            _ => {}
        }
    }

    fn is_arithmetic(&self, id: NodeId) -> bool {
        matches!(
            self.arena.node(id),
            Node::Binary("-" | "*" | "/" | "//" | "%" | "+", ..) | Node::Unary("-", _)
        )
    }

    fn filter(&mut self, name: &str, arguments: &[Argument], span: (usize, usize)) {
        if name == "attr" {
            let value = arguments.first().map(|argument| self.folder.value(argument.value).clone());
            return match value {
                Some(Value::Text(name)) if is_internal(&name) => {
                    self.report(ConstructKind::InternalAttribute, span, Some(name));
                }
                Some(Value::Text(name)) => self.report(ConstructKind::AttrFilter, span, Some(name)),
                _ => self.report(ConstructKind::ComputedAttribute, span, None),
            };
        }
        let maps_attr = name == "map"
            && arguments
                .first()
                .is_some_and(|first| self.folder.value(first.value).as_text() == Some("attr"));
        if maps_attr {
            let constant =
                arguments.get(1).is_some_and(|second| self.folder.value(second.value).as_text().is_some());
            if !constant {
                return self.report(ConstructKind::ComputedAttribute, span, None);
            }
        }
        let by_attribute = matches!(
            name,
            "map"
                | "selectattr"
                | "rejectattr"
                | "sort"
                | "groupby"
                | "sum"
                | "unique"
                | "min"
                | "max"
                | "join"
        );
        let computed = arguments.iter().any(|argument| {
            argument.name.as_deref() == Some("attribute")
                && *self.folder.value(argument.value) == Value::Unknown
        });
        if by_attribute && computed {
            self.report(ConstructKind::ComputedAttribute, span, None);
        }
        if by_attribute {
            self.attribute_arguments(arguments, span);
        }
    }

    fn attribute_arguments(&mut self, arguments: &[Argument], span: (usize, usize)) {
        let internal = arguments.iter().find_map(|argument| {
            let text = self.folder.value(argument.value).as_text()?;
            text.split('.').any(is_internal).then(|| text.to_owned())
        });
        if let Some(name) = internal {
            self.report(ConstructKind::InternalAttribute, span, Some(name));
        }
    }

    fn call(&mut self, callee: NodeId, arguments: &[Argument], span: (usize, usize)) {
        match self.arena.node(callee) {
            Node::Name(name) if self.folder.is_bound(name) || self.macros.contains(name.as_str()) => {}
            Node::Name(name) if DANGEROUS_CALLS.contains(&name.as_str()) => {
                self.report(ConstructKind::DangerousCall, span, Some(name.clone()));
            }
            Node::Name(name) if name == "range" => {
                let huge = arguments.iter().any(|argument| {
                    self.folder.value(argument.value).as_integer().is_some_and(|value| value > HUGE)
                });
                if huge {
                    self.report(ConstructKind::Huge, span, None);
                }
            }
            Node::Name(name) if !is_given(name) && !ENGINE_OBJECTS.contains(&name.as_str()) => {
                self.report(ConstructKind::UnknownCall, span, Some(name.clone()));
            }
            Node::Subscript(_, index) if *self.folder.value(*index) == Value::Unknown => {
                self.report(ConstructKind::ComputedAttribute, span, None);
            }
            Node::Attribute(_, name)
                if matches!(name.as_str(), "popen" | "system" | "check_output" | "Popen") =>
            {
                self.report(ConstructKind::DangerousCall, span, Some(name.clone()));
            }
            Node::Attribute(base, _) => {
                if let Node::Name(module) = self.arena.node(*base)
                    && MODULES.contains(&module.as_str())
                    && !self.folder.is_bound(module)
                {
                    self.report(ConstructKind::EngineObject, span, Some(module.clone()));
                }
            }
            _ => {}
        }
    }

    /// A condition on a phrase in the messages, followed by prose.
    fn trigger(&mut self, condition: NodeId, statement: &Statement) {
        let (start, end) = self.at(condition);
        let first = self.arena.nodes[..=condition.min(self.arena.nodes.len().saturating_sub(1))]
            .iter()
            .enumerate()
            .rev()
            .take(64)
            .find_map(|(id, node)| match node {
                Node::Binary("in", needle, _) if self.at(id).0 >= start && self.at(id).1 <= end => {
                    self.folder.value(*needle).as_text()
                }
                _ => None,
            });
        let Some(phrase) = first.filter(|phrase| is_prose(phrase, 2)) else { return };
        let of_content = self.template.get(start..end).is_some_and(|text| text.contains("content"));
        let written = self.template.get(statement.text.0..statement.text.1).unwrap_or_default();
        if of_content && is_prose(written, 5) {
            let phrase = phrase.to_owned();
            self.report(ConstructKind::TriggeredText, (start, end), Some(phrase));
        }
    }
}

/// Whether `text` has at least `words` plain words.
fn is_prose(text: &str, words: usize) -> bool {
    let plain =
        |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || ".,!?'".contains(c));
    text.split_whitespace().filter(plain).count() >= words
}

/// Whether an attribute of this name leads into Python's object machinery.
fn is_internal(name: &str) -> bool {
    (name.starts_with("__") && name.len() > 2)
        || (name.starts_with('_') && name.contains("__"))
        || matches!(
            name,
            "mro"
                | "gi_frame"
                | "gi_code"
                | "gi_yieldfrom"
                | "cr_frame"
                | "cr_code"
                | "cr_await"
                | "ag_frame"
                | "ag_code"
                | "tb_frame"
                | "tb_next"
                | "f_globals"
                | "f_locals"
                | "f_builtins"
                | "f_back"
                | "f_code"
                | "func_globals"
                | "func_code"
                | "func_closure"
                | "im_func"
                | "im_class"
                | "im_self"
                | "co_code"
        )
}

/// Names of Python's object machinery that attacks are made of.
fn is_object_machinery(text: &str) -> bool {
    matches!(
        text,
        "__class__"
            | "__base__"
            | "__bases__"
            | "__mro__"
            | "__subclasses__"
            | "__init__"
            | "__globals__"
            | "__builtins__"
            | "__import__"
            | "__getattribute__"
            | "__getattr__"
            | "__getitem__"
            | "__dict__"
            | "__call__"
            | "__self__"
            | "__func__"
            | "__code__"
            | "__loader__"
            | "__spec__"
            | "__reduce__"
            | "__reduce_ex__"
            | "__module__"
            | "__wrapped__"
            | "__closure__"
            | "__defaults__"
            | "__init_subclass__"
            | "__new__"
            | "__enter__"
    )
}

/// What Jinja and the usual renderers of chat templates give to templates.
fn is_given(name: &str) -> bool {
    matches!(
        name,
        "range"
            | "dict"
            | "namespace"
            | "joiner"
            | "cycler"
            | "loop"
            | "caller"
            | "varargs"
            | "kwargs"
            | "raise_exception"
            | "strftime_now"
            | "super"
            | "tojson"
            | "_"
            | "gettext"
            | "ngettext"
    )
}

/// Objects that chat templates have no use for and attacks begin with.
const ENGINE_OBJECTS: [&str; 8] =
    ["lipsum", "self", "request", "url_for", "get_flashed_messages", "current_app", "environ", "application"];

/// Functions that no renderer gives to templates.
const DANGEROUS_CALLS: [&str; 14] = [
    "eval",
    "exec",
    "compile",
    "open",
    "getattr",
    "setattr",
    "globals",
    "locals",
    "vars",
    "import_module",
    "popen",
    "system",
    "breakpoint",
    "execfile",
];
