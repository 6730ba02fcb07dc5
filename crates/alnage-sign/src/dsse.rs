//! The DSSE envelope around an in-toto statement: <https://github.com/secure-systems-lab/dsse>.

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use crate::{Error, SigningKey, VerifyingKey};

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
    pub(crate) fn seal(payload: &[u8], key_id: String, key: &SigningKey) -> Self {
        let sig = Base64::encode_string(&key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, payload)));
        Self {
            payload: Base64::encode_string(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![EnvelopeSignature { keyid: Some(key_id), sig }],
        }
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

    /// The payload, once its one signature is verified.
    pub(crate) fn open(&self, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
        let payload = self.payload()?;
        let [signature] = self.signatures.as_slice() else {
            let message = format!("it holds {} signatures instead of one", self.signatures.len());
            return Err(Error::Malformed(message));
        };
        let signature = Base64::decode_vec(&signature.sig)
            .map_err(|_| Error::Malformed("the signature is not base64".into()))?;
        key.verify(&pre_authentication_encoding(PAYLOAD_TYPE, &payload), &signature)?;
        Ok(payload)
    }
}

/// The bytes that a DSSE signature is over.
pub(crate) fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
