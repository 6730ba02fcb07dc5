//! Identities that others vouch for: pipelines of GitHub and GitLab, workloads of Kubernetes, by configured trust.

use std::net::IpAddr;

use alnage_registry::people::{Grant, Roles};
use serde::Deserialize;
use serde_json::Value;

use super::{Caller, CallerKind, jwt};
use crate::core::{Answered, Failure, State};

/// Whom to trust with what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trust {
    /// What it is called in records: `github`.
    pub name: String,
    /// Who issues the identities: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Whom they are issued for; this server's public address when empty.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Where the issuer's keys are, when discovery does not tell: a URL, or a file.
    #[serde(default)]
    pub keys: Option<String>,
    /// What the claims must be: `repository = "acme/*"`; `*` stands for any characters. `a.b` is a claim in a claim.
    #[serde(default)]
    pub when: std::collections::BTreeMap<String, String>,
    /// What they may do: `acme:publisher`, `viewer`.
    pub roles: Vec<String>,
}

impl Trust {
    /// What those may do who are trusted so.
    pub fn grants(&self) -> Result<Vec<Grant>, String> {
        self.roles.iter().map(|role| role.parse()).collect()
    }

    fn holds(&self, claims: &Value) -> bool {
        self.when.iter().all(|(name, pattern)| {
            let claim = claims
                .get(name)
                .or_else(|| name.split('.').try_fold(claims, |claims, part| claims.get(part)));
            match claim {
                Some(Value::String(text)) => matches(pattern, text),
                Some(Value::Bool(flag)) => pattern == if *flag { "true" } else { "false" },
                Some(Value::Number(number)) => *pattern == number.to_string(),
                Some(Value::Array(items)) => {
                    items.iter().filter_map(Value::as_str).any(|item| matches(pattern, item))
                }
                _ => false,
            }
        })
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Who the signed identity `token` says asks; `None` when nobody who is trusted issued it.
pub(super) fn vouched(state: &State, token: &str, address: IpAddr) -> Answered<Option<Caller>> {
    let Ok(unverified) = jwt::read(token) else { return Ok(None) };
    let issuer = unverified.issuer().to_owned();
    if !state.settings.trust.iter().any(|trust| trust.issuer == issuer) {
        return Ok(None);
    }
    match identity(state, token) {
        Ok((name, grants)) => Ok(Some(Caller {
            name,
            kind: CallerKind::Service,
            roles: Roles(grants),
            ..Caller::anonymous(address)
        })),
        Err(failure) if failure.status.is_server_error() => Err(failure),
        Err(_) => Ok(None),
    }
}

/// The name and the rights of the workload that `token` speaks of.
pub(super) fn identity(state: &State, token: &str) -> Answered<(String, Vec<Grant>)> {
    let now = state.now();
    let own = state.settings.public_url.trim_end_matches('/');
    let mut why = "nobody who is trusted issued it";
    for trust in &state.settings.trust {
        let unverified = jwt::read(token).map_err(Failure::invalid)?;
        if trust.issuer != unverified.issuer() {
            continue;
        }
        let set = state.issuers.keys(&trust.issuer, trust.keys.as_deref(), unverified.key_id.as_deref())?;
        let mut audience: Vec<&str> = trust.audience.iter().map(String::as_str).collect();
        if audience.is_empty() {
            audience.push(own);
        }
        match unverified.verify(&jwt::keys(&set), &audience, now) {
            Ok(claims) if trust.holds(&claims) => {
                let subject = claims.get("sub").and_then(Value::as_str).unwrap_or("unnamed");
                let subject: String = subject.chars().filter(|c| c.is_ascii_graphic()).take(200).collect();
                let grants = trust.grants().map_err(Failure::internal)?;
                return Ok((format!("{}:{subject}", trust.name), grants));
            }
            Ok(_) => why = "its claims are not those that are trusted",
            Err(reason) => why = reason,
        }
    }
    Err(Failure::new(
        axum::http::StatusCode::UNAUTHORIZED,
        "unauthorized",
        format!("the identity is refused: {why}"),
    ))
}
