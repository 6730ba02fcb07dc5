//! What the pages ask the registry, and what their forms do.

mod deployments;
mod door;
mod exceptions;
mod lineage;
mod log;
mod models;
mod overview;
mod people;
mod policy;
mod reviews;
mod revoke;
mod rows;
mod seals;
mod search;
mod version;

use alnage_registry::people::{Place, Role};
use alnage_registry::{Actor, ActorKind, Version, project_of};

use crate::{
    auth::{Caller, CallerKind},
    core::{Access, Answered, Ask, Failure, On, Route},
};

/// What of a version is seen and done, by whom.
const SEEN: &[Ask] = &[
    Ask::role(Role::Viewer, "/console/models/acme/tiny"),
    Ask::role(Role::Viewer, "/console/models/acme/tiny/versions/{commit}"),
    Ask::role(Role::Viewer, "/console/models/acme/tiny/versions/main/files"),
    Ask::role(Role::Viewer, "/console/models/acme/tiny/versions/main/revoke"),
];
const SEEN_DATASET: &[Ask] = &[Ask::role(Role::Viewer, "/console/datasets/acme/data")];
const CHANGED: &[Ask] = &[
    Ask::role(Role::Consumer, "/console/models/acme/idle/versions/main/ask").body("reason=a+pilot"),
    Ask::role(Role::Reviewer, "/console/models/acme/tiny/versions/main/stage")
        .body("stage=production&reason=change"),
    Ask::role(Role::Reviewer, "/console/models/acme/gone/versions/main/revoke")
        .body("sure=yes&reason=leaked"),
];
const CHANGED_DATASET: &[Ask] =
    &[Ask::role(Role::Reviewer, "/console/datasets/acme/old/versions/main/revoke")
        .body("sure=yes&reason=leaked")];
const REVIEW: &[Ask] = &[Ask::role(Role::Viewer, "/console/reviews/{approval}")];
const VOTE: &[Ask] =
    &[Ask::role(Role::Reviewer, "/console/reviews/{request}").body("vote=approve&reason=read")];
const EXCEPT: &[Ask] = &[Ask::role(Role::Reviewer, "/console/exceptions")
    .body("version=acme%2Fidle&rule=verdict-open&reason=known&until=2099-01-01")];
const END: &[Ask] = &[Ask::role(Role::Reviewer, "/console/exceptions/{exception}/end")];

/// The rows of the table.
pub(crate) fn routes() -> Vec<Route> {
    let viewer = || Access::Role(Role::Viewer, On::Anywhere);
    vec![
        Route::get("/", Access::Public, "To the console", door::root).success(303),
        Route::get("/console/assets/{name}", Access::Public, "Stylesheet, script, typeface", door::asset),
        Route::get("/console/sign-in", Access::Public, "The page to sign in", door::sign_in),
        Route::post("/console/sign-in", Access::Public, "Sign in with a token", door::enter).success(303),
        Route::post("/console/sign-out", Access::Public, "Sign out", door::leave).success(303),
        Route::get("/console", Access::Known, "What runs, what waits, what is blocked", overview::show),
        Route::get("/console/models", viewer(), "Models and datasets", models::show),
        Route::get("/console/models/{*rest}", Access::Asked(SEEN), "A version of a model", version::model),
        Route::post(
            "/console/models/{*rest}",
            Access::Asked(CHANGED),
            "Change something about a version",
            version::change_model,
        )
        .success(303),
        Route::get(
            "/console/datasets/{*rest}",
            Access::Asked(SEEN_DATASET),
            "A version of a dataset",
            version::dataset,
        ),
        Route::post(
            "/console/datasets/{*rest}",
            Access::Asked(CHANGED_DATASET),
            "Change something about a version",
            version::change_dataset,
        )
        .success(303),
        Route::get("/console/reviews", viewer(), "What waits for a decision", reviews::list),
        Route::get("/console/reviews/{id}", Access::Asked(REVIEW), "A request for approval", reviews::show),
        Route::post("/console/reviews/{id}", Access::Asked(VOTE), "Approve or deny", reviews::vote)
            .success(303),
        Route::get("/console/exceptions", viewer(), "Exceptions from the policy", exceptions::show),
        Route::post("/console/exceptions", Access::Asked(EXCEPT), "Grant an exception", exceptions::grant)
            .success(303),
        Route::post("/console/exceptions/{id}/end", Access::Asked(END), "End an exception", exceptions::end)
            .success(303),
        Route::get("/console/deployments", viewer(), "What runs where", deployments::show),
        Route::get("/console/policy", viewer(), "Packs, rules, and a place to try them", policy::show),
        Route::post("/console/policy", viewer(), "Try a pack on evidence", policy::attempt),
        Route::get("/console/log", viewer(), "The transparency log", log::show),
        Route::get("/console/log/{entry}", viewer(), "An entry and its proof", log::entry),
        Route::get(
            "/console/audit",
            Access::Role(Role::Auditor, On::Everywhere),
            "Who did what",
            people::audit,
        ),
        Route::get("/console/people", Access::Known, "People and tokens", people::show),
        Route::post("/console/people/tokens", Access::Known, "Make a token", people::add_token),
        Route::post("/console/people/tokens/{id}/withdraw", Access::Known, "End a token", people::end_token)
            .success(303),
        Route::get("/console/search", viewer(), "Search", search::show),
        Route::get("/console/device", Access::Known, "Let a terminal sign in", door::device),
        Route::post("/console/device", Access::Known, "Let a terminal sign in", door::allow).success(303),
        Route::get("/console/{*rest}", Access::Public, "No such page", door::nowhere),
    ]
}

/// Whoever does it, as the records have them.
fn actor(caller: &Caller) -> Actor {
    let kind = if caller.kind == CallerKind::Service { ActorKind::Service } else { ActorKind::User };
    Actor { name: caller.name.clone(), kind, address: caller.address.to_string() }
}

/// Whether the reader may do that in the project of a repository.
fn may(caller: &Caller, role: Role, name: &str) -> bool {
    caller.may(role, Place::Project(project_of(name)))
}

/// Fails unless they may. What somebody cannot even see is not there.
fn must(caller: &Caller, role: Role, version: &Version) -> Answered<()> {
    if !may(caller, Role::Viewer, &version.name) && !caller.is_anonymous() {
        return Err(Failure::not_found("such page"));
    }
    caller.must(role, Place::Project(project_of(&version.name)))
}
