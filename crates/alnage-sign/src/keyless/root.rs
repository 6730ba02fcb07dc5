//! Sigstore's trusted root: whose certificates, logs and timestamps count, and when.

use alnage_types::Digest;
use serde::Deserialize;
use serde_json::Value;
use x509_cert::{
    der::Decode as _,
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

use super::{
    window::{Window, WrittenWindow},
    wire::Bytes,
};
use crate::{
    Error, path,
    x509::{Certificate, Hash, verify_signature},
};

/// The root of Sigstore's public instance, as the wheel of `sigstore` 4.5.1 brings it.
const PUBLIC_GOOD: &str = include_str!("public_good.json");

/// More of a kind than any root names.
const MAX_INSTANCES: usize = 64;

/// Whose word counts for keyless signatures.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    pub(super) authorities: Vec<Authority>,
    pub(super) timestamp_authorities: Vec<Authority>,
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
}

/// An authority: its certificates, those furthest from the anchor first.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    pub(super) anchor: Certificate,
    pub(super) below: Vec<Certificate>,
    pub(super) window: Window,
}

/// A log, of signatures or of certificates.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// What entries name it by.
    pub(super) id: Vec<u8>,
    /// What signatures of its checkpoints begin with.
    pub(super) hint: Option<[u8; 4]>,
    pub(super) window: Window,
    name: String,
    details: String,
    key: Option<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    info: SubjectPublicKeyInfoOwned,
    hash: Hash,
}

impl TrustedRoot {
    /// The root of Sigstore's public instance. It grows old: logs that came after it are not in it.
    pub fn public_good() -> Result<Self, Error> {
        Self::parse(PUBLIC_GOOD.as_bytes())
    }

    /// Reads a trusted root, or the one in a client's trust configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Policy(format!("not a trusted root of Sigstore: {reason}"));
        let value: Value = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        let kind = value.get("mediaType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let value = match (kind.as_str(), value) {
            (CONFIGURATION, Value::Object(mut fields)) => {
                fields.remove("trustedRoot").ok_or_else(|| malformed("it holds none".into()))?
            }
            (_, value) => value,
        };
        let written: Written = serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
        if !MEDIA_TYPES.contains(&written.media_type.as_str()) {
            return Err(malformed(format!("it is of the kind `{}`", path::shown(&written.media_type))));
        }
        let all = [
            written.tlogs.len(),
            written.ctlogs.len(),
            written.certificate_authorities.len(),
            written.timestamp_authorities.len(),
        ];
        if all.iter().any(|&count| count > MAX_INSTANCES) {
            return Err(malformed("it names too many".into()));
        }
        let authorities = |written: Vec<WrittenAuthority>| {
            written.into_iter().map(WrittenAuthority::read).collect::<Result<Vec<_>, _>>()
        };
        let logs = |written: Vec<WrittenLog>| {
            written.into_iter().map(WrittenLog::read).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            authorities: authorities(written.certificate_authorities)?,
            timestamp_authorities: authorities(written.timestamp_authorities)?,
            logs: logs(written.tlogs)?,
            certificate_logs: logs(written.ctlogs)?,
        })
    }
}

impl Log {
    /// For a person.
    pub(super) fn name(&self) -> String {
        path::shown(&self.name)
    }

    /// Whether the log signed `message`; `hash` says by which hash, where the signature says so itself.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8], hash: Option<Hash>) -> Result<(), String> {
        let Some(key) = &self.key else {
            let (name, details) = (self.name(), path::shown(&self.details));
            return Err(format!("the log `{name}` signs by `{details}`, which is not supported"));
        };
        let algorithm = AlgorithmIdentifierOwned { oid: key.info.algorithm.oid, parameters: None };
        verify_signature(&algorithm, Some(hash.unwrap_or(key.hash)), &key.info, message, signature)
    }
}

const CONFIGURATION: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";

const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<WrittenLog>,
    #[serde(default)]
    ctlogs: Vec<WrittenLog>,
    #[serde(default)]
    certificate_authorities: Vec<WrittenAuthority>,
    #[serde(default)]
    timestamp_authorities: Vec<WrittenAuthority>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLog {
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    hash_algorithm: String,
    public_key: WrittenKey,
    log_id: Option<WrittenId>,
    checkpoint_key_id: Option<WrittenId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKey {
    #[serde(default)]
    raw_bytes: Bytes,
    #[serde(default)]
    key_details: String,
    #[serde(default)]
    valid_for: WrittenWindow,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenId {
    key_id: Bytes,
}

impl WrittenLog {
    fn read(self) -> Result<Log, Error> {
        let name = self.base_url;
        let WrittenKey { raw_bytes, key_details, valid_for } = self.public_key;
        // Unless the root says otherwise, a log's id is the digest of its key.
        let id = self.log_id.map(|id| id.key_id.0);
        let id = id.unwrap_or_else(|| Digest::of(&raw_bytes.0).as_bytes().to_vec());
        let checkpoint_id = self.checkpoint_key_id.map(|id| id.key_id.0);
        let is_sha256 = self.hash_algorithm == "SHA2_256";
        let key = hash_of(&key_details).filter(|_| is_sha256).and_then(|hash| {
            Some(Key { info: SubjectPublicKeyInfoOwned::from_der(&raw_bytes.0).ok()?, hash })
        });
        Ok(Log {
            hint: checkpoint_id.as_ref().unwrap_or(&id).first_chunk::<4>().copied(),
            window: valid_for.read(&format!("the log `{}`", path::shown(&name)))?,
            id,
            name,
            details: key_details,
            key,
        })
    }
}

/// The hash that keys of a kind sign through; nothing for kinds that are not supported.
fn hash_of(details: &str) -> Option<Hash> {
    match details {
        "PKIX_ECDSA_P256_SHA_256"
        | "PKIX_ED25519"
        | "PKIX_RSA_PKCS1V15_2048_SHA256"
        | "PKIX_RSA_PKCS1V15_3072_SHA256"
        | "PKIX_RSA_PKCS1V15_4096_SHA256" => Some(Hash::Sha256),
        "PKIX_ECDSA_P384_SHA_384" => Some(Hash::Sha384),
        "PKIX_ECDSA_P521_SHA_512" => Some(Hash::Sha512),
        _ => None,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAuthority {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    cert_chain: WrittenChain,
    #[serde(default)]
    valid_for: WrittenWindow,
}

#[derive(Debug, Default, Deserialize)]
struct WrittenChain {
    #[serde(default)]
    certificates: Vec<WrittenCertificate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenCertificate {
    raw_bytes: Bytes,
}

impl WrittenAuthority {
    fn read(self) -> Result<Authority, Error> {
        let name = format!("the authority `{}`", path::shown(&self.uri));
        let chain = self.cert_chain.certificates.iter();
        let mut below =
            chain.map(|der| Certificate::from_der(&der.raw_bytes.0)).collect::<Result<Vec<_>, _>>()?;
        let anchor = below
            .pop()
            .ok_or_else(|| Error::Policy(format!("the trusted root has no certificate of {name}")))?;
        Ok(Authority { anchor, below, window: self.valid_for.read(&name)? })
    }
}
