//! Certificate revocation lists (RFC 5280, section 5): whole lists of one issuer, signed by it.
//!
//! Delta lists, indirect lists and lists of some reasons only cannot show that a certificate is good, so they count
//! as no list at all.

use alnage_types::Digest;
use x509_cert::{
    crl::{CertificateList, RevokedCert},
    der::{Decode as _, asn1::ObjectIdentifier, oid::AssociatedOid as _},
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, CrlNumber, CrlReason, crl::dp::IssuingDistributionPoint,
            name::DistributionPointName,
        },
    },
};

use super::{Certificate, PathRules, UnixTime, certificate, name, verify_signature};
use crate::Error;

/// A revocation list; only its form was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    signed: Vec<u8>,
    digest: Digest,
    inner: CertificateList,
    covers: Covers,
    /// Only certificates that name this place are on it.
    distribution_point: Option<DistributionPointName>,
}

/// What a list whose successor is overdue is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StaleLists {
    /// Nothing: who holds back the next list could hide a revocation.
    #[default]
    Refused,
    /// As much as a fresh one.
    Allowed,
}

/// Which certificates of its issuer a list is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Covers {
    All,
    Users,
    Authorities,
    /// It cannot show that a certificate is good.
    Unusable(String),
}

impl RevocationList {
    /// Reads a list in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let inner = CertificateList::from_der(der).map_err(malformed)?;
        let signed = certificate::signed_part(der).map_err(malformed)?.to_vec();
        if inner.signature_algorithm != inner.tbs_cert_list.signature {
            return Err(malformed("it names two signature algorithms"));
        }
        let point = issuing_point(&inner)?;
        let covers = covers(&inner, point.as_ref());
        let distribution_point = point.and_then(|point| point.distribution_point);
        Ok(Self { signed, digest: Digest::of(der), inner, covers, distribution_point })
    }

    /// Reads every list of a PEM text, or the one of a DER file.
    pub fn all_from_file(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let lists: Vec<Self> = match certificate::pem_blocks(bytes, "X509 CRL")? {
            Some(blocks) => blocks.iter().map(|der| Self::from_der(der)).collect::<Result<_, _>>()?,
            None => vec![Self::from_der(bytes)?],
        };
        if lists.is_empty() {
            return Err(Error::Key("no revocation list (`-----BEGIN X509 CRL-----`) in the file".into()));
        }
        Ok(lists)
    }

    /// Who made it, as RFC 4514 writes names.
    pub fn issuer(&self) -> String {
        name::shown(&self.inner.tbs_cert_list.issuer)
    }

    /// SHA-256 of the whole list.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// When its successor is due.
    pub fn next_update(&self) -> Option<UnixTime> {
        Some(self.inner.tbs_cert_list.next_update?.to_unix_duration().into())
    }

    fn is_signed_by(&self, issuer: &Certificate) -> Result<(), String> {
        if issuer.extensions().key_usage.as_ref().is_some_and(|usage| !usage.crl_sign()) {
            return Err("its issuer's certificate is not for signing revocation lists".to_owned());
        }
        let signature = self.inner.signature.as_bytes().ok_or("its signature is not whole bytes")?;
        verify_signature(&self.inner.signature_algorithm, None, issuer.public_key(), &self.signed, signature)
    }

    fn entry(&self, serial: &[u8]) -> Option<&RevokedCert> {
        let entries = self.inner.tbs_cert_list.revoked_certificates.as_deref().unwrap_or_default();
        entries.iter().find(|entry| entry.serial_number.as_bytes() == serial)
    }
}

// The crate gives this type another identifier.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

fn issuing_point(list: &CertificateList) -> Result<Option<IssuingDistributionPoint>, Error> {
    let extensions = list.tbs_cert_list.crl_extensions.as_deref().unwrap_or_default();
    let Some(found) = extensions.iter().find(|extension| extension.extn_id == ISSUING_DISTRIBUTION_POINT)
    else {
        return Ok(None);
    };
    IssuingDistributionPoint::from_der(found.extn_value.as_bytes()).map(Some).map_err(malformed)
}

fn covers(list: &CertificateList, point: Option<&IssuingDistributionPoint>) -> Covers {
    let unusable = |reason: &str| Covers::Unusable(reason.to_owned());
    let known = [ISSUING_DISTRIBUTION_POINT, CrlNumber::OID, AuthorityKeyIdentifier::OID];
    let body = &list.tbs_cert_list;
    let is_unknown = |extension: &&Extension| extension.critical && !known.contains(&extension.extn_id);
    if let Some(other) = body.crl_extensions.as_deref().unwrap_or_default().iter().find(is_unknown) {
        return Covers::Unusable(format!(
            "it has the critical extension {}, which is not known",
            other.extn_id
        ));
    }
    let entries = body.revoked_certificates.as_deref().unwrap_or_default();
    let mut extensions =
        entries.iter().flat_map(|entry| entry.crl_entry_extensions.as_deref().unwrap_or_default());
    if let Some(other) =
        extensions.find(|extension| extension.critical && extension.extn_id != CrlReason::OID)
    {
        return Covers::Unusable(format!(
            "an entry has the critical extension {}, which is not known",
            other.extn_id
        ));
    }
    match point {
        None => Covers::All,
        Some(point) if point.indirect_crl => unusable("it is an indirect list"),
        Some(point) if point.only_some_reasons.is_some() => unusable("it is for some reasons only"),
        Some(point) if point.only_contains_attribute_certs => unusable("it is for attribute certificates"),
        Some(point) if point.only_contains_user_certs => Covers::Users,
        Some(point) if point.only_contains_ca_certs => Covers::Authorities,
        Some(_) => Covers::All,
    }
}

/// Whether a certificate names the place that a list is published at.
fn names_place(certificate: &Certificate, place: &DistributionPointName) -> bool {
    certificate.extensions().distribution_points.iter().any(|named| match (named, place) {
        (DistributionPointName::FullName(named), DistributionPointName::FullName(place)) => {
            named.iter().any(|name| place.contains(name))
        }
        (named, place) => named == place,
    })
}

/// Refuses a certificate that its issuer revoked, and a leaf that no list covers when there are lists.
pub(super) fn check(
    certificate: &Certificate,
    issuer: &Certificate,
    rules: &PathRules<'_>,
    is_leaf: bool,
) -> Result<(), Error> {
    if rules.revocation_lists.is_empty() {
        return Ok(());
    }
    let mut covered = false;
    let mut flaw = "there is none of its issuer".to_owned();
    for list in rules.revocation_lists {
        if !name::same(&list.inner.tbs_cert_list.issuer, certificate.issuer_name()) {
            continue;
        }
        // A revocation counts even where the list is too old or too narrow to show that nothing was revoked.
        match list.is_signed_by(issuer) {
            Ok(()) => refuse_revoked(certificate, list, rules)?,
            Err(reason) => {
                flaw = reason;
                continue;
            }
        }
        match usable(list, certificate, rules) {
            Ok(()) => covered = true,
            Err(reason) => flaw = reason,
        }
    }
    let has_list = rules
        .revocation_lists
        .iter()
        .any(|list| name::same(&list.inner.tbs_cert_list.issuer, certificate.issuer_name()));
    if covered || !(is_leaf || has_list) {
        return Ok(());
    }
    let message = format!(
        "no revocation list shows that the certificate of `{}` is still good: {flaw}",
        certificate.subject()
    );
    Err(Error::Untrusted(message))
}

fn usable(list: &RevocationList, certificate: &Certificate, rules: &PathRules<'_>) -> Result<(), String> {
    let is_authority = certificate.extensions().basic_constraints.as_ref().is_some_and(|basic| basic.ca);
    match &list.covers {
        Covers::Unusable(reason) => return Err(reason.clone()),
        Covers::Users if is_authority => return Err("it is not for authorities".into()),
        Covers::Authorities if !is_authority => return Err("it is for authorities only".into()),
        Covers::All | Covers::Users | Covers::Authorities => {}
    }
    if list.distribution_point.as_ref().is_some_and(|place| !names_place(certificate, place)) {
        return Err("it is for certificates that name another place of publication".into());
    }
    if UnixTime::from(list.inner.tbs_cert_list.this_update.to_unix_duration()) > rules.now {
        return Err("it was made later than now".into());
    }
    match list.next_update() {
        Some(due) if due < rules.now && rules.stale_lists == StaleLists::Refused => {
            Err(format!("its successor was due at {due}"))
        }
        None if rules.stale_lists == StaleLists::Refused => {
            Err("it does not say how long it is good for".into())
        }
        _ => Ok(()),
    }
}

fn refuse_revoked(
    certificate: &Certificate,
    list: &RevocationList,
    rules: &PathRules<'_>,
) -> Result<(), Error> {
    let Some(entry) = list.entry(certificate.serial_bytes()) else { return Ok(()) };
    let revoked = UnixTime::from(entry.revocation_date.to_unix_duration());
    let reason = reason(entry);
    if reason == Some(CrlReason::RemoveFromCRL) {
        return Ok(());
    }
    // A key that was merely replaced or retired was still its owner's when it signed; `at` lies before `now` only
    // where a trusted timestamp, or the user, says when that was.
    let was_honest = matches!(
        reason,
        Some(CrlReason::AffiliationChanged | CrlReason::Superseded | CrlReason::CessationOfOperation)
    );
    if was_honest && rules.at < revoked && rules.at < rules.now {
        return Ok(());
    }
    let why = reason.map_or("without a reason", title);
    let message = format!("the certificate of `{}` was revoked at {revoked}, {why}", certificate.subject());
    Err(Error::Untrusted(message))
}

const REASON_CODE: ObjectIdentifier = CrlReason::OID;

fn reason(entry: &RevokedCert) -> Option<CrlReason> {
    let extensions = entry.crl_entry_extensions.as_deref()?;
    let extension = extensions.iter().find(|extension| extension.extn_id == REASON_CODE)?;
    CrlReason::from_der(extension.extn_value.as_bytes()).ok()
}

fn title(reason: CrlReason) -> &'static str {
    match reason {
        CrlReason::Unspecified => "for no stated reason",
        CrlReason::KeyCompromise => "because its key was stolen",
        CrlReason::CaCompromise => "because its authority's key was stolen",
        CrlReason::AffiliationChanged => "because its holder left",
        CrlReason::Superseded => "because another replaced it",
        CrlReason::CessationOfOperation => "because it is no longer needed",
        CrlReason::CertificateHold => "because it is on hold",
        CrlReason::RemoveFromCRL => "and restored",
        CrlReason::PrivilegeWithdrawn => "because its holder's rights were withdrawn",
        CrlReason::AaCompromise => "because its attributes are not to be trusted",
    }
}

fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::Key(format!("not a revocation list: {reason}"))
}
