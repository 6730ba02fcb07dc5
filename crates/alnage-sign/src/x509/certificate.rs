//! A certificate as it was read; nothing in it is verified.

use alnage_types::Digest;
use x509_cert::{
    certificate::Version,
    der::{
        Decode as _, Encode as _, Reader as _, SliceReader,
        asn1::{ObjectIdentifier, Utf8StringRef},
        oid::AssociatedOid as _,
    },
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
            ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, NameConstraints, PolicyConstraints, PolicyMappings,
            SubjectAltName, SubjectKeyIdentifier,
            name::{DistributionPointName, GeneralName},
        },
    },
    name::Name,
    spki::SubjectPublicKeyInfoOwned,
};

use super::{UnixTime, name, verify_signature};
use crate::{Error, VerifyingKey};

/// Sigstore's kind of name for users without an address.
const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// A certificate that anybody needs is a tenth of this.
const MAX_SIZE: usize = 64 << 10;

/// A certificate; only its form was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// The bytes that are signed, as they came: written anew they might differ.
    signed: Vec<u8>,
    inner: x509_cert::Certificate,
    extensions: Extensions,
}

/// The extensions that path validation knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<ObjectIdentifier>>,
    pub(super) alternative_names: Vec<GeneralName>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) subject_key: Option<Vec<u8>>,
    pub(super) authority_key: Option<Vec<u8>>,
    /// Where its issuer publishes the lists it would be on.
    pub(super) distribution_points: Vec<DistributionPointName>,
    /// A policy must be found in the whole path, which this validator does not follow.
    pub(super) needs_policy: bool,
    /// The first critical extension that is not known.
    pub(super) unknown_critical: Option<ObjectIdentifier>,
}

/// One of the names that a certificate gives its holder besides the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlternativeName {
    /// An e-mail address.
    Email(String),
    /// A host.
    Dns(String),
    /// A URI.
    Uri(String),
    /// A name of another kind, which Sigstore's authorities give to who has no address and no URI.
    Other(String),
}

impl AlternativeName {
    /// The name, without its kind.
    pub fn into_text(self) -> String {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) | Self::Other(text) => text,
        }
    }
}

impl Certificate {
    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > MAX_SIZE {
            return Err(malformed(format!("it is {} bytes long", der.len())));
        }
        let inner = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        let signed = signed_part(der).map_err(malformed)?.to_vec();
        if inner.signature_algorithm() != inner.tbs_certificate().signature() {
            return Err(malformed("it names two signature algorithms"));
        }
        let listed = inner.tbs_certificate().extensions().map_or(&[][..], Vec::as_slice);
        if !listed.is_empty() && inner.tbs_certificate().version() != Version::V3 {
            return Err(malformed("it has extensions and is not of version 3"));
        }
        let extensions = Extensions::read(listed)?;
        Ok(Self { der: der.to_vec(), signed, inner, extensions })
    }

    /// Reads every certificate of a PEM text, or the one of a DER file.
    pub fn all_from_file(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem_blocks(bytes, "CERTIFICATE")?;
        let certificates: Vec<Self> = match blocks {
            Some(blocks) => blocks.iter().map(|der| Self::from_der(der)).collect::<Result<_, _>>()?,
            None => vec![Self::from_der(bytes)?],
        };
        if certificates.is_empty() {
            return Err(Error::Key("no certificate (`-----BEGIN CERTIFICATE-----`) in the file".into()));
        }
        Ok(certificates)
    }

    /// The bytes it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the whole certificate.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Who it is about, as RFC 4514 writes names: `CN=release,O=Example`.
    pub fn subject(&self) -> String {
        name::shown(self.subject_name())
    }

    /// Who made it, as RFC 4514 writes names.
    pub fn issuer(&self) -> String {
        name::shown(self.issuer_name())
    }

    /// The serial number in hexadecimal.
    pub fn serial(&self) -> String {
        self.serial_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first second it is good for.
    pub fn not_before(&self) -> UnixTime {
        self.inner.tbs_certificate().validity().not_before.to_unix_duration().into()
    }

    /// The last second it is good for.
    pub fn not_after(&self) -> UnixTime {
        self.inner.tbs_certificate().validity().not_after.to_unix_duration().into()
    }

    /// The e-mail addresses, hosts and URIs it is about.
    pub fn alternative_names(&self) -> Vec<AlternativeName> {
        let names = self.extensions.alternative_names.iter();
        names
            .filter_map(|name| match name {
                GeneralName::Rfc822Name(text) => Some(AlternativeName::Email(text.to_string())),
                GeneralName::DnsName(text) => Some(AlternativeName::Dns(text.to_string())),
                GeneralName::UniformResourceIdentifier(text) => Some(AlternativeName::Uri(text.to_string())),
                GeneralName::OtherName(other) if other.type_id == USER_NAME => {
                    let text: Utf8StringRef<'_> = other.value.decode_as().ok()?;
                    Some(AlternativeName::Other(text.as_str().to_owned()))
                }
                _ => None,
            })
            .collect()
    }

    /// The public key in DER (SubjectPublicKeyInfo).
    pub fn public_key_der(&self) -> Result<Vec<u8>, Error> {
        self.public_key().to_der().map_err(malformed)
    }

    /// SHA-256 of [`public_key_der`](Self::public_key_der), what pins name a key by.
    pub fn public_key_digest(&self) -> Result<Digest, Error> {
        Ok(Digest::of(&self.public_key_der()?))
    }

    /// The key, when it is of a kind that models are signed with.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        VerifyingKey::from_der(&self.public_key_der()?)
    }

    pub(super) fn subject_name(&self) -> &Name {
        self.inner.tbs_certificate().subject()
    }

    pub(super) fn issuer_name(&self) -> &Name {
        self.inner.tbs_certificate().issuer()
    }

    pub(super) fn serial_bytes(&self) -> &[u8] {
        self.inner.tbs_certificate().serial_number().as_bytes()
    }

    pub(super) fn public_key(&self) -> &SubjectPublicKeyInfoOwned {
        self.inner.tbs_certificate().subject_public_key_info()
    }

    pub(super) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether it names itself as its issuer. Who truly signed it, only the signature says.
    pub(super) fn is_self_issued(&self) -> bool {
        name::same(self.subject_name(), self.issuer_name())
    }

    /// Whether `issuer` signed it; the error says why not.
    pub(super) fn verify_signed_by(&self, issuer: &Self) -> Result<(), String> {
        let signature = self.inner.signature().as_bytes().ok_or("the signature is not whole bytes")?;
        let algorithm = self.inner.signature_algorithm();
        verify_signature(algorithm, None, issuer.public_key(), &self.signed, signature)
    }

    /// Whether it is that of an authority.
    pub(crate) fn is_authority(&self) -> bool {
        self.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether a CMS signer names this certificate by issuer and serial number.
    pub(crate) fn is_named(&self, issuer: &Name, serial: &[u8]) -> bool {
        name::same(self.issuer_name(), issuer) && self.serial_bytes() == serial
    }

    /// Whether it has this subject key identifier.
    pub(crate) fn has_key_identifier(&self, identifier: &[u8]) -> bool {
        self.extensions.subject_key.as_deref() == Some(identifier)
    }

    /// The content of an extension that path validation does not know.
    pub(crate) fn extension(&self, identifier: ObjectIdentifier) -> Option<&[u8]> {
        let listed = self.inner.tbs_certificate().extensions()?;
        let found = listed.iter().find(|extension| extension.extn_id == identifier)?;
        Some(found.extn_value.as_bytes())
    }

    /// The bytes that its issuer signed.
    pub(crate) fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// The key, to verify what else its holder signed.
    pub(crate) fn public_key_info(&self) -> &SubjectPublicKeyInfoOwned {
        self.public_key()
    }
}

impl Extensions {
    fn read(listed: &[Extension]) -> Result<Self, Error> {
        let mut found = Self::default();
        for (at, extension) in listed.iter().enumerate() {
            let identifier = extension.extn_id;
            if listed.iter().take(at).any(|earlier| earlier.extn_id == identifier) {
                return Err(malformed(format!("the extension {identifier} stands twice")));
            }
            found
                .read_one(extension)
                .map_err(|error| malformed(format!("extension {identifier}: {error}")))?;
        }
        Ok(found)
    }

    fn read_one(&mut self, extension: &Extension) -> Result<(), x509_cert::der::Error> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            BasicConstraints::OID => self.basic_constraints = Some(BasicConstraints::from_der(value)?),
            KeyUsage::OID => self.key_usage = Some(KeyUsage::from_der(value)?),
            ExtendedKeyUsage::OID => self.extended_key_usage = Some(ExtendedKeyUsage::from_der(value)?.0),
            SubjectAltName::OID => self.alternative_names = SubjectAltName::from_der(value)?.0,
            NameConstraints::OID => self.name_constraints = Some(NameConstraints::from_der(value)?),
            SubjectKeyIdentifier::OID => {
                self.subject_key = Some(SubjectKeyIdentifier::from_der(value)?.0.as_bytes().to_vec());
            }
            AuthorityKeyIdentifier::OID => {
                let identifier = AuthorityKeyIdentifier::from_der(value)?.key_identifier;
                self.authority_key = identifier.map(|identifier| identifier.as_bytes().to_vec());
            }
            CrlDistributionPoints::OID => {
                let points = CrlDistributionPoints::from_der(value)?.0.into_iter();
                self.distribution_points = points.filter_map(|point| point.distribution_point).collect();
            }
            PolicyConstraints::OID => {
                self.needs_policy = PolicyConstraints::from_der(value)?.require_explicit_policy.is_some();
            }
            // Any policy is acceptable, so these decide nothing.
            CertificatePolicies::OID | PolicyMappings::OID | InhibitAnyPolicy::OID => {}
            other if extension.critical => {
                self.unknown_critical.get_or_insert(other);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The bytes of the first part of a signed structure, which its signature is over.
pub(super) fn signed_part(der: &[u8]) -> Result<&[u8], x509_cert::der::Error> {
    let mut outer = SliceReader::new(der)?;
    outer.sequence(|fields| {
        let signed = fields.tlv_bytes()?;
        fields.tlv_bytes()?;
        fields.tlv_bytes()?;
        Ok(signed)
    })
}

/// The contents of the PEM blocks with this label; nothing when the file is no PEM text.
pub(super) fn pem_blocks(bytes: &[u8], label: &str) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    if !text.contains("-----BEGIN ") {
        return Ok(None);
    }
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, behind) = after.split_once(&end).ok_or_else(|| malformed("a PEM block has no end"))?;
        let packed: String = body.split_whitespace().collect();
        let der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&packed)
            .map_err(|_| malformed("a PEM block is not base64"))?;
        blocks.push(der);
        rest = behind;
    }
    Ok(Some(blocks))
}

fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::Key(format!("not a certificate: {reason}"))
}
