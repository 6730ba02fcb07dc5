//! What is kept of a Python file: its names, classes and functions, and each function as a list of assignments and
//! calls. Nested functions and lambdas count as a part of the function around them.

use std::{cell::OnceCell, collections::HashMap};

use ruff_python_ast::{
    Arguments, Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef, StmtImport, StmtImportFrom,
    visitor::{self, Visitor},
};
use ruff_python_parser::parse_module;
use ruff_text_size::Ranged;

/// All files read.
#[derive(Default)]
pub(super) struct Program {
    pub(super) modules: Vec<Module>,
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) by_name: HashMap<String, usize>,
}

pub(super) struct Module {
    pub(super) name: String,
    /// `pandas-3.1.1 pandas/io/pickle.py`.
    pub(super) file: String,
    pub(super) safe: bool,
    pub(super) names: HashMap<String, Binding>,
    pub(super) stars: Vec<String>,
}

/// What a name of a module stands for.
#[derive(Clone)]
pub(super) enum Binding {
    Function(usize),
    Class(usize),
    /// Another dotted name, from the top.
    Absolute(String),
    /// Another dotted name, as seen in the same module.
    Same(Vec<String>),
}

pub(super) struct Class {
    pub(super) name: String,
    pub(super) module: usize,
    pub(super) bases: Vec<Base>,
    pub(super) methods: HashMap<String, usize>,
    /// The class and its ancestors in the sources, once asked for.
    pub(super) ancestry: OnceCell<Vec<usize>>,
}

pub(super) enum Base {
    Name(Vec<String>),
    /// A call or another expression: its callee where it has one.
    Other(Option<Vec<String>>),
}

pub(super) struct Function {
    pub(super) name: String,
    pub(super) module: usize,
    pub(super) class: Option<usize>,
    pub(super) parameters: Vec<String>,
    /// How many of the parameters can be given by position.
    pub(super) positional: usize,
    pub(super) vararg: Option<usize>,
    pub(super) kwarg: Option<usize>,
    pub(super) bound: Bound,
    pub(super) steps: Vec<Step>,
    pub(super) imports: HashMap<String, String>,
    /// Callees of the tuples it returns: what `__reduce__` hands to pickle.
    pub(super) returned: Vec<Vec<String>>,
}

/// Whether the first parameter is the object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Plain,
    Method,
    ClassMethod,
    Static,
}

pub(super) enum Step {
    Assign { targets: Vec<String>, sources: Vec<String> },
    Call(Call),
}

pub(super) struct Call {
    pub(super) callee: Vec<String>,
    /// Names the object of a method call is made of, where the callee is no plain dotted name.
    pub(super) receiver: Vec<String>,
    pub(super) arguments: Vec<Argument>,
    pub(super) line: usize,
}

pub(super) struct Argument {
    pub(super) place: Place,
    pub(super) names: Vec<String>,
}

pub(super) enum Place {
    Position(usize),
    Keyword(String),
    Spread,
}

impl Program {
    /// Adds one file, if it is Python that parses.
    pub(super) fn add(&mut self, name: String, file: String, safe: bool, text: &str) {
        let Ok(parsed) = parse_module(text) else { return };
        let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let module = self.modules.len();
        let package = if file.ends_with("__init__.py") { name.clone() } else { parent(&name).to_owned() };
        self.by_name.insert(name.clone(), module);
        self.modules.push(Module { name, file, safe, names: HashMap::new(), stars: Vec::new() });
        let mut lowering = Lowering { program: self, module, package, starts };
        lowering.body(&parsed.syntax().body);
    }
}

struct Lowering<'a> {
    program: &'a mut Program,
    module: usize,
    package: String,
    starts: Vec<usize>,
}

impl Lowering<'_> {
    fn line(&self, node: &impl Ranged) -> usize {
        self.starts.partition_point(|at| *at < node.start().to_usize()) + 1
    }

    fn bind(&mut self, name: &str, binding: Binding) {
        self.program.modules[self.module].names.insert(name.to_owned(), binding);
    }

    /// Statements of the module, with those under `if`, `try` and `with`: both arms bind.
    fn body(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::FunctionDef(function) => {
                    let index = self.function(function, None);
                    self.bind(&function.name, Binding::Function(index));
                }
                Stmt::ClassDef(class) => {
                    let index = self.class(class);
                    self.bind(&class.name, Binding::Class(index));
                }
                Stmt::Import(import) => {
                    for (name, target) in imported(import) {
                        self.bind(&name, Binding::Absolute(target));
                    }
                }
                Stmt::ImportFrom(import) => {
                    let from = absolute(&self.package, import);
                    for alias in &import.names {
                        if &*alias.name == "*" {
                            self.program.modules[self.module].stars.push(from.clone());
                        } else {
                            let name = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
                            self.bind(&name, Binding::Absolute(format!("{from}.{}", alias.name)));
                        }
                    }
                }
                Stmt::Assign(assign) => {
                    if let (Some(target), [Expr::Name(name)]) = (dotted(&assign.value), &assign.targets[..]) {
                        self.bind(&name.id, Binding::Same(target));
                    }
                }
                Stmt::If(branch) => {
                    self.body(&branch.body);
                    for clause in &branch.elif_else_clauses {
                        self.body(&clause.body);
                    }
                }
                Stmt::Try(attempt) => {
                    for handler in &attempt.handlers {
                        let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
                        self.body(&handler.body);
                    }
                    self.body(&attempt.body);
                    self.body(&attempt.orelse);
                }
                Stmt::With(with) => self.body(&with.body),
                _ => {}
            }
        }
    }

    fn class(&mut self, class: &StmtClassDef) -> usize {
        let bases = class.arguments.iter().flat_map(|arguments| &arguments.args).map(base).collect();
        let index = self.program.classes.len();
        self.program.classes.push(Class {
            name: class.name.to_string(),
            module: self.module,
            bases,
            methods: HashMap::new(),
            ancestry: OnceCell::new(),
        });
        for statement in &class.body {
            match statement {
                Stmt::FunctionDef(function) => {
                    let method = self.function(function, Some(index));
                    self.program.classes[index].methods.insert(function.name.to_string(), method);
                }
                Stmt::Assign(assign) => {
                    if let ([Expr::Name(target)], Expr::Name(value)) = (&assign.targets[..], &*assign.value)
                        && let Some(method) =
                            self.program.classes[index].methods.get(value.id.as_str()).copied()
                    {
                        self.program.classes[index].methods.insert(target.id.to_string(), method);
                    }
                }
                _ => {}
            }
        }
        index
    }

    fn function(&mut self, function: &StmtFunctionDef, class: Option<usize>) -> usize {
        let (parameters, positional, vararg, kwarg) = parameters(&function.parameters);
        let decorated = |name: &str| {
            let found = |decorator: &ruff_python_ast::Decorator| {
                dotted(&decorator.expression).is_some_and(|path| path.last().is_some_and(|last| last == name))
            };
            function.decorator_list.iter().any(found)
        };
        let bound = match class {
            None => Bound::Plain,
            Some(_) if decorated("staticmethod") => Bound::Static,
            Some(_) if decorated("classmethod") || &*function.name == "__new__" => Bound::ClassMethod,
            Some(_) => Bound::Method,
        };
        let mut steps =
            Steps { lowering: self, steps: Vec::new(), imports: HashMap::new(), returned: Vec::new() };
        steps.visit_body(&function.body);
        let Steps { steps, imports, returned, .. } = steps;
        let module = self.module;
        let name = function.name.to_string();
        self.program.functions.push(Function {
            name,
            module,
            class,
            parameters,
            positional,
            vararg,
            kwarg,
            bound,
            steps,
            imports,
            returned,
        });
        self.program.functions.len() - 1
    }
}

/// Collects the steps of one function.
struct Steps<'a, 'b> {
    lowering: &'a Lowering<'b>,
    steps: Vec<Step>,
    imports: HashMap<String, String>,
    returned: Vec<Vec<String>>,
}

impl Steps<'_, '_> {
    fn assign(&mut self, targets: &[&Expr], value: &Expr) {
        let targets: Vec<String> = targets.iter().flat_map(|target| assigned(target)).collect();
        let sources = mentioned(value);
        if !targets.is_empty() && !sources.is_empty() {
            self.steps.push(Step::Assign { targets, sources });
        }
    }
}

impl<'a> Visitor<'a> for Steps<'_, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => self.assign(&assign.targets.iter().collect::<Vec<_>>(), &assign.value),
            Stmt::AugAssign(assign) => self.assign(&[&assign.target], &assign.value),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(&[&assign.target], value);
                }
            }
            Stmt::For(cycle) => self.assign(&[&cycle.target], &cycle.iter),
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(name) = &item.optional_vars {
                        self.assign(&[name], &item.context_expr);
                    }
                }
            }
            Stmt::Import(import) => self.imports.extend(imported(import)),
            Stmt::ImportFrom(import) => {
                let from = absolute(&self.lowering.package, import);
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
                    self.imports.insert(name, format!("{from}.{}", alias.name));
                }
            }
            Stmt::Return(given) => {
                if let Some(Expr::Tuple(tuple)) = given.value.as_deref()
                    && let Some(callee) = tuple.elts.first().and_then(dotted)
                {
                    self.returned.push(callee);
                }
            }
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Call(call) => {
                let (callee, receiver) = callee(&call.func);
                if !callee.is_empty() {
                    let line = self.lowering.line(call);
                    self.steps.push(Step::Call(Call {
                        callee,
                        receiver,
                        arguments: arguments(&call.arguments),
                        line,
                    }));
                }
            }
            Expr::Named(named) => self.assign(&[&named.target], &named.value),
            _ => {}
        }
        visitor::walk_expr(self, expression);
    }

    fn visit_comprehension(&mut self, comprehension: &'a ruff_python_ast::Comprehension) {
        self.assign(&[&comprehension.target], &comprehension.iter);
        visitor::walk_comprehension(self, comprehension);
    }
}

fn parent(module: &str) -> &str {
    module.rsplit_once('.').map_or("", |(package, _)| package)
}

fn imported(import: &StmtImport) -> Vec<(String, String)> {
    let one = |alias: &ruff_python_ast::Alias| match &alias.asname {
        Some(name) => (name.to_string(), alias.name.to_string()),
        None => {
            let top = alias.name.split('.').next().unwrap_or_default().to_owned();
            (top.clone(), top)
        }
    };
    import.names.iter().map(one).collect()
}

fn absolute(package: &str, import: &StmtImportFrom) -> String {
    let mut from = if import.level == 0 { "" } else { package }.to_owned();
    for _ in 1..import.level {
        from = parent(&from).to_owned();
    }
    match (&import.module, from.is_empty()) {
        (Some(module), true) => module.to_string(),
        (Some(module), false) => format!("{from}.{module}"),
        (None, _) => from,
    }
}

fn parameters(parameters: &Parameters) -> (Vec<String>, usize, Option<usize>, Option<usize>) {
    let named = |list: &[ruff_python_ast::ParameterWithDefault]| {
        list.iter().map(|item| item.parameter.name.to_string()).collect::<Vec<_>>()
    };
    let mut names = named(&parameters.posonlyargs);
    names.extend(named(&parameters.args));
    let positional = names.len();
    names.extend(named(&parameters.kwonlyargs));
    let mut rest = |parameter: &Option<Box<ruff_python_ast::Parameter>>| {
        parameter.as_ref().map(|parameter| {
            names.push(parameter.name.to_string());
            names.len() - 1
        })
    };
    let (vararg, kwarg) = (rest(&parameters.vararg), rest(&parameters.kwarg));
    (names, positional, vararg, kwarg)
}

/// `a.b.c` as its segments; `super().x` as `super()`, `x`.
pub(super) fn dotted(expression: &Expr) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    let mut current = expression;
    loop {
        match current {
            Expr::Name(name) => {
                segments.push(name.id.to_string());
                break;
            }
            Expr::Attribute(attribute) => {
                segments.push(attribute.attr.to_string());
                current = &attribute.value;
            }
            Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "super") => {
                segments.push("super()".to_owned());
                break;
            }
            _ => return None,
        }
    }
    segments.reverse();
    Some(segments)
}

fn callee(function: &Expr) -> (Vec<String>, Vec<String>) {
    if let Some(path) = dotted(function) {
        let receiver = if path.len() > 1 { path[..1].to_vec() } else { Vec::new() };
        return (path, receiver);
    }
    match function {
        Expr::Attribute(attribute) => {
            (vec![String::new(), attribute.attr.to_string()], mentioned(&attribute.value))
        }
        _ => (Vec::new(), Vec::new()),
    }
}

fn base(expression: &Expr) -> Base {
    match (dotted(expression), expression) {
        (Some(path), _) => Base::Name(path),
        (None, Expr::Subscript(subscript)) => dotted(&subscript.value).map_or(Base::Other(None), Base::Name),
        (None, Expr::Call(call)) => Base::Other(dotted(&call.func)),
        _ => Base::Other(None),
    }
}

fn arguments(arguments: &Arguments) -> Vec<Argument> {
    let positional = arguments.args.iter().enumerate().map(|(at, argument)| match argument {
        Expr::Starred(starred) => Argument { place: Place::Spread, names: mentioned(&starred.value) },
        _ => Argument { place: Place::Position(at), names: mentioned(argument) },
    });
    let keywords = arguments.keywords.iter().map(|keyword| Argument {
        place: keyword.arg.as_ref().map_or(Place::Spread, |name| Place::Keyword(name.to_string())),
        names: mentioned(&keyword.value),
    });
    positional.chain(keywords).collect()
}

/// The names an assignment gives a value to; for `self.x = …` and `table[x] = …` that is the object.
fn assigned(target: &Expr) -> Vec<String> {
    match target {
        Expr::Name(name) => vec![name.id.to_string()],
        Expr::Attribute(attribute) => assigned(&attribute.value),
        Expr::Subscript(subscript) => assigned(&subscript.value),
        Expr::Starred(starred) => assigned(&starred.value),
        Expr::Tuple(tuple) => tuple.elts.iter().flat_map(assigned).collect(),
        Expr::List(list) => list.elts.iter().flat_map(assigned).collect(),
        _ => Vec::new(),
    }
}

/// The names whose value can be part of what an expression gives. Comparisons and questions about a value
/// (`len(x)`, `isinstance(x, …)`) give nothing of it away.
fn mentioned(expression: &Expr) -> Vec<String> {
    struct Names(Vec<String>);
    impl<'a> Visitor<'a> for Names {
        fn visit_expr(&mut self, expression: &'a Expr) {
            match expression {
                Expr::Name(name) => self.0.push(name.id.to_string()),
                Expr::Compare(_) | Expr::Lambda(_) => {}
                Expr::If(choice) => {
                    self.visit_expr(&choice.body);
                    self.visit_expr(&choice.orelse);
                }
                Expr::Call(call)
                    if matches!(&*call.func, Expr::Name(name) if matches!(
                        name.id.as_str(),
                        "len" | "isinstance" | "issubclass" | "hasattr" | "bool" | "int" | "float" | "id" | "hash"
                            | "callable" | "type" | "range"
                    )) => {}
                _ => visitor::walk_expr(self, expression),
            }
        }
    }
    let mut names = Names(Vec::new());
    names.visit_expr(expression);
    names.0.sort();
    names.0.dedup();
    names.0
}
