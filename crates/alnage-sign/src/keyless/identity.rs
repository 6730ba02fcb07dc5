//! Who a keyless signer must be: an identity, and who vouched for it.

use std::{fmt, str::FromStr};

use x509_cert::der::{
    Decode as _,
    asn1::{ObjectIdentifier, Utf8StringRef},
};

use crate::{
    Error, path,
    trust::{Identity, Pattern},
    x509::Certificate,
};

/// Sigstore's extensions with what the provider of an identity said; see
/// <https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>.
const CLAIMS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
/// The provider: at first as bare text, then as DER.
const PROVIDER_TEXT: u8 = 1;
const PROVIDER: u8 = 8;
pub(super) const REPOSITORY: u8 = 12;
pub(super) const WORKFLOW: u8 = 18;

/// Which keyless signers count: whoever has one of the identities with one of the providers. Both are asked for: an
/// address is only as good as who looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeylessTrust {
    identities: Vec<Identity>,
    providers: Vec<Provider>,
}

impl KeylessTrust {
    /// Those with one of `identities`, of one of `providers`.
    pub fn new(identities: Vec<Identity>, providers: Vec<Provider>) -> Result<Self, Error> {
        let missing = match (identities.is_empty(), providers.is_empty()) {
            (false, false) => return Ok(Self { identities, providers }),
            (true, _) => "no identity is named: anybody can have a keyless signature made",
            (false, true) => "no identity provider is named: each may give out any name",
        };
        Err(Error::Policy(missing.into()))
    }

    /// Refuses a certificate of somebody else.
    pub(crate) fn check(&self, leaf: &Certificate, found: &str) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::Untrusted(message));
        let names = names(leaf);
        if !self.identities.iter().any(|identity| identity.matches_alternative(leaf)) {
            return refuse(format!("{names} signed, and that is none of those asked for"));
        }
        if !self.providers.iter().any(|provider| provider.matches(found)) {
            let found = path::shown(found);
            return refuse(format!(
                "{names} was known to `{found}`, which is none of the providers asked for"
            ));
        }
        Ok(())
    }
}

/// Who vouches for identities: the URL of an OpenID provider, in which `*` stands for a part and `**` for anything; or
/// `regexp:` and a regular expression for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider(Pattern);

impl FromStr for Provider {
    type Err = Error;

    fn from_str(written: &str) -> Result<Self, Error> {
        match written.strip_prefix("regexp:") {
            Some(expression) => Pattern::regular(expression).map(Self),
            None => Pattern::plain(written).map(Self),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Provider {
    fn matches(&self, found: &str) -> bool {
        self.0.matches(found, &['/'])
    }
}

/// Who vouched for the holder of a certificate.
pub(super) fn provider(leaf: &Certificate) -> Result<String, Error> {
    let text = leaf.extension(identifier(PROVIDER_TEXT)).map(|bytes| {
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| Error::Malformed("the provider in its certificate is not text".into()))
    });
    match (text.transpose()?, claim(leaf, PROVIDER)) {
        (Some(old), Some(new)) if old != new => {
            Err(Error::Untrusted("its certificate names two identity providers".into()))
        }
        (_, Some(provider)) | (Some(provider), None) => Ok(provider),
        (None, None) => Err(Error::Untrusted("its certificate names no identity provider".into())),
    }
}

/// What an extension says, as those from the eighth on are written.
pub(super) fn claim(leaf: &Certificate, number: u8) -> Option<String> {
    let text = Utf8StringRef::from_der(leaf.extension(identifier(number))?).ok()?;
    Some(text.as_str().to_owned())
}

/// The names that a certificate gives its holder, for a person.
pub(super) fn names(leaf: &Certificate) -> String {
    let names = leaf.alternative_names().into_iter();
    let names: Vec<String> = names.map(|name| format!("`{}`", path::shown(&name.into_text()))).collect();
    if names.is_empty() { "somebody without a name".to_owned() } else { names.join(", ") }
}

fn identifier(number: u8) -> ObjectIdentifier {
    // An identifier has room for one more number.
    CLAIMS.push_arc(number.into()).unwrap_or(CLAIMS)
}
