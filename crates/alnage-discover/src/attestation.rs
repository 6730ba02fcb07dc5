//! What a package's publisher attested about a file (PEP 740): read and compared. Its signature is for whoever has the
//! trusted root; who it was is compared here with whom the index names.

use std::fmt;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use serde_json::Value;

/// More attestations than any file has.
const MAX_ATTESTATIONS: usize = 64;

/// One attestation, as carried. **Not verified**.
#[derive(Debug, Clone, PartialEq)]
pub struct Attestation {
    /// The file that it is about.
    pub file: String,
    /// That file's digest.
    pub sha256: Digest,
    /// What is attested: the in-toto predicate type.
    pub predicate_type: String,
    /// Who published it, as the index says.
    pub publisher: Option<Publisher>,
    /// The signed statement.
    pub statement: Vec<u8>,
    /// The signature, in DER.
    pub signature: Vec<u8>,
    /// The signer's certificate, in DER.
    pub certificate: Vec<u8>,
    /// Entries of transparency logs, in Sigstore's JSON.
    pub entries: Vec<Value>,
}

/// Whom the index lets publish a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publisher {
    /// `GitHub`, `GitLab`, `Google`.
    pub kind: String,
    /// The repository that builds it: `owner/name`.
    pub repository: Option<String>,
    /// The file of the workflow in it.
    pub workflow: Option<String>,
    /// The account.
    pub email: Option<String>,
}

/// What became of the signature of an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// It holds.
    By(Attester),
    /// It does not hold.
    Broken(String),
    /// Whoever would vouch for it is not known.
    Unknown(String),
}

/// Who signed, by the word of an authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attester {
    /// The names in the certificate.
    pub names: Vec<String>,
    /// Who knew the signer: the issuer of the identity token.
    pub provider: String,
    /// The repository that was built, a URL.
    pub repository: Option<String>,
    /// What said how to build, a URL with a version.
    pub workflow: Option<String>,
}

impl Publisher {
    /// Whether `attester` is this publisher; nothing when publishers of this kind are not known.
    pub fn is(&self, attester: &Attester) -> Option<bool> {
        let repository = self.repository.as_deref().unwrap_or_default();
        let built = |provider: &str, host: &str, folder: &str| {
            let source = format!("https://{host}/{repository}");
            // Owners and names are the same in capitals, paths in them are not.
            let from = attester.repository.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(&source));
            let workflow = match (&self.workflow, &attester.workflow) {
                (None, _) => true,
                (Some(wanted), Some(found)) => {
                    let path = found.split_once('@').map_or(found.as_str(), |(path, _)| path);
                    path.get(source.len()..) == Some(format!("{folder}{wanted}").as_str())
                }
                (Some(_), None) => false,
            };
            attester.provider == provider && !repository.is_empty() && from && workflow
        };
        match self.kind.as_str() {
            "GitHub" => Some(built(
                "https://token.actions.githubusercontent.com",
                "github.com",
                "/.github/workflows/",
            )),
            "GitLab" => Some(built("https://gitlab.com", "gitlab.com", "//")),
            "Google" => {
                let known = self.email.as_ref().is_some_and(|email| attester.names.contains(email));
                Some(known && attester.provider == "https://accounts.google.com")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repository.as_ref().or(self.email.as_ref()) {
            Some(who) => write!(f, "{} {who}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
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
        let of = |key: &str| bundle["publisher"][key].as_str().map(str::to_owned);
        let publisher = of("kind").map(|kind| Publisher {
            kind,
            repository: of("repository"),
            workflow: of("workflow").or_else(|| of("workflow_filepath")),
            email: of("email"),
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

fn parse(value: &Value, publisher: Option<Publisher>) -> Result<Attestation, String> {
    let decoded = |part: &Value, what: &str| {
        let text = part.as_str().ok_or_else(|| format!("it has no {what}"))?;
        Base64::decode_vec(text).map_err(|_| format!("its {what} is not base64"))
    };
    let material = &value["verification_material"];
    let certificate = decoded(&material["certificate"], "certificate")?;
    let entries = material["transparency_entries"].as_array().cloned().unwrap_or_default();
    if entries.is_empty() {
        return Err("it was never logged".into());
    }
    let signature = decoded(&value["envelope"]["signature"], "signature")?;
    let bytes = decoded(&value["envelope"]["statement"], "statement")?;
    let statement: Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("its statement: {error}"))?;
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
        statement: bytes,
        signature,
        certificate,
        entries,
    })
}
