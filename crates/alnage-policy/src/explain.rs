//! Why a pack decided so: which rules spoke, on which part of the input, and what would change it.
//!
//! Nothing here knows Rego: a part of the input that a reason hangs on is found by taking it out and asking again, and
//! what is said to change a decision was tried.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Decision, Effect, Error, Pack, Place, Reason};

/// How often the pack is asked again at most; what is beyond is not told, and said to be.
const MAX_QUESTIONS: usize = 600;
/// How deep into the input it is looked.
const MAX_DEPTH: usize = 4;

/// Why a pack decided so.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Its reasons and what was withheld, each with what it hangs on.
    pub reasons: Vec<Explained>,
    /// What was tried and makes the effect milder.
    pub changes: Vec<Change>,
    /// Whether everything was tried.
    pub is_complete: bool,
}

/// A reason, and what it hangs on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explained {
    /// The reason.
    #[serde(flatten)]
    pub reason: Reason,
    /// Where the rule stands in the pack.
    pub places: Vec<Place>,
    /// What the rule is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What makes it stop.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Parts of the input without which it would not be given.
    pub because: Vec<Part>,
}

/// A part of the input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// `findings[0].code`.
    pub path: String,
    /// What stands there.
    pub value: Value,
}

/// Something that would make the effect milder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What: `verdict = "pass"`.
    pub change: String,
    /// The effect with it.
    pub effect: Effect,
}

/// Explains what `pack` decides about `input`.
pub fn explain(pack: &Pack, input: &Value) -> Result<Explanation, Error> {
    let decision = pack.decide(input)?;
    let mut search = Search { pack, input, left: MAX_QUESTIONS, because: BTreeMap::new() };
    let base = spoken(&decision);
    if !base.is_empty() {
        search.look_into(&base);
    }
    let changes = search.changes(&decision);
    let (because, is_complete) = (search.because, search.left > 0);
    let withheld = decision.withheld.iter().map(|withheld| Reason {
        effect: Effect::Allow,
        rule: withheld.rule.clone(),
        message: withheld.message.clone(),
        file: Some(withheld.file.clone()),
        code: None,
    });
    let reasons = decision.reasons.iter().cloned().chain(withheld).map(|reason| {
        let text = pack.rules().get(&reason.rule);
        let paths = because.get(&key(&reason)).cloned().unwrap_or_default();
        Explained {
            places: pack.places(&reason.rule),
            summary: text.map(|text| text.summary.clone()).unwrap_or_default(),
            remedy: text.map(|text| text.remedy.clone()).unwrap_or_default(),
            because: paths.iter().filter_map(|path| part(input, path)).collect(),
            reason,
        }
    });
    Ok(Explanation { reasons: reasons.collect(), decision, changes, is_complete })
}

/// A step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

type Path = Vec<Step>;

/// What tells two reasons apart when the input changes: messages quote it.
type Key = (String, Option<String>, Option<String>);

struct Search<'a> {
    pack: &'a Pack,
    input: &'a Value,
    left: usize,
    because: BTreeMap<Key, Vec<Path>>,
}

impl Search<'_> {
    fn ask(&mut self, input: &Value) -> Option<Decision> {
        self.left = self.left.checked_sub(1)?;
        self.pack.decide(input).ok()
    }

    /// Takes parts out, from the outside in, and keeps the innermost that a reason hangs on.
    fn look_into(&mut self, base: &BTreeSet<Key>) {
        let Some(fields) = self.input.as_object() else { return };
        let mut open: Vec<(Path, BTreeSet<Key>)> =
            fields.keys().rev().map(|key| (vec![Step::Key(key.clone())], base.clone())).collect();
        while let Some((path, keys)) = open.pop() {
            let mut without = self.input.clone();
            take_out(&mut without, &path);
            let Some(decision) = self.ask(&without) else {
                if self.left == 0 {
                    return;
                }
                continue;
            };
            let still = spoken(&decision);
            let gone: BTreeSet<Key> = keys.difference(&still).cloned().collect();
            if gone.is_empty() {
                continue;
            }
            for key in &gone {
                let known = self.because.entry(key.clone()).or_default();
                // What is inside tells more than what it stands in.
                known.retain(|other| !path.starts_with(other));
                known.push(path.clone());
            }
            if path.len() < MAX_DEPTH {
                for step in steps(at(self.input, &path)).into_iter().rev() {
                    let inner = path.iter().cloned().chain([step]).collect();
                    open.push((inner, gone.clone()));
                }
            }
        }
    }

    /// Tries what people can bring about.
    fn changes(&mut self, decision: &Decision) -> Vec<Change> {
        if decision.effect == Effect::Allow {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (change, input) in candidates(self.input, decision) {
            if let Some(effect) = self.ask(&input).map(|tried| tried.effect).filter(|e| *e < decision.effect)
            {
                changes.push(Change { change, effect });
            }
        }
        changes
    }
}

/// What people can bring about, and the input as it then would be.
fn candidates(input: &Value, decision: &Decision) -> Vec<(String, Value)> {
    let with = |key: &str, value: Value| {
        let mut input = input.clone();
        if let Value::Object(fields) = &mut input {
            fields.insert(key.to_owned(), value);
        }
        input
    };
    let longer = |key: &str, more: Vec<Value>| {
        let mut list = input.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.extend(more);
        with(key, Value::Array(list))
    };
    let mut all = vec![
        ("a verdict of `pass`".to_owned(), with("verdict", json!("pass"))),
        ("one approval".to_owned(), longer("approvals", vec![json!({"by": "\u{1}one", "vote": "approve"})])),
        (
            "approvals of two people".to_owned(),
            longer(
                "approvals",
                ["\u{1}one", "\u{1}two"].map(|by| json!({"by": by, "vote": "approve"})).into(),
            ),
        ),
        (
            "a verified signature over all files".to_owned(),
            longer("signatures", vec![json!({"method": "key", "verified": true, "covers_all": true})]),
        ),
    ];
    let grave = |reason: &&Reason| reason.effect > Effect::Allow;
    let rules: BTreeSet<&str> =
        decision.reasons.iter().filter(grave).map(|reason| reason.rule.as_str()).collect();
    let exception = |rule: &&str| json!({"rule": rule, "reason": "?", "by": "?"});
    for rule in &rules {
        all.push((format!("an exception for `{rule}`"), longer("exceptions", vec![exception(rule)])));
    }
    if rules.len() > 1 {
        let names: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
        let every = rules.iter().map(exception).collect();
        all.push((format!("exceptions for {}", names.join(", ")), longer("exceptions", every)));
    }
    let codes: BTreeSet<&str> = decision.reasons.iter().filter_map(|reason| reason.code.as_deref()).collect();
    for code in codes {
        all.push((format!("an exception for `{code}`"), longer("exceptions", vec![exception(&code)])));
    }
    let named: BTreeSet<&str> = decision.reasons.iter().filter_map(|reason| reason.file.as_deref()).collect();
    for file in named {
        let files = input.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
        let kept = files.into_iter().filter(|other| other.get("path").and_then(Value::as_str) != Some(file));
        all.push((format!("the model without `{file}`"), with("files", kept.collect())));
    }
    all
}

fn key(reason: &Reason) -> Key {
    (reason.rule.clone(), reason.file.clone(), reason.code.clone())
}

fn spoken(decision: &Decision) -> BTreeSet<Key> {
    let withheld = decision.withheld.iter().map(|held| (held.rule.clone(), Some(held.file.clone()), None));
    decision.reasons.iter().map(key).chain(withheld).collect()
}

fn at<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(*index),
    })
}

fn take_out(value: &mut Value, path: &[Step]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(*index),
    });
    match (parent, last) {
        (Some(Value::Object(fields)), Step::Key(key)) => drop(fields.shift_remove(key)),
        (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => drop(items.remove(*index)),
        _ => {}
    }
}

fn steps(value: Option<&Value>) -> Vec<Step> {
    match value {
        Some(Value::Object(fields)) => fields.keys().cloned().map(Step::Key).collect(),
        Some(Value::Array(items)) => (0..items.len()).map(Step::Index).collect(),
        _ => Vec::new(),
    }
}

fn part(input: &Value, path: &Path) -> Option<Part> {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key.as_str()]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    Some(Part { path: text, value: at(input, path)?.clone() })
}
