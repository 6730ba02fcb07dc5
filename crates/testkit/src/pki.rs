//! Certificates and revocation lists, good and bad, over P-256.

use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer as _},
    pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};
pub use rcgen;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm, date_time_ymd,
};

/// A key of a test; the same seed gives the same one.
#[derive(Clone)]
pub struct Key {
    secret: SigningKey,
    point: Vec<u8>,
}

/// A certificate, its key, and what it was made from.
pub struct Made {
    /// The certificate.
    pub der: Vec<u8>,
    /// Its key.
    pub key: Key,
    params: CertificateParams,
}

impl Key {
    /// The key of `seed`, which must not be 0.
    pub fn new(seed: u8) -> Self {
        let secret = SigningKey::from_slice(&[seed; 32]).expect("any small number is a key");
        let point = secret.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { secret, point }
    }

    /// The public half in DER (SubjectPublicKeyInfo).
    pub fn public_der(&self) -> Vec<u8> {
        let der = self.secret.verifying_key().to_public_key_der();
        der.expect("a key can be written").as_bytes().to_vec()
    }

    /// The DER form of its signature over `message`.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.secret.sign(message);
        signature.as_bytes().to_vec()
    }

    /// As PKCS#8 PEM.
    pub fn to_pem(&self) -> String {
        self.secret.to_pkcs8_pem(LineEnding::LF).expect("a key can be written").to_string()
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: DerSignature = self.secret.sign(message);
        Ok(signature.as_bytes().to_vec())
    }
}

impl Made {
    /// As PEM.
    pub fn to_pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// What signs with its key in its name.
    pub fn issuer(&self) -> Issuer<'_, &Key> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// A block of PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in der.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63] as char;
            text.push(if at > chunk.len() { '=' } else { digit });
        }
    }
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A certificate from 2020 to 2100 as a signer of models has it, for `change` to alter; self-signed without an issuer.
pub fn leaf(
    name: &str,
    seed: u8,
    issuer: Option<&Made>,
    change: impl FnOnce(&mut CertificateParams),
) -> Made {
    let key = Key::new(seed);
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.serial_number = Some(SerialNumber::from(vec![seed, 1]));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = issuer.is_some();
    params.key_identifier_method = KeyIdMethod::PreSpecified(vec![seed; 20]);
    change(&mut params);
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, &issuer.issuer()),
        None => params.self_signed(&key),
    };
    Made { der: certificate.expect("a certificate can be made").der().to_vec(), key, params }
}

/// The same as an authority has it.
pub fn authority(
    name: &str,
    seed: u8,
    issuer: Option<&Made>,
    change: impl FnOnce(&mut CertificateParams),
) -> Made {
    leaf(name, seed, issuer, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        change(params);
    })
}
