//! Policies over evidence: Rego packs, CEL conditions, decisions with reasons.
//!
//! A [`Pack`] is a directory of Rego files and a `policy.toml`; [`Pack::decide`] takes what is known about a model, as
//! JSON in the shape of [`Evidence`], and gives a [`Decision`]. Nothing here reads a clock, a file or the network: what
//! a rule may know stands in its input. Whoever cannot get a decision denies ([`Pack::decide_or_deny`] does so).

mod bounds;
mod cases;
mod condition;
mod decision;
mod engine;
mod error;
mod evidence;
mod explain;
mod manifest;
mod pack;
mod shipped;

#[cfg(test)]
mod tests;

pub use cases::{CaseResult, TestReport};
pub use condition::Condition;
pub use decision::{Decision, Effect, Lifted, Reason, Withheld};
pub use error::{Error, Place};
#[cfg(feature = "schema")]
pub use evidence::evidence_schema;
pub use evidence::{
    Approval, Attestation, Evidence, Exception, FileEvidence, FindingEvidence, INPUT_SCHEMA, IssueEvidence,
    LineageEdge, ModelIdentity, Requester, SignatureEvidence, Target, unknown_keys,
};
pub use explain::{Change, Explained, Explanation, Part, explain};
pub use manifest::{Manifest, Parameter, RuleText, When};
pub use pack::Pack;
pub use shipped::{SHIPPED, example_input};
