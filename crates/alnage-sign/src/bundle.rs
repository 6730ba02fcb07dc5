//! The Sigstore bundle that an OpenSSF model signature is carried in.

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Signer, VerifyingKey,
    dsse::Envelope,
    keyless::{self, Evidence, Inclusion, KeylessSigner, TrustedRoot},
    timestamp::{self, TimestampSource},
    x509::UnixTime,
};

/// The media type that we write, and the only one that is read for keys and chains of certificates.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What keyless signatures are also carried in, and what proof each asks for.
const KEYLESS_MEDIA_TYPES: [(&str, Inclusion); 6] = [
    (MEDIA_TYPE, Inclusion::Proven),
    ("application/vnd.dev.sigstore.bundle.v0.3.1+json", Inclusion::Proven),
    ("application/vnd.dev.sigstore.bundle.v0.3.2+json", Inclusion::Proven),
    ("application/vnd.dev.sigstore.bundle+json;version=0.3", Inclusion::Proven),
    ("application/vnd.dev.sigstore.bundle+json;version=0.2", Inclusion::Proven),
    ("application/vnd.dev.sigstore.bundle+json;version=0.1", Inclusion::Promised),
];

/// A bundle as carried. Nothing in it is verified: what it says of its signer is a claim.
#[derive(Debug)]
pub struct Bundle {
    envelope: Envelope,
    credential: Credential,
    log_entries: Vec<Value>,
    timestamps: Vec<Vec<u8>>,
    signature: Vec<u8>,
    /// What comes beside a keyless signer's certificate.
    intermediates: Vec<Vec<u8>>,
    inclusion: Inclusion,
}

/// What a bundle says of who signed it: the method of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A key, named by the digest of its PEM form; empty when the bundle names none.
    KeyHint(String),
    /// A key, whole, in PEM: what `model_signing` wrote before 1.1.
    RawKey {
        /// The key.
        pem: Vec<u8>,
        /// What kind of key it is, in the bundle's words.
        details: String,
    },
    /// X.509 certificates in DER, the signer's own first, the others in the order that the signer gave.
    CertificateChain(Vec<Vec<u8>>),
    /// One certificate in DER, issued for a moment to an identity: Sigstore's keyless method.
    Certificate(Vec<u8>),
}

impl Credential {
    /// The method's name in the specification.
    pub fn method(&self) -> &'static str {
        match self {
            Self::KeyHint(_) | Self::RawKey { .. } => "key",
            Self::CertificateChain(_) => "certificate",
            Self::Certificate(_) => "sigstore",
        }
    }
}

impl Bundle {
    /// Reads a bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let written: WrittenBundle = serde_json::from_slice(bytes)
            .map_err(|error| Error::Malformed(format!("not a Sigstore bundle: {error}")))?;
        let known = KEYLESS_MEDIA_TYPES.iter().find(|(media_type, _)| *media_type == written.media_type);
        let Some(&(media_type, inclusion)) = known else { return Err(other_kind(&written.media_type)) };
        let signature = written.dsse_envelope.signature()?;
        let Material {
            public_key,
            x509_certificate_chain,
            certificate,
            tlog_entries,
            timestamp_verification_data,
        } = written.verification_material;
        let chain = x509_certificate_chain
            .map(|chain| chain.certificates.iter().map(RawBytes::decode).collect::<Result<Vec<_>, _>>())
            .transpose()?;
        let mut intermediates = Vec::new();
        let credential = match (public_key, chain, certificate) {
            (_, Some(chain), _) if chain.is_empty() => {
                return Err(Error::Malformed("its chain of certificates is empty".into()));
            }
            (None, None, Some(certificate)) => Credential::Certificate(certificate.decode()?),
            // Before version 0.3, keyless signers had chains too.
            (None, Some(mut chain), None) if media_type != MEDIA_TYPE => {
                intermediates = chain.split_off(1);
                Credential::Certificate(chain.remove(0))
            }
            (None, Some(chain), None) => Credential::CertificateChain(chain),
            (Some(_), None, None) if media_type != MEDIA_TYPE => return Err(other_kind(media_type)),
            (Some(key), None, None) => key.credential()?,
            (None, None, None) => {
                return Err(Error::Malformed("it names neither a key nor a certificate".into()));
            }
            _ => return Err(Error::Malformed("it names more than one of key, certificate and chain".into())),
        };
        let timestamps =
            timestamp_verification_data.unwrap_or_default().rfc3161_timestamps.unwrap_or_default();
        Ok(Self {
            envelope: written.dsse_envelope,
            credential,
            log_entries: tlog_entries.unwrap_or_default(),
            timestamps: timestamps.iter().map(Timestamp::decode).collect::<Result<_, _>>()?,
            signature,
            intermediates,
            inclusion,
        })
    }

    /// Verifies the signature as a keyless one, by the word of `root`. Who it was is for the caller to judge.
    pub fn verify_keyless(&self, root: &TrustedRoot, now: UnixTime) -> Result<KeylessSigner, Error> {
        let Credential::Certificate(certificate) = &self.credential else {
            return Err(Error::Untrusted("it was made with a key of the signer's own, not keyless".into()));
        };
        let payload = self.envelope.payload()?;
        let evidence = Evidence {
            certificate,
            intermediates: &self.intermediates,
            entries: &self.log_entries,
            timestamps: &self.timestamps,
            inclusion: self.inclusion,
        };
        keyless::verify_statement(&payload, &self.signature, &evidence, root, now)
    }

    /// Signs `payload`, and has the signature stamped; gives the bundle's text.
    pub(crate) fn seal(
        payload: &[u8],
        signer: &dyn Signer,
        chain: &[Vec<u8>],
        timestamps: Option<&dyn TimestampSource>,
    ) -> Result<String, Error> {
        let envelope = Envelope::seal(payload, String::new(), signer)?;
        let stamped = |source| timestamp::ask(source, &envelope.signature()?);
        let response = timestamps.map(stamped).transpose()?;
        let raw = |der: &Vec<u8>| RawBytes { raw_bytes: Base64::encode_string(der) };
        let written = WrittenBundle {
            dsse_envelope: envelope,
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: chain.is_empty().then(|| PublicKeyIdentifier {
                    hint: signer.verifying_key().hint().to_string(),
                    ..PublicKeyIdentifier::default()
                }),
                x509_certificate_chain: (!chain.is_empty())
                    .then(|| CertificateChain { certificates: chain.iter().map(raw).collect() }),
                certificate: None,
                // Written empty: some readers refuse a bundle without it.
                tlog_entries: Some(Vec::new()),
                timestamp_verification_data: response.map(|response| TimestampData {
                    rfc3161_timestamps: Some(vec![Timestamp {
                        signed_timestamp: Base64::encode_string(&response),
                    }]),
                }),
            },
        };
        serde_json::to_string(&written).map_err(|error| Error::Unsignable(error.to_string()))
    }

    /// What the bundle says of who signed it.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Entries of Sigstore's transparency log, as carried.
    pub fn log_entries(&self) -> &[Value] {
        &self.log_entries
    }

    /// RFC 3161 timestamp responses in DER, as carried. They are over [`signature`](Self::signature).
    pub fn timestamps(&self) -> &[Vec<u8>] {
        &self.timestamps
    }

    /// The signature, in DER.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The payload, **not verified**: for a report on a bundle whose signer is not known.
    pub fn unverified_payload(&self) -> Result<Vec<u8>, Error> {
        self.envelope.payload()
    }

    pub(crate) fn open(&self, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
        self.envelope.open(key)
    }

    pub(crate) fn open_v0_2(&self, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
        self.envelope.open_v0_2(key)
    }
}

fn other_kind(media_type: &str) -> Error {
    let found = media_type.escape_debug();
    Error::Malformed(format!("the bundle is `{found:.80}`, not `{MEDIA_TYPE}`"))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenBundle {
    dsse_envelope: Envelope,
    media_type: String,
    verification_material: Material,
}

// Unknown keys are allowed here: the specification leaves this object open.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyIdentifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<CertificateChain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<RawBytes>,
    #[serde(default)]
    tlog_entries: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<TimestampData>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyIdentifier {
    #[serde(default)]
    hint: String,
    #[serde(default, skip_serializing)]
    raw_bytes: Option<String>,
    #[serde(default, skip_serializing)]
    key_details: Option<String>,
}

impl PublicKeyIdentifier {
    fn credential(self) -> Result<Credential, Error> {
        let Some(raw) = self.raw_bytes else { return Ok(Credential::KeyHint(self.hint)) };
        let pem = Base64::decode_vec(&raw).map_err(|_| Error::Malformed("its key is not base64".into()))?;
        Ok(Credential::RawKey { pem, details: self.key_details.unwrap_or_default() })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct CertificateChain {
    certificates: Vec<RawBytes>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: String,
}

impl RawBytes {
    fn decode(&self) -> Result<Vec<u8>, Error> {
        Base64::decode_vec(&self.raw_bytes)
            .map_err(|_| Error::Malformed("one of its certificates is not base64".into()))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampData {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<Timestamp>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamp {
    signed_timestamp: String,
}

impl Timestamp {
    fn decode(&self) -> Result<Vec<u8>, Error> {
        Base64::decode_vec(&self.signed_timestamp)
            .map_err(|_| Error::Malformed("one of its timestamps is not base64".into()))
    }
}
