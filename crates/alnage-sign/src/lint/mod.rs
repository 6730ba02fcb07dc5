//! Which verifiers will take a signature, and why others will not. It looks at form alone: whether the signature is true
//! over the model is for [`Bundle::verify`](crate::Bundle::verify).
//!
//! What verifiers ask for beyond the specification was read in their sources and tried; a test tries `model_signing`
//! again, so that a change there is noticed.

mod bundle;
mod payload;

use serde::Serialize;
use serde_json::Value;

use crate::{Bundle, model};

/// An implementation, or the text they go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verifier {
    /// A verifier that does what OpenSSF Model Signing v1.0 and its JSON Schemas say and nothing else.
    Specification,
    /// `model_signing` 1.1.1 from PyPI, the reference implementation.
    Python,
    /// The implementation in Go.
    Go,
    /// What verifies Sigstore bundles of any kind, such as `cosign`.
    Sigstore,
    /// This one.
    Alnage,
}

impl Verifier {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Specification, Self::Python, Self::Go, Self::Sigstore, Self::Alnage];

    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Specification => "the specification",
            Self::Python => "model_signing 1.1.1 (Python)",
            Self::Go => "model-signing (Go)",
            Self::Sigstore => "Sigstore verifiers",
            Self::Alnage => "Alnage",
        }
    }
}

/// Why some verifiers refuse a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// Which.
    pub verifiers: &'static [Verifier],
    /// Why, one sentence.
    pub reason: String,
}

/// What is to be said about the form of a signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// What makes verifiers refuse it.
    pub objections: Vec<Objection>,
    /// What makes no verifier refuse it and is worth knowing.
    pub notes: Vec<String>,
}

impl Lint {
    /// Why `verifier` refuses it; nothing when it takes it.
    pub fn refusals(&self, verifier: Verifier) -> impl Iterator<Item = &str> {
        let by = move |objection: &&Objection| objection.verifiers.contains(&verifier);
        self.objections.iter().filter(by).map(|objection| objection.reason.as_str())
    }

    fn object(&mut self, verifiers: &'static [Verifier], reason: impl Into<String>) {
        self.objections.push(Objection { verifiers, reason: reason.into() });
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// Looks at the form of the signature in `bytes`.
pub fn lint(bytes: &[u8]) -> Lint {
    let mut lint = Lint::default();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => {
            if let Some(payload) = bundle::check(&value, &mut lint) {
                payload::check(&payload, &mut lint);
            }
        }
        Err(error) => lint.object(&Verifier::ALL, format!("it is not JSON: {error}")),
    }
    // The parser itself has the last word on what is said of it.
    let ours = Bundle::parse(bytes).and_then(|bundle| model::read_any(&bundle.unverified_payload()?));
    if let Err(error) = ours {
        lint.object(&[Verifier::Alnage], error.to_string());
    }
    lint
}

#[cfg(test)]
mod tests;
