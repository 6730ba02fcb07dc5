//! What a package's publisher attested about a file (PEP 740): read and compared, its signature left to others.

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use serde_json::Value;

/// More attestations than any file has.
const MAX_ATTESTATIONS: usize = 64;

/// One attestation. **Not verified**: who signed it is for whoever has the trusted root to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The file that it is about.
    pub file: String,
    /// That file's digest.
    pub sha256: Digest,
    /// What is attested: the in-toto predicate type.
    pub predicate_type: String,
    /// Who published it, as the index says: the kind of publisher and its repository.
    pub publisher: Option<String>,
}

/// Reads an attestation (`FILE.publish.attestation`) or a provenance object (`FILE.provenance`). The error says why
/// it is none.
pub fn parse_attestations(bytes: &[u8]) -> Result<Vec<Attestation>, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if value["version"] != 1 {
        return Err("its version is not 1".into());
    }
    let Some(bundles) = value["attestation_bundles"].as_array() else {
        return Ok(vec![parse(&value, None)?]);
    };
    let mut attestations = Vec::new();
    for bundle in bundles {
        let publisher = &bundle["publisher"];
        let of = |key: &str| publisher[key].as_str();
        let publisher = of("kind").map(|kind| match of("repository") {
            Some(repository) => format!("{kind} {repository}"),
            None => kind.to_owned(),
        });
        for attestation in bundle["attestations"].as_array().into_iter().flatten() {
            if attestations.len() == MAX_ATTESTATIONS {
                return Err(format!("it holds more than {MAX_ATTESTATIONS} attestations"));
            }
            attestations.push(parse(attestation, publisher.clone())?);
        }
    }
    Ok(attestations)
}

fn parse(value: &Value, publisher: Option<String>) -> Result<Attestation, String> {
    let decoded = |part: &Value, what: &str| {
        let text = part.as_str().ok_or_else(|| format!("it has no {what}"))?;
        Base64::decode_vec(text).map_err(|_| format!("its {what} is not base64"))
    };
    decoded(&value["verification_material"]["certificate"], "certificate")?;
    if value["verification_material"]["transparency_entries"].as_array().is_none_or(Vec::is_empty) {
        return Err("it was never logged".into());
    }
    decoded(&value["envelope"]["signature"], "signature")?;
    let statement = decoded(&value["envelope"]["statement"], "statement")?;
    let statement: Value =
        serde_json::from_slice(&statement).map_err(|error| format!("its statement: {error}"))?;
    if statement["_type"] != "https://in-toto.io/Statement/v1" {
        return Err("its statement is not an in-toto one".into());
    }
    let [subject] = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err("it is not about one file".into());
    };
    let digest = subject["digest"]["sha256"].as_str().and_then(|digest| digest.parse().ok());
    Ok(Attestation {
        file: subject["name"].as_str().ok_or("its subject has no name")?.to_owned(),
        sha256: digest.ok_or("its subject has no SHA-256 digest")?,
        predicate_type: statement["predicateType"].as_str().ok_or("it has no predicate type")?.to_owned(),
        publisher,
    })
}
