//! Whose signatures count, and whether one of them made a given bundle.

use std::num::NonZeroUsize;

use alnage_types::Digest;

use super::{Identity, RevokedKind, RevokedThings};
use crate::{
    AcceptedSigner, Bundle, Credential, Error, KeyHint, SignedManifest, SignerPolicy, VerifyingKey,
    keyless::{KeylessSigner, KeylessTrust, TrustedRoot},
    path,
    timestamp::{Timestamp, TimestampAuthorities, verify_timestamp},
    x509::{Certificate, PathRules, Purpose, RevocationList, StaleLists, TrustedPath, UnixTime, find_path},
};

/// Whose signatures count.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// Those whose signatures count.
    pub signers: Vec<TrustedSigner>,
    /// How many different ones of them must have signed.
    pub threshold: NonZeroUsize,
    /// Whether a bundle must name the key that made it.
    pub hint: KeyHint,
    /// Who says when a signature was made.
    pub timestamps: TimestampTrust,
    /// Revocation lists of certificate authorities.
    pub revocation_lists: Vec<RevocationList>,
    /// What of those that should have been replaced by now.
    pub stale_lists: StaleLists,
    /// What does not count any more.
    pub revoked: RevokedThings,
    /// The time by which signatures without a timestamp are judged, when that is not now.
    pub at: Option<UnixTime>,
    /// Now.
    pub now: UnixTime,
    /// Whose word counts for keyless signatures; that of Sigstore's public instance when there is none.
    pub trusted_root: Option<TrustedRoot>,
}

/// Somebody whose signatures count.
#[derive(Debug, Clone)]
pub struct TrustedSigner {
    /// Its name, under which it counts once however many keys it has.
    pub name: String,
    /// How it proves itself.
    pub credential: TrustedCredential,
    /// The first second at which its signatures count.
    pub not_before: Option<UnixTime>,
    /// The last one.
    pub not_after: Option<UnixTime>,
}

/// How somebody proves to have signed.
#[derive(Debug, Clone)]
pub enum TrustedCredential {
    /// By a known key.
    Key(VerifyingKey),
    /// By a certificate.
    Certificate(CertificateTrust),
    /// By an identity that somebody vouched for while they signed.
    Keyless(KeylessTrust),
}

/// Which certificates count.
#[derive(Debug, Clone, Default)]
pub struct CertificateTrust {
    /// Authorities, or the signer's own certificates.
    pub anchors: Vec<Certificate>,
    /// What may stand between, besides what a bundle brings.
    pub intermediates: Vec<Certificate>,
    /// Who the holder must be, one of these; anybody when there are none.
    pub identities: Vec<Identity>,
    /// Who must have issued the certificate, one of these; anybody below an anchor when there are none.
    pub issuers: Vec<Identity>,
}

/// Whose timestamps count.
#[derive(Debug, Clone, Default)]
pub struct TimestampTrust {
    /// Authorities.
    pub anchors: Vec<Certificate>,
    /// What may stand between, besides what a timestamp brings.
    pub intermediates: Vec<Certificate>,
}

/// A bundle that names somebody whose signatures count. Its signature is yet to be verified with the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The name of the signer in the policy.
    pub name: String,
    /// The key that the bundle must be signed with.
    pub key: VerifyingKey,
    /// The certificates from the signer's to the anchor.
    pub path: Option<TrustedPath>,
    /// When the signature provably existed.
    pub timestamp: Option<Timestamp>,
    /// Who signed and when, when it was without a key of their own.
    pub keyless: Option<KeylessSigner>,
}

impl TrustPolicy {
    /// A policy by which `signers` count, one of them is enough, and nothing is revoked.
    pub fn new(signers: Vec<TrustedSigner>, now: UnixTime) -> Self {
        Self {
            signers,
            threshold: NonZeroUsize::MIN,
            hint: KeyHint::MustMatch,
            timestamps: TimestampTrust::default(),
            revocation_lists: Vec::new(),
            stale_lists: StaleLists::Refused,
            revoked: RevokedThings::default(),
            at: None,
            now,
            trusted_root: None,
        }
    }

    /// Who of the trusted signers says to have made `bundle`.
    pub fn accept_signer(&self, bundle: &Bundle) -> Result<Acceptance, Error> {
        let (timestamp, flaw) = self.timestamp(bundle);
        let proven = timestamp.as_ref().map(Timestamp::time);
        let at = proven.or(self.at).unwrap_or(self.now);
        let mut acceptance = match bundle.credential() {
            Credential::KeyHint(hint) => self.by_key(hint, at),
            Credential::RawKey { pem, .. } => {
                let key = VerifyingKey::from_pem(&String::from_utf8_lossy(pem))?;
                self.by_key(&key.hint().to_string(), at)
            }
            Credential::CertificateChain(chain) => self.by_certificate(chain, at, proven),
            Credential::Certificate(_) => return self.by_keyless(bundle),
        }
        .map_err(|error| with_flaw(error, flaw))?;
        self.revoked.refuse(RevokedKind::Key, acceptance.key.hint(), proven)?;
        acceptance.timestamp = timestamp;
        Ok(acceptance)
    }

    fn by_keyless(&self, bundle: &Bundle) -> Result<Acceptance, Error> {
        let keyless = |signer: &&TrustedSigner| matches!(signer.credential, TrustedCredential::Keyless(_));
        if !self.signers.iter().any(|signer| keyless(&signer)) {
            let message = "it is keyless, and no identity with its provider is trusted";
            return Err(Error::Untrusted(message.into()));
        }
        let built_in;
        let root = match &self.trusted_root {
            Some(root) => root,
            None => {
                built_in = TrustedRoot::public_good()?;
                &built_in
            }
        };
        let found = bundle.verify_keyless(root, self.now)?;
        let (leaf, proven) = (found.path().leaf(), Some(found.time()));
        for certificate in found.path().certificates() {
            self.revoked.refuse(RevokedKind::Certificate, certificate.fingerprint(), proven)?;
        }
        let key = leaf.verifying_key()?;
        self.revoked.refuse(RevokedKind::Key, key.hint(), proven)?;
        let mut flaw = None;
        for signer in &self.signers {
            let TrustedCredential::Keyless(trust) = &signer.credential else { continue };
            match trust.check(leaf, found.provider()).and_then(|()| signer.check_window(found.time())) {
                Ok(()) => {
                    return Ok(Acceptance {
                        name: signer.name.clone(),
                        key,
                        path: Some(found.path().clone()),
                        timestamp: found.timestamp().cloned(),
                        keyless: Some(found),
                    });
                }
                Err(error) => {
                    flaw.get_or_insert(error);
                }
            }
        }
        Err(flaw.unwrap_or_else(|| Error::Untrusted("nobody who signs keyless is trusted".into())))
    }

    /// The first timestamp that holds, or why the first one does not.
    fn timestamp(&self, bundle: &Bundle) -> (Option<Timestamp>, Option<Error>) {
        if self.timestamps.anchors.is_empty() {
            return (None, None);
        }
        let authorities = TimestampAuthorities {
            anchors: &self.timestamps.anchors,
            intermediates: &self.timestamps.intermediates,
        };
        let mut flaw = None;
        for token in bundle.timestamps().iter().take(MAX_TIMESTAMPS) {
            match verify_timestamp(token, bundle.signature(), authorities, self.now) {
                Ok(timestamp) => return (Some(timestamp), None),
                Err(error) => {
                    flaw.get_or_insert(error);
                }
            }
        }
        (None, flaw)
    }

    fn by_key(&self, hint: &str, at: UnixTime) -> Result<Acceptance, Error> {
        let known: Vec<(&TrustedSigner, &VerifyingKey)> = self
            .signers
            .iter()
            .filter_map(|signer| match &signer.credential {
                TrustedCredential::Key(key) => Some((signer, key)),
                TrustedCredential::Certificate(_) | TrustedCredential::Keyless(_) => None,
            })
            .collect();
        let named = known.iter().find(|(_, key)| key.hint().to_string() == hint);
        let found = match (named, self.hint, known.as_slice()) {
            (Some(&found), _, _) => found,
            (None, KeyHint::Ignored, &[only]) => only,
            (None, KeyHint::MustMatch, _) if hint.is_empty() => {
                return Err(Error::Malformed("it does not say which key signed it".into()));
            }
            (None, KeyHint::MustMatch, [(_, key)]) => {
                let given = key.hint().to_string();
                return Err(Error::WrongKey { signed_by: path::shown(hint), given });
            }
            (None, _, []) => {
                let message = "it was made with a key, and only certificates are trusted";
                return Err(Error::Untrusted(message.into()));
            }
            (None, _, _) => {
                let message = format!(
                    "it was made with the key `{}`, which is none of the trusted ones",
                    path::shown(hint)
                );
                return Err(Error::Untrusted(message));
            }
        };
        let (signer, key) = found;
        signer.check_window(at)?;
        Ok(Acceptance {
            name: signer.name.clone(),
            key: key.clone(),
            path: None,
            timestamp: None,
            keyless: None,
        })
    }

    fn by_certificate(
        &self,
        chain: &[Vec<u8>],
        at: UnixTime,
        proven: Option<UnixTime>,
    ) -> Result<Acceptance, Error> {
        let mut chain = chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(Error::Malformed("its chain of certificates is empty".into()));
        }
        let leaf = chain.remove(0);
        let mut flaw = None;
        for signer in &self.signers {
            let TrustedCredential::Certificate(trust) = &signer.credential else { continue };
            match self.check_certificate(&leaf, &chain, trust, at, proven) {
                Ok(path) => {
                    signer.check_window(at)?;
                    let key = leaf.verifying_key()?;
                    return Ok(Acceptance {
                        name: signer.name.clone(),
                        key,
                        path: Some(path),
                        timestamp: None,
                        keyless: None,
                    });
                }
                Err(error) => {
                    flaw.get_or_insert(error);
                }
            }
        }
        let message = "it was made with a certificate, and a key was given to verify it with";
        Err(flaw.unwrap_or_else(|| Error::Untrusted(message.into())))
    }

    fn check_certificate(
        &self,
        leaf: &Certificate,
        brought: &[Certificate],
        trust: &CertificateTrust,
        at: UnixTime,
        proven: Option<UnixTime>,
    ) -> Result<TrustedPath, Error> {
        let intermediates: Vec<Certificate> = trust.intermediates.iter().chain(brought).cloned().collect();
        let rules = PathRules {
            anchors: &trust.anchors,
            intermediates: &intermediates,
            at,
            now: self.now,
            purpose: Purpose::Signing,
            revocation_lists: &self.revocation_lists,
            stale_lists: self.stale_lists,
        };
        let path = find_path(leaf, &rules)?;
        for certificate in path.certificates() {
            self.revoked.refuse(RevokedKind::Certificate, certificate.fingerprint(), proven)?;
        }
        let holder = leaf.subject();
        if !trust.identities.is_empty() && !trust.identities.iter().any(|identity| identity.matches(leaf)) {
            let names = leaf.alternative_names();
            let message =
                format!("`{holder}` signed, with the names {names:?}, and that is none of those asked for");
            return Err(Error::Untrusted(message));
        }
        let issuer = leaf.issuer();
        if !trust.issuers.is_empty() && !trust.issuers.iter().any(|wanted| wanted.matches_name(&issuer)) {
            let message = format!(
                "the certificate of `{holder}` was issued by `{issuer}`, which is none of those asked for"
            );
            return Err(Error::Untrusted(message));
        }
        Ok(path)
    }
}

/// More timestamps are not looked at.
const MAX_TIMESTAMPS: usize = 8;

/// A refusal that may come from a timestamp that did not hold says so.
fn with_flaw(error: Error, flaw: Option<Error>) -> Error {
    match (error, flaw) {
        (Error::Untrusted(message), Some(flaw)) => {
            Error::Untrusted(format!("{message}; its timestamp does not count: {flaw}"))
        }
        (error, _) => error,
    }
}

impl TrustedSigner {
    /// Somebody who counts at any time.
    pub fn new(name: impl Into<String>, credential: TrustedCredential) -> Self {
        Self { name: name.into(), credential, not_before: None, not_after: None }
    }

    fn check_window(&self, at: UnixTime) -> Result<(), Error> {
        let name = &self.name;
        if let Some(from) = self.not_before.filter(|&from| at < from) {
            return Err(Error::Untrusted(format!(
                "signatures of `{name}` count from {from} on, and it is {at}"
            )));
        }
        if let Some(until) = self.not_after.filter(|&until| at > until) {
            return Err(Error::Untrusted(format!(
                "signatures of `{name}` count until {until}, and it is {at}"
            )));
        }
        Ok(())
    }
}

impl Acceptance {
    /// The signer, for a person.
    pub fn description(&self) -> String {
        if let Some(signer) = &self.keyless {
            let (names, provider) = (signer.names(), path::shown(signer.provider()));
            return format!("the identity {names}, by the word of `{provider}`, at {}", signer.time());
        }
        let mut text = match &self.path {
            Some(path) => {
                let (leaf, anchor) = (path.leaf(), path.anchor());
                format!("the certificate of `{}`, trusted by `{}`", leaf.subject(), anchor.subject())
            }
            None => format!("the key {}", self.key.hint()),
        };
        if let Some(timestamp) = &self.timestamp {
            text += &format!(", at {} by the word of `{}`", timestamp.time(), timestamp.authority());
        }
        text
    }
}

impl SignerPolicy for TrustPolicy {
    fn accept(&self, bundle: &Bundle) -> Result<AcceptedSigner, Error> {
        let acceptance = self.accept_signer(bundle)?;
        Ok(AcceptedSigner { description: acceptance.description(), key: acceptance.key })
    }

    fn accept_content(&self, signed: &SignedManifest) -> Result<(), Error> {
        let files = signed.resources().iter().filter_map(|resource| resource.digest.sha256());
        let all: Vec<Digest> = std::iter::once(signed.root()).chain(files).collect();
        all.into_iter().try_for_each(|digest| self.revoked.refuse(RevokedKind::Model, digest, None))
    }

    fn threshold(&self) -> NonZeroUsize {
        self.threshold
    }

    fn name(&self, bundle: &Bundle) -> Option<String> {
        Some(self.accept_signer(bundle).ok()?.name)
    }
}
