//! A verdict as an attestation: in-toto's Simple Verification Result.

use alnage_types::{Digest, Level, Verdict};
use serde_json::json;

use crate::{Statement, Subject};

/// The predicate's type: <https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md>.
pub const VERDICT_PREDICATE: &str = "https://in-toto.io/attestation/svr/v0.2";

/// The types that say a verdict as we do: the present one, and the one before, which had no list of policies.
pub const VERDICT_PREDICATES: [&str; 2] = [VERDICT_PREDICATE, "https://in-toto.io/attestation/svr/v0.1"];

/// What a vetting led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictClaim<'a> {
    /// Version of Alnage.
    pub tool_version: &'a str,
    /// When the model was vetted, RFC 3339.
    pub time: &'a str,
    /// The answer.
    pub verdict: Verdict,
    /// From which level on rules were run.
    pub level: Level,
    /// How many findings there were.
    pub findings: usize,
    /// How many things were not understood.
    pub issues: usize,
    /// The digest of the policy, when it was not the built-in one.
    pub policy: Option<Digest>,
}

impl VerdictClaim<'_> {
    /// The statement that `subjects` were vetted with this result.
    ///
    /// `properties` holds only what was found to hold, as the predicate's definition asks: a consumer that trusts
    /// the key looks for `ALNAGE_VERDICT_PASS`. Fields that begin with `alnage_` are extensions that other consumers
    /// pass over.
    pub fn statement(&self, subjects: Vec<Subject>) -> Statement {
        let mut properties = Vec::new();
        if self.verdict == Verdict::Pass {
            properties.push("ALNAGE_VERDICT_PASS");
        }
        if self.issues == 0 {
            properties.push("ALNAGE_FULLY_UNDERSTOOD");
        }
        if self.findings == 0 {
            properties.push("ALNAGE_NO_FINDINGS");
        }
        let policies: Vec<_> =
            self.policy.iter().map(|policy| json!({ "digest": { "sha256": policy } })).collect();
        let verifier = json!({
            "id": format!("https://github.com/alnage/alnage/releases/tag/v{}", self.tool_version),
            "policies": policies,
        });
        let predicate = json!({
            "verifier": verifier,
            "timeCreated": self.time,
            "properties": properties,
            "alnage_verdict": self.verdict,
            "alnage_level": self.level,
            "alnage_findings": self.findings,
            "alnage_issues": self.issues,
        });
        Statement { subjects, predicate_type: VERDICT_PREDICATE.to_owned(), predicate }
    }
}
