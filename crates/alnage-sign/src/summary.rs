//! What a signature says, for a person who has not verified it.

use alnage_types::Digest;
use serde::Serialize;

use crate::{
    Bundle, Credential, Error, VerifyingKey, keyless, model, path,
    x509::{self, AlternativeName},
};

/// What a signature says. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How it names its signer: `key`, `certificate` or `sigstore`.
    pub method: &'static str,
    /// The digest that names the signer's key, when that is known.
    pub key: Option<String>,
    /// The certificates, the signer's own first.
    pub certificates: Vec<CertificateSummary>,
    /// The model's name.
    pub name: String,
    /// The digest over all its files.
    pub root: Digest,
    /// By which algorithm files were hashed.
    pub hash: &'static str,
    /// Whole files, or shards of a length.
    pub serialization: String,
    /// Whether links stand for what they lead to.
    pub allow_symlinks: bool,
    /// What the signature leaves out.
    pub ignored_paths: Vec<String>,
    /// The files, or shards of them, in the signer's order.
    pub resources: Vec<ResourceSummary>,
    /// How many RFC 3161 timestamps it carries.
    pub timestamps: usize,
    /// How many entries of Sigstore's log it carries.
    pub log_entries: usize,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateSummary {
    /// Whom it is for.
    pub subject: String,
    /// The addresses, hosts and URIs it gives its holder.
    pub names: Vec<String>,
    /// Who knew the holder of a keyless signer's certificate.
    pub identity_provider: Option<String>,
    /// Who made it.
    pub issuer: String,
    /// SHA-256 of its DER form.
    pub sha256: Digest,
    /// When it becomes valid.
    pub not_before: String,
    /// When it expires.
    pub not_after: String,
}

/// A file or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceSummary {
    /// As the signature names it.
    pub name: String,
    /// Hexadecimal.
    pub digest: String,
}

impl Bundle {
    /// What the bundle says, **not verified**.
    pub fn summary(&self) -> Result<Summary, Error> {
        let said = model::read_any(&self.unverified_payload()?)?;
        let resource = |resource: &crate::Resource| ResourceSummary {
            name: resource.name(),
            digest: resource.digest.to_string(),
        };
        let certificates = match self.credential() {
            Credential::CertificateChain(chain) => chain.iter().map(|der| certificate(der)).collect(),
            Credential::Certificate(der) => vec![certificate(der)],
            Credential::KeyHint(_) | Credential::RawKey { .. } => Vec::new(),
        };
        Ok(Summary {
            method: self.credential().method(),
            key: self.named_key(),
            certificates,
            name: said.name().to_owned(),
            root: said.root(),
            hash: said.hash().as_str(),
            serialization: said.serialization().to_string(),
            allow_symlinks: said.symlinks() == crate::Symlinks::Followed,
            ignored_paths: said.ignored_paths().paths().map(str::to_owned).collect(),
            resources: said.resources().iter().map(resource).collect(),
            timestamps: self.timestamps().len(),
            log_entries: self.log_entries().len(),
        })
    }

    fn named_key(&self) -> Option<String> {
        match self.credential() {
            Credential::KeyHint(hint) if hint.is_empty() => None,
            Credential::KeyHint(hint) => Some(path::shown(hint)),
            Credential::RawKey { pem, .. } => {
                let key = VerifyingKey::from_pem(&String::from_utf8_lossy(pem)).ok()?;
                Some(key.hint().to_string())
            }
            Credential::CertificateChain(chain) => chain.first().and_then(|der| leaf_key(der)),
            Credential::Certificate(der) => leaf_key(der),
        }
    }
}

fn leaf_key(der: &[u8]) -> Option<String> {
    Some(x509::Certificate::from_der(der).ok()?.verifying_key().ok()?.hint().to_string())
}

fn certificate(der: &[u8]) -> CertificateSummary {
    let sha256 = Digest::of(der);
    match x509::Certificate::from_der(der) {
        Ok(certificate) => CertificateSummary {
            subject: certificate.subject(),
            names: certificate.alternative_names().into_iter().map(AlternativeName::into_text).collect(),
            identity_provider: keyless::provider_of(&certificate),
            issuer: certificate.issuer(),
            sha256,
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
        },
        Err(error) => CertificateSummary {
            subject: format!("unreadable: {error}"),
            names: Vec::new(),
            identity_provider: None,
            issuer: String::new(),
            sha256,
            not_before: String::new(),
            not_after: String::new(),
        },
    }
}
