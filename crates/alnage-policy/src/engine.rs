//! Rego, as Regorus runs it: without world, without clock, in bounded time.

use std::{
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use regorus::{
    Engine as Interpreter, Source,
    unstable::{Lexer, Token, TokenKind},
    utils::limits::ExecutionTimerConfig,
};
use serde_json::Value;

use crate::{Effect, Error, Place};

/// How long one decision may take. A decision takes less than a millisecond; this stops rules that never end.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// The most reasons that rules give, and the most bytes of them.
const MAX_REASONS: usize = 100_000;
const MAX_SAID: usize = 16 << 20;
/// The longest Rego file.
const MAX_FILE: usize = 256 << 10;
/// What would allocate without end inside one step, or make two evaluations of the same input differ.
const FORBIDDEN: [&[&str]; 10] = [
    &["http", "send"],
    &["net", "lookup_ip_addr"],
    &["opa", "runtime"],
    &["rand", "intn"],
    &["time", "now_ns"],
    &["uuid", "rfc4122"],
    &["numbers", "range"],
    &["numbers", "range_step"],
    &["bits", "lsh"],
    &["strings", "render_template"],
];

/// How regorus says that nothing defines a name.
const UNKNOWN_NAME: [&str; 3] = ["unsafe", "undefined variable", "could not find function"];
/// The sets that rules add to, and what their reasons ask for.
const SETS: [(&str, Option<Effect>); 4] = [
    ("deny", Some(Effect::Deny)),
    ("quarantine", Some(Effect::Quarantine)),
    ("allow", Some(Effect::Allow)),
    ("withhold", None),
];

/// What the rules of a pack said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// One a reason, with the effect of the set it stands in.
    pub(crate) reasons: Vec<(Effect, Value)>,
    /// Of the set `withhold`.
    pub(crate) withheld: Vec<Value>,
}

/// The name of a rule as it stands in Rego.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) rule: String,
    pub(crate) place: Place,
}

/// The compiled rules of a pack.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    interpreter: Interpreter,
    /// Names of rules, as they stand in the files.
    pub(crate) named: Vec<Named>,
    /// Rules called `test_…` of files called `…_test.rego`: path and place.
    pub(crate) tests: Vec<Named>,
}

impl Engine {
    /// Compiles files; `parameters` become `data.parameters`.
    pub(crate) fn new(files: &[(String, String)], parameters: &Value) -> Result<Self, Error> {
        caught(|| Self::compile(files, parameters))
    }

    fn compile(files: &[(String, String)], parameters: &Value) -> Result<Self, Error> {
        let mut interpreter = Interpreter::new();
        interpreter.set_execution_timer_config(timer());
        let (mut named, mut tests) = (Vec::new(), Vec::new());
        for (file, text) in files {
            if text.len() > MAX_FILE {
                return Err(Error::pack(format!("{file}: longer than {MAX_FILE} bytes")));
            }
            let tokens = tokens(file, text)?;
            refuse_forbidden(file, &tokens)?;
            let package =
                interpreter.add_policy(file.clone(), text.clone()).map_err(|error| pack_error(&error))?;
            let is_test = file.ends_with("_test.rego");
            if package != "data.alnage" && !is_test && !package.starts_with("data.alnage.") {
                let place = Place { file: file.clone(), line: 1, column: 1 };
                return Err(Error::pack_at(place, format!("the package is `{package}`, not `alnage`")));
            }
            if is_test {
                tests.extend(test_rules(file, &package, &tokens));
            } else {
                named.extend(rule_names(file, &tokens));
            }
        }
        let data = serde_json::json!({ "parameters": parameters });
        interpreter.add_data(regorus::Value::from(data)).map_err(|error| pack_error(&error))?;
        let engine = Self { interpreter, named, tests };
        engine.checked()
    }

    /// Analyses the rules, which regorus only does when something is asked.
    fn checked(mut self) -> Result<Self, Error> {
        self.interpreter.set_input(regorus::Value::new_object());
        self.interpreter.eval_query("1 == 1".to_owned(), false).map_err(|error| pack_error(&error))?;
        // Names that nothing defines are only missed by what evaluates them; the example goes through most rules.
        match self.query("data.alnage", &crate::example_input()) {
            Err(Error::Evaluation { place, message })
                if UNKNOWN_NAME.iter().any(|words| message.contains(words)) =>
            {
                Err(Error::Pack { place, message })
            }
            _ => Ok(self),
        }
    }

    /// What the rules say about `input`, which has been bounded.
    pub(crate) fn ask(&self, input: &Value) -> Result<Said, Error> {
        caught(|| {
            let mut said = Said::default();
            let (mut count, mut bytes) = (0_usize, 0_usize);
            for (set, effect) in SETS {
                // One set after the other: asked for the package as a whole, regorus 0.11 takes rules of one file that
                // rules of another file need for undefined.
                let items = match self.query(&format!("data.alnage.{set}"), input)? {
                    Value::Null => continue,
                    Value::Array(items) => items,
                    // `allow := true`, as many packs for other doors have it, says nothing that could be reported.
                    _ => return Err(Error::evaluation(format!("`{set}` is not a set of reasons"))),
                };
                count = count.saturating_add(items.len());
                bytes = items.iter().fold(bytes, |sum, item| sum.saturating_add(length(item)));
                if count > MAX_REASONS || bytes > MAX_SAID {
                    return Err(Error::evaluation("the rules give more reasons than are taken"));
                }
                match effect {
                    Some(effect) => said.reasons.extend(items.into_iter().map(|item| (effect, item))),
                    None => said.withheld.extend(items),
                }
            }
            Ok(said)
        })
    }

    /// Whether a rule called `test_…` holds.
    pub(crate) fn passes(&self, test: &Named) -> Result<bool, Error> {
        let empty = Value::Object(serde_json::Map::new());
        caught(|| Ok(self.query(&test.rule, &empty)? == Value::Bool(true)))
    }

    fn query(&self, query: &str, input: &Value) -> Result<Value, Error> {
        // A copy of the interpreter: evaluation leaves its results in it, and decisions are made by many threads.
        let mut interpreter = self.interpreter.clone();
        interpreter.set_execution_timer_config(timer());
        interpreter.set_input(regorus::Value::from(input.clone()));
        let results =
            interpreter.eval_query(query.to_owned(), false).map_err(|error| evaluation_error(&error))?;
        let value =
            results.result.into_iter().next().and_then(|result| result.expressions.into_iter().next());
        match value.map(|expression| expression.value) {
            None | Some(regorus::Value::Undefined) => Ok(Value::Null),
            Some(value) => serde_json::to_value(&value).map_err(|error| Error::evaluation(error.to_string())),
        }
    }
}

/// How many bytes of text a value holds, about.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().fold(16, |sum, item| sum.saturating_add(length(item))),
        Value::Object(fields) => fields
            .iter()
            .fold(16, |sum, (name, value)| sum.saturating_add(name.len()).saturating_add(length(value))),
        _ => 16,
    }
}

fn timer() -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: TIME_LIMIT, check_interval: NonZeroU32::MIN.saturating_add(63) }
}

/// Runs what others wrote; a panic there becomes an error, which callers deny for.
pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(Error::evaluation("the evaluation failed")))
}

/// The tokens of a Rego file.
fn tokens(file: &str, text: &str) -> Result<Vec<Token>, Error> {
    let source =
        Source::from_contents(file.to_owned(), text.to_owned()).map_err(|error| pack_error(&error))?;
    let mut lexer = Lexer::new(&source);
    let mut tokens = Vec::new();
    // Each token takes a byte at least.
    for _ in 0..=text.len() {
        let token = lexer.next_token().map_err(|error| pack_error(&error))?;
        if token.0 == TokenKind::Eof {
            break;
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn refuse_forbidden(file: &str, tokens: &[Token]) -> Result<(), Error> {
    for window in tokens.windows(3) {
        let [first, dot, second] = window else { continue };
        let path = [first.1.text(), second.1.text()];
        if first.0 == TokenKind::Ident && dot.1.text() == "." && FORBIDDEN.contains(&path.as_slice()) {
            let message = format!("`{}.{}` is not available to policies", path[0], path[1]);
            return Err(Error::pack_at(place(file, first), message));
        }
    }
    Ok(())
}

/// `"rule": "name"`, wherever it stands.
fn rule_names(file: &str, tokens: &[Token]) -> Vec<Named> {
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [key, colon, name]
                if key.0 == TokenKind::String
                    && key.1.text().trim_matches('"') == "rule"
                    && colon.1.text() == ":"
                    && name.0 == TokenKind::String =>
            {
                Some(Named { rule: name.1.text().trim_matches('"').to_owned(), place: place(file, name) })
            }
            _ => None,
        })
        .collect()
}

fn test_rules(file: &str, package: &str, tokens: &[Token]) -> Vec<Named> {
    let starts = |token: &&Token| {
        token.0 == TokenKind::Ident && token.1.col == 1 && token.1.text().starts_with("test_")
    };
    let mut tests: Vec<Named> = tokens
        .iter()
        .filter(starts)
        .map(|token| Named { rule: format!("{package}.{}", token.1.text()), place: place(file, token) })
        .collect();
    tests.dedup_by(|one, other| one.rule == other.rule);
    tests
}

fn place(file: &str, token: &Token) -> Place {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Place { file: file.to_owned(), line: number(token.1.line), column: number(token.1.col) }
}

fn pack_error(error: &dyn std::fmt::Display) -> Error {
    let (place, message) = taken_apart(&error.to_string());
    Error::Pack { place, message }
}

fn evaluation_error(error: &dyn std::fmt::Display) -> Error {
    let (place, message) = taken_apart(&error.to_string());
    Error::Evaluation { place, message }
}

/// Place and message out of a report of regorus: `--> file:line:column`, the line, a caret, `error: message`.
fn taken_apart(report: &str) -> (Option<Place>, String) {
    let arrow = report.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let place = arrow.and_then(|arrow| {
        let (rest, column) = arrow.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some(Place { file: file.to_owned(), line: line.parse().ok()?, column: column.parse().ok()? })
    });
    let message = report.lines().find_map(|line| line.trim_start().strip_prefix("error: "));
    let message = message.unwrap_or_else(|| report.trim());
    (place, message.trim().trim_end_matches('.').to_owned())
}
