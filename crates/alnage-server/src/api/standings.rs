//! What is known of content by its digest: what gates ask before they let a file be opened.

use alnage_registry::{
    Stage,
    people::{Place, Role},
    project_of,
};
use alnage_types::Digest;
use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};

use super::common::List;
use crate::{
    auth::Caller,
    core::{Access, Answered, Failure, Json, On, Route, State, blocking},
};

/// Digests that are asked about at once.
const MOST: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/api/v1/standings",
            Access::Role(Role::Consumer, On::Anywhere),
            "Whether files and models are approved, by their digests; what the caller may not download is unknown",
            standings,
        )
        .takes::<Digests>()
        .gives::<List<Standing>>(),
    ]
}

/// What is asked about.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Digests {
    /// `sha256:…` of files, or of manifests, which are what signatures over models sign; at most 100
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 100), inner(regex(pattern = r"^sha256:[0-9a-f]{64}$")))
    )]
    digests: Vec<String>,
}

/// What is known of a file or a model.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Standing {
    /// The digest that was asked about
    digest: String,
    /// `approved`, `pending`, `denied`, `recalled` or `unknown`
    standing: &'static str,
    /// Why it is not approved
    reason: String,
    /// The versions that it is, or is a file of; only those that are given out when it is approved
    versions: Vec<Holder>,
}

/// A version.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Holder {
    /// `model/acme/tiny`
    model: String,
    /// Its commit
    commit: String,
    /// The digest of its manifest
    manifest: String,
    /// Its stage
    stage: String,
    /// Under which conditions it may be used
    conditions: String,
}

async fn standings(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(asked): Json<Digests>,
) -> Answered<Json<List<Standing>>> {
    blocking(move || {
        if asked.digests.len() > MOST {
            return Err(Failure::invalid(format!("at most {MOST} digests are asked about at once")));
        }
        let told = asked.digests.iter().map(|digest| standing(&state, &caller, digest));
        Ok(Json(List::all(told.collect::<Answered<_>>()?)))
    })
    .await
}

fn standing(state: &State, caller: &Caller, named: &str) -> Answered<Standing> {
    let digest = named.strip_prefix("sha256:").and_then(|hex| hex.parse::<Digest>().ok());
    let digest = digest.ok_or_else(|| {
        Failure::invalid(format!(
            "`{:.100}` is no digest: `sha256:` and 64 hexadecimal digits",
            named.escape_debug()
        ))
    })?;
    let mut holders = state.registry.holders(digest)?;
    holders.retain(|(version, _)| caller.may(Role::Consumer, Place::Project(project_of(&version.name))));
    let is_approved = holders.iter().any(|(_, given_out)| *given_out);
    if is_approved {
        holders.retain(|(_, given_out)| *given_out);
    }
    let find = |stages: &[Stage]| holders.iter().find(|(version, _)| stages.contains(&version.stage));
    let recalled = holders.iter().find(|(version, _)| {
        version.stage == Stage::Revoked || version.stage == Stage::Rejected && version.released.is_some()
    });
    let (standing, reason) = if is_approved {
        ("approved", String::new())
    } else if let Some((version, _)) = recalled {
        ("recalled", version.reason.clone())
    } else if let Some((version, _)) = find(&[Stage::Rejected]) {
        ("denied", version.reason.clone())
    } else if let Some((version, _)) = find(&[Stage::Quarantined]) {
        ("pending", version.reason.clone())
    } else if let Some((version, _)) = holders.first() {
        let expired = version.expires.is_some_and(|expires| expires <= state.registry.now());
        ("denied", if expired { "its approval has expired" } else { "the file is withheld" }.to_owned())
    } else {
        ("unknown", String::new())
    };
    let versions = holders.iter().map(|(version, _)| Holder {
        model: format!("{}/{}", version.kind.as_str(), version.name),
        commit: version.commit.clone(),
        manifest: version.manifest.clone(),
        stage: version.stage.as_str().to_owned(),
        conditions: version.conditions.clone(),
    });
    Ok(Standing { digest: named.to_owned(), standing, reason, versions: versions.collect() })
}
