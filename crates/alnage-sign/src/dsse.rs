//! The DSSE envelope around an in-toto statement: <https://github.com/secure-systems-lab/dsse>.

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use crate::{Error, Signer, VerifyingKey};

/// The media type of every payload we sign.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A signed payload; what it holds is not to be believed before [`Envelope::open`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Signs `payload`; `key_id` helps a verifier to find the key and is not itself signed.
    pub(crate) fn seal(payload: &[u8], key_id: String, signer: &dyn Signer) -> Result<Self, Error> {
        let sig = Base64::encode_string(&signer.sign(&pre_authentication_encoding(PAYLOAD_TYPE, payload))?);
        Ok(Self {
            payload: Base64::encode_string(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![EnvelopeSignature { keyid: Some(key_id), sig }],
        })
    }

    /// The key that the envelope claims to be signed by; empty when it claims nothing.
    pub(crate) fn key_id(&self) -> &str {
        self.signatures.first().and_then(|signature| signature.keyid.as_deref()).unwrap_or_default()
    }

    /// The payload as carried, not verified.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, Error> {
        if self.payload_type != PAYLOAD_TYPE {
            let message =
                format!("the payload is `{:.80}`, not `{PAYLOAD_TYPE}`", self.payload_type.escape_debug());
            return Err(Error::Malformed(message));
        }
        Base64::decode_vec(&self.payload).map_err(|_| Error::Malformed("the payload is not base64".into()))
    }

    /// The one signature, in DER.
    pub(crate) fn signature(&self) -> Result<Vec<u8>, Error> {
        let [signature] = self.signatures.as_slice() else {
            let message = format!("it holds {} signatures instead of one", self.signatures.len());
            return Err(Error::Malformed(message));
        };
        Base64::decode_vec(&signature.sig).map_err(|_| Error::Malformed("the signature is not base64".into()))
    }

    /// The payload, once its one signature is verified.
    pub(crate) fn open(&self, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
        let payload = self.payload()?;
        key.verify(&pre_authentication_encoding(PAYLOAD_TYPE, &payload), &self.signature()?)?;
        Ok(payload)
    }

    /// The payload, once its one signature is verified in the way that `model_signing` 0.2.0 made it: over the bytes
    /// as Python prints them, always through SHA-256.
    pub(crate) fn open_v0_2(&self, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
        let payload = self.payload()?;
        let encoded =
            format!("DSSEV1 {} {PAYLOAD_TYPE} {} {}", PAYLOAD_TYPE.len(), payload.len(), repr(&payload));
        key.verify_sha256(Digest::of(encoded.as_bytes()), &self.signature()?)?;
        Ok(payload)
    }
}

/// `bytes` as Python's `repr` writes them.
fn repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b'\'' if quote == '\'' => text.push_str("\\'"),
            0x20..0x7f => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push(quote);
    text
}

/// The bytes that a DSSE signature is over.
pub(crate) fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
