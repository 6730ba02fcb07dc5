//! The policy: packs, their rules, and a place to try them on evidence.

use alnage_policy::{Decision, Effect, Pack, SHIPPED};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{reviews, rows};
use crate::{
    auth::Caller,
    console::{
        pages::{self, Answer, Policy, Rule, Source},
        parts::{Link, Mark, Place, Short, Tone},
        respond,
    },
    core::{Answered, Form, Query, State},
};

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    pack: String,
}

/// What the form sends.
#[derive(Deserialize, Default)]
pub(super) struct Attempt {
    #[serde(default)]
    pack: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    input: String,
    #[serde(default, rename = "do")]
    action: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || load(&state, &caller, &wanted.pack)).await
}

pub(super) async fn attempt(
    Shared(state): Shared<State>,
    caller: Caller,
    Form(form): Form<Attempt>,
) -> Answered<Response> {
    respond::page(move || {
        let page = load(&state, &caller, &form.pack)?;
        if form.action == "load" {
            return load_evidence(&state, &caller, page, form);
        }
        let answer = decide(&pack(&state, &form.pack), &form.input);
        Ok(Policy { of: form.of, input: form.input, answer: Some(answer), ..page })
    })
    .await
}

fn load_evidence(state: &State, caller: &Caller, page: Policy, form: Attempt) -> Answered<Policy> {
    let problem = |text: &str| Answer {
        effect: Mark::new("No evidence", Tone::Unclear),
        reasons: Vec::new(),
        problem: text.to_owned(),
    };
    let version = match reviews::find(state, caller, &form.of) {
        Ok(version) => version,
        Err(failure) => {
            let answer = Some(problem(&respond::sentence(&failure.message)));
            return Ok(Policy { of: form.of, input: form.input, answer, ..page });
        }
    };
    let Some(scan) = version.scan.map_or(Ok(None), |id| state.registry.scan(id))? else {
        let answer = Some(problem("This version has not been scanned yet."));
        return Ok(Policy { of: form.of, input: form.input, answer, ..page });
    };
    let input = serde_json::to_string_pretty(&scan.input).unwrap_or_default();
    let answer = Some(decide(&pack(state, &form.pack), &input));
    Ok(Policy { of: form.of, input, answer, ..page })
}

/// The pack of this name; the one in force when there is none.
fn pack(state: &State, name: &str) -> Pack {
    let current = state.registry.policy();
    if name.is_empty() || name == current.name() {
        return current;
    }
    Pack::shipped(name).unwrap_or(current)
}

fn decide(pack: &Pack, input: &str) -> Answer {
    let failed = |problem: String| Answer { effect: Mark::of_effect("deny"), reasons: Vec::new(), problem };
    let input: Json = match serde_json::from_str(input) {
        Ok(input) => input,
        Err(error) => return failed(format!("The input is no JSON: {error}")),
    };
    match pack.decide(&input) {
        Ok(decision) => answered(&decision),
        Err(error) => failed(format!("{error}\n\nWhat cannot be decided is denied.")),
    }
}

fn answered(decision: &Decision) -> Answer {
    let stored = serde_json::to_value(decision).unwrap_or_default();
    let withheld: Vec<String> = decision
        .withheld
        .iter()
        .map(|withheld| format!("{} is withheld: {}", withheld.file, withheld.message))
        .collect();
    Answer {
        effect: Mark::of_effect(decision.effect.as_str()),
        reasons: rows::reasons(&stored),
        problem: withheld.join("\n"),
    }
}

fn load(state: &State, caller: &Caller, chosen: &str) -> Answered<Policy> {
    let current = state.registry.policy();
    let shown = pack(state, chosen);
    let mut packs = vec![row(&current, Mark::new("In force", Tone::Good))];
    for name in SHIPPED.iter().filter(|name| **name != current.name()) {
        packs.extend(Pack::shipped(name).map(|pack| row(&pack, Mark::new("Shipped", Tone::Quiet))));
    }
    let rules = shown.rules().iter().map(|(name, rule)| Rule {
        name: name.clone(),
        effect: effect(&shown, name),
        about: respond::sentence(&rule.summary),
    });
    Ok(Policy {
        frame: respond::frame(state, caller, "Policy", Place::Policy, "")?,
        standing: format!(
            "The pack {} decides about every version here. Each decision is kept with the digest of the pack that made it.",
            current.name()
        ),
        packs,
        chosen: shown.name().to_owned(),
        rules: rules.collect(),
        sources: shown
            .files()
            .iter()
            .map(|(name, text)| Source { name: name.clone(), text: text.clone() })
            .collect(),
        of: String::new(),
        input: String::new(),
        answer: None,
    })
}

fn row(pack: &Pack, mark: Mark) -> pages::Pack {
    pages::Pack {
        name: Link::new(pack.name(), format!("/console/policy?pack={}", pack.name())),
        about: pack.manifest().description.clone(),
        digest: Short(pack.digest().to_string().trim_start_matches("sha256:").to_owned()),
        mark,
    }
}

/// What a rule does where it fires: its source says so.
fn effect(pack: &Pack, rule: &str) -> Mark {
    if let Some(when) = pack.manifest().when.iter().find(|when| when.rule == rule) {
        return Mark::of_effect(when.effect.as_str());
    }
    let quoted = format!("\"{rule}\"");
    let before = pack.files().iter().filter(|(name, _)| name.ends_with(".rego")).find_map(|(_, text)| {
        let at = text.find(&quoted)?;
        text.get(..at).map(str::to_owned)
    });
    let last = |word: &str| before.as_ref().and_then(|text| text.rfind(&format!("\n{word} ")));
    let effects = [Effect::Deny, Effect::Quarantine, Effect::Allow];
    let found = effects
        .into_iter()
        .max_by_key(|effect| last(effect.as_str()))
        .filter(|effect| last(effect.as_str()).is_some());
    found.map_or(Mark::new("Withhold", Tone::Look), |effect| Mark::of_effect(effect.as_str()))
}
