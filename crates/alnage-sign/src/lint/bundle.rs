//! The bundle and its envelope.

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::{
    Lint,
    Verifier::{self, Go, Python, Sigstore, Specification},
};
use crate::{bundle::MEDIA_TYPE, dsse::PAYLOAD_TYPE, path, x509};

const OTHERS: &[Verifier] = &[Specification, Python, Go, Sigstore];

/// Looks at the bundle; gives the payload when there is one.
pub(super) fn check(bundle: &Value, lint: &mut Lint) -> Option<Vec<u8>> {
    unknown(bundle, &["mediaType", "verificationMaterial", "dsseEnvelope"], "the bundle", lint);
    let media_type = bundle.get("mediaType").and_then(Value::as_str);
    match media_type {
        Some(MEDIA_TYPE) => {}
        Some(other) => {
            lint.object(&[Specification, Python], format!("the media type is `{}`", path::shown(other)));
        }
        None => lint.object(OTHERS, "it has no media type"),
    }
    match bundle.get("verificationMaterial") {
        Some(material) => check_material(material, media_type, lint),
        None => lint.object(OTHERS, "it has no verification material"),
    }
    match bundle.get("dsseEnvelope") {
        Some(envelope) => check_envelope(envelope, lint),
        None => {
            lint.object(OTHERS, "it has no DSSE envelope");
            None
        }
    }
}

fn check_material(material: &Value, media_type: Option<&str>, lint: &mut Lint) {
    let present = |name: &str| material.get(name).filter(|value| !value.is_null());
    let (key, chain, certificate) =
        (present("publicKey"), present("x509CertificateChain"), present("certificate"));
    let methods = [key, chain, certificate].iter().flatten().count();
    if methods != 1 {
        lint.object(OTHERS, format!("it names its signer in {methods} ways instead of one"));
    }
    if let Some(key) = key {
        check_key(key, lint);
    }
    if let Some(chain) = chain {
        if media_type == Some(MEDIA_TYPE) {
            lint.object(&[Sigstore], "a bundle of version 0.3 must hold one certificate and no chain");
        }
        check_chain(chain, lint);
    }
    let entries = present("tlogEntries").and_then(Value::as_array).map_or(0, Vec::len);
    if certificate.is_some() && entries == 0 {
        lint.object(&Verifier::ALL, "the keyless method needs an entry of the transparency log");
    }
    if key.is_some() && entries == 0 {
        lint.note(
            "Sigstore verifiers take it only when they are given the key and told to expect no log entry",
        );
    }
    if present("tlogEntries").is_none() && certificate.is_none() {
        lint.note("it has no `tlogEntries`, not even empty; old versions of model_signing wrote none");
    }
}

fn check_key(key: &Value, lint: &mut Lint) {
    let hint = key.get("hint").and_then(Value::as_str);
    if key.get("rawBytes").is_some() {
        lint.note("it carries the whole key, as model_signing did before 1.1");
        lint.object(&[Sigstore], "a key in a bundle is named by a hint, not carried");
        return;
    }
    let is_digest = |hint: &str| hint.len() == 64 && hint.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hint {
        Some(hint) if is_digest(hint) => {}
        Some(hint) => {
            let reason = format!("the hint `{}` is no SHA-256 of a key", path::shown(hint));
            lint.object(&[Specification, Python, Verifier::Alnage], reason);
        }
        None => lint.object(&[Specification, Python], "it does not say which key signed it"),
    }
}

fn check_chain(chain: &Value, lint: &mut Lint) {
    let certificates = chain.get("certificates").and_then(Value::as_array);
    let certificates = certificates.map(Vec::as_slice).unwrap_or_default();
    let Some(leaf) = certificates.first() else {
        return lint.object(OTHERS, "its chain of certificates is empty");
    };
    let der = leaf.get("rawBytes").and_then(Value::as_str).and_then(|text| Base64::decode_vec(text).ok());
    let Some(certificate) = der.and_then(|der| x509::Certificate::from_der(&der).ok()) else {
        return lint.object(&Verifier::ALL, "its first certificate cannot be read");
    };
    if certificate.verifying_key().is_err() {
        let reason = "the key of its certificate is not over P-256, P-384 or P-521";
        lint.object(&[Specification, Python, Verifier::Alnage], reason);
    }
}

fn check_envelope(envelope: &Value, lint: &mut Lint) -> Option<Vec<u8>> {
    unknown(envelope, &["payload", "payloadType", "signatures"], "the envelope", lint);
    if envelope.get("payloadType").and_then(Value::as_str) != Some(PAYLOAD_TYPE) {
        lint.object(OTHERS, format!("the payload type is not `{PAYLOAD_TYPE}`"));
    }
    let signatures = envelope.get("signatures").and_then(Value::as_array).map(Vec::as_slice);
    match signatures.unwrap_or_default() {
        [] => lint.object(OTHERS, "it holds no signature"),
        [signature] => check_signature(signature, lint),
        [_, _, ..] => {
            lint.object(&[Specification, Go, Sigstore], "it holds more than one signature");
            lint.note("model_signing looks at the first signature alone");
        }
    }
    let payload = envelope.get("payload").and_then(Value::as_str);
    let payload = payload.and_then(|text| Base64::decode_vec(text).ok());
    if payload.is_none() {
        lint.object(OTHERS, "the payload is not base64");
    }
    payload
}

fn check_signature(signature: &Value, lint: &mut Lint) {
    unknown(signature, &["sig", "keyid"], "the signature", lint);
    let sig = signature.get("sig").and_then(Value::as_str).and_then(|text| Base64::decode_vec(text).ok());
    let is_sequence = |der: &Vec<u8>| der.first() == Some(&0x30);
    if !sig.as_ref().is_some_and(is_sequence) {
        lint.object(OTHERS, "the signature is not base64 of DER");
    }
}

/// The JSON Schemas close these objects, and protobuf's JSON readers refuse what they do not know.
fn unknown(object: &Value, known: &[&str], what: &str, lint: &mut Lint) {
    for name in object.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if !known.contains(&name.as_str()) {
            let reason = format!("{what} has the unknown field `{}`", path::shown(name));
            lint.object(&[Specification, Go, Sigstore], reason);
        }
    }
}
