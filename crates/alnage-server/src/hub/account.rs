//! Who asks, as the hub's clients want to know it.

use axum::{http::HeaderMap, response::Response};
use serde_json::json;

use super::reply::{self, Refusal};
use crate::auth::{Caller, CallerKind};
use alnage_registry::people::{Place, Role};

/// `whoami`.
pub(crate) fn who_am_i(caller: &Caller) -> Result<Response, Refusal> {
    if caller.is_anonymous() {
        return Err(Refusal::WhoAsks("Invalid credentials in Authorization header".into()));
    }
    let projects = caller.roles.projects(Role::Viewer).unwrap_or_default();
    let orgs: Vec<_> = projects
        .into_iter()
        .map(|project| json!({ "type": "org", "id": project, "name": project, "fullname": project, "isEnterprise": false }))
        .collect();
    let role = if caller.may(Role::Publisher, Place::Anywhere) { "write" } else { "read" };
    let body = json!({
        "type": if caller.kind == CallerKind::User { "user" } else { "app" },
        "id": caller.name,
        "name": caller.name,
        "fullname": caller.name,
        "email": null,
        "canPay": false,
        "isPro": false,
        "periodEnd": null,
        "orgs": orgs,
        "auth": { "type": "access_token", "accessToken": { "displayName": "alnage", "role": role } },
    });
    Ok(reply::json(HeaderMap::new(), &body))
}
