//! A condition of one line, in the Common Expression Language.

use std::{collections::HashMap, fmt, sync::Arc};

use cel::{Context, Program, common::ast::Expr, objects::Value as CelValue};
use serde_json::Value;

use crate::{Error, engine::caught};

/// The longest condition.
const MAX_LENGTH: usize = 1000;
/// How deep brackets may nest in it.
const MAX_BRACKETS: usize = 8;
/// How many signs of operators it may have outside of texts: each may nest one deeper, which costs
/// 50 KB of stack without optimisation.
const MAX_OPERATORS: usize = 24;
/// How often lists may be walked through within each other.
const MAX_LOOPS: usize = 2;
/// The longest list that lists may be walked through for each item of.
const MAX_NESTED_LIST: usize = 2_000;

/// A condition: the keys of the input are its variables, and it says yes or no.
#[derive(Clone)]
pub struct Condition {
    text: String,
    program: Arc<Program>,
    loops: usize,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl Condition {
    /// Reads a condition: `model.license == "gpl-3.0" && files.exists(f, f.format == "pickle")`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::pack(format!("a condition is longer than {MAX_LENGTH} bytes")));
        }
        if brackets(text) > MAX_BRACKETS {
            return Err(Error::pack(format!("brackets nest deeper than {MAX_BRACKETS}")));
        }
        if operators(text) > MAX_OPERATORS {
            return Err(Error::pack(format!("a condition has more than {MAX_OPERATORS} operators")));
        }
        caught(|| {
            let program = Program::compile(text).map_err(|errors| {
                let first = errors.errors.first();
                let column = first.map_or(1, |error| error.pos.1.saturating_add(1).max(1));
                let message = first.map_or("is no condition", |error| error.msg.as_str());
                Error::pack(format!("column {column} of the condition: {message}"))
            })?;
            let loops = loops(&program.expression().expr);
            if loops > MAX_LOOPS {
                return Err(Error::pack(format!(
                    "lists are walked through within each other more than {MAX_LOOPS} times"
                )));
            }
            Ok(Self { text: text.to_owned(), program: Arc::new(program), loops })
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for `input`. What it cannot say yes or no to is an error: a key that is not there, a comparison
    /// of text with numbers.
    pub fn holds(&self, input: &Value) -> Result<bool, Error> {
        crate::bounds::check(input)?;
        self.holds_bounded(input)
    }

    pub(crate) fn holds_bounded(&self, input: &Value) -> Result<bool, Error> {
        let Value::Object(fields) = input else {
            return Err(Error::input("", "is not an object"));
        };
        if self.loops > 1
            && fields.values().filter_map(Value::as_array).any(|list| list.len() > MAX_NESTED_LIST)
        {
            let message =
                format!("a list of more than {MAX_NESTED_LIST} is not walked through within another");
            return Err(Error::evaluation(message));
        }
        caught(|| {
            let mut context = Context::default();
            let references = self.program.references();
            for (key, value) in fields.iter().filter(|(key, _)| references.has_variable(key.as_str())) {
                context.add_variable_from_value(key.as_str(), to_cel(value));
            }
            match self.program.execute(&context) {
                Ok(CelValue::Bool(holds)) => Ok(holds),
                Ok(_) => Err(Error::evaluation("the condition says neither yes nor no")),
                Err(error) => Err(Error::evaluation(error.to_string())),
            }
        })
    }
}

/// Whole numbers become signed ones, so that `now - 86400` has two of a kind; evidence is bounded, so recursion is.
fn to_cel(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(truth) => CelValue::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => CelValue::Int(whole),
            (None, Some(real)) => CelValue::Float(real),
            (None, None) => CelValue::Null,
        },
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let fields: HashMap<String, CelValue> =
                fields.iter().map(|(key, value)| (key.clone(), to_cel(value))).collect();
            CelValue::Map(fields.into())
        }
    }
}

/// How deep brackets nest. Text within quotation marks is counted too, which errs to the safe side.
fn brackets(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' | b'?' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// How many operators there are outside of texts; those of two signs are one.
fn operators(text: &str) -> usize {
    let mut quote = None;
    let mut before = 0;
    let mut count = 0;
    for byte in text.bytes() {
        let ends_pair =
            matches!((before, byte), (b'&', b'&') | (b'|', b'|') | (b'=' | b'!' | b'<' | b'>', b'='));
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if byte == open && before != b'\\' => quote = None,
            (_, None) if b"!-+*/%&|<>=.:".contains(&byte) && !ends_pair => count += 1,
            _ => {}
        }
        // What ends a pair begins none.
        before = if ends_pair { 0 } else { byte };
    }
    count
}

/// How deep loops nest in an expression.
fn loops(root: &Expr) -> usize {
    let mut deepest = 0;
    let mut open = vec![(root, 0_usize)];
    while let Some((expression, depth)) = open.pop() {
        deepest = deepest.max(depth);
        match expression {
            Expr::Call(call) => {
                open.extend(call.target.iter().map(|target| (&target.expr, depth)));
                open.extend(call.args.iter().map(|argument| (&argument.expr, depth)));
            }
            Expr::Comprehension(inner) => {
                open.push((&inner.iter_range.expr, depth));
                for part in [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result] {
                    open.push((&part.expr, depth + 1));
                }
            }
            Expr::List(list) => open.extend(list.elements.iter().map(|element| (&element.expr, depth))),
            Expr::Select(select) => open.push((&select.operand.expr, depth)),
            Expr::Map(map) => open.extend(
                map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).map(|part| (part, depth)),
            ),
            Expr::Struct(inner) => {
                open.extend(
                    inner.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).map(|part| (part, depth)),
                );
            }
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    deepest
}

fn entry_parts(entry: &cel::common::ast::EntryExpr) -> Vec<&Expr> {
    match entry {
        cel::common::ast::EntryExpr::MapEntry(entry) => vec![&entry.key.expr, &entry.value.expr],
        cel::common::ast::EntryExpr::StructField(field) => vec![&field.value.expr],
    }
}
