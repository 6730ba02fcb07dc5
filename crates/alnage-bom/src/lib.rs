//! Machine-learning bill of materials from facts: CycloneDX 1.7.
//!
//! What the bytes say comes before what a configuration says, and that before what a card claims. Every field names
//! the file it came from in the document's citations; where sources differ, the document says so; what nothing says
//! is listed as unknown instead of being left out silently.

mod claim;
mod compose;
mod disagreement;
mod document;
mod files;
mod findings;
mod hub;
mod licence;
mod link;
mod repository;
mod weights;

use alnage_formats::Model;
use alnage_types::{Finding, Manifest, Verdict};

/// What the caller knows about the model and the document, and the bytes do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options<'a> {
    /// The model's name.
    pub name: &'a str,
    /// Its version: a commit or a release.
    pub version: Option<&'a str>,
    /// Version of Alnage.
    pub tool_version: &'a str,
    /// When the document was made, RFC 3339.
    pub timestamp: &'a str,
    /// Who is responsible for the document.
    pub author: Option<&'a str>,
    /// Where the model's signature stands, relative to the document.
    pub signature: Option<&'a str>,
    /// Where the signed verdict stands, relative to the document.
    pub attestation: Option<&'a str>,
}

/// The model's CycloneDX 1.7 document as JSON. The same input gives the same text.
pub fn cyclonedx(
    model: &Model,
    manifest: &Manifest,
    verdict: Verdict,
    findings: &[Finding],
    options: &Options<'_>,
) -> String {
    compose::document(model, manifest, verdict, findings, options).to_json()
}

#[cfg(test)]
mod tests;
