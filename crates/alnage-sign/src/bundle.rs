//! The Sigstore bundle that an OpenSSF model signature is carried in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, SigningKey, dsse::Envelope};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A bundle as carried; nothing in it is verified.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bundle {
    pub(crate) dsse_envelope: Envelope,
    media_type: String,
    verification_material: VerificationMaterial,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyIdentifier>,
    // Written empty: some readers refuse a bundle without it.
    #[serde(default)]
    tlog_entries: Option<Vec<Value>>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<Value>,
    #[serde(default, skip_serializing)]
    certificate: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyIdentifier {
    #[serde(default)]
    hint: String,
}

impl Bundle {
    /// Signs `payload` by the key method.
    pub(crate) fn seal(payload: &[u8], key: &SigningKey) -> Result<Self, Error> {
        Ok(Self {
            dsse_envelope: Envelope::seal(payload, String::new(), key),
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: VerificationMaterial {
                public_key: Some(PublicKeyIdentifier { hint: key.verifying_key()?.hint().to_string() }),
                tlog_entries: Some(Vec::new()),
                x509_certificate_chain: None,
                certificate: None,
            },
        })
    }

    /// Reads a bundle that was signed by the key method.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bundle: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::Malformed(format!("not a Sigstore bundle: {error}")))?;
        if bundle.media_type != MEDIA_TYPE {
            let message =
                format!("the bundle is `{:.80}`, not `{MEDIA_TYPE}`", bundle.media_type.escape_debug());
            return Err(Error::Malformed(message));
        }
        let material = &bundle.verification_material;
        let by_certificate = material.x509_certificate_chain.is_some() || material.certificate.is_some();
        match (&material.public_key, by_certificate) {
            (Some(_), false) => Ok(bundle),
            (Some(_), true) => Err(Error::Malformed("it names both a key and a certificate".into())),
            (None, true) => {
                Err(Error::Unsupported("a signature made with a certificate instead of a key".into()))
            }
            (None, false) => Err(Error::Malformed("it names no key".into())),
        }
    }

    /// What the bundle says about the key that signed it; empty when it says nothing.
    pub(crate) fn hint(&self) -> &str {
        self.verification_material.public_key.as_ref().map(|key| key.hint.as_str()).unwrap_or_default()
    }
}
