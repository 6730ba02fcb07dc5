//! Statements of a Python file: what they bind, define, import and evaluate.

use ruff_python_ast::{self as ast, CmpOp, Expr, Stmt};
use ruff_text_size::Ranged;

use super::{
    analyser::{Analyser, Runner},
    facts::{Action, ArgumentOrigin},
    sinks,
    value::Value,
};

impl<'a> Analyser<'a> {
    pub(super) fn statements(&mut self, body: &'a [Stmt]) {
        for statement in body {
            if !self.step() {
                return;
            }
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.define(function),
            Stmt::ClassDef(class) => self.define_class(class),
            Stmt::Return(returned) => {
                if let Some(expression) = &returned.value {
                    let value = self.value(expression);
                    self.returned(value);
                }
            }
            Stmt::Assign(assignment) => {
                let value = self.value(&assignment.value);
                for target in &assignment.targets {
                    self.assign(target, value.clone());
                }
            }
            Stmt::AnnAssign(assignment) => {
                self.value(&assignment.annotation);
                if let Some(expression) = &assignment.value {
                    let value = self.value(expression);
                    self.assign(&assignment.target, value);
                }
            }
            Stmt::AugAssign(assignment) => {
                let right = self.value(&assignment.value);
                let left = self.value(&assignment.target);
                let value = self.operate(assignment.op.as_str(), &left, &right);
                self.assign(&assignment.target, value);
            }
            Stmt::For(repeated) => {
                let values = self.value(&repeated.iter);
                let first = values.items().and_then(|items| items.into_iter().next());
                self.in_branch(|this| {
                    this.assign(&repeated.target, first.unwrap_or(Value::Unknown(values.origin())));
                    this.statements(&repeated.body);
                    this.statements(&repeated.orelse);
                });
            }
            Stmt::While(repeated) => {
                self.value(&repeated.test);
                self.in_branch(|this| {
                    this.statements(&repeated.body);
                    this.statements(&repeated.orelse);
                });
            }
            Stmt::If(choice) => {
                self.value(&choice.test);
                if is_main_guard(&choice.test) {
                    self.as_main(|this| this.in_branch(|this| this.statements(&choice.body)));
                } else {
                    self.in_branch(|this| this.statements(&choice.body));
                }
                for clause in &choice.elif_else_clauses {
                    if let Some(test) = &clause.test {
                        self.value(test);
                    }
                    self.in_branch(|this| this.statements(&clause.body));
                }
            }
            Stmt::With(block) => {
                for item in &block.items {
                    let value = self.value(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, value);
                    }
                }
                self.statements(&block.body);
            }
            Stmt::Match(choice) => {
                self.value(&choice.subject);
                for case in &choice.cases {
                    if let Some(guard) = &case.guard {
                        self.value(guard);
                    }
                    self.in_branch(|this| this.statements(&case.body));
                }
            }
            Stmt::Try(block) => {
                self.in_branch(|this| {
                    this.statements(&block.body);
                    for ast::ExceptHandler::ExceptHandler(handler) in &block.handlers {
                        if let Some(kind) = &handler.type_ {
                            this.value(kind);
                        }
                        this.statements(&handler.body);
                    }
                    this.statements(&block.orelse);
                });
                self.statements(&block.finalbody);
            }
            Stmt::Raise(raised) => {
                for part in [&raised.exc, &raised.cause].into_iter().flatten() {
                    self.value(part);
                }
            }
            Stmt::Assert(assertion) => {
                self.value(&assertion.test);
                if let Some(message) = &assertion.msg {
                    self.value(message);
                }
            }
            Stmt::Delete(deleted) => {
                for target in &deleted.targets {
                    self.value(target);
                }
            }
            Stmt::Expr(expression) => {
                self.value(&expression.value);
            }
            Stmt::Import(import) => self.imports(import),
            Stmt::ImportFrom(import) => self.imports_from(import),
            Stmt::IpyEscapeCommand(command) => {
                if matches!(command.kind, ast::IpyEscapeKind::Shell | ast::IpyEscapeKind::ShCap) {
                    let value = Some(command.value.chars().take(300).collect());
                    self.note("!", Action::Process, command.range(), ArgumentOrigin::Constant, value);
                }
            }
            Stmt::TypeAlias(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_) => {}
        }
    }

    fn define(&mut self, function: &'a ast::StmtFunctionDef) {
        for parameter in function.parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                self.value(default);
            }
            if let Some(annotation) = &parameter.parameter.annotation {
                self.value(annotation);
            }
        }
        if let Some(returns) = &function.returns {
            self.value(returns);
        }
        let name = function.name.as_str();
        let id = self.function(name, &function.parameters, &function.body);
        self.bind(name, Value::Function(id));
        self.decorate(&function.decorator_list);
    }

    fn define_class(&mut self, class: &'a ast::StmtClassDef) {
        if let Some(arguments) = &class.arguments {
            for base in &arguments.args {
                if let Value::Class(base) = self.value(base) {
                    self.leads_to_method(base, "__init_subclass__");
                }
            }
            for keyword in &arguments.keywords {
                if let Value::Class(meta) = self.value(&keyword.value) {
                    for hook in ["__new__", "__init__", "__prepare__", "__call__"] {
                        self.leads_to_method(meta, hook);
                    }
                }
            }
        }
        let name = class.name.as_str();
        let id = self.in_class(name, |this| this.statements(&class.body));
        self.bind(name, Value::Class(id));
        self.decorate(&class.decorator_list);
    }

    fn decorate(&mut self, decorators: &'a [ast::Decorator]) {
        for decorator in decorators {
            match self.value(&decorator.expression) {
                Value::Function(id) => self.leads_to(id),
                Value::Class(id) => self.leads_to_method(id, "__init__"),
                Value::Named(name) => {
                    // `@exec` above a function calls it with that function.
                    if let Some(action @ (Action::Process | Action::Code)) = sinks::action(&name) {
                        self.note(&name, action, decorator.range(), ArgumentOrigin::Computed, None);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn leads_to_method(&mut self, class: usize, method: &str) {
        if let Some(&id) = self.classes.get(class).and_then(|class| class.methods.get(method)) {
            self.leads_to(id);
        }
    }

    pub(super) fn assign(&mut self, target: &'a Expr, value: Value) {
        match target {
            Expr::Name(name) => {
                self.dangerous_hook(name.id.as_str(), &value, target);
                self.bind(name.id.as_str(), value);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let items = value.items().filter(|items| items.len() == elts.len());
                for (at, target) in elts.iter().enumerate() {
                    let item = items.as_ref().and_then(|items| items.get(at).cloned());
                    self.assign(target, item.unwrap_or(Value::Unknown(value.origin())));
                }
            }
            Expr::Starred(starred) => self.assign(&starred.value, Value::Unknown(value.origin())),
            Expr::Attribute(attribute) => match self.value(&attribute.value) {
                Value::Instance(class) => self.set_attribute(class, attribute.attr.as_str(), value),
                Value::Named(base) => {
                    let replaced = value.name().and_then(sinks::action);
                    if let (Runner::Module, Some(action @ (Action::Process | Action::Code))) =
                        (self.runner, replaced)
                        && sinks::is_system_module(&base)
                    {
                        let name = value.name().unwrap_or_default().to_owned();
                        self.note(&name, action, target.range(), ArgumentOrigin::Computed, None);
                    }
                }
                _ => {}
            },
            Expr::Subscript(subscript) => {
                let base = self.value(&subscript.value);
                self.value(&subscript.slice);
                if is_namespace(&base)
                    && let Some(callable) = value.name()
                    && let Some(action @ (Action::Process | Action::Code)) = sinks::action(callable)
                {
                    // It is called from there by another name.
                    self.note(callable, action, target.range(), ArgumentOrigin::Computed, None);
                }
            }
            _ => {}
        }
    }

    /// `__getitem__ = os.system` in a class body: an operator that calls it.
    fn dangerous_hook(&mut self, name: &str, value: &Value, target: &'a Expr) {
        let hook = name.starts_with("__") && name.ends_with("__");
        if let (true, Some(callable)) = (hook, value.name())
            && let Some(action @ (Action::Process | Action::Code)) = sinks::action(callable)
        {
            let callable = callable.to_owned();
            self.note(&callable, action, target.range(), ArgumentOrigin::Computed, None);
        }
    }

    fn imports(&mut self, import: &ast::StmtImport) {
        for alias in &import.names {
            let module = alias.name.as_str();
            self.import(module.to_owned());
            match &alias.asname {
                Some(name) => self.bind(name.as_str(), Value::Named(module.to_owned())),
                None => {
                    let first = module.split('.').next().unwrap_or(module);
                    self.bind(first, Value::Named(first.to_owned()));
                }
            }
        }
    }

    fn imports_from(&mut self, import: &ast::StmtImportFrom) {
        let dots = ".".repeat(usize::try_from(import.level).unwrap_or(1).min(16));
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        let from = format!("{dots}{module}");
        if module.is_empty() {
            for alias in &import.names {
                self.import(format!("{from}{}", alias.name.as_str()));
            }
        } else {
            self.import(from.clone());
        }
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" {
                self.star(from.clone());
                continue;
            }
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            let separator = if from.ends_with('.') { "" } else { "." };
            self.bind(bound.as_str(), Value::Named(format!("{from}{separator}{name}")));
        }
    }
}

/// The names of a module as a dictionary: `globals()`, `os.__dict__`, `vars(os)`.
fn is_namespace(value: &Value) -> bool {
    match value {
        Value::Named(name) => name.ends_with(".__dict__"),
        Value::Result(name) => {
            matches!(name.as_str(), "builtins.globals" | "builtins.vars" | "builtins.locals")
        }
        _ => false,
    }
}

/// `if __name__ == "__main__"`.
fn is_main_guard(test: &Expr) -> bool {
    if let Expr::BoolOp(ast::ExprBoolOp { op: ast::BoolOp::And, values, .. }) = test {
        return values.iter().any(|value| matches!(value, Expr::Compare(_)) && is_main_guard(value));
    }
    let Expr::Compare(compare) = test else { return false };
    let is_name =
        |expression: &Expr| matches!(expression, Expr::Name(name) if name.id.as_str() == "__name__");
    let is_main = |expression: &Expr| matches!(expression, Expr::StringLiteral(text) if text.value.to_str() == "__main__");
    match (&*compare.left, &*compare.ops, &*compare.comparators) {
        (left, [CmpOp::Eq], [right]) => {
            (is_name(left) && is_main(right)) || (is_main(left) && is_name(right))
        }
        _ => false,
    }
}
