//! The decision: what somebody who knows the models says of each, weighed by the rules.

use serde::Serialize;

use crate::{
    origin::{Origin, Reference},
    reading::{Code, Endpoint, Fetcher, Loads},
    rules::{Effect, Rules},
};

/// Somebody who knows models: a registry, or a list.
pub trait Known {
    /// What is to be said of a model.
    fn ask(&self, origin: &Origin) -> Standing;
}

/// What is said of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// It may be loaded.
    Approved {
        /// The commit that is.
        commit: Option<String>,
        /// The digest of its manifest.
        digest: Option<String>,
        /// Whether a signature over it was verified, as far as known.
        sealed: Option<bool>,
        /// What whoever loads it is told.
        conditions: Vec<String>,
    },
    /// Nobody decided yet.
    Pending {
        /// What it waits for, or where to ask.
        reason: String,
    },
    /// It may not.
    Denied {
        /// Why.
        reason: String,
    },
    /// It might, and may no more.
    Recalled {
        /// Why.
        reason: String,
    },
    /// Nothing is known of it.
    Unknown,
    /// Nobody could be asked.
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// A model with what was said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The model.
    #[serde(flatten)]
    pub reference: Reference,
    /// One spelling for all.
    pub model: String,
    /// What was said; nobody is asked of what cannot be named.
    #[serde(flatten)]
    pub standing: Option<Standing>,
    /// What becomes of the object for it.
    pub effect: Effect,
}

/// What becomes of an object, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it is let through.
    pub allowed: bool,
    /// Why not.
    pub denials: Vec<String>,
    /// What whoever sent it is told.
    pub warnings: Vec<String>,
    /// Each model.
    pub models: Vec<Judged>,
}

impl Decision {
    fn tell(&mut self, effect: Effect, message: String) {
        let list = match effect {
            Effect::Allow => return,
            Effect::Warn => &mut self.warnings,
            Effect::Deny => &mut self.denials,
        };
        if !list.contains(&message) {
            list.push(message);
        }
    }
}

/// Decides on what an object would load.
#[must_use]
pub fn decide(loads: &Loads, known: &dyn Known, rules: &Rules) -> Decision {
    let mut decision = Decision::default();
    for reference in &loads.references {
        let judged = judge(reference, loads, known, rules, &mut decision);
        decision.models.push(judged);
    }
    for finding in &loads.findings {
        let effect = match finding.code {
            Code::RemoteCode => rules.remote_code,
            Code::UnsafeFormat => rules.unsafe_format,
            Code::Offline => rules.volumes.min(Effect::Warn),
            Code::TooMuch => rules.unresolved,
        };
        decision.tell(effect, format!("{} ({})", finding.message, shown(&finding.at)));
    }
    for fetcher in &loads.fetchers {
        if let Some(message) = elsewhere(fetcher, rules) {
            let is_silent = fetcher.endpoint == Endpoint::Default && !fetcher.fixed;
            let effect = if is_silent { rules.endpoint_missing } else { rules.endpoint_elsewhere };
            decision.tell(effect, message);
        }
    }
    decision.allowed = decision.denials.is_empty();
    decision
}

fn judge(
    reference: &Reference,
    loads: &Loads,
    known: &dyn Known,
    rules: &Rules,
    decision: &mut Decision,
) -> Judged {
    let (standing, effect) = match &reference.origin {
        Origin::Unresolved { why } => {
            let message = format!(
                "which model `{}` is cannot be told: {why} ({})",
                reference.written,
                shown(&reference.at)
            );
            decision.tell(rules.unresolved, message);
            (None, rules.unresolved)
        }
        origin => {
            let standing = known.ask(origin);
            let (effect, reason) = weigh(reference, &standing, rules);
            if let Some(reason) = reason {
                decision.tell(effect, format!("`{origin}` {reason} ({})", shown(&reference.at)));
            }
            let unpinned = unpinned(reference, &standing, loads, rules);
            (
                Some(standing),
                effect.max(unpinned.map_or(Effect::Allow, |message| {
                    let (effect, message) = message;
                    decision.tell(effect, message);
                    effect
                })),
            )
        }
    };
    if let Some(Standing::Approved { sealed: Some(false), .. }) = &standing {
        decision
            .tell(rules.unsealed, format!("`{}` is not sealed by a key that is trusted", reference.origin));
    }
    if let Some(Standing::Approved { conditions, .. }) = &standing {
        for condition in conditions {
            decision.tell(
                Effect::Warn,
                format!("`{}` is approved on a condition: {condition}", reference.origin),
            );
        }
    }
    let unsealed = match &standing {
        Some(Standing::Approved { sealed: Some(false), .. }) => rules.unsealed,
        _ => Effect::Allow,
    };
    let effect = effect.max(unsealed);
    Judged { reference: reference.clone(), model: reference.origin.to_string(), standing, effect }
}

/// What a standing leads to, and what is said then.
fn weigh(reference: &Reference, standing: &Standing, rules: &Rules) -> (Effect, Option<String>) {
    // What only may be loaded is refused when it is known to be bad.
    let unless_certain = |effect| if reference.certain { effect } else { Effect::Allow };
    match standing {
        Standing::Approved { .. } => (Effect::Allow, None),
        Standing::Recalled { reason } => (Effect::Deny, Some(format!("was recalled: {reason}"))),
        Standing::Denied { reason } => (Effect::Deny, Some(format!("is refused: {reason}"))),
        Standing::Pending { reason } => {
            (unless_certain(rules.unknown), Some(format!("is not approved yet: {reason}")))
        }
        Standing::Unavailable { reason } => {
            (unless_certain(rules.unknown), Some(format!("could not be asked about: {reason}")))
        }
        Standing::Unknown => match &reference.origin {
            Origin::Claim { .. } | Origin::Host { .. } | Origin::Volume { .. } if reference.gated => {
                (Effect::Allow, None)
            }
            Origin::Claim { .. } | Origin::Host { .. } | Origin::Volume { .. } => {
                let reason = "is in a volume that the registry cannot see; start the program with `alnage run`, which verifies what it opens";
                (unless_certain(rules.volumes), Some(reason.to_owned()))
            }
            _ => (unless_certain(rules.unknown), Some("is not known to the registry".to_owned())),
        },
    }
}

/// What is said of a model that could be pinned, and is not.
fn unpinned(
    reference: &Reference,
    standing: &Standing,
    loads: &Loads,
    rules: &Rules,
) -> Option<(Effect, String)> {
    let Standing::Approved { commit, .. } = standing else { return None };
    let can_be = matches!(
        reference.origin,
        Origin::Hub { .. } | Origin::Image { .. } | Origin::Ollama { .. } | Origin::Baked { .. }
    );
    if reference.origin.pinned() || !can_be || !reference.certain {
        return None;
    }
    let name = &reference.origin;
    let at = shown(&reference.at);
    let commit =
        commit.as_ref().map(|commit| format!("; the approved commit is {commit}")).unwrap_or_default();
    if reference.pinnable {
        let what = if matches!(name, Origin::Hub { .. }) { "commit" } else { "digest" };
        return Some((rules.unpinned, format!("`{name}` is not pinned to a {what} ({at}){commit}")));
    }
    // What has no way to pin gets the newest approved version, as long as it asks the registry.
    let by_registry = rules.endpoint.is_none()
        || loads.fetchers.iter().all(|fetcher| elsewhere(fetcher, rules).is_none())
            && !loads.fetchers.is_empty();
    let effect = if by_registry { rules.unpinned.min(Effect::Warn) } else { rules.unpinned };
    Some((
        effect,
        format!(
            "`{name}` cannot be pinned where it stands ({at}): what is approved when it starts is loaded"
        ),
    ))
}

/// What is said of a container that fetches elsewhere than from the registry.
fn elsewhere(fetcher: &Fetcher, rules: &Rules) -> Option<String> {
    let wanted = rules.endpoint.as_deref()?;
    let at = shown(&fetcher.at);
    if fetcher.fixed {
        return Some(format!("{at} fetches by an address of its own, and not from {wanted}"));
    }
    match &fetcher.endpoint {
        Endpoint::Set(endpoint) if same(endpoint, wanted) => None,
        Endpoint::Set(endpoint) => Some(format!("{at} fetches from {endpoint}, and not from {wanted}")),
        Endpoint::Default => Some(format!("{at} fetches from huggingface.co: set `HF_ENDPOINT` to {wanted}")),
        Endpoint::Elsewhere(why) => {
            Some(format!("where {at} fetches from cannot be told: {why}; set `HF_ENDPOINT` to {wanted}"))
        }
        Endpoint::Offline => None,
    }
}

/// Whether two addresses of registries are one.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

/// A pointer as people write paths: `spec.containers[0].args[1]`.
fn shown(pointer: &str) -> String {
    let mut path = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{segment}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&segment);
        }
    }
    if path.is_empty() { "the object".to_owned() } else { path }
}
