//! What a finding does to the verdict: one table, which a user can override.

use std::collections::BTreeMap;

use alnage_types::{Finding, Severity, Verdict};
use serde::{Deserialize, Serialize};

/// What a finding does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Shown; changes nothing.
    Note,
    /// The verdict is at least `review`.
    Review,
    /// The verdict is `block`.
    Block,
}

impl Effect {
    /// The least verdict this effect leads to.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Note => Verdict::Pass,
            Self::Review => Verdict::Review,
            Self::Block => Verdict::Block,
        }
    }
}

/// Effects by severity, with exceptions by rule code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// For `critical` findings.
    pub critical: Effect,
    /// For `high` findings.
    pub high: Effect,
    /// For `medium` findings.
    pub medium: Effect,
    /// For `low` findings.
    pub low: Effect,
    /// For `info` findings.
    pub info: Effect,
    /// For all findings of a rule, whatever their severity.
    pub rules: BTreeMap<String, Effect>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            critical: Effect::Block,
            high: Effect::Block,
            medium: Effect::Review,
            low: Effect::Note,
            info: Effect::Note,
            rules: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// What `finding` does to the verdict.
    pub fn effect(&self, finding: &Finding) -> Effect {
        self.rules.get(finding.code.as_ref()).copied().unwrap_or(match finding.severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        })
    }
}
