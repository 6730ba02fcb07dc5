//! What decides: packs and their rules, and what a pack says of an input.

use alnage_policy::{Change, Decision, Explained, Explanation, Pack, SHIPPED, explain};
use alnage_registry::people::Role;
use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::common::List;
use crate::core::{Access, Answered, Failure, Json, On, Route, State, blocking};

const ANYWHERE: Access = Access::Role(Role::Viewer, On::Anywhere);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/policies",
            ANYWHERE,
            "The pack that decides, and its rules; then the shipped ones",
            policies,
        )
        .gives::<List<PackBody>>(),
        Route::post(
            "/api/v1/policies/decisions",
            ANYWHERE,
            "What a pack would say of an input, and why",
            decide,
        )
        .takes::<PolicyInput>()
        .gives::<Decided>(),
    ]
}

/// A pack.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PackBody {
    /// What it is called
    name: String,
    /// What it is for
    description: String,
    /// SHA-256 over its files and parameters
    digest: String,
    /// Whether it decides here
    in_force: bool,
    /// Its rules
    rules: Vec<RuleBody>,
}

/// A rule of a pack.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RuleBody {
    /// What it is called
    rule: String,
    /// What it is for
    summary: String,
    /// What makes it stop
    remedy: String,
}

impl PackBody {
    fn of(pack: &Pack, in_force: bool) -> Self {
        let rules = pack.rules().iter().map(|(rule, says)| RuleBody {
            rule: rule.clone(),
            summary: says.summary.clone(),
            remedy: says.remedy.clone(),
        });
        Self {
            name: pack.name().to_owned(),
            description: pack.manifest().description.clone(),
            digest: pack.digest().to_string(),
            in_force,
            rules: rules.collect(),
        }
    }
}

async fn policies(Shared(state): Shared<State>) -> Answered<Json<List<PackBody>>> {
    blocking(move || {
        let current = state.registry.policy();
        let mut packs = vec![PackBody::of(&current, true)];
        let others = SHIPPED.iter().filter(|name| **name != current.name());
        packs.extend(others.filter_map(|name| Pack::shipped(name)).map(|pack| PackBody::of(&pack, false)));
        Ok(Json(List::all(packs)))
    })
    .await
}

/// What a pack is asked.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PolicyInput {
    /// The whole evidence, as docs/policy.md describes it
    input: Value,
    /// A shipped pack; the one that decides here when left out
    pack: Option<String>,
    /// Whether to say what each reason hangs on, and what would change the decision
    #[serde(default)]
    explain: bool,
}

/// A decision.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Decided {
    #[serde(flatten)]
    decision: Decision,
    /// Why, when that was asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Why>,
}

/// Why a pack decided so.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Why {
    /// The reasons and what was withheld, each with what it hangs on
    reasons: Vec<Explained>,
    /// What was tried and makes the effect milder
    changes: Vec<Change>,
    /// Whether everything was tried
    is_complete: bool,
}

async fn decide(Shared(state): Shared<State>, Json(asked): Json<PolicyInput>) -> Answered<Json<Decided>> {
    blocking(move || {
        let pack = chosen(&state, asked.pack.as_deref())?;
        let invalid = |error: alnage_policy::Error| Failure::invalid(error.to_string());
        if !asked.explain {
            let decision = pack.decide(&asked.input).map_err(invalid)?;
            return Ok(Json(Decided { decision, explanation: None }));
        }
        let Explanation { decision, reasons, changes, is_complete } =
            explain(&pack, &asked.input).map_err(invalid)?;
        Ok(Json(Decided { decision, explanation: Some(Why { reasons, changes, is_complete }) }))
    })
    .await
}

fn chosen(state: &State, name: Option<&str>) -> Answered<Pack> {
    let current = state.registry.policy();
    match name {
        None => Ok(current),
        Some(name) if name == current.name() => Ok(current),
        Some(name) => Pack::shipped(name).ok_or_else(|| {
            Failure::invalid(format!("there is no pack `{name:.100}`: there are {}", SHIPPED.join(", ")))
        }),
    }
}
