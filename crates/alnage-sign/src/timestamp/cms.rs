//! CMS signed data (RFC 5652), as much as a timestamp holds: one signer, signed attributes, certificates.

use x509_cert::{
    der::{Decode as _, asn1::ObjectIdentifier},
    name::Name,
    serial_number::SerialNumber,
    spki::AlgorithmIdentifierOwned,
};

use crate::{
    der::{Result, SEQUENCE, SET, first_byte, inner, octets, oid, parts, text, value},
    x509::{Certificate, Hash, verify_signature},
};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TIMESTAMP_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

const CONTEXT_0: u8 = 0xa0;
const CONTEXT_0_PRIMITIVE: u8 = 0x80;

/// The signed content of a token and who says to have signed it; nothing is verified.
pub(super) struct SignedData {
    pub(super) content: Vec<u8>,
    pub(super) certificates: Vec<Vec<u8>>,
    signer: SignerId,
    digest: Hash,
    algorithm: AlgorithmIdentifierOwned,
    /// As they are signed: tagged as a set.
    attributes: Vec<u8>,
    signature: Vec<u8>,
}

enum SignerId {
    IssuerAndSerial(Box<Name>, Vec<u8>),
    KeyIdentifier(Vec<u8>),
}

impl SignedData {
    /// Reads a timestamp response or the token in it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let outer = parts(bytes, SEQUENCE)?;
        let token = match outer.as_slice() {
            // PKIStatusInfo: 0 is granted, 1 is granted with modifications.
            [status, token @ ..] if first_byte(status) == SEQUENCE => {
                let status = parts(status, SEQUENCE)?;
                let code = status.first().and_then(|code| u8::from_der(code).ok());
                if !matches!(code, Some(0 | 1)) {
                    return Err("the authority refused to make one".into());
                }
                parts(token.first().ok_or("there is none in it")?, SEQUENCE)?
            }
            _ => outer,
        };
        let [kind, content] = token.as_slice() else { return Err("it is no CMS message".into()) };
        if oid(kind)? != SIGNED_DATA {
            return Err("it is no signed CMS message".into());
        }
        let body = parts(inner(content, CONTEXT_0)?, SEQUENCE)?;
        let [_version, _digests, content, optional @ .., signers] = body.as_slice() else {
            return Err("parts of the signed message are missing".into());
        };
        let certificates = match optional.first() {
            Some(first) if first_byte(first) == CONTEXT_0 => parts(first, CONTEXT_0)?,
            _ => Vec::new(),
        };
        let signers = parts(signers, SET)?;
        let [signer] = signers.as_slice() else {
            return Err(format!("it has {} signers instead of one", signers.len()));
        };
        let mut read = Self::parse_signer(signer)?;
        read.content = content_of(content)?;
        read.certificates = certificates.into_iter().map(<[u8]>::to_vec).collect();
        Ok(read)
    }

    /// The certificates in it, as far as they can be read.
    pub(super) fn brought(&self) -> Vec<Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    }

    fn parse_signer(bytes: &[u8]) -> Result<Self> {
        let fields = parts(bytes, SEQUENCE)?;
        let [_version, signer, digest, attributes, algorithm, signature, ..] = fields.as_slice() else {
            return Err("the signer has no signed attributes".into());
        };
        if first_byte(attributes) != CONTEXT_0 {
            return Err("the signer has no signed attributes".into());
        }
        let signer = match first_byte(signer) {
            SEQUENCE => match parts(signer, SEQUENCE)?.as_slice() {
                [issuer, serial] => {
                    let serial: SerialNumber = SerialNumber::from_der(serial).map_err(text)?;
                    let issuer = Name::from_der(issuer).map_err(text)?;
                    SignerId::IssuerAndSerial(Box::new(issuer), serial.as_bytes().to_vec())
                }
                _ => return Err("the signer is not named".into()),
            },
            CONTEXT_0_PRIMITIVE => SignerId::KeyIdentifier(value(signer)?.to_vec()),
            _ => return Err("the signer is not named".into()),
        };
        let digest = AlgorithmIdentifierOwned::from_der(digest).map_err(text)?.oid;
        let mut as_set = attributes.to_vec();
        if let Some(tag) = as_set.first_mut() {
            *tag = SET;
        }
        Ok(Self {
            content: Vec::new(),
            certificates: Vec::new(),
            signer,
            digest: Hash::from_oid(digest).ok_or_else(|| format!("the hash {digest} is not accepted"))?,
            algorithm: AlgorithmIdentifierOwned::from_der(algorithm).map_err(text)?,
            attributes: as_set,
            signature: octets(signature)?.to_vec(),
        })
    }

    /// Whether the signer says to be the holder of this certificate.
    pub(super) fn is_signer(&self, certificate: &Certificate) -> bool {
        match &self.signer {
            SignerId::IssuerAndSerial(issuer, serial) => certificate.is_named(issuer, serial),
            SignerId::KeyIdentifier(identifier) => certificate.has_key_identifier(identifier),
        }
    }

    /// Whether the holder of `certificate` signed the content as a timestamp.
    pub(super) fn verify(&self, certificate: &Certificate) -> Result<()> {
        let key = certificate.public_key_info();
        verify_signature(&self.algorithm, Some(self.digest), key, &self.attributes, &self.signature)?;
        if oid(self.attribute(CONTENT_TYPE)?)? != TIMESTAMP_INFO {
            return Err("what was signed is no timestamp".into());
        }
        if octets(self.attribute(MESSAGE_DIGEST)?)? != self.digest.of(&self.content) {
            return Err("its content is not what was signed".into());
        }
        if self.names_certificate(certificate)? {
            return Ok(());
        }
        Err("it was signed for another certificate of the same key".into())
    }

    fn names_certificate(&self, certificate: &Certificate) -> Result<bool> {
        let (attribute, is_old) = match self.attribute(SIGNING_CERTIFICATE_2) {
            Ok(attribute) => (attribute, false),
            Err(_) => (self.attribute(SIGNING_CERTIFICATE)?, true),
        };
        let lists = parts(attribute, SEQUENCE)?;
        let identifiers = parts(lists.first().ok_or("the certificate is not named")?, SEQUENCE)?;
        let identifier = parts(identifiers.first().ok_or("the certificate is not named")?, SEQUENCE)?;
        let der = certificate.der();
        match identifier.as_slice() {
            [hash, ..] if is_old => Ok(octets(hash)? == <sha1::Sha1 as sha1::Digest>::digest(der).as_slice()),
            [algorithm, hash, ..] if first_byte(algorithm) == SEQUENCE => {
                let algorithm = AlgorithmIdentifierOwned::from_der(algorithm).map_err(text)?.oid;
                let name = Hash::from_oid(algorithm)
                    .ok_or_else(|| format!("the hash {algorithm} is not accepted"))?;
                Ok(octets(hash)? == name.of(der))
            }
            [hash, ..] => Ok(octets(hash)? == Hash::Sha256.of(der)),
            [] => Err("the certificate is not named".into()),
        }
    }

    /// The one value of a signed attribute.
    fn attribute(&self, wanted: ObjectIdentifier) -> Result<&[u8]> {
        let mut found = None;
        for attribute in parts(&self.attributes, SET)? {
            let fields = parts(attribute, SEQUENCE)?;
            let [kind, values] = fields.as_slice() else { return Err("an attribute is no pair".into()) };
            if oid(kind)? != wanted {
                continue;
            }
            match parts(values, SET)?.as_slice() {
                [value] if found.is_none() => found = Some(*value),
                _ => return Err(format!("the attribute {wanted} has not one value")),
            }
        }
        found.ok_or_else(|| format!("the attribute {wanted} is missing"))
    }
}

fn content_of(encapsulated: &[u8]) -> Result<Vec<u8>> {
    match parts(encapsulated, SEQUENCE)?.as_slice() {
        [kind, content] if oid(kind)? == TIMESTAMP_INFO => Ok(octets(inner(content, CONTEXT_0)?)?.to_vec()),
        _ => Err("what was signed is no timestamp".into()),
    }
}
