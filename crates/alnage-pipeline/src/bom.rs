//! Bills of materials of what was vetted: made, signed inside, attested in bundles.

use std::path::Path;

use alnage_bom::{Bom, Declared, Format, JsfError, JsfKey, jsf_sign, jsf_verify};
use alnage_formats::Model;
use alnage_scan::ModelRecord;
use alnage_sign::{Signer, Statement, VerifyingKey, attest, model_subjects};
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use crate::{Error, Vetted};

/// Predicate types of attestations: <https://github.com/in-toto/attestation/tree/main/spec/predicates>.
const CYCLONEDX_PREDICATE: &str = "https://cyclonedx.org/bom";
const SPDX_PREDICATE: &str = "https://spdx.dev/Document/v3";
const OPENVEX_PREDICATE: &str = "https://openvex.dev/ns";

/// What an attestation says about the model.
#[derive(Debug, Clone, Copy)]
pub enum Attested<'a> {
    /// A bill of materials in this format.
    Bom(Format, &'a str),
    /// An OpenVEX document.
    Vex(&'a str),
}

/// The bill of materials of the model at `index` of `vetted`.
pub fn describe(
    vetted: &Vetted,
    index: usize,
    time: &str,
    version: Option<&str>,
    declared: &Declared,
) -> Result<Bom, Error> {
    let (Some(record), Some(known)) = (vetted.record.models.get(index), vetted.models.get(index)) else {
        return Err(Error::NoPlace);
    };
    let name = known.tree.as_ref().map_or_else(|| Ok(record.path.clone()), |tree| tree.name())?;
    let tree = known.tree.as_ref().map(|tree| tree.entries.clone()).unwrap_or_default();
    let model = Model { tree, artifacts: record.artifacts.clone(), issues: record.issues.clone() };
    Ok(compose(record, &model, Document { name: &name, time, version, declared, beside: None }))
}

/// What a document says beyond what was vetted.
pub(crate) struct Document<'a> {
    pub(crate) name: &'a str,
    pub(crate) time: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) declared: &'a Declared,
    /// The names of the signature and of the signed verdict that lie beside it.
    pub(crate) beside: Option<[&'a str; 2]>,
}

/// The bill of materials of `model`, of which `record` is the record.
pub(crate) fn compose(record: &ModelRecord, model: &Model, document: Document<'_>) -> Bom {
    let mut declared = document.declared.clone();
    let cached = cached_name(Path::new(&record.path));
    if let Some((hub, _)) = &cached
        && !declared.has("hub-name")
    {
        declared.set_from("hub-name", hub.as_str(), "the path of the Hugging Face cache");
    }
    let commit = cached.map(|(_, commit)| commit);
    let [signature, attestation] = document.beside.map_or([None; 2], |names| names.map(Some));
    let options = alnage_bom::Options {
        name: document.name,
        version: document.version.or(commit.as_deref()),
        tool_version: env!("CARGO_PKG_VERSION"),
        timestamp: document.time,
        author: None,
        signature,
        attestation,
    };
    alnage_bom::compose(model, &record.manifest, record.verdict, &record.findings, &options, &declared)
}

/// Name and commit of a snapshot in the cache: `models--owner--name/snapshots/commit`.
fn cached_name(path: &Path) -> Option<(String, String)> {
    let mut parts = path.iter().rev().filter_map(|part| part.to_str());
    let commit = parts
        .next()
        .filter(|commit| commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    parts.next().filter(|folder| *folder == "snapshots")?;
    let (owner, name) = parts.next()?.strip_prefix("models--")?.split_once("--")?;
    Some((format!("{owner}/{name}"), commit.to_ascii_lowercase()))
}

/// Signs a CycloneDX document inside.
pub fn sign_document(document: &str, signer: &dyn Signer) -> Result<String, Error> {
    let key = signer.verifying_key();
    let size = key.curve().field_size();
    let mut sign = |message: &[u8]| {
        let der = signer.sign(message).map_err(|error| error.to_string())?;
        raw_signature(&der, size).ok_or_else(|| "the signature is no pair of numbers".to_owned())
    };
    Ok(jsf_sign(document, &jsf_key(key)?, &mut sign)?)
}

/// Checks the signature inside a CycloneDX document.
pub fn verify_document(document: &[u8], key: &VerifyingKey) -> Result<(), Error> {
    let mut verify = |message: &[u8], signature: &[u8]| {
        der_signature(signature).is_some_and(|der| key.verify(message, &der).is_ok())
    };
    Ok(jsf_verify(document, &jsf_key(key)?, &mut verify)?)
}

/// The bundle of an attestation about the model at `index` of `vetted`, as `cosign verify-blob-attestation` takes it.
pub fn attest_model(
    vetted: &Vetted,
    index: usize,
    attested: Attested<'_>,
    signer: &dyn Signer,
) -> Result<String, Error> {
    let (Some(record), Some(known)) = (vetted.record.models.get(index), vetted.models.get(index)) else {
        return Err(Error::NoPlace);
    };
    let name = known.tree.as_ref().map_or_else(|| Ok(record.path.clone()), |tree| tree.name())?;
    let (predicate_type, text) = match attested {
        Attested::Bom(Format::Spdx, text) => (SPDX_PREDICATE, text),
        Attested::Bom(_, text) => (CYCLONEDX_PREDICATE, text),
        Attested::Vex(text) => (OPENVEX_PREDICATE, text),
    };
    let statement = Statement {
        subjects: model_subjects(&name, &record.manifest)?,
        predicate_type: predicate_type.to_owned(),
        predicate: serde_json::from_str(text).unwrap_or_default(),
    };
    let envelope: Value = serde_json::from_str(&attest(&statement, signer)?).unwrap_or_default();
    let key = signer.verifying_key();
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": {"hint": Base64::encode_string(key.hint().as_bytes())},
            "tlogEntries": [],
        },
        "dsseEnvelope": envelope,
    });
    Ok(format!("{bundle:#}\n"))
}

/// The curve and the point of a key: the last bytes of its `SubjectPublicKeyInfo`.
fn jsf_key(key: &VerifyingKey) -> Result<JsfKey, Error> {
    let size = key.curve().field_size();
    let body: String = key.to_pem().lines().filter(|line| !line.starts_with('-')).collect();
    let der = Base64::decode_vec(&body).unwrap_or_default();
    let point = der.len().checked_sub(2 * size).and_then(|start| der.get(start..));
    let Some((x, y)) = point.and_then(|point| point.split_at_checked(size)) else {
        return Err(JsfError::Unsupported("the key is no point of a curve".into()).into());
    };
    let curve = match size {
        48 => "P-384",
        66 => "P-521",
        _ => "P-256",
    };
    Ok(JsfKey { curve, x: x.to_vec(), y: y.to_vec() })
}

/// Both numbers of a DER signature, each of `size` bytes.
fn raw_signature(der: &[u8], size: usize) -> Option<Vec<u8>> {
    let (body, rest) = der_element(der, 0x30)?;
    let (first, after) = der_element(body, 0x02)?;
    let (second, end) = der_element(after, 0x02)?;
    let mut raw = Vec::with_capacity(2 * size);
    for number in [first, second] {
        let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
        let digits = number.get(start..)?;
        raw.resize(raw.len() + size.checked_sub(digits.len())?, 0);
        raw.extend_from_slice(digits);
    }
    (rest.is_empty() && end.is_empty()).then_some(raw)
}

/// The content of a DER element with this tag, and what follows it.
fn der_element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // The longest curve needs one byte of length.
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        _ => return None,
    };
    if *first != tag { None } else { rest.split_at_checked(length) }
}

/// The DER signature of both numbers one after the other.
fn der_signature(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.is_empty() || raw.len() > 132 || !raw.len().is_multiple_of(2) {
        return None;
    }
    let mut body = Vec::new();
    for number in raw.chunks(raw.len() / 2) {
        let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len().checked_sub(1)?);
        let digits = number.get(start..)?;
        // A number whose first bit is set would be negative.
        let pad = digits.first().is_some_and(|first| first & 0x80 != 0);
        body.extend([0x02, u8::try_from(digits.len() + usize::from(pad)).ok()?]);
        body.extend(pad.then_some(0));
        body.extend_from_slice(digits);
    }
    let length = u8::try_from(body.len()).ok()?;
    let mut der = vec![0x30];
    der.extend((length >= 0x80).then_some(0x81));
    der.push(length);
    der.append(&mut body);
    Some(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_change_their_form_and_back() {
        for raw in [[1_u8; 64], [0x80; 64], [0xff; 64]] {
            let der = der_signature(&raw).unwrap();
            assert_eq!(raw_signature(&der, 32).unwrap(), raw);
        }
        let mut short = [0; 64];
        short[31] = 5;
        short[63] = 0x90;
        assert_eq!(der_signature(&short).unwrap(), [0x30, 7, 2, 1, 5, 2, 2, 0, 0x90]);
        assert_eq!(raw_signature(&[0x30, 7, 2, 1, 5, 2, 2, 0, 0x90], 32).unwrap(), short);
        assert_eq!(raw_signature(&[0x30, 200, 2], 32), None);
        assert_eq!(der_signature(&[1; 132]).unwrap().get(..3), Some(&[0x30, 0x81, 136][..]));
    }

    #[test]
    fn snapshots_of_the_cache_know_their_name() {
        let commit = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf";
        let path = format!("/root/.cache/hub/models--acme--tiny/snapshots/{commit}");
        assert_eq!(cached_name(Path::new(&path)), Some(("acme/tiny".into(), commit.into())));
        for path in [
            "/models/tiny",
            "models--acme--tiny/snapshots/main",
            "x/c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        ] {
            assert_eq!(cached_name(Path::new(path)), None, "{path}");
        }
    }
}
