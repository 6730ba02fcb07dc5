//! Who the holder of a certificate must be.

use std::{fmt, str::FromStr};

use alnage_types::Digest;

use super::Pattern;
use crate::{
    Error,
    x509::{AlternativeName, Certificate},
};

/// What a certificate must say of its holder.
///
/// Written `email:*@example.com`, `dns:build.example.com`, `uri:https://example.com/**`, `subject:CN=release,O=Example`
/// or `spki:<SHA-256 of the public key>`. Without a kind it may be any of the first four. A `*` stands for any text
/// inside one part of a name (no `.` in a host, no `@` in an address, no `/` in a URI, no `,` or `+` in a subject),
/// `**` for any text. Behind `regexp:` stands a regular expression for the whole of an address, host or URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    kind: Kind,
    pattern: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Dns,
    Uri,
    Subject,
    PublicKey(Digest),
    /// Any alternative name.
    Alternative,
    Any,
}

impl FromStr for Identity {
    type Err = Error;

    fn from_str(written: &str) -> Result<Self, Error> {
        let (kind, text) = match written.split_once(':') {
            Some(("email", text)) => (Kind::Email, text),
            Some(("dns", text)) => (Kind::Dns, text),
            Some(("uri", text)) => (Kind::Uri, text),
            Some(("subject", text)) => (Kind::Subject, text),
            Some(("regexp", text)) => {
                return Ok(Self { kind: Kind::Alternative, pattern: Pattern::regular(text)? });
            }
            Some(("spki", text)) => {
                let digest = text.parse().map_err(|_| {
                    Error::Policy(
                        "`spki:` is followed by the SHA-256 of the key, 64 hexadecimal digits".into(),
                    )
                })?;
                (Kind::PublicKey(digest), text)
            }
            _ => (Kind::Any, written),
        };
        Ok(Self { kind, pattern: Pattern::plain(text)? })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Email => "email:",
            Kind::Dns => "dns:",
            Kind::Uri => "uri:",
            Kind::Subject => "subject:",
            Kind::PublicKey(_) => "spki:",
            Kind::Alternative | Kind::Any => "",
        };
        write!(f, "{kind}{}", self.pattern)
    }
}

impl Identity {
    /// Whether the certificate says so.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        let subject = || self.matches_name(&certificate.subject());
        match self.kind {
            Kind::PublicKey(digest) => certificate.public_key_digest().is_ok_and(|found| found == digest),
            Kind::Subject => subject(),
            Kind::Any => subject() || self.matches_alternative(certificate),
            Kind::Email | Kind::Dns | Kind::Uri | Kind::Alternative => self.matches_alternative(certificate),
        }
    }

    /// Whether a distinguished name, as RFC 4514 writes it, fits.
    pub fn matches_name(&self, name: &str) -> bool {
        matches!(self.kind, Kind::Subject | Kind::Any) && self.pattern.matches(name, &[',', '+'])
    }

    /// Whether one of the alternative names fits, whatever the subject.
    pub(crate) fn matches_alternative(&self, certificate: &Certificate) -> bool {
        let is_any = matches!(self.kind, Kind::Any | Kind::Alternative);
        certificate.alternative_names().iter().any(|name| match name {
            AlternativeName::Email(address) if is_any || self.kind == Kind::Email => {
                self.pattern.folded(folded_address).matches(&folded_address(address), &['@'])
            }
            AlternativeName::Dns(host) if is_any || self.kind == Kind::Dns => {
                self.pattern.folded(str::to_ascii_lowercase).matches(&host.to_ascii_lowercase(), &['.'])
            }
            AlternativeName::Uri(uri) if is_any || self.kind == Kind::Uri => {
                self.pattern.matches(uri, &['/'])
            }
            AlternativeName::Other(name) if is_any => self.pattern.matches(name, &['!', '@']),
            _ => false,
        })
    }
}

/// The host of an address is the same in capitals, what stands before it need not be.
fn folded_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, host)) => format!("{local}@{}", host.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}
