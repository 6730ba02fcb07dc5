//! What a condition may call.

use regex::{Regex, RegexBuilder};

use super::{
    evaluate::{Cost, Failure, Valued, error},
    expression::Expression,
    value::{Text, Value},
};

/// The most that a pattern may compile to, in bytes.
const MAX_PATTERN: usize = 1 << 20;
/// What it costs to compile a pattern that is only known during the evaluation.
const PATTERN_STEPS: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Bool,
    Contains,
    Double,
    Dyn,
    EndsWith,
    IndexOf,
    Int,
    Join,
    LowerAscii,
    Matches,
    Replace,
    Size,
    Split,
    StartsWith,
    String,
    Substring,
    Trim,
    Type,
    Uint,
    UpperAscii,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    /// `size(list)`
    Alone,
    /// `text.trim()`
    Of,
    Either,
}

/// Names, how they are called, and how many values they take, with the one in front of the point.
const FUNCTIONS: [(&str, Called, usize, usize, Function); 20] = [
    ("bool", Called::Alone, 1, 1, Function::Bool),
    ("contains", Called::Of, 2, 2, Function::Contains),
    ("double", Called::Alone, 1, 1, Function::Double),
    ("dyn", Called::Alone, 1, 1, Function::Dyn),
    ("endsWith", Called::Of, 2, 2, Function::EndsWith),
    ("indexOf", Called::Of, 2, 2, Function::IndexOf),
    ("int", Called::Alone, 1, 1, Function::Int),
    ("join", Called::Of, 1, 2, Function::Join),
    ("lowerAscii", Called::Of, 1, 1, Function::LowerAscii),
    ("matches", Called::Either, 2, 2, Function::Matches),
    ("replace", Called::Of, 3, 3, Function::Replace),
    ("size", Called::Either, 1, 1, Function::Size),
    ("split", Called::Of, 2, 2, Function::Split),
    ("startsWith", Called::Of, 2, 2, Function::StartsWith),
    ("string", Called::Alone, 1, 1, Function::String),
    ("substring", Called::Of, 2, 3, Function::Substring),
    ("trim", Called::Of, 1, 1, Function::Trim),
    ("type", Called::Alone, 1, 1, Function::Type),
    ("uint", Called::Alone, 1, 1, Function::Uint),
    ("upperAscii", Called::Of, 1, 1, Function::UpperAscii),
];

/// A call by name: `of.name(arguments)`, or without `of`.
pub(super) fn call(
    name: &str,
    of: Option<Expression>,
    mut arguments: Vec<Expression>,
) -> Result<Expression, String> {
    let wanted = if of.is_some() { Called::Of } else { Called::Alone };
    let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let Some((_, called, least, most, function)) = known else {
        return Err(format!("`{name}` is no function here"));
    };
    match called {
        Called::Alone if wanted == Called::Of => return Err(format!("write `{name}(…)`")),
        Called::Of if wanted == Called::Alone => return Err(format!("write `text.{name}(…)`")),
        _ => {}
    }
    if let Some(of) = of {
        arguments.insert(0, of);
    }
    if arguments.len() < *least || arguments.len() > *most {
        return Err(format!("`{name}` takes another number of arguments"));
    }
    match (function, arguments.as_slice()) {
        (Function::Matches, [_, Expression::Literal(Value::Text(text))]) => {
            let pattern = pattern(text.as_str())?;
            Ok(Expression::Matches(Box::new(arguments.swap_remove(0)), Box::new(pattern)))
        }
        _ => Ok(Expression::Call(*function, arguments)),
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    let pattern = RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
    pattern.map_err(|wrong| {
        let message = wrong.to_string();
        let last = message.lines().last().unwrap_or_default();
        format!("the pattern: {}", last.trim_start_matches("error: "))
    })
}

pub(super) fn matches<'a>(text: &str, pattern: &Regex, cost: &mut Cost) -> Valued<'a> {
    cost.steps(text.len() / 4)?;
    Ok(Value::Bool(pattern.is_match(text)))
}

/// Calls a function with as many values as [`call`] lets through.
pub(super) fn run<'a>(function: Function, arguments: &[Value<'a>], cost: &mut Cost) -> Valued<'a> {
    for argument in arguments {
        if let Value::Text(text) = argument {
            cost.read(text.as_str())?;
        }
    }
    match (function, arguments) {
        (Function::Size, [Value::Text(text)]) => whole(text.as_str().chars().count()),
        (Function::Size, [Value::List(list)]) => whole(list.len()),
        (Function::Size, [Value::Map(map)]) => whole(map.len()),
        (Function::Type, [value]) => Ok(Value::Type(value.type_name())),
        (Function::Dyn, [value]) => Ok(value.clone()),
        (Function::Bool | Function::Int | Function::Uint | Function::Double | Function::String, [value]) => {
            converted(function, value)
        }
        (Function::Join, [Value::List(list), rest @ ..]) => {
            let between = match rest {
                [] => "",
                [Value::Text(between), ..] => between.as_str(),
                [other, ..] => return refused(function, other),
            };
            let mut text = String::new();
            for at in 0..list.len() {
                let Some(Value::Text(item)) = list.get(at) else {
                    return error("`join` is for a list of texts");
                };
                cost.made(item.as_str().len().saturating_add(between.len()))?;
                if at > 0 {
                    text.push_str(between);
                }
                text.push_str(item.as_str());
            }
            Ok(Value::made_text(&text))
        }
        (_, [Value::Text(of), rest @ ..]) => of_text(function, of, rest, cost),
        (_, [other, ..]) => refused(function, other),
        (_, []) => error("a function without a value"),
    }
}

fn of_text<'a>(function: Function, of: &Text<'a>, rest: &[Value<'a>], cost: &mut Cost) -> Valued<'a> {
    let text = of.as_str();
    match (function, rest) {
        (Function::LowerAscii, []) => made(text.to_ascii_lowercase(), cost),
        (Function::UpperAscii, []) => made(text.to_ascii_uppercase(), cost),
        (Function::Trim, []) => made(text.trim().to_owned(), cost),
        (Function::Contains, [Value::Text(part)]) => Ok(Value::Bool(text.contains(part.as_str()))),
        (Function::StartsWith, [Value::Text(part)]) => Ok(Value::Bool(text.starts_with(part.as_str()))),
        (Function::EndsWith, [Value::Text(part)]) => Ok(Value::Bool(text.ends_with(part.as_str()))),
        (Function::Matches, [Value::Text(wanted)]) => {
            cost.steps(PATTERN_STEPS)?;
            let pattern = pattern(wanted.as_str()).map_err(Failure::Error)?;
            matches(text, &pattern, cost)
        }
        (Function::IndexOf, [Value::Text(part)]) => match text.find(part.as_str()) {
            Some(at) => whole(text.get(..at).map_or(0, |before| before.chars().count())),
            None => Ok(Value::Int(-1)),
        },
        (Function::Replace, [Value::Text(old), Value::Text(new)]) => {
            let (old, new) = (old.as_str(), new.as_str());
            // Before it is made: every place between two characters may be one that is replaced.
            let places = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
            cost.made(text.len().saturating_add(places.saturating_mul(new.len())))?;
            Ok(Value::made_text(&text.replace(old, new)))
        }
        (Function::Split, [Value::Text(between)]) => {
            let mut parts = Vec::new();
            let keep = |part: &str, cost: &mut Cost| {
                cost.made_items(1)?;
                cost.made(part.len())?;
                Ok(Value::made_text(part))
            };
            if between.as_str().is_empty() {
                for character in text.chars() {
                    parts.push(keep(character.encode_utf8(&mut [0; 4]), cost)?);
                }
            } else {
                for part in text.split(between.as_str()) {
                    parts.push(keep(part, cost)?);
                }
            }
            Ok(Value::made_list(parts))
        }
        (Function::Substring, [Value::Int(begin), rest @ ..]) => {
            let length = text.chars().count();
            let place = |number: &i64| usize::try_from(*number).ok().filter(|place| *place <= length);
            let end = match rest {
                [] => Some(length),
                [Value::Int(end), ..] => place(end),
                [other, ..] => return refused(function, other),
            };
            match (place(begin), end) {
                (Some(begin), Some(end)) if begin <= end => {
                    made(text.chars().skip(begin).take(end - begin).collect(), cost)
                }
                _ => error("`substring` goes beyond the text"),
            }
        }
        (_, [other, ..]) => refused(function, other),
        (_, []) => refused(function, &Value::Text(of.clone())),
    }
}

/// `int(value)`, and its kind.
fn converted<'a>(function: Function, value: &Value<'a>) -> Valued<'a> {
    let done = match (function, value) {
        (Function::Bool, Value::Bool(_))
        | (Function::Int, Value::Int(_))
        | (Function::Uint, Value::Uint(_))
        | (Function::Double, Value::Double(_))
        | (Function::String, Value::Text(_)) => Some(value.clone()),
        (Function::Bool, Value::Text(text)) => match text.as_str() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ => None,
        },
        (Function::Int, Value::Text(text)) => text.as_str().parse().ok().map(Value::Int),
        (Function::Uint, Value::Text(text)) => text.as_str().parse().ok().map(Value::Uint),
        (Function::Double, Value::Text(text)) => text.as_str().parse().ok().map(Value::Double),
        (Function::Int, other) => cut(other).and_then(|number| i64::try_from(number).ok()).map(Value::Int),
        (Function::Uint, other) => cut(other).and_then(|number| u64::try_from(number).ok()).map(Value::Uint),
        #[expect(clippy::cast_precision_loss, reason = "the language rounds to the nearest")]
        (Function::Double, other) => other.whole().map(|number| Value::Double(number as f64)),
        (Function::String, Value::Int(number)) => Some(Value::made_text(&number.to_string())),
        (Function::String, Value::Uint(number)) => Some(Value::made_text(&number.to_string())),
        (Function::String, Value::Double(number)) => Some(Value::made_text(&number.to_string())),
        (Function::String, Value::Bool(truth)) => Some(Value::made_text(&truth.to_string())),
        _ => None,
    };
    done.map_or_else(|| error(format!("{} has no such value", value.type_name())), Ok)
}

/// A number without what stands behind its point. Real ones have to stay clear of the largest, as the language says.
fn cut(value: &Value<'_>) -> Option<i128> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "cutting it off is what is asked for")]
        Value::Double(number) => number.is_finite().then_some(*number as i128),
        other => other.whole(),
    }
}

fn made<'a>(text: String, cost: &mut Cost) -> Valued<'a> {
    cost.made(text.len())?;
    Ok(Value::made_text(&text))
}

fn whole<'a>(number: usize) -> Valued<'a> {
    Ok(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn refused<'a>(function: Function, value: &Value<'_>) -> Valued<'a> {
    let name = FUNCTIONS.iter().find(|(.., known)| *known == function).map_or("", |(name, ..)| name);
    error(format!("`{name}` is not for {}", value.type_name()))
}
