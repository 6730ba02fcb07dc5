//! Expressions of a Python file: what they come to and what they call.

use ruff_python_ast::{self as ast, Expr, Number, UnaryOp};
use ruff_text_size::{Ranged, TextRange};

use super::{
    analyser::Analyser,
    facts::{Action, ArgumentOrigin},
    fold, sinks,
    value::{MAX_CONSTANT, MAX_ITEMS, Value},
};

impl<'a> Analyser<'a> {
    /// What an expression comes to; calls in it are noted.
    pub(super) fn value(&mut self, expression: &'a Expr) -> Value {
        if !self.step() {
            return Value::COMPUTED;
        }
        let value = self.evaluate(expression);
        self.produce(value)
    }

    fn evaluate(&mut self, expression: &'a Expr) -> Value {
        match expression {
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                if text.len() > MAX_CONSTANT {
                    return Value::Unknown(ArgumentOrigin::Constant);
                }
                Value::Text(text.to_owned())
            }
            Expr::BytesLiteral(bytes) => Value::Bytes(bytes.value.bytes().take(MAX_CONSTANT).collect()),
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(value) => value.as_i64().map_or(Value::COMPUTED, Value::Integer),
                _ => Value::Unknown(ArgumentOrigin::Constant),
            },
            Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) => {
                Value::Unknown(ArgumentOrigin::Constant)
            }
            Expr::Name(name) => self.lookup(name.id.as_str()),
            Expr::Attribute(attribute) => {
                let base = self.value(&attribute.value);
                self.attribute(base, attribute.attr.as_str())
            }
            Expr::Subscript(subscript) => self.subscript(subscript),
            Expr::Call(call) => self.call(call),
            Expr::FString(text) => self.interpolated(text.value.elements()),
            Expr::TString(text) => self.interpolated(text.value.elements()),
            Expr::BinOp(operation) => {
                let left = self.value(&operation.left);
                let right = self.value(&operation.right);
                self.operate(operation.op.as_str(), &left, &right)
            }
            Expr::UnaryOp(operation) => match (operation.op, self.value(&operation.operand)) {
                (UnaryOp::USub, Value::Integer(value)) => {
                    value.checked_neg().map_or(Value::COMPUTED, Value::Integer)
                }
                (_, operand) => Value::Unknown(operand.origin()),
            },
            Expr::BoolOp(operation) => {
                operation.values.iter().map(|part| self.value(part)).fold(Value::COMPUTED, Value::or_graver)
            }
            Expr::If(choice) => {
                self.value(&choice.test);
                let (then, other) = (self.value(&choice.body), self.value(&choice.orelse));
                then.or_graver(other)
            }
            Expr::Named(named) => {
                let value = self.value(&named.value);
                self.assign(&named.target, value.clone());
                value
            }
            Expr::Lambda(lambda) => {
                if self.silent {
                    return Value::COMPUTED;
                }
                Value::Function(self.lambda(lambda.parameters.as_deref(), &lambda.body))
            }
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => {
                let items: Vec<Value> = elts.iter().map(|item| self.value(item)).collect();
                if items.len() > MAX_ITEMS { fold::mixed(items.iter()) } else { Value::List(items) }
            }
            Expr::Dict(dict) => {
                let mut items = Vec::new();
                for item in &dict.items {
                    let key = item.key.as_ref().map_or(Value::COMPUTED, |key| self.value(key));
                    let value = self.value(&item.value);
                    if items.len() < MAX_ITEMS {
                        items.push((key, value));
                    }
                }
                Value::Dict(items)
            }
            Expr::ListComp(ast::ExprListComp { elt, generators, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, generators, .. }) => {
                self.comprehension(Some(elt), generators)
            }
            Expr::Generator(ast::ExprGenerator { elt, generators, .. }) => {
                self.comprehension(Some(elt), generators)
            }
            Expr::DictComp(comprehension) => {
                self.comprehension(None, &comprehension.generators);
                if let Some(key) = comprehension.key.as_deref() {
                    self.value(key);
                }
                self.value(&comprehension.value);
                Value::COMPUTED
            }
            Expr::Await(ast::ExprAwait { value, .. })
            | Expr::Starred(ast::ExprStarred { value, .. })
            | Expr::YieldFrom(ast::ExprYieldFrom { value, .. }) => self.value(value),
            Expr::Yield(ast::ExprYield { value, .. }) => {
                if let Some(value) = value {
                    self.value(value);
                }
                Value::COMPUTED
            }
            Expr::Compare(comparison) => {
                self.value(&comparison.left);
                for side in &comparison.comparators {
                    self.value(side);
                }
                Value::COMPUTED
            }
            Expr::Slice(slice) => {
                for part in [&slice.lower, &slice.upper, &slice.step].into_iter().flatten() {
                    self.value(part);
                }
                Value::COMPUTED
            }
            Expr::IpyEscapeCommand(command) => {
                let value = Some(command.value.chars().take(300).collect());
                self.note("!", Action::Process, command.range(), ArgumentOrigin::Constant, value);
                Value::COMPUTED
            }
        }
    }

    pub(super) fn operate(&mut self, operator: &str, left: &Value, right: &Value) -> Value {
        match fold::binary(operator, left, right) {
            Some(value) => self.produce(value),
            None => {
                let written = |value: &Value| match value {
                    Value::Text(text) => text.trim().len() >= 4,
                    Value::Unknown(origin) => *origin == ArgumentOrigin::Template,
                    _ => false,
                };
                match fold::mixed([left, right].into_iter()) {
                    Value::Unknown(ArgumentOrigin::Computed) if written(left) || written(right) => {
                        Value::Unknown(ArgumentOrigin::Template)
                    }
                    mixed => mixed,
                }
            }
        }
    }

    /// `base.name`.
    pub(super) fn attribute(&mut self, base: Value, name: &str) -> Value {
        match base {
            Value::Named(module) => Value::Named(shortened(&format!("{module}.{name}"))),
            Value::Instance(class) | Value::Class(class) => {
                let Some(class) = self.classes.get(class) else { return Value::COMPUTED };
                match (class.methods.get(name), class.attributes.get(name)) {
                    (Some(method), _) => Value::Function(*method),
                    (None, Some(value)) => value.clone(),
                    (None, None) => Value::COMPUTED,
                }
            }
            Value::Result(call) if call.ends_with(')') => Value::COMPUTED,
            other => Value::Unknown(other.origin()),
        }
    }

    fn subscript(&mut self, subscript: &'a ast::ExprSubscript) -> Value {
        let base = self.value(&subscript.value);
        if let Expr::Slice(slice) = &*subscript.slice {
            let mut bound = |part: &'a Option<Box<Expr>>| part.as_deref().map(|part| self.value(part));
            let bounds = [bound(&slice.lower), bound(&slice.upper), bound(&slice.step)];
            if bounds.iter().flatten().any(|bound| bound.as_integer().is_none()) {
                return Value::Unknown(base.origin());
            }
            let [lower, upper, step] = bounds.map(|bound| bound.and_then(|bound| bound.as_integer()));
            return fold::slice(&base, lower, upper, step).unwrap_or(Value::Unknown(base.origin()));
        }
        let index = self.value(&subscript.slice);
        match (&base, &index) {
            (Value::Named(name), Value::Text(key)) => self.keyed(name, key),
            (Value::Result(call), Value::Text(key))
                if matches!(call.as_str(), "builtins.globals" | "builtins.locals" | "builtins.vars") =>
            {
                self.lookup(key)
            }
            (Value::Dict(items), key) => {
                let exact =
                    items.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.clone());
                exact.unwrap_or_else(|| {
                    items.iter().fold(Value::COMPUTED, |graver, (_, value)| graver.or_graver(value.clone()))
                })
            }
            (Value::List(items), Value::Integer(at)) => {
                let at = if *at < 0 { *at + items.len() as i64 } else { *at };
                usize::try_from(at).ok().and_then(|at| items.get(at).cloned()).unwrap_or(Value::COMPUTED)
            }
            (Value::List(items), _) => {
                items.iter().fold(Value::COMPUTED, |graver, value| graver.or_graver(value.clone()))
            }
            (Value::Text(_) | Value::Bytes(_), Value::Integer(at)) => {
                let end = if *at == -1 { None } else { at.checked_add(1) };
                match fold::slice(&base, Some(*at), end, None) {
                    Some(Value::Bytes(bytes)) => {
                        bytes.first().map_or(Value::COMPUTED, |&byte| Value::Integer(byte.into()))
                    }
                    Some(value) => value,
                    None => Value::COMPUTED,
                }
            }
            _ => Value::Unknown(base.origin()),
        }
    }

    /// `sys.modules['os']`, `os.__dict__['system']`, `__builtins__['exec']`.
    pub(super) fn keyed(&mut self, name: &str, key: &str) -> Value {
        match name {
            "sys.modules" => Value::Named(key.to_owned()),
            "builtins" => Value::Named(format!("builtins.{key}")),
            _ => match name.strip_suffix(".__dict__") {
                Some(module) => Value::Named(shortened(&format!("{module}.{key}"))),
                None => Value::COMPUTED,
            },
        }
    }

    fn interpolated(&mut self, elements: impl Iterator<Item = &'a ast::InterpolatedStringElement>) -> Value {
        let mut text = Some(String::new());
        let (mut origin, mut written) = (ArgumentOrigin::Constant, 0);
        for element in elements {
            match element {
                ast::InterpolatedStringElement::Literal(literal) => {
                    written += literal.value.trim().len();
                    if let Some(text) = &mut text {
                        text.push_str(&literal.value);
                    }
                }
                ast::InterpolatedStringElement::Interpolation(part) => {
                    let value = self.value(&part.expression);
                    origin = origin.max(value.origin());
                    text = match (text, fold::plain(&value)) {
                        (Some(text), Some(part)) if text.len() + part.len() <= MAX_CONSTANT => {
                            Some(text + &part)
                        }
                        _ => None,
                    };
                }
            }
        }
        match (text, origin.max(ArgumentOrigin::Computed)) {
            (Some(text), _) => Value::Text(text),
            (None, ArgumentOrigin::Computed) if written >= 4 => Value::Unknown(ArgumentOrigin::Template),
            (None, origin) => Value::Unknown(origin),
        }
    }

    fn comprehension(&mut self, element: Option<&'a Expr>, generators: &'a [ast::Comprehension]) -> Value {
        let mut iterated = Vec::new();
        for generator in generators {
            let values = self.value(&generator.iter);
            let any = values.items().and_then(|items| items.into_iter().next());
            let any = match any {
                Some(value @ (Value::Named(_) | Value::Text(_))) => value,
                _ => Value::Unknown(values.origin()),
            };
            self.assign(&generator.target, any);
            for condition in &generator.ifs {
                self.value(condition);
            }
            iterated.push(values);
        }
        let Some(element) = element else { return Value::COMPUTED };
        let once = self.value(element);
        let ([generator], [values]) = (generators, iterated.as_slice()) else {
            return Value::Unknown(once.origin());
        };
        let Some(items) = values.items().filter(|_| generator.ifs.is_empty()) else {
            return Value::Unknown(once.origin().max(values.origin()));
        };
        // Once more for each item, for what it comes to.
        let before = std::mem::replace(&mut self.silent, true);
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            self.assign(&generator.target, item);
            results.push(self.value(element));
        }
        self.silent = before;
        Value::List(results)
    }

    /// Notes code that is written as text and run.
    pub(super) fn nested_code(&mut self, range: TextRange, text: &str) {
        if text.trim().len() > 2 {
            // `eval` takes blanks before an expression.
            self.nest(range, "py", text.trim_start().as_bytes());
        }
    }

    /// Keeps a pickle that is written as a constant and loaded.
    pub(super) fn nested_pickle(&mut self, range: TextRange, bytes: &[u8]) {
        if bytes.len() > 2 && bytes.contains(&b'.') {
            self.nest(range, "pkl", bytes);
        }
    }

    fn nest(&mut self, range: TextRange, extension: &'static str, content: &[u8]) {
        const MAX_NESTED: usize = 256;
        if !self.silent && self.nested.len() < MAX_NESTED {
            self.nested.insert(range.start().to_usize(), (extension, content.to_vec()));
        }
    }
}

/// `torch.utils.data.os.system` is `os.system`: a module's modules are the modules themselves.
fn shortened(name: &str) -> String {
    const MAX: usize = 400;
    let mut from = 0;
    let mut start = 0;
    for part in name.split('.') {
        let end = start + part.len();
        if end < name.len() && start > 0 && sinks::is_system_module(part) {
            from = start;
        }
        start = end + 1;
    }
    name[from..].chars().take(MAX).collect()
}
