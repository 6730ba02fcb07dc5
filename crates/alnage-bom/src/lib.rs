//! Machine-learning bills of materials: composed from facts, written as CycloneDX or SPDX, read, compared and judged.
//!
//! A [`Bom`] is the same whatever format it is written in. What the bytes say comes before what a configuration says,
//! and that before what a card claims. Every field names the file it came from; where sources differ the document says
//! so; what nothing says is listed as unknown instead of being left out silently.

mod bom;
mod compare;
mod compose;
mod convert;
mod cyclonedx;
mod datasets;
mod decimal;
mod declared;
mod files;
mod findings;
mod hub;
mod jcs;
mod jsf;
mod link;
mod lint;
mod merge;
mod openvex;
mod read;
mod schema;
mod score;
mod source_note;
mod spdx;
mod validate;

pub use bom::{
    Bom, Component, Conformity, DatasetDetails, Kind, Known, Licence, Metric, ModelDetails, Relation,
    RelationKind, Text, Vulnerability,
};
pub use compare::{Change, ChangeKind, compare};
pub use compose::compose;
pub use convert::{Converted, Lost, convert};
pub use declared::{DECLARED, Declared};
pub use jsf::{JsfError, JsfKey, JsfSigner, jsf_sign, jsf_verify};
pub use lint::{Advice, Gravity};
pub use merge::merge;
pub use openvex::openvex;
pub use read::{ReadError, read};
pub use score::{Element, Profile, Score, Status, score};
pub use validate::{Validation, validate};

/// In which format a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// CycloneDX 1.7.
    #[default]
    CycloneDx17,
    /// CycloneDX 1.6.
    CycloneDx16,
    /// SPDX 3.0.1.
    Spdx,
}

/// What the caller knows about the model and the document, and the bytes do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options<'a> {
    /// The model's name, when nothing in it says a better one.
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

/// The document as indented JSON with a last newline.
pub fn write(bom: &Bom, format: Format) -> String {
    let value = match format {
        Format::CycloneDx17 => cyclonedx::write(bom, cyclonedx::Edition::V1_7),
        Format::CycloneDx16 => cyclonedx::write(bom, cyclonedx::Edition::V1_6),
        Format::Spdx => spdx::write(bom),
    };
    // Maps with keys other than text are all that serialisation could fail on; there are none.
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
