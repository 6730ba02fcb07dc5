//! Whether a document follows its official schema, and what the schema cannot say.

use crate::{
    ReadError,
    lint::{self, Advice, Gravity},
    read::parse,
    schema,
};

/// What was found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The format and edition it claims: `CycloneDX 1.7`.
    pub format: String,
    /// Everything that is wrong or weak.
    pub advice: Vec<Advice>,
}

impl Validation {
    /// Whether the schema is kept and nothing is wrong beyond it.
    pub fn is_valid(&self) -> bool {
        self.advice.iter().all(|advice| advice.gravity != Gravity::Error)
    }
}

/// Checks a document of CycloneDX 1.6 or 1.7, or SPDX 3.0.1.
pub fn validate(bytes: &[u8]) -> Result<Validation, ReadError> {
    let document = parse(bytes)?;
    let (format, name) = match document["specVersion"].as_str() {
        Some("1.6") if document["bomFormat"] == "CycloneDX" => ("CycloneDX 1.6", "bom-1.6.schema.json"),
        Some("1.7") if document["bomFormat"] == "CycloneDX" => ("CycloneDX 1.7", "bom-1.7.schema.json"),
        _ if document["@context"].as_str().is_some_and(|context| context.contains("/3.0.1/")) => {
            ("SPDX 3.0.1", "spdx-3.0.1.schema.json")
        }
        _ => return Err(ReadError::UnknownFormat),
    };
    let broken = schema::check(name, &document);
    let mut advice: Vec<Advice> = broken
        .into_iter()
        .map(|violation| Advice {
            gravity: Gravity::Error,
            pointer: violation.pointer,
            message: violation.message,
        })
        .collect();
    advice.extend(if format.starts_with("SPDX") {
        lint::spdx(&document)
    } else {
        lint::cyclonedx(&document)
    });
    Ok(Validation { format: format.into(), advice })
}
