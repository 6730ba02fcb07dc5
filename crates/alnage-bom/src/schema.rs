//! Checks JSON against the official schemas, with the part of JSON Schema (draft 7 and 2020-12) that these use.
//!
//! The `jsonschema` crate takes as long to build as all of Alnage and half of its size, for the sake of what these
//! schemas do not use.
//!
//! The schemas are ours and bounded; a document nests no deeper than the JSON parser lets it, which bounds recursion.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::{Map, Value};

use crate::jcs;

/// A constraint that a document breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// How many violations are told.
const MAX_VIOLATIONS: usize = 100;
/// How deep references and documents may lead: the parser stops at 128, each level takes a few references.
const MAX_DEPTH: usize = 2000;

macro_rules! schema {
    ($name:literal) => {
        ($name, include_str!(concat!("../schemas/", $name)))
    };
}

static TEXTS: [(&str, &str); 6] = [
    schema!("bom-1.6.schema.json"),
    schema!("bom-1.7.schema.json"),
    schema!("cryptography-defs.schema.json"),
    schema!("jsf-0.82.schema.json"),
    schema!("spdx.schema.json"),
    schema!("spdx-3.0.1.schema.json"),
];

static SCHEMAS: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
    TEXTS.iter().map(|(name, text)| (*name, serde_json::from_str(text).unwrap_or_default())).collect()
});

/// Whether `id` is on the list of SPDX licences that the schema holds.
pub(crate) fn is_listed_licence(id: &str) -> bool {
    let list = SCHEMAS.get("spdx.schema.json").and_then(|schema| schema["enum"].as_array());
    list.is_some_and(|list| list.iter().any(|known| known == id))
}

/// What `document` breaks of the schema called `name`.
pub(crate) fn check(name: &'static str, document: &Value) -> Vec<Violation> {
    let Some(schema) = SCHEMAS.get(name) else { return Vec::new() };
    let mut checker = Checker { violations: Vec::new(), depth: 0, quiet: 0 };
    let mut pointer = String::new();
    checker.is_valid(Place { name, schema }, document, &mut pointer, &mut Seen::default());
    checker.violations
}

/// A schema, and the file it stands in.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    schema: &'a Value,
}

impl<'a> Place<'a> {
    fn at(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    /// Where a reference leads: into this file or another.
    fn follow(self, reference: &'a str) -> Option<Self> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let name = if file.is_empty() { self.name } else { file.rsplit('/').next().unwrap_or(file) };
        let (name, root) = SCHEMAS.get_key_value(name)?;
        Some(Place { name, schema: root.pointer(pointer)? })
    }

    /// In draft 7 nothing beside a reference counts.
    fn is_draft_7(self) -> bool {
        SCHEMAS
            .get(self.name)
            .is_some_and(|root| root["$schema"].as_str().is_some_and(|draft| draft.contains("draft-07")))
    }
}

/// The properties that some part of a schema has looked at.
#[derive(Default)]
struct Seen(BTreeSet<String>);

struct Checker {
    violations: Vec<Violation>,
    depth: usize,
    /// Above zero while alternatives are tried, whose failures are no violations.
    quiet: usize,
}

impl Checker {
    fn violation(&mut self, pointer: &str, message: impl FnOnce() -> String) -> bool {
        if self.quiet == 0 && self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation { pointer: pointer.to_owned(), message: message() });
        }
        false
    }

    fn is_valid(&mut self, place: Place<'_>, value: &Value, pointer: &mut String, seen: &mut Seen) -> bool {
        let schema = match place.schema {
            Value::Bool(true) => return true,
            Value::Object(schema) => schema,
            _ => return self.violation(pointer, || "nothing may stand here".into()),
        };
        if self.depth >= MAX_DEPTH {
            return self.violation(pointer, || "nested too deep".into());
        }
        self.depth += 1;
        let valid = self.all(place, schema, value, pointer, seen);
        self.depth -= 1;
        valid
    }

    fn all(
        &mut self,
        place: Place<'_>,
        schema: &Map<String, Value>,
        value: &Value,
        pointer: &mut String,
        seen: &mut Seen,
    ) -> bool {
        let mut valid = true;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let Some(target) = place.follow(reference) else {
                return self.violation(pointer, || {
                    format!("the schema refers to `{reference}`, which is not there")
                });
            };
            valid &= self.is_valid(target, value, pointer, seen);
            if place.is_draft_7() || self.is_settled(valid) {
                return valid;
            }
        }
        valid &= self.plain(schema, value, pointer);
        if self.is_settled(valid) {
            return false;
        }
        valid &= self.combined(place, schema, value, pointer, seen);
        if self.is_settled(valid) {
            return false;
        }
        match value {
            Value::Object(map) => valid &= self.object(place, schema, map, pointer, seen),
            Value::Array(list) => valid &= self.array(place, schema, list, pointer),
            _ => {}
        }
        valid
    }

    /// Whether nothing more needs to be looked at: an alternative that fails, fails.
    fn is_settled(&self, valid: bool) -> bool {
        self.quiet > 0 && !valid
    }

    /// What concerns the value alone.
    fn plain(&mut self, schema: &Map<String, Value>, value: &Value, pointer: &str) -> bool {
        let mut valid = true;
        if let Some(types) = schema.get("type")
            && !types_of(types).any(|name| is_of(name, value))
        {
            valid &= self.violation(pointer, || format!("is not of type {types}"));
        }
        if let Some(list) = schema.get("enum").and_then(Value::as_array)
            && !list.contains(value)
        {
            valid &= self.violation(pointer, || format!("{} is none of the values allowed", shown(value)));
        }
        if let Some(only) = schema.get("const")
            && only != value
        {
            valid &= self.violation(pointer, || format!("{} is not {only}", shown(value)));
        }
        if let Some(text) = value.as_str() {
            let length = text.chars().count() as u64;
            let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
            if limit("minLength").is_some_and(|least| length < least)
                || limit("maxLength").is_some_and(|most| length > most)
            {
                valid &= self.violation(pointer, || "is too short or too long".into());
            }
            if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
                && !matches_pattern(pattern, text)
            {
                valid &= self.violation(pointer, || format!("{} does not match `{pattern}`", shown(value)));
            }
            if let Some(format) = schema.get("format").and_then(Value::as_str)
                && !has_format(format, text)
            {
                valid &= self.violation(pointer, || format!("{} is no {format}", shown(value)));
            }
        }
        if let Some(number) = value.as_f64() {
            let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
            if limit("minimum").is_some_and(|least| number < least)
                || limit("maximum").is_some_and(|most| number > most)
            {
                valid &= self.violation(pointer, || format!("{number} is out of range"));
            }
        }
        valid
    }

    /// Alternatives and conditions.
    fn combined(
        &mut self,
        place: Place<'_>,
        schema: &Map<String, Value>,
        value: &Value,
        pointer: &mut String,
        seen: &mut Seen,
    ) -> bool {
        let mut valid = true;
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for part in list("allOf").into_iter().flatten() {
            valid &= self.is_valid(place.at(part), value, pointer, seen);
            if self.is_settled(valid) {
                return false;
            }
        }
        for key in ["anyOf", "oneOf"] {
            let Some(alternatives) = list(key) else { continue };
            let mut matching = 0_usize;
            for alternative in alternatives {
                matching += usize::from(self.attempt(place.at(alternative), value, pointer, seen));
            }
            if matching == 0 {
                valid &= self.no_alternative(place, alternatives, value, pointer);
            } else if key == "oneOf" && matching > 1 {
                valid &= self
                    .violation(pointer, || "matches several of alternatives that exclude each other".into());
            }
        }
        if let Some(not) = schema.get("not")
            && self.attempt(place.at(not), value, pointer, &mut Seen::default())
        {
            valid &= self.violation(pointer, || "is what may not stand here".into());
        }
        if let Some(condition) = schema.get("if") {
            let branch =
                if self.attempt(place.at(condition), value, pointer, seen) { "then" } else { "else" };
            if let Some(branch) = schema.get(branch) {
                valid &= self.is_valid(place.at(branch), value, pointer, seen);
            }
        }
        valid
    }

    /// Whether a schema fits; what it looked at counts only when it does.
    fn attempt(&mut self, place: Place<'_>, value: &Value, pointer: &mut String, seen: &mut Seen) -> bool {
        self.quiet += 1;
        let mut own = Seen::default();
        let valid = self.is_valid(place, value, pointer, &mut own);
        self.quiet -= 1;
        if valid {
            seen.0.append(&mut own.0);
        }
        valid
    }

    /// Tells what is wrong with the alternative that is meant: the only one of the value's own `type`.
    fn no_alternative(
        &mut self,
        place: Place<'_>,
        alternatives: &[Value],
        value: &Value,
        pointer: &mut String,
    ) -> bool {
        if self.quiet > 0 {
            return false;
        }
        let before = self.violations.len();
        let named = value.get("type").and_then(Value::as_str);
        let meant = alternatives.iter().find(|alternative| {
            let reference = alternative["$ref"].as_str().unwrap_or_default();
            named.is_some_and(|named| reference.rsplit('/').next() == Some(named))
        });
        if let Some(meant) = meant {
            self.is_valid(place.at(meant), value, pointer, &mut Seen::default());
        }
        if self.violations.len() == before {
            self.violation(pointer, || format!("{} matches none of the alternatives", shown(value)));
        }
        false
    }

    fn object(
        &mut self,
        place: Place<'_>,
        schema: &Map<String, Value>,
        map: &Map<String, Value>,
        pointer: &mut String,
        seen: &mut Seen,
    ) -> bool {
        let mut valid = true;
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if name.as_str().is_some_and(|name| !map.contains_key(name)) {
                valid &= self.violation(pointer, || format!("lacks {name}"));
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, value) in map {
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            match properties.and_then(|properties| properties.get(name)) {
                Some(property) => {
                    seen.0.insert(name.clone());
                    valid &= self.is_valid(place.at(property), value, pointer, &mut Seen::default());
                }
                None => {
                    if let Some(additional) = schema.get("additionalProperties") {
                        seen.0.insert(name.clone());
                        valid &= if additional == &Value::Bool(false) {
                            self.violation(pointer, || "this property is not known here".into())
                        } else {
                            self.is_valid(place.at(additional), value, pointer, &mut Seen::default())
                        };
                    }
                }
            }
            pointer.truncate(length);
        }
        if schema.get("unevaluatedProperties") == Some(&Value::Bool(false)) {
            for name in map.keys().filter(|name| !seen.0.contains(*name)) {
                let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                valid &= self.violation(&at, || "this property is not known here".into());
            }
        }
        valid
    }

    fn array(
        &mut self,
        place: Place<'_>,
        schema: &Map<String, Value>,
        list: &[Value],
        pointer: &mut String,
    ) -> bool {
        let mut valid = true;
        let length = list.len() as u64;
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        if limit("minItems").is_some_and(|least| length < least)
            || limit("maxItems").is_some_and(|most| length > most)
        {
            valid &= self.violation(pointer, || "has too few or too many items".into());
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut known = BTreeSet::new();
            if !list.iter().all(|item| known.insert(jcs::canonical(item))) {
                valid &= self.violation(pointer, || "has an item twice".into());
            }
        }
        if let Some(items) = schema.get("items") {
            for (index, item) in list.iter().enumerate() {
                let length = pointer.len();
                pointer.push_str(&format!("/{index}"));
                // Draft 7 has a schema an item, too.
                let each = items.as_array().map_or(Some(items), |items| items.get(index));
                if let Some(each) = each {
                    valid &= self.is_valid(place.at(each), item, pointer, &mut Seen::default());
                } else if schema.get("additionalItems") == Some(&Value::Bool(false)) {
                    valid &= self.violation(pointer, || "has too many items".into());
                }
                pointer.truncate(length);
            }
        }
        valid
    }
}

fn types_of(types: &Value) -> impl Iterator<Item = &str> {
    types.as_str().into_iter().chain(types.as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// For a message.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        text
    } else {
        format!("{}…", text.chars().take(80).collect::<String>())
    }
}

/// The patterns of the schemas, compiled once.
static PATTERNS: LazyLock<BTreeMap<&str, Option<regex_lite::Regex>>> = LazyLock::new(|| {
    let mut patterns = BTreeMap::new();
    let mut open: Vec<&Value> = SCHEMAS.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(pattern)) = map.get("pattern") {
                    patterns.insert(pattern.as_str(), regex_lite::Regex::new(pattern).ok());
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    patterns
});

/// The one pattern that looks ahead: an address, and no blank node.
const ADDRESS: &str = "^(?!_:).+:.+";

fn matches_pattern(pattern: &str, text: &str) -> bool {
    if pattern == ADDRESS {
        let scheme = text.split_once(':');
        return !text.starts_with("_:")
            && scheme.is_some_and(|(before, after)| !before.is_empty() && !after.is_empty());
    }
    match PATTERNS.get(pattern) {
        Some(Some(regex)) => regex.is_match(text),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) fn patterns_not_understood() -> Vec<&'static str> {
    let lacking = PATTERNS.iter().filter(|(pattern, regex)| regex.is_none() && **pattern != ADDRESS);
    lacking.map(|(pattern, _)| *pattern).collect()
}

/// Formats as the usual checkers take them: loosely.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => is_date_time(text),
        "date" => is_date(text),
        "idn-email" => text.contains('@'),
        "iri-reference" => is_reference(text),
        "uri" => is_reference(text) && text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)),
        _ => true,
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())?
    };
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else { return false };
    let zone_at = time.find(['Z', 'z', '+', '-']);
    let Some((clock, zone)) = zone_at.and_then(|at| time.split_at_checked(at)) else { return false };
    let two = |part: &str, most: u32| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|n| n <= most)
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let clock_fits = matches!(parts.as_slice(), [hour, minute, second]
        if two(hour, 23) && two(minute, 59) && two(second, 60));
    let zone_fits = match zone.split_at_checked(1) {
        Some(("Z" | "z", "")) => true,
        Some(("+" | "-", offset)) => {
            offset.split_once(':').is_some_and(|(hours, minutes)| two(hours, 23) && two(minutes, 59))
        }
        _ => false,
    };
    let fraction_fits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_date(date) && clock_fits && fraction_fits && zone_fits
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// An address, absolute or not, in which nothing stands that must be escaped.
fn is_reference(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let forbidden =
        |c: char| c.is_control() || matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    let hashes = text.matches('#').count();
    // Before a colon in the first segment stands a scheme.
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme_fits = first.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
    escapes && !text.contains(forbidden) && hashes <= 1 && scheme_fits
}
