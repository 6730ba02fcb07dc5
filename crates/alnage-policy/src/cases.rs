//! Tests of packs: cases in `tests.toml`, and rules called `test_…`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Effect, Error, Pack, Place, example_input, manifest};

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What is not as it says; empty when it holds.
    pub wrong: Vec<String>,
}

/// How the tests of a pack went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// One a case.
    pub cases: Vec<CaseResult>,
    /// Rules that fire in no case, or are quiet in none.
    pub untested: Vec<String>,
    /// Rules that stand in no `[rules]`, and entries of it that are no rule.
    pub undocumented: Vec<String>,
}

impl TestReport {
    /// Whether every case holds.
    pub fn passes(&self) -> bool {
        self.cases.iter().all(|case| case.wrong.is_empty())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Instead of the example.
    input: Option<Value>,
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    effect: Effect,
    /// Rules that give a reason or withhold a file.
    #[serde(default)]
    fires: Vec<String>,
    /// Rules that do not.
    #[serde(default)]
    quiet: Vec<String>,
    /// Rules whose reasons an exception takes away.
    #[serde(default)]
    lifts: Vec<String>,
    /// Exactly the files that stay.
    withholds: Option<Vec<String>>,
    /// How many reasons there are.
    reasons: Option<usize>,
    /// Merged into the input: RFC 7396.
    change: Option<Value>,
    /// Taken out of it: `model.license`.
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
}

pub(crate) fn run(pack: &Pack) -> Result<TestReport, Error> {
    let mut cases = Vec::new();
    let (mut fired, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    let known: BTreeSet<String> = known_rules(pack);
    for (file, text) in pack.cases() {
        let read: Cases = toml::from_str(text).map_err(|error| manifest::toml_error(file, text, &error))?;
        let input = read.input.unwrap_or_else(example_input);
        for case in &read.case {
            let (wrong, seen) = match try_case(pack, &input, case) {
                Ok(tried) => tried,
                Err(error) => (vec![error.to_string()], BTreeSet::new()),
            };
            quiet.extend(known.difference(&seen).cloned());
            fired.extend(seen);
            cases.push(CaseResult {
                name: case.name.clone(),
                place: manifest::place_of(file, text, &case.name),
                wrong,
            });
        }
    }
    for test in &pack.engine().tests {
        let wrong = match pack.engine().passes(test) {
            Ok(true) => Vec::new(),
            Ok(false) => vec!["does not hold".to_owned()],
            Err(error) => vec![error.to_string()],
        };
        cases.push(CaseResult { name: test.rule.clone(), place: test.place.clone(), wrong });
    }
    let documented: BTreeSet<String> = pack.rules().keys().cloned().collect();
    Ok(TestReport {
        cases,
        untested: known
            .iter()
            .filter(|rule| !(fired.contains(*rule) && quiet.contains(*rule)))
            .cloned()
            .collect(),
        undocumented: known.symmetric_difference(&documented).cloned().collect(),
    })
}

/// Every rule that stands in the Rego or is of one line.
fn known_rules(pack: &Pack) -> BTreeSet<String> {
    let in_rego = pack.named().iter().map(|named| named.rule.clone());
    in_rego.chain(pack.of_one_line().map(|(when, _)| when.rule.clone())).collect()
}

/// What is wrong with a case, and the rules that fired.
fn try_case(pack: &Pack, input: &Value, case: &Case) -> Result<(Vec<String>, BTreeSet<String>), Error> {
    let mut input = input.clone();
    if let Some(change) = &case.change {
        merge(&mut input, change);
    }
    for path in &case.remove {
        remove(&mut input, path);
    }
    let pack =
        if case.parameters.is_empty() { pack.clone() } else { pack.with_parameters(&case.parameters)? };
    let decision = pack.decide(&input)?;
    let lifted: BTreeSet<&String> = decision.lifted.iter().map(|lifted| &lifted.reason.rule).collect();
    let mut seen: BTreeSet<String> = decision.reasons.iter().map(|reason| reason.rule.clone()).collect();
    seen.extend(decision.withheld.iter().map(|withheld| withheld.rule.clone()));
    let mut wrong = Vec::new();
    if decision.effect != case.effect {
        let why = decision.headline().map(|why| format!(": {why}")).unwrap_or_default();
        wrong.push(format!("the effect is {}, not {}{why}", decision.effect.as_str(), case.effect.as_str()));
    }
    wrong.extend(
        case.fires.iter().filter(|rule| !seen.contains(*rule)).map(|rule| format!("`{rule}` is quiet")),
    );
    wrong.extend(case.quiet.iter().filter(|rule| seen.contains(*rule)).map(|rule| format!("`{rule}` fires")));
    wrong.extend(
        case.lifts.iter().filter(|rule| !lifted.contains(rule)).map(|rule| format!("`{rule}` is not lifted")),
    );
    if let Some(withholds) = &case.withholds {
        let is: BTreeSet<&String> = decision.withheld.iter().map(|withheld| &withheld.file).collect();
        if is != withholds.iter().collect() {
            wrong.push(format!("what is withheld is {is:?}"));
        }
    }
    if let Some(reasons) = case.reasons.filter(|reasons| *reasons != decision.reasons.len()) {
        wrong.push(format!("there are {} reasons, not {reasons}", decision.reasons.len()));
    }
    Ok((wrong, seen))
}

/// RFC 7396, as far as TOML goes, which has no null. Both sides are bounded by their parsers.
fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

fn remove(target: &mut Value, path: &str) {
    let (parents, key) = path.rsplit_once('.').unwrap_or(("", path));
    let parent =
        parents.split('.').filter(|part| !part.is_empty()).try_fold(target, |at, part| at.get_mut(part));
    if let Some(Value::Object(fields)) = parent {
        fields.shift_remove(key);
    }
}
