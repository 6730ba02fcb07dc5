//! From a certificate to an anchor: finding a path, and checking it (RFC 5280, section 6).
//!
//! Issuers are told apart by their names, key identifiers and in the end by their signatures alone, never by
//! `subject == issuer`: authorities exist whose leaves bear the name of their issuer.

use std::{collections::HashMap, slice};

use x509_cert::der::asn1::ObjectIdentifier;

use super::{
    Certificate, RevocationList, StaleLists, UnixTime,
    constraints::{self, MAX_COMPARISONS},
    name, revocation,
};
use crate::Error;

/// Certificates between leaf and anchor, both counted.
const MAX_DEPTH: usize = 10;
/// Certificates that are not anchors.
const MAX_INTERMEDIATES: usize = 64;
/// Signatures that are looked at before the search gives up.
const MAX_SIGNATURES: usize = 128;
/// Whole paths that are checked before the search gives up.
const MAX_PATHS: usize = 32;

/// What the holder of the leaf must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Sign models and what is said of them.
    Signing,
    /// The same, where the certificate must say so itself.
    CodeSigning,
    /// Say when something existed (RFC 3161).
    TimeStamping,
}

/// By which rules a path is found.
#[derive(Debug, Clone, Copy)]
pub struct PathRules<'a> {
    /// What is trusted without proof. A leaf may itself be one.
    pub anchors: &'a [Certificate],
    /// What may stand between; trusted only as far as it is proven.
    pub intermediates: &'a [Certificate],
    /// The time at which every certificate must be valid: now, or when the signature was proven to exist.
    pub at: UnixTime,
    /// Now, by which revocation lists are fresh.
    pub now: UnixTime,
    /// What the leaf is for.
    pub purpose: Purpose,
    /// Revocation lists. With any, one must cover the leaf.
    pub revocation_lists: &'a [RevocationList],
    /// What of lists that should have been replaced by now.
    pub stale_lists: StaleLists,
}

/// A path that holds, from the leaf to the anchor. Only [`find_path`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPath(Vec<Certificate>);

impl TrustedPath {
    /// The certificate that was asked about.
    pub fn leaf(&self) -> &Certificate {
        // A path is never empty: it is made from the leaf on.
        &self.0[0]
    }

    /// The anchor; the leaf itself when that is one.
    pub fn anchor(&self) -> &Certificate {
        &self.0[self.0.len() - 1]
    }

    /// All of them, leaf first.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

/// Finds a path from `leaf` to an anchor that holds by `rules`; the error is the first thing that was wrong.
pub fn find_path(leaf: &Certificate, rules: &PathRules<'_>) -> Result<TrustedPath, Error> {
    if rules.anchors.is_empty() {
        return Err(Error::Policy("no certificate authority is named that could be trusted".into()));
    }
    if rules.intermediates.len() > MAX_INTERMEDIATES {
        return Err(Error::Untrusted(format!("{} certificates come with it", rules.intermediates.len())));
    }
    if rules.anchors.iter().any(|anchor| anchor.der() == leaf.der()) {
        check_path(&[leaf], rules)?;
        return Ok(TrustedPath(vec![leaf.clone()]));
    }
    let mut search = Search { rules, leaf, verified: HashMap::new(), paths: 0, flaw: None };
    match search.run()? {
        Some(path) => Ok(TrustedPath(path.into_iter().cloned().collect())),
        None => Err(search.flaw.unwrap_or_else(|| {
            let message = format!(
                "`{}` was issued by `{}`, and no trusted authority vouches for that",
                leaf.subject(),
                leaf.issuer()
            );
            Error::Untrusted(message)
        })),
    }
}

struct Search<'a> {
    rules: &'a PathRules<'a>,
    leaf: &'a Certificate,
    /// Whether a candidate's key made a certificate's signature, by their addresses.
    verified: HashMap<(*const Certificate, *const Certificate), bool>,
    paths: usize,
    /// Why the first whole path does not hold.
    flaw: Option<Error>,
}

impl<'a> Search<'a> {
    /// Depth first, without recursion: certificates come from strangers.
    fn run(&mut self) -> Result<Option<Vec<&'a Certificate>>, Error> {
        let mut open = vec![vec![self.leaf]];
        while let Some(path) = open.pop() {
            let Some(&last) = path.last() else { continue };
            for anchor in self.issuers(last, self.rules.anchors) {
                if !self.is_signed_by(last, anchor)? {
                    continue;
                }
                let whole = extended(&path, anchor);
                match check_path(&whole, self.rules) {
                    Ok(()) => return Ok(Some(whole)),
                    Err(flaw) => self.keep(flaw)?,
                }
            }
            if path.len() + 1 >= MAX_DEPTH {
                continue;
            }
            // The last pushed is tried first.
            for issuer in self.issuers(last, self.rules.intermediates).into_iter().rev() {
                let is_new = path.iter().all(|earlier| earlier.der() != issuer.der());
                if is_new && self.is_signed_by(last, issuer)? {
                    open.push(extended(&path, issuer));
                }
            }
        }
        Ok(None)
    }

    /// Those with the right name, the ones with the right key identifier first.
    fn issuers(&self, certificate: &Certificate, among: &'a [Certificate]) -> Vec<&'a Certificate> {
        let wanted = certificate.extensions().authority_key.as_ref();
        let mut found: Vec<&Certificate> = among
            .iter()
            .filter(|issuer| name::same(issuer.subject_name(), certificate.issuer_name()))
            .collect();
        found.sort_by_key(|issuer| wanted.is_none() || issuer.extensions().subject_key.as_ref() != wanted);
        found
    }

    fn is_signed_by(&mut self, certificate: &'a Certificate, issuer: &'a Certificate) -> Result<bool, Error> {
        let pair = (std::ptr::from_ref(certificate), std::ptr::from_ref(issuer));
        if let Some(&known) = self.verified.get(&pair) {
            return Ok(known);
        }
        if self.verified.len() >= MAX_SIGNATURES {
            return Err(Error::Untrusted("its certificates can be chained in too many ways".into()));
        }
        let outcome = certificate.verify_signed_by(issuer);
        self.verified.insert(pair, outcome.is_ok());
        if let Err(reason) = &outcome {
            let message = format!(
                "`{}` is not signed by its issuer `{}`: {reason}",
                certificate.subject(),
                issuer.subject()
            );
            self.flaw.get_or_insert(Error::Untrusted(message));
        }
        Ok(outcome.is_ok())
    }

    fn keep(&mut self, flaw: Error) -> Result<(), Error> {
        self.paths += 1;
        // A path that holds but for one check says more than a signature by another key of the same name.
        if self.paths == 1 {
            self.flaw = Some(flaw);
        }
        if self.paths < MAX_PATHS {
            return Ok(());
        }
        Err(Error::Untrusted("its certificates can be chained in too many ways".into()))
    }
}

fn extended<'a>(path: &[&'a Certificate], next: &'a Certificate) -> Vec<&'a Certificate> {
    path.iter().copied().chain(slice::from_ref(&next).iter().copied()).collect()
}

/// Checks a path whose signatures hold; leaf first, anchor last.
fn check_path(path: &[&Certificate], rules: &PathRules<'_>) -> Result<(), Error> {
    let mut comparisons = MAX_COMPARISONS;
    for (at, certificate) in path.iter().enumerate() {
        let (is_leaf, is_anchor) = (at == 0, at + 1 == path.len());
        let subject = || certificate.subject();
        let refuse =
            |reason: &str| Err(Error::Untrusted(format!("the certificate of `{}` {reason}", subject())));
        check_validity(certificate, rules.at)?;
        let extensions = certificate.extensions();
        if let Some(unknown) = extensions.unknown_critical {
            return refuse(&format!("has the critical extension {unknown}, which is not known"));
        }
        if extensions.needs_policy {
            return refuse("asks for a certificate policy in the whole path, which is not supported");
        }
        if is_leaf {
            check_leaf(certificate, rules.purpose)?;
        } else {
            let below = path.get(1..at).unwrap_or_default();
            check_issuer(certificate, below, rules.purpose, is_anchor)?;
        }
        // An authority that renews itself is not bound by its own constraints.
        if is_leaf || !certificate.is_self_issued() {
            for authority in path.get(at + 1..).unwrap_or_default() {
                let Some(constraints) = &authority.extensions().name_constraints else { continue };
                constraints::check(constraints, certificate, &mut comparisons).map_err(|reason| {
                    Error::Untrusted(format!("the certificate of `{}`: {reason}", subject()))
                })?;
            }
        }
        if let Some(issuer) = path.get(at + 1) {
            revocation::check(certificate, issuer, rules, is_leaf)?;
        }
    }
    Ok(())
}

fn check_validity(certificate: &Certificate, at: UnixTime) -> Result<(), Error> {
    let subject = || certificate.subject();
    if at < certificate.not_before() {
        let begins = certificate.not_before();
        return Err(Error::Untrusted(format!(
            "the certificate of `{}` is valid from {begins}, not at {at}",
            subject()
        )));
    }
    if at > certificate.not_after() {
        let ended = certificate.not_after();
        return Err(Error::Untrusted(format!(
            "the certificate of `{}` expired at {ended}, before {at}",
            subject()
        )));
    }
    Ok(())
}

const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

impl Purpose {
    fn identifier(self) -> ObjectIdentifier {
        match self {
            Self::Signing | Self::CodeSigning => CODE_SIGNING,
            Self::TimeStamping => TIME_STAMPING,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Signing | Self::CodeSigning => "signing code",
            Self::TimeStamping => "timestamps",
        }
    }
}

fn check_leaf(leaf: &Certificate, purpose: Purpose) -> Result<(), Error> {
    let refuse =
        |reason: String| Err(Error::Untrusted(format!("the certificate of `{}` {reason}", leaf.subject())));
    let extensions = leaf.extensions();
    if extensions.key_usage.as_ref().is_some_and(|usage| !usage.digital_signature()) {
        return refuse("is not for digital signatures".to_owned());
    }
    match (&extensions.extended_key_usage, purpose) {
        (None, Purpose::Signing) => Ok(()),
        (Some(purposes), Purpose::CodeSigning)
            if purposes.contains(&CODE_SIGNING) && extensions.key_usage.is_some() =>
        {
            Ok(())
        }
        // A timestamping key must serve nothing else (RFC 3161, 2.3).
        (Some(purposes), Purpose::TimeStamping) if purposes.as_slice() == [TIME_STAMPING] => Ok(()),
        (Some(purposes), Purpose::Signing)
            if purposes.contains(&CODE_SIGNING) || purposes.contains(&ANY_PURPOSE) =>
        {
            Ok(())
        }
        _ => refuse(format!("is not for {}", purpose.title())),
    }
}

/// `below` are the certificates between the leaf and this one.
fn check_issuer(
    issuer: &Certificate,
    below: &[&Certificate],
    purpose: Purpose,
    is_anchor: bool,
) -> Result<(), Error> {
    let refuse =
        |reason: String| Err(Error::Untrusted(format!("the certificate of `{}` {reason}", issuer.subject())));
    let extensions = issuer.extensions();
    let Some(constraints) = extensions.basic_constraints.as_ref().filter(|constraints| constraints.ca) else {
        return refuse("is not that of an authority, and issued another".to_owned());
    };
    if extensions.key_usage.as_ref().is_some_and(|usage| !usage.key_cert_sign()) {
        return refuse("is not for signing certificates, and signed one".to_owned());
    }
    let between = below.iter().filter(|certificate| !certificate.is_self_issued()).count();
    if let Some(allowed) =
        constraints.path_len_constraint.map(usize::from).filter(|&allowed| between > allowed)
    {
        return refuse(format!("allows {allowed} authorities below it, and there are {between}"));
    }
    // An anchor was chosen for this by the user; what stands between may have been made for something else.
    let fits = |purposes: &Vec<ObjectIdentifier>| {
        purposes.contains(&purpose.identifier()) || purposes.contains(&ANY_PURPOSE)
    };
    if !is_anchor && extensions.extended_key_usage.as_ref().is_some_and(|purposes| !fits(purposes)) {
        return refuse(format!("is that of an authority for something else than {}", purpose.title()));
    }
    Ok(())
}
