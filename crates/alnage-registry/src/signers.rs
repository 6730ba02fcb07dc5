//! Whose signatures over models count: public keys that were named, and whoever a trust file names.

use std::path::Path;

use alnage_pipeline::{
    Bundle, SignerPolicy, VerifyingKey,
    trusted::{Acceptance, TrustPolicy},
    x509::{AlternativeName, UnixTime},
};
use alnage_sign::{AcceptedSigner, SignedManifest};

use crate::{Error, Registry, Result};

/// Everybody whose signatures count, as of a moment.
pub struct Signers {
    keys: Vec<VerifyingKey>,
    trust: Option<TrustPolicy>,
}

/// Somebody who made a signature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// What the signature is verified with.
    pub key: VerifyingKey,
    /// The name under which they count once, however many keys they have.
    pub name: String,
    /// Who they are: the name in a certificate, or the digest of a key.
    pub identity: String,
    /// Who vouches for that; empty for a key.
    pub issuer: String,
    /// All of it, for a person.
    pub description: String,
    /// How many such signers have to have signed.
    pub needed: usize,
}

impl Registry {
    /// Whose signatures count now. Files are read anew: lists of what was revoked change.
    pub fn signers(&self) -> Result<Signers> {
        let settings = self.settings();
        let keys = settings.trusted_keys.iter();
        let keys =
            keys.map(|text| VerifyingKey::from_pem(text).map_err(|error| Error::Invalid(error.to_string())));
        let trust = settings.signer_trust.as_deref().map(|path| trust_file(path, self.now())).transpose()?;
        Ok(Signers { keys: keys.collect::<Result<_>>()?, trust })
    }
}

fn trust_file(path: &Path, now: u64) -> Result<TrustPolicy> {
    alnage_pipeline::trust_file(path, UnixTime(now)).map_err(|error| Error::Invalid(error.to_string()))
}

impl Signers {
    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.trust.is_none()
    }

    /// Who made `bundle`; an error says why they do not count.
    pub fn of(&self, bundle: &Bundle) -> std::result::Result<Signer, String> {
        // Older bundles do not say which key they were made with.
        if let Some(key) = self.keys.iter().find(|key| bundle.verify(key).is_ok()) {
            let hint = key.hint().to_string();
            return Ok(Signer {
                key: key.clone(),
                name: hint.clone(),
                description: format!("the key {hint}"),
                identity: hint,
                issuer: String::new(),
                needed: 1,
            });
        }
        match &self.trust {
            Some(trust) => {
                let acceptance = trust.accept_signer(bundle).map_err(|error| error.to_string())?;
                Ok(signer(acceptance, trust.threshold.get()))
            }
            None if self.keys.is_empty() => Err("no key is trusted".to_owned()),
            None => Err("it was made with none of the trusted keys".to_owned()),
        }
    }
}

impl SignerPolicy for Signers {
    fn accept(&self, bundle: &Bundle) -> std::result::Result<AcceptedSigner, alnage_sign::Error> {
        let Signer { key, description, .. } = self.of(bundle).map_err(alnage_sign::Error::Untrusted)?;
        Ok(AcceptedSigner { key, description })
    }

    fn accept_content(&self, signed: &SignedManifest) -> std::result::Result<(), alnage_sign::Error> {
        self.trust.as_ref().map_or(Ok(()), |trust| trust.accept_content(signed))
    }
}

fn signer(acceptance: Acceptance, needed: usize) -> Signer {
    let description = acceptance.description();
    let keyless = acceptance.keyless.as_ref();
    let leaf =
        keyless.map(|signer| signer.path().leaf()).or(acceptance.path.as_ref().map(|path| path.leaf()));
    let (identity, issuer) = match leaf {
        Some(leaf) => {
            let name = leaf.alternative_names().into_iter().next();
            let name = name.map_or_else(|| leaf.subject(), AlternativeName::into_text);
            (name, keyless.map_or_else(|| leaf.issuer(), |signer| signer.provider().to_owned()))
        }
        None => (acceptance.key.hint().to_string(), String::new()),
    };
    Signer { key: acceptance.key, name: acceptance.name, identity, issuer, description, needed }
}
