//! Code of Python in a command, searched for the calls that load models. It is not parsed: what is not understood is said to be.

use crate::environment::{Environment, Variable, is_name};

/// Calls of a text that are looked at.
const MAX_CALLS: usize = 64;
/// How far the arguments of a call are read.
const MAX_ARGUMENTS: usize = 4096;

const LOADERS: &[&str] = &[
    "from_pretrained",
    "snapshot_download",
    "hf_hub_download",
    "LLM",
    "SentenceTransformer",
    "CrossEncoder",
    "pipeline",
    "AsyncEngineArgs",
    "EngineArgs",
    "WhisperModel",
    "load_checkpoint_and_dispatch",
];
const NAMES: &[&str] = &[
    "repo_id",
    "model",
    "model_id",
    "model_name",
    "pretrained_model_name_or_path",
    "model_path",
    "model_name_or_path",
];

/// A call that loads a model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) revision: Option<String>,
    pub(crate) unresolved: Option<String>,
}

/// The calls in `code` that load models.
pub(crate) fn calls(code: &str, environment: &Environment) -> Vec<Call> {
    let mut found = Vec::new();
    for loader in LOADERS {
        for (at, _) in code.match_indices(loader) {
            let before = code.get(..at).and_then(|before| before.chars().next_back());
            let is_word = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
            let behind = code.get(at + loader.len()..).unwrap_or_default();
            let Some(arguments) = behind.strip_prefix('(') else { continue };
            if is_word || found.len() >= MAX_CALLS {
                continue;
            }
            let arguments = split(arguments);
            if keyword(&arguments, "repo_type")
                .is_some_and(|kind| kind.contains("dataset") || kind.contains("space"))
            {
                continue;
            }
            let position = usize::from(*loader == "pipeline");
            let positional = arguments.iter().filter(|argument| name_of(argument).is_none()).nth(position);
            let named = NAMES.iter().find_map(|name| keyword(&arguments, name));
            let Some(expression) = named.or(positional.map(String::as_str)) else { continue };
            let revision =
                keyword(&arguments, "revision").and_then(|text| value(text, code, environment).ok());
            found.push(match value(expression, code, environment) {
                Ok(name) => Call { name, revision, unresolved: None },
                Err(why) => Call { name: expression.to_owned(), revision, unresolved: Some(why) },
            });
        }
    }
    found
}

/// Whether `code` executes code of a model's repository.
pub(crate) fn trusts(code: &str) -> bool {
    let squeezed: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    squeezed.contains("trust_remote_code=True")
}

/// The arguments of a call, whose text begins behind the parenthesis.
fn split(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut depth = 0_usize;
    let mut quote = None;
    for letter in text.chars().take(MAX_ARGUMENTS) {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => break,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = arguments.last_mut() {
            last.push(letter);
        }
    }
    arguments
        .iter()
        .map(|argument| argument.trim().to_owned())
        .filter(|argument| !argument.is_empty())
        .collect()
}

/// The keyword of an argument.
fn name_of(argument: &str) -> Option<&str> {
    let (name, value) = argument.split_once('=')?;
    (is_name(name.trim()) && !value.starts_with('=')).then(|| name.trim())
}

fn keyword<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut named = arguments.iter().filter(|argument| name_of(argument) == Some(name));
    named.find_map(|argument| Some(argument.split_once('=')?.1.trim()))
}

/// The text that `expression` stands for.
fn value(expression: &str, code: &str, environment: &Environment) -> Result<String, String> {
    let mut expression = expression.trim();
    // A name stands for what was assigned to it, and that may be a name again.
    for _ in 0..4 {
        if let Some(text) = literal(expression) {
            return Ok(text.to_owned());
        }
        if let Some(inner) = ["os.environ.get(", "os.getenv(", "environ.get(", "getenv("]
            .iter()
            .find_map(|call| expression.strip_prefix(call))
        {
            let arguments = split(inner);
            let default = arguments.get(1).and_then(|default| literal(default));
            return variable(arguments.first().and_then(|name| literal(name)), default, environment);
        }
        if let Some(inner) = ["os.environ[", "environ["].iter().find_map(|call| expression.strip_prefix(call))
        {
            return variable(inner.strip_suffix(']').and_then(literal), None, environment);
        }
        match is_name(expression).then(|| assigned(expression, code)).flatten() {
            Some(next) => expression = next,
            None => break,
        }
    }
    Err(format!("code of Python computes it: `{}`", expression.chars().take(80).collect::<String>()))
}

fn variable(name: Option<&str>, default: Option<&str>, environment: &Environment) -> Result<String, String> {
    match (name.and_then(|name| environment.get(name)), default) {
        (Some(Variable::Literal(text, _)), _) => Ok(text.clone()),
        (Some(Variable::Elsewhere(why)), _) => Err(why.clone()),
        (None, Some(default)) if environment.open.is_none() => Ok(default.to_owned()),
        (None, _) => Err("a variable says it that the object does not hold".to_owned()),
    }
}

/// The text of a string without escapes.
fn literal(expression: &str) -> Option<&str> {
    let expression = expression.trim();
    let quote = expression.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let inner = expression.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\'])).then_some(inner)
}

/// What `name` is assigned in `code`.
fn assigned<'c>(name: &str, code: &'c str) -> Option<&'c str> {
    code.split(['\n', ';']).find_map(|line| {
        let value = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?;
        (!value.starts_with('=')).then(|| value.trim())
    })
}
