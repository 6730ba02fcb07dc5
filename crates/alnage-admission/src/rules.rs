//! What the administrator wants to become of what is not simply approved.

use serde::{Deserialize, Serialize};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing is said.
    Allow,
    /// It is let through, and whoever sent it is told.
    Warn,
    /// It is refused.
    Deny,
}

/// How strict a review is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rules {
    /// The registry that containers are to fetch from: what `HF_ENDPOINT` is to say.
    pub endpoint: Option<String>,
    /// A model that the registry does not know, or that waits for approval.
    pub unknown: Effect,
    /// A reference that is no commit and no digest, and could be one.
    pub unpinned: Effect,
    /// What the object does not tell: values from ConfigMaps, scripts in volumes, models chosen at run time.
    pub unresolved: Effect,
    /// Files in volumes of the cluster, which the registry cannot see, and which `alnage run` does not verify there.
    pub volumes: Effect,
    /// Code of the model's own repository: `--trust-remote-code`.
    pub remote_code: Effect,
    /// A model without a signature that the registry verified.
    pub unsealed: Effect,
    /// A container that is told no place to fetch from.
    pub endpoint_missing: Effect,
    /// Another place to fetch from than the registry.
    pub endpoint_elsewhere: Effect,
    /// Weights in a format that executes code when it is loaded.
    pub unsafe_format: Effect,
}

impl Default for Rules {
    fn default() -> Self {
        Self::enforcing()
    }
}

impl Rules {
    /// Whatever is not approved, pinned and understood is refused.
    #[must_use]
    pub fn enforcing() -> Self {
        let deny = Effect::Deny;
        Self {
            endpoint: None,
            unknown: deny,
            unpinned: deny,
            unresolved: deny,
            volumes: deny,
            remote_code: deny,
            unsealed: Effect::Allow,
            endpoint_missing: deny,
            endpoint_elsewhere: deny,
            unsafe_format: deny,
        }
    }

    /// Everything is told and nothing refused, but what was recalled or rejected.
    #[must_use]
    pub fn warning() -> Self {
        let warn = Effect::Warn;
        Self {
            endpoint: None,
            unknown: warn,
            unpinned: warn,
            unresolved: warn,
            volumes: warn,
            remote_code: warn,
            unsealed: Effect::Allow,
            endpoint_missing: warn,
            endpoint_elsewhere: warn,
            unsafe_format: warn,
        }
    }
}
