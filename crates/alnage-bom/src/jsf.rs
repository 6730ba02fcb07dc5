//! The signature inside a CycloneDX document: JSON Signature Format 0.82, over the canonical form (RFC 8785).
//!
//! What is signed is the whole document with its `signature`, of which only `value` is left out. Keys stay outside:
//! [`JsfKey`] says what the signature names, [`JsfSigner`] makes it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

use crate::{jcs, read::parse};

/// What a signature says about its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsfKey {
    /// The curve as JSON Web Keys name it: `P-256`.
    pub curve: &'static str,
    /// The point's first coordinate, of the curve's full length.
    pub x: Vec<u8>,
    /// The point's second coordinate.
    pub y: Vec<u8>,
}

impl JsfKey {
    /// The algorithm that goes with the curve.
    pub fn algorithm(&self) -> &'static str {
        match self.curve {
            "P-384" => "ES384",
            "P-521" => "ES512",
            _ => "ES256",
        }
    }
}

/// Makes a signature over a message: both numbers one after the other, each of the curve's full length.
pub type JsfSigner<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, String> + 'a;

/// Why a document could not be signed or verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsfError {
    /// It is no CycloneDX document.
    NotCycloneDx(String),
    /// The signer failed.
    Signer(String),
    /// There is no signature, or not one of the kind that is read here.
    Unsupported(String),
    /// The signature does not hold.
    BadSignature,
}

impl std::fmt::Display for JsfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotCycloneDx(why) => write!(f, "not a CycloneDX document: {why}"),
            Self::Signer(why) => write!(f, "the document could not be signed: {why}"),
            Self::Unsupported(why) => write!(f, "the signature cannot be checked: {why}"),
            Self::BadSignature => f.write_str("the signature does not hold"),
        }
    }
}

impl std::error::Error for JsfError {}

/// The document with a signature inside.
pub fn jsf_sign(document: &str, key: &JsfKey, sign: &mut JsfSigner<'_>) -> Result<String, JsfError> {
    let mut document = cyclonedx(document.as_bytes())?;
    let coordinate = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let mut signature = json!({
        "algorithm": key.algorithm(),
        "publicKey": {"kty": "EC", "crv": key.curve, "x": coordinate(&key.x), "y": coordinate(&key.y)},
    });
    document["signature"] = signature.clone();
    let made = sign(canonical(&document)?.as_bytes()).map_err(JsfError::Signer)?;
    signature["value"] = json!(Base64UrlUnpadded::encode_string(&made));
    document["signature"] = signature;
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    Ok(text)
}

/// Checks the signature inside a document: `verify` says whether a signature over a message holds for the key that the
/// caller trusts. The key that the document names is not trusted, and only compared.
pub fn jsf_verify(
    document: &[u8],
    key: &JsfKey,
    verify: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), JsfError> {
    let mut document = cyclonedx(document)?;
    let signature = &mut document["signature"];
    if !signature.is_object() {
        return Err(JsfError::Unsupported("the document has none".into()));
    }
    if signature["signers"].is_array() || signature["chain"].is_array() || signature["excludes"].is_array() {
        return Err(JsfError::Unsupported("it has several signers, or leaves parts out".into()));
    }
    if signature["algorithm"] != key.algorithm() {
        return Err(JsfError::Unsupported(format!("its algorithm is {}", signature["algorithm"])));
    }
    let value = signature.as_object_mut().and_then(|map| map.shift_remove("value"));
    let value = value.as_ref().and_then(Value::as_str).unwrap_or_default();
    let made = Base64UrlUnpadded::decode_vec(value)
        .map_err(|_| JsfError::Unsupported("its value is no base64url".into()))?;
    let holds = verify(canonical(&document)?.as_bytes(), &made);
    if holds { Ok(()) } else { Err(JsfError::BadSignature) }
}

fn cyclonedx(bytes: &[u8]) -> Result<Value, JsfError> {
    let document = parse(bytes).map_err(|error| JsfError::NotCycloneDx(error.to_string()))?;
    if document["bomFormat"] != "CycloneDX" {
        return Err(JsfError::NotCycloneDx("`bomFormat` is another".into()));
    }
    Ok(document)
}

fn canonical(document: &Value) -> Result<String, JsfError> {
    jcs::canonical(document).ok_or_else(|| JsfError::Unsupported("the document has no canonical form".into()))
}
