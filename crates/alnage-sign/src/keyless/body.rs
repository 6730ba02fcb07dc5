//! What an entry of the log is about: it must be the very signature at hand, or somebody else's entry would do
//! (CVE-2022-36056).

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::{Signed, entry::KindVersion};
use crate::{
    Error, path,
    x509::{Certificate, Hash},
};

/// Checks that the entry `body` records `signed` by the holder of `leaf`.
///
/// The digest of the whole envelope in `dsse` 0.0.1 is passed over: it is over the text that was once sent to the log,
/// which nobody can know. Signature, payload and certificate say as much.
pub(super) fn check(
    body: &[u8],
    kind: &KindVersion,
    signed: &Signed<'_>,
    leaf: &Certificate,
) -> Result<(), Error> {
    let body = Body(serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))?);
    let (name, version) = (kind.kind.as_str(), kind.version.as_str());
    if (body.text("/kind")?, body.text("/apiVersion")?) != (name, version) {
        return Err(malformed("it is of another kind than the bundle says"));
    }
    match (name, version) {
        ("hashedrekord", "0.0.1") => {
            let hash = hash(body.text("/spec/data/hash/algorithm")?)?;
            same(hex(&hash.of(signed.message)) == body.text("/spec/data/hash/value")?, CONTENT)?;
            same(body.base64("/spec/signature/content")? == signed.signature, SIGNATURE)?;
            same(is_certificate(&body.base64("/spec/signature/publicKey/content")?, leaf), SIGNER)
        }
        ("hashedrekord", "0.0.2") => {
            let hash = hash(body.text("/spec/hashedRekordV002/data/algorithm")?)?;
            let digest = body.base64("/spec/hashedRekordV002/data/digest")?;
            same(hash.of(signed.message) == digest, CONTENT)?;
            second_generation(&body, "/spec/hashedRekordV002/signature", signed, leaf)
        }
        ("dsse", "0.0.1") => {
            let hash = hash(body.text("/spec/payloadHash/algorithm")?)?;
            same(hex(&hash.of(payload(signed)?)) == body.text("/spec/payloadHash/value")?, CONTENT)?;
            body.one("/spec/signatures")?;
            same(body.base64("/spec/signatures/0/signature")? == signed.signature, SIGNATURE)?;
            same(is_certificate(&body.base64("/spec/signatures/0/verifier")?, leaf), SIGNER)
        }
        ("dsse", "0.0.2") => {
            let hash = hash(body.text("/spec/dsseV002/payloadHash/algorithm")?)?;
            same(hash.of(payload(signed)?) == body.base64("/spec/dsseV002/payloadHash/digest")?, CONTENT)?;
            body.one("/spec/dsseV002/signatures")?;
            second_generation(&body, "/spec/dsseV002/signatures/0", signed, leaf)
        }
        ("intoto", "0.0.2") => {
            let hash = hash(body.text("/spec/content/payloadHash/algorithm")?)?;
            let content = payload(signed)?;
            same(hex(&hash.of(content)) == body.text("/spec/content/payloadHash/value")?, CONTENT)?;
            let envelope = "/spec/content/envelope";
            same(Some(body.text(&format!("{envelope}/payloadType"))?) == signed.payload_type, CONTENT)?;
            body.one(&format!("{envelope}/signatures"))?;
            // In base64 twice.
            let signature = body.base64(&format!("{envelope}/signatures/0/sig"))?;
            let signature = Base64::decode_vec(&String::from_utf8_lossy(&signature));
            same(signature.is_ok_and(|signature| signature == signed.signature), SIGNATURE)?;
            same(is_certificate(&body.base64(&format!("{envelope}/signatures/0/publicKey"))?, leaf), SIGNER)
        }
        _ => {
            let message =
                format!("entries of the kind `{} {}` in the log", path::shown(name), path::shown(version));
            Err(Error::Unsupported(message))
        }
    }
}

const CONTENT: &str = "other content";
const SIGNATURE: &str = "another signature";
const SIGNER: &str = "another signer";

fn second_generation(body: &Body, place: &str, signed: &Signed<'_>, leaf: &Certificate) -> Result<(), Error> {
    same(body.base64(&format!("{place}/content"))? == signed.signature, SIGNATURE)?;
    same(body.base64(&format!("{place}/verifier/x509Certificate/rawBytes"))? == leaf.der(), SIGNER)
}

fn same(holds: bool, what: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Untrusted(format!("the log's entry is about {what}"))) }
}

fn payload<'a>(signed: &Signed<'a>) -> Result<&'a [u8], Error> {
    let message = "the log's entry is about an envelope, and this is none";
    signed.payload.ok_or_else(|| Error::Untrusted(message.into()))
}

/// Whether a PEM text holds this certificate and no other.
fn is_certificate(pem: &[u8], leaf: &Certificate) -> bool {
    Certificate::all_from_file(pem)
        .is_ok_and(|all| matches!(all.as_slice(), [only] if only.der() == leaf.der()))
}

fn hash(name: &str) -> Result<Hash, Error> {
    match name {
        "sha256" | "SHA2_256" => Ok(Hash::Sha256),
        "sha384" | "SHA2_384" => Ok(Hash::Sha384),
        "sha512" | "SHA2_512" => Ok(Hash::Sha512),
        _ => Err(Error::Unsupported(format!("the log's entry names content by `{}`", path::shown(name)))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(format!("its entry of the transparency log: {}", path::shown(reason)))
}

struct Body(Value);

impl Body {
    fn text(&self, place: &str) -> Result<&str, Error> {
        let found = self.0.pointer(place).and_then(Value::as_str);
        found.ok_or_else(|| malformed(&format!("`{place}` is missing")))
    }

    fn base64(&self, place: &str) -> Result<Vec<u8>, Error> {
        Base64::decode_vec(self.text(place)?).map_err(|_| malformed(&format!("`{place}` is not base64")))
    }

    fn one(&self, place: &str) -> Result<(), Error> {
        match self.0.pointer(place).and_then(Value::as_array).map(Vec::len) {
            Some(1) => Ok(()),
            _ => Err(malformed("it does not hold one signature")),
        }
    }
}
