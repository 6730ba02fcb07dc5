//! Walks a Python file: binds names to what they stand for and notes which calls act on the machine, and when.

use std::collections::{BTreeMap, HashMap};

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::TextRange;

use super::{
    facts::{ArgumentOrigin, PythonFacts, SensitiveCall, When},
    sinks,
    value::{MAX_ITEMS, Value},
};

/// How many evaluations a file may cost.
const MAX_STEPS: u64 = 2_000_000;
/// Bytes of computed constants a file may cost.
const MAX_PRODUCED: usize = 32 << 20;
const MAX_CALLS: usize = 1024;

/// What the analysis of a file gives.
pub(super) struct Outcome {
    pub(super) facts: PythonFacts,
    /// Code that is written as text and run, and pickles that are written as bytes and loaded: name and content.
    pub(super) nested: Vec<(String, Vec<u8>)>,
    /// Whether the file cost more than it may.
    pub(super) exhausted: bool,
}

/// Analyses the statements of a file; twice, so that what functions return is known where they are called.
pub(super) fn analyse(text: &str, body: &[Stmt]) -> Outcome {
    let mut first = Analyser::new(text, HashMap::new());
    first.run(body);
    let returns = std::mem::take(&mut first.returns);
    let mut second = Analyser::new(text, returns);
    second.run(body);
    second.finish()
}

/// Which code is being walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Runner {
    Module,
    Main,
    Function(usize),
}

#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Statements(&'a [Stmt]),
    Expression(&'a Expr),
}

struct Function<'a> {
    name: String,
    class: Option<usize>,
    scope: usize,
    parameters: Option<&'a ast::Parameters>,
    body: Body<'a>,
}

#[derive(Default)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) methods: HashMap<String, usize>,
    pub(super) attributes: HashMap<String, Value>,
}

#[derive(Default)]
struct Scope {
    names: HashMap<String, Value>,
    parent: Option<usize>,
}

pub(super) struct Analyser<'a> {
    pub(super) text: &'a str,
    lines: Vec<usize>,
    scopes: Vec<Scope>,
    functions: Vec<Function<'a>>,
    pub(super) classes: Vec<Class>,
    calls: Vec<(SensitiveCall, Runner)>,
    /// Which function is reached from where, and how early it may run for that.
    edges: Vec<(Runner, usize, When)>,
    stars: Vec<String>,
    imports: Vec<String>,
    pub(super) returns: HashMap<usize, Value>,
    known_returns: HashMap<usize, Value>,
    /// By the place of the call: the extension of what it is given, and that.
    pub(super) nested: BTreeMap<usize, (&'static str, Vec<u8>)>,
    scope: usize,
    pub(super) runner: Runner,
    class: Option<usize>,
    branches: usize,
    /// Set while constants are computed over and over: nothing is noted then.
    pub(super) silent: bool,
    steps: u64,
    produced: usize,
}

impl<'a> Analyser<'a> {
    fn new(text: &'a str, known_returns: HashMap<usize, Value>) -> Self {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self {
            text,
            lines,
            scopes: vec![Scope::default()],
            functions: Vec::new(),
            classes: Vec::new(),
            calls: Vec::new(),
            edges: Vec::new(),
            stars: Vec::new(),
            imports: Vec::new(),
            returns: HashMap::new(),
            known_returns,
            nested: BTreeMap::new(),
            scope: 0,
            runner: Runner::Module,
            class: None,
            branches: 0,
            silent: false,
            steps: 0,
            produced: 0,
        }
    }

    fn run(&mut self, body: &'a [Stmt]) {
        self.statements(body);
        let mut next = 0;
        while let Some(function) = self.functions.get(next) {
            let (class, scope, parameters, body) =
                (function.class, function.scope, function.parameters, function.body);
            self.scopes.push(Scope { names: HashMap::new(), parent: Some(scope) });
            (self.scope, self.runner, self.class) = (self.scopes.len() - 1, Runner::Function(next), class);
            self.branches = 0;
            if let Some(parameters) = parameters {
                self.parameters(parameters, class);
            }
            match body {
                Body::Statements(statements) => self.statements(statements),
                Body::Expression(expression) => {
                    let value = self.value(expression);
                    self.returned(value);
                }
            }
            next += 1;
        }
    }

    fn parameters(&mut self, parameters: &ast::Parameters, class: Option<usize>) {
        for (at, parameter) in parameters.iter().enumerate() {
            let name = parameter.name().as_str();
            let value = match class {
                Some(class) if at == 0 => Value::Instance(class),
                _ => Value::COMPUTED,
            };
            self.bind(name, value);
        }
    }

    fn finish(mut self) -> Outcome {
        let when = self.when_functions_run();
        let mut facts = PythonFacts {
            imports: std::mem::take(&mut self.imports),
            classes: self.classes.iter().map(|class| class.name.clone()).take(256).collect(),
            functions: self.functions.len() as u64,
            calls: Vec::new(),
        };
        facts.imports.sort();
        facts.imports.dedup();
        facts.imports.truncate(256);
        for (mut call, runner) in self.calls {
            call.when = match runner {
                Runner::Module => When::Import,
                Runner::Main => When::Main,
                Runner::Function(id) => when.get(id).copied().unwrap_or(When::Function),
            };
            call.function = match runner {
                Runner::Function(id) => self.functions.get(id).map(|function| match function.class {
                    Some(class) => format!("{}.{}", self.classes[class].name, function.name),
                    None => function.name.clone(),
                }),
                _ => None,
            };
            facts.calls.push(call);
        }
        facts.calls.sort_by_key(|call| (call.start, call.end));
        facts.calls.dedup();
        let line = |offset: usize| self.lines.partition_point(|&end| end < offset) + 1;
        let nested = self
            .nested
            .iter()
            .map(|(offset, (extension, content))| {
                (format!("line-{}.{extension}", line(*offset)), content.clone())
            })
            .collect();
        Outcome { facts, nested, exhausted: self.steps > MAX_STEPS }
    }

    /// When each function runs: as early as anything that leads to it.
    fn when_functions_run(&self) -> Vec<When> {
        let mut when: Vec<When> = self
            .functions
            .iter()
            .map(|function| {
                let method = function.class.is_some();
                if runs_on_use(&function.name, method) { When::Use } else { When::Function }
            })
            .collect();
        let mut led_to: HashMap<Runner, Vec<(usize, When)>> = HashMap::new();
        for (from, to, most) in &self.edges {
            led_to.entry(*from).or_default().push((*to, *most));
        }
        let mut work: Vec<(usize, When)> = Vec::new();
        for (runner, reached) in &led_to {
            let by = match runner {
                Runner::Module => When::Import,
                Runner::Function(id) => when.get(*id).copied().unwrap_or(When::Function),
                Runner::Main => When::Main,
            };
            work.extend(reached.iter().map(|(id, most)| (*id, by.min(*most))));
        }
        // Only upwards in a scale of four: each function is visited at most four times.
        while let Some((id, by)) = work.pop() {
            let Some(current) = when.get_mut(id) else { continue };
            if by > *current {
                *current = by;
                if let Some(further) = led_to.get(&Runner::Function(id)) {
                    work.extend(further.iter().map(|(next, most)| (*next, by.min(*most))));
                }
            }
        }
        self.only_from_main(&led_to, &mut when);
        when
    }

    /// Functions that nothing but the main guard leads to run when it does.
    fn only_from_main(&self, led_to: &HashMap<Runner, Vec<(usize, When)>>, when: &mut [When]) {
        let reached = |runner: Runner| led_to.get(&runner).into_iter().flatten().map(|(id, _)| *id);
        let mut work: Vec<usize> = reached(Runner::Main).collect();
        let mut seen = vec![false; when.len()];
        while let Some(id) = work.pop() {
            if seen.get(id).copied().unwrap_or(true) || when.get(id) != Some(&When::Function) {
                continue;
            }
            seen[id] = true;
            when[id] = When::Main;
            work.extend(reached(Runner::Function(id)));
        }
    }

    /// Counts an evaluation; `false` when the file has cost enough.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MAX_STEPS
    }

    /// Lets a computed constant through as long as all of them together stay within bounds.
    pub(super) fn produce(&mut self, value: Value) -> Value {
        let size = match &value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(items) => items.len().saturating_mul(32),
            Value::Dict(items) => items.len().saturating_mul(64),
            _ => 0,
        };
        if size > 256 {
            self.produced = self.produced.saturating_add(size);
            self.steps = self.steps.saturating_add(size as u64 / 32);
            if self.produced > MAX_PRODUCED {
                return Value::Unknown(value.origin());
            }
        }
        value
    }

    pub(super) fn bind(&mut self, name: &str, value: Value) {
        let in_branch = self.branches > 0;
        let names = &mut self.scopes[self.scope].names;
        match names.get_mut(name) {
            Some(old) if in_branch => {
                let before = std::mem::replace(old, Value::COMPUTED);
                *old = before.or_graver(value);
            }
            Some(old) => *old = value,
            None => {
                names.insert(name.to_owned(), value);
            }
        }
    }

    pub(super) fn lookup(&mut self, name: &str) -> Value {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            if let Some(value) = self.scopes[at].names.get(name) {
                if self.produced > MAX_PRODUCED && !matches!(value, Value::Named(_) | Value::Function(_)) {
                    return Value::Unknown(value.origin());
                }
                let value = value.clone();
                return self.produce(value);
            }
            scope = self.scopes[at].parent;
        }
        for module in &self.stars {
            let full = format!("{module}.{name}");
            if sinks::action(&full).is_some() || sinks::decodes(&full) {
                return Value::Named(full);
            }
        }
        match name {
            "__builtins__" => Value::Named("builtins".to_owned()),
            _ if is_builtin(name) => Value::Named(format!("builtins.{name}")),
            _ if sinks::is_well_known_module(name) => Value::Named(name.to_owned()),
            _ => Value::COMPUTED,
        }
    }

    /// Runs `walk` where names assigned may keep what they stood for.
    pub(super) fn in_branch(&mut self, walk: impl FnOnce(&mut Self)) {
        self.branches += 1;
        walk(self);
        self.branches -= 1;
    }

    /// Runs `walk` as the main guard's body.
    pub(super) fn as_main(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = self.runner;
        if before == Runner::Module {
            self.runner = Runner::Main;
        }
        walk(self);
        self.runner = before;
    }

    /// Runs `walk` as the body of a new class and gives its number.
    pub(super) fn in_class(&mut self, name: &str, walk: impl FnOnce(&mut Self)) -> usize {
        let id = self.classes.len();
        self.classes.push(Class { name: name.to_owned(), ..Class::default() });
        self.scopes.push(Scope { names: HashMap::new(), parent: Some(self.scope) });
        let (scope, class) = (self.scope, self.class);
        (self.scope, self.class) = (self.scopes.len() - 1, Some(id));
        walk(self);
        let names = std::mem::take(&mut self.scopes[self.scope].names);
        for (name, value) in names {
            match value {
                Value::Function(function) => {
                    self.classes[id].methods.insert(name, function);
                }
                other => {
                    self.classes[id].attributes.insert(name, other);
                }
            }
        }
        (self.scope, self.class) = (scope, class);
        id
    }

    /// A new function whose body is walked later.
    pub(super) fn function(
        &mut self,
        name: &str,
        parameters: &'a ast::Parameters,
        body: &'a [Stmt],
    ) -> usize {
        let (class, scope) = (self.class_of_method(), self.scope);
        let (name, parameters, body) = (name.to_owned(), Some(parameters), Body::Statements(body));
        self.functions.push(Function { name, class, scope, parameters, body });
        self.functions.len() - 1
    }

    pub(super) fn lambda(&mut self, parameters: Option<&'a ast::Parameters>, body: &'a Expr) -> usize {
        let (name, scope, body) = ("<lambda>".to_owned(), self.scope, Body::Expression(body));
        self.functions.push(Function { name, class: None, scope, parameters, body });
        self.functions.len() - 1
    }

    /// The class whose body is being walked, if it is one and no function in it.
    fn class_of_method(&self) -> Option<usize> {
        match self.runner {
            Runner::Function(id) if self.functions.get(id).is_some_and(|f| f.class == self.class) => None,
            _ => self.class,
        }
    }

    /// Keeps an attribute that a method sets on its object.
    pub(super) fn set_attribute(&mut self, class: usize, name: &str, value: Value) {
        let attributes = &mut self.classes[class].attributes;
        if attributes.len() < MAX_ITEMS {
            match attributes.remove(name) {
                Some(old) => attributes.insert(name.to_owned(), old.or_graver(value)),
                None => attributes.insert(name.to_owned(), value),
            };
        }
    }

    /// Notes that the code being walked leads to `function`.
    pub(super) fn leads_to(&mut self, function: usize) {
        if !self.silent {
            self.edges.push((self.runner, function, When::Import));
        }
    }

    /// Notes that the code being walked hands `function` to something that may keep it for later.
    pub(super) fn may_lead_to(&mut self, function: usize) {
        if !self.silent {
            self.edges.push((self.runner, function, When::Use));
        }
    }

    pub(super) fn returned(&mut self, value: Value) {
        if let Runner::Function(id) = self.runner {
            let before = self.returns.remove(&id);
            let value = match before {
                Some(before) => before.or_graver(value),
                None => value,
            };
            self.returns.insert(id, value);
        }
    }

    pub(super) fn return_of(&self, function: usize) -> Value {
        // Numbers of functions and classes are the same in both passes.
        self.known_returns.get(&function).cloned().unwrap_or(Value::COMPUTED)
    }

    pub(super) fn import(&mut self, module: String) {
        if self.imports.len() < MAX_ITEMS {
            self.imports.push(module);
        }
    }

    pub(super) fn star(&mut self, module: String) {
        if self.stars.len() < 32 {
            self.stars.push(module);
        }
    }

    /// Notes a call.
    pub(super) fn note(
        &mut self,
        name: &str,
        action: super::facts::Action,
        range: TextRange,
        argument: ArgumentOrigin,
        value: Option<String>,
    ) {
        if self.silent || self.calls.len() == MAX_CALLS {
            return;
        }
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        let text = self.text.get(start..end).unwrap_or_default();
        let call = SensitiveCall {
            name: name.chars().take(120).collect(),
            action,
            when: When::Function,
            argument,
            value,
            text: text.chars().take(160).collect(),
            function: None,
            line: (self.lines.partition_point(|&newline| newline < start) + 1) as u64,
            start: start as u64,
            end: end as u64,
        };
        self.calls.push((call, self.runner));
    }
}

/// Functions that loaders and users call by themselves.
fn runs_on_use(name: &str, method: bool) -> bool {
    (method
        && name.starts_with("__")
        && name.ends_with("__")
        && !matches!(name, "__repr__" | "__str__" | "__eq__" | "__hash__"))
        || matches!(name, "__getattr__" | "__dir__")
        || (method
            && matches!(
                name,
                "forward"
                    | "from_pretrained"
                    | "_from_pretrained"
                    | "from_config"
                    | "_from_config"
                    | "from_dict"
                    | "build"
                    | "call"
                    | "load_state_dict"
                    | "_load_from_state_dict"
                    | "_init_weights"
                    | "post_init"
                    | "generate"
                    | "predict"
                    | "preprocess"
                    | "postprocess"
                    | "inference"
                    | "initialize"
                    | "handle"
                    | "tokenize"
                    | "_tokenize"
                    | "encode"
                    | "load_context"
                    | "load_model"
                    | "setup"
                    | "run"
                    | "finalize_options"
                    | "initialize_options"
            ))
}

fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "exec"
            | "eval"
            | "compile"
            | "execfile"
            | "open"
            | "getattr"
            | "setattr"
            | "globals"
            | "locals"
            | "vars"
            | "chr"
            | "ord"
            | "int"
            | "str"
            | "bytes"
            | "bytearray"
            | "list"
            | "tuple"
            | "set"
            | "dict"
            | "map"
            | "filter"
            | "reversed"
            | "range"
            | "repr"
            | "isinstance"
            | "issubclass"
            | "hasattr"
            | "callable"
            | "print"
            | "type"
            | "input"
            | "object"
            | "breakpoint"
            | "__import__"
    )
}
