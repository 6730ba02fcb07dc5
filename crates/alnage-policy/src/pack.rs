//! A pack: its files, what they say together, and the decision.

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Condition, Decision, Effect, Error, Lifted, Manifest, Parameter, Place, Reason, RuleText, When, Withheld,
    bounds,
    cases::TestReport,
    engine::{Engine, Named},
    evidence,
    manifest::{self, place_of},
    shipped,
};

/// The values of a pack's parameters, which an export writes and Open Policy Agent reads by itself.
const DATA_FILE: &str = "data.json";
/// The cases that the rules are tested with.
pub(crate) const CASES_FILE: &str = "tests.toml";
/// How many files a pack may have.
const MAX_FILES: usize = 200;
/// How many reasons a decision tells.
const MAX_REASONS: usize = 100;
/// The rule that speaks when no rule of a closed pack allows.
const NOT_ALLOWED: &str = "not-allowed";
/// The rule that speaks when there is no decision.
const FAILED: &str = "policy-error";

/// Rules that decide what is done with a model.
#[derive(Debug, Clone)]
pub struct Pack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    manifest: Manifest,
    /// Name and text, as they were given, sorted by name.
    files: Vec<(String, String)>,
    /// Of the packs that this one extends too, in the order they are read.
    rego: Vec<(String, String)>,
    cases: Vec<(String, String)>,
    declared: BTreeMap<String, Parameter>,
    parameters: BTreeMap<String, Value>,
    rules: BTreeMap<String, RuleText>,
    conditions: Vec<(When, Condition, Place)>,
    engine: Engine,
    digest: Digest,
}

impl Pack {
    /// A pack that comes with Alnage, by its name.
    pub fn shipped(name: &str) -> Option<Self> {
        shipped::pack(name)
    }

    /// A pack out of its files: name and text. `policy.toml` is needed, Rego files are `package alnage`.
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self, Error> {
        Self::with(files, &BTreeMap::new())
    }

    /// The same rules with other parameters.
    pub fn with_parameters(&self, values: &BTreeMap<String, Value>) -> Result<Self, Error> {
        Self::with(self.inner.files.clone(), values)
    }

    fn with(mut files: Vec<(String, String)>, values: &BTreeMap<String, Value>) -> Result<Self, Error> {
        files.sort();
        if files.len() > MAX_FILES {
            return Err(Error::pack(format!("a pack has at most {MAX_FILES} files")));
        }
        let mut gathered = Gathered::default();
        let manifest = gathered.add(&files, "", 0)?;
        let mut parameters: BTreeMap<String, Value> = gathered
            .declared
            .iter()
            .map(|(name, parameter)| (name.clone(), parameter.default.clone()))
            .collect();
        for (name, value, place) in std::mem::take(&mut gathered.values) {
            set(&mut parameters, &name, value)
                .map_err(|message| Error::Pack { place: Some(place), message })?;
        }
        for (name, value) in values {
            set(&mut parameters, name, value.clone()).map_err(Error::pack)?;
        }
        let conditions = (gathered.when.into_iter())
            .map(|(when, place)| match Condition::parse(&when.condition) {
                Ok(condition) => Ok((when, condition, place)),
                Err(error) => Err(Error::pack_at(place, error.to_string())),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let data =
            Value::Object(parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
        let engine = Engine::new(&gathered.rego, &data)?;
        let digest = digest(&gathered.all, &data);
        Ok(Self {
            inner: Arc::new(Inner {
                manifest,
                files,
                rego: gathered.rego,
                cases: gathered.cases,
                declared: gathered.declared,
                parameters,
                rules: gathered.rules,
                conditions,
                engine,
                digest,
            }),
        })
    }

    /// The pack's name.
    pub fn name(&self) -> &str {
        &self.inner.manifest.name
    }

    /// What `policy.toml` says.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// SHA-256 over its files, those of the packs it extends, and its parameters.
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    /// What the rules are for, those of extended packs and of one line included.
    pub fn rules(&self) -> &BTreeMap<String, RuleText> {
        &self.inner.rules
    }

    /// What can be set, and to what it is.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Parameter, &Value)> {
        self.inner.declared.iter().filter_map(|(name, parameter)| {
            Some((name.as_str(), parameter, self.inner.parameters.get(name)?))
        })
    }

    /// Where a rule stands, every time it does.
    pub fn places(&self, rule: &str) -> Vec<Place> {
        let in_rego = self.named().iter().filter(|named| named.rule == rule).map(|named| named.place.clone());
        let of_one_line = self.inner.conditions.iter().filter(|(when, ..)| when.rule == rule);
        in_rego.chain(of_one_line.map(|(_, _, place)| place.clone())).collect()
    }

    /// The files with which Open Policy Agent comes to the same reasons: all Rego, and `data.json`.
    pub fn export(&self) -> Vec<(String, String)> {
        let data = serde_json::json!({ "parameters": self.inner.parameters });
        let mut files = self.inner.rego.clone();
        files.push((DATA_FILE.to_owned(), format!("{data:#}\n")));
        files
    }

    /// The pack's own files.
    pub fn files(&self) -> &[(String, String)] {
        &self.inner.files
    }

    /// Tries the cases of `tests.toml` and the rules called `test_…` of `…_test.rego`.
    pub fn test(&self) -> Result<TestReport, Error> {
        crate::cases::run(self)
    }

    pub(crate) fn named(&self) -> &[Named] {
        &self.inner.engine.named
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn cases(&self) -> &[(String, String)] {
        &self.inner.cases
    }

    pub(crate) fn of_one_line(&self) -> impl Iterator<Item = (&When, &Place)> {
        self.inner.conditions.iter().map(|(when, _, place)| (when, place))
    }

    /// The input as the rules see it, with every key of the schema. It decides as the one given does.
    pub fn complete(input: &Value) -> Result<Value, Error> {
        bounds::check(input)?;
        evidence::complete(input)
    }

    /// What is done with a model of which `input` is known. Who gets an error denies.
    pub fn decide(&self, input: &Value) -> Result<Decision, Error> {
        bounds::check(input)?;
        let digest = bounds::digest(input);
        let input = evidence::complete(input)?;
        let said = self.inner.engine.ask(&input)?;
        let mut reasons = Vec::with_capacity(said.reasons.len());
        for (effect, value) in &said.reasons {
            reasons.push(reason(*effect, value)?);
        }
        let mut withheld = Vec::with_capacity(said.withheld.len());
        for value in &said.withheld {
            withheld.push(withheld_file(value)?);
        }
        for (when, condition, place) in &self.inner.conditions {
            let wrong =
                |error: Error| Error::Evaluation { place: Some(place.clone()), message: error.to_string() };
            if condition.holds_bounded(&input).map_err(wrong)? {
                reasons.push(Reason {
                    effect: when.effect,
                    rule: when.rule.clone(),
                    message: when.message.clone(),
                    file: None,
                    code: None,
                });
            }
        }
        if self.inner.manifest.closed && !reasons.iter().any(|reason| reason.effect == Effect::Allow) {
            reasons.push(plain(Effect::Quarantine, NOT_ALLOWED, "no rule of the policy allows it"));
        }
        let (mut lifted, mut reasons) = lift(reasons, &input);
        reasons.sort_by(|one, other| other.effect.cmp(&one.effect).then_with(|| one.cmp(other)));
        reasons.dedup();
        lifted.sort();
        withheld.sort();
        withheld.dedup_by(|one, other| one.file == other.file);
        let effect = reasons.iter().map(|reason| reason.effect).max().unwrap_or(Effect::Allow);
        shorten(&mut reasons);
        Ok(Decision {
            effect,
            reasons,
            withheld,
            lifted,
            pack: self.name().to_owned(),
            version: self.inner.manifest.version.clone(),
            digest: self.inner.digest,
            input: digest,
        })
    }

    /// The decision; where there is none, a denial that says why.
    pub fn decide_or_deny(&self, input: &Value) -> Decision {
        self.decide(input).unwrap_or_else(|error| Decision {
            effect: Effect::Deny,
            reasons: vec![plain(Effect::Deny, FAILED, &format!("the policy could not decide: {error}"))],
            withheld: Vec::new(),
            lifted: Vec::new(),
            pack: self.name().to_owned(),
            version: self.inner.manifest.version.clone(),
            digest: self.inner.digest,
            input: match bounds::check(input) {
                Ok(()) => bounds::digest(input),
                Err(_) => Digest::of(b""),
            },
        })
    }
}

/// What the files of a pack and of those it extends say together.
#[derive(Default)]
struct Gathered {
    all: Vec<(String, String)>,
    rego: Vec<(String, String)>,
    cases: Vec<(String, String)>,
    declared: BTreeMap<String, Parameter>,
    values: Vec<(String, Value, Place)>,
    rules: BTreeMap<String, RuleText>,
    when: Vec<(When, Place)>,
    extended: Vec<String>,
}

impl Gathered {
    /// Adds a pack after those that it extends; only shipped packs are extended, and those nest twice at most.
    fn add(&mut self, files: &[(String, String)], prefix: &str, depth: usize) -> Result<Manifest, Error> {
        let text = files.iter().find(|(name, _)| name == manifest::FILE).map(|(_, text)| text.as_str());
        let Some(text) = text else {
            return Err(Error::pack(format!("there is no `{}`", manifest::FILE)));
        };
        let file = format!("{prefix}{}", manifest::FILE);
        let read = Manifest::parse(&file, text)?;
        for base in &read.extends {
            if self.extended.contains(base) {
                continue;
            }
            let Some(base_files) = shipped::files(base).filter(|_| depth < 4) else {
                let message = format!("there is no pack `{base}` to extend");
                return Err(Error::pack_at(place_of(&file, text, "extends"), message));
            };
            self.extended.push(base.clone());
            self.add(&base_files, &format!("{base}/"), depth + 1)?;
        }
        for (name, text) in files {
            let named = (format!("{prefix}{name}"), text.clone());
            match name.as_str() {
                manifest::FILE => {}
                CASES_FILE if depth == 0 => self.cases.push(named.clone()),
                DATA_FILE => self.add_data(&named)?,
                // Tests of an extended pack are its own affair.
                _ if name.ends_with("_test.rego") && depth > 0 => {}
                _ if name.ends_with(".rego") => self.rego.push(named.clone()),
                CASES_FILE => continue,
                _ if name.ends_with(".md") => continue,
                _ => return Err(Error::pack(format!("`{name}` is no file of a pack"))),
            }
            self.all.push(named);
        }
        for (name, parameter) in &read.parameters {
            self.declared.insert(name.clone(), parameter.clone());
        }
        for (name, value) in &read.values {
            self.values.push((name.clone(), value.clone(), place_of(&file, text, name)));
        }
        self.rules.extend(read.rules.clone());
        for when in &read.when {
            let rule = RuleText { summary: when.message.clone(), remedy: when.remedy.clone() };
            self.rules.entry(when.rule.clone()).or_insert(rule);
            self.when.push((when.clone(), place_of(&file, text, &when.condition)));
        }
        Ok(read)
    }

    fn add_data(&mut self, (file, text): &(String, String)) -> Result<(), Error> {
        let place = Place { file: file.clone(), line: 1, column: 1 };
        let data: Value = serde_json::from_str(text).map_err(|error| {
            let place = Place { file: file.clone(), line: error.line(), column: error.column() };
            Error::pack_at(place, error.to_string())
        })?;
        let parameters = data.get("parameters").and_then(Value::as_object);
        let Some(parameters) = parameters.filter(|_| data.as_object().is_some_and(|data| data.len() == 1))
        else {
            return Err(Error::pack_at(place, "is not an object with the one key `parameters`"));
        };
        for (name, value) in parameters {
            self.values.push((name.clone(), value.clone(), place.clone()));
        }
        Ok(())
    }
}

/// Sets a parameter to a value of the kind it has.
fn set(parameters: &mut BTreeMap<String, Value>, name: &str, value: Value) -> Result<(), String> {
    let Some(current) = parameters.get_mut(name) else {
        return Err(format!("there is no parameter `{name}`"));
    };
    if std::mem::discriminant(current) != std::mem::discriminant(&value) {
        return Err(format!("`{name}` is {}, not {}", kind(current), kind(&value)));
    }
    if let (Value::Array(was), Value::Array(is)) = (&*current, &value) {
        let text = was.iter().all(Value::is_string);
        if text && !is.iter().all(Value::is_string) {
            return Err(format!("`{name}` is a list of texts"));
        }
    }
    *current = value;
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// Names and texts with their lengths, so that no two packs have the same digest.
fn digest(files: &[(String, String)], parameters: &Value) -> Digest {
    let mut sha256 = Sha256::new();
    let parameters = parameters.to_string();
    let parts = files.iter().flat_map(|(name, text)| [name, text]).chain([&parameters]);
    for part in parts {
        sha256.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        sha256.update(part.as_bytes());
    }
    Digest::from_bytes(sha256.finalize().into())
}

fn plain(effect: Effect, rule: &str, message: &str) -> Reason {
    Reason { effect, rule: rule.to_owned(), message: message.to_owned(), file: None, code: None }
}

/// A reason as a rule gives it: an object, or a text as packs for other doors have it.
fn reason(effect: Effect, value: &Value) -> Result<Reason, Error> {
    if let Some(message) = value.as_str() {
        return Ok(plain(effect, effect.as_str(), message));
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("rule"), text("message")) {
        (Some(rule), Some(message)) => {
            Ok(Reason { effect, rule, message, file: text("file"), code: text("code") })
        }
        _ => Err(Error::evaluation(format!("a reason of `{}` lacks `rule` or `message`", effect.as_str()))),
    }
}

fn withheld_file(value: &Value) -> Result<Withheld, Error> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("file"), text("rule"), text("message")) {
        (Some(file), Some(rule), Some(message)) => Ok(Withheld { file, rule, message }),
        _ => Err(Error::evaluation("what is withheld lacks `file`, `rule` or `message`")),
    }
}

/// Takes away the reasons that exceptions cover, and tells which.
fn lift(reasons: Vec<Reason>, input: &Value) -> (Vec<Lifted>, Vec<Reason>) {
    let now = input.get("now").and_then(Value::as_u64);
    let exceptions: Vec<crate::Exception> = input
        .get("exceptions")
        .and_then(|exceptions| serde::Deserialize::deserialize(exceptions).ok())
        .unwrap_or_default();
    let counts = |exception: &&crate::Exception| match exception.expires {
        None => true,
        // Without a clock nothing that ends can be known to hold.
        Some(end) => now.is_some_and(|now| now < end),
    };
    let exceptions: Vec<_> = exceptions.iter().filter(counts).collect();
    let (mut lifted, mut kept) = (Vec::new(), Vec::new());
    for reason in reasons {
        let covers = |exception: &&&crate::Exception| {
            (exception.rule == reason.rule || Some(&exception.rule) == reason.code.as_ref())
                && (exception.file.is_none() || exception.file == reason.file)
        };
        match exceptions.iter().find(covers).filter(|_| reason.effect != Effect::Allow) {
            Some(exception) => lifted.push(Lifted { reason, exception: exception.reason.clone() }),
            None => kept.push(reason),
        }
    }
    (lifted, kept)
}

/// Nobody reads a thousand reasons; the gravest come first.
fn shorten(reasons: &mut Vec<Reason>) {
    let Some(more) = reasons.len().checked_sub(MAX_REASONS).filter(|more| *more > 0) else { return };
    let effect = reasons.get(MAX_REASONS).map_or(Effect::Allow, |reason| reason.effect);
    reasons.truncate(MAX_REASONS);
    reasons.push(plain(effect, "more", &format!("and {more} more reasons")));
}
