//! A condition of one line, in the Common Expression Language: the part of it that speaks of JSON.
//!
//! Everything of the language definition (cel-spec, `doc/langdef.md`) but bytes, timestamps, durations, messages and
//! optional fields, which evidence does not have. Of the extensions that Kubernetes has, texts know `lowerAscii`,
//! `upperAscii`, `trim`, `replace`, `split`, `join`, `indexOf` and `substring`.

mod evaluate;
mod expression;
mod functions;
mod parse;
mod tokens;
mod value;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use serde_json::Value as Json;

use self::{evaluate::Evaluation, expression::Expression, value::Value};
use crate::Error;

/// The longest condition, in bytes.
const MAX_LENGTH: usize = 4000;

/// A condition: the keys of the input are its variables, and it says yes or no.
#[derive(Clone)]
pub struct Condition {
    text: String,
    root: Arc<Expression>,
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
        let root = parse::expression(text)
            .map_err(|(column, what)| Error::pack(format!("column {column} of the condition: {what}")))?;
        Ok(Self { text: text.to_owned(), root: Arc::new(root) })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for `input`. What it cannot say yes or no to is an error: a key that is not there, a comparison
    /// of text with numbers.
    pub fn holds(&self, input: &Json) -> Result<bool, Error> {
        crate::bounds::check(input)?;
        self.holds_bounded(input)
    }

    pub(crate) fn holds_bounded(&self, input: &Json) -> Result<bool, Error> {
        let Json::Object(fields) = input else {
            return Err(Error::input("", "is not an object"));
        };
        match Evaluation::new(fields).value(&self.root) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err(Error::evaluation("the condition says neither yes nor no")),
            Err(failure) => Err(Error::evaluation(failure.to_string())),
        }
    }
}
