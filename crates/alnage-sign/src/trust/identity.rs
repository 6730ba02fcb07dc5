//! Who the holder of a certificate must be.

use std::{fmt, str::FromStr};

use alnage_types::Digest;

use crate::{
    Error,
    x509::{AlternativeName, Certificate},
};

/// What a certificate must say of its holder.
///
/// Written `email:*@example.com`, `dns:build.example.com`, `uri:https://example.com/**`, `subject:CN=release,O=Example`
/// or `spki:<SHA-256 of the public key>`. Without a kind it may be any of the first four. A `*` stands for any text
/// inside one part of a name (no `.` in a host, no `@` in an address, no `/` in a URI, no `,` or `+` in a subject),
/// `**` for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    kind: Kind,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Dns,
    Uri,
    Subject,
    PublicKey(Digest),
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
        if text.trim().is_empty() {
            return Err(Error::Policy("an identity is empty".into()));
        }
        Ok(Self { kind, text: text.to_owned() })
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
            Kind::Any => "",
        };
        write!(f, "{kind}{}", self.text)
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
            Kind::Email | Kind::Dns | Kind::Uri => self.matches_alternative(certificate),
        }
    }

    /// Whether a distinguished name, as RFC 4514 writes it, fits.
    pub fn matches_name(&self, name: &str) -> bool {
        matches!(self.kind, Kind::Subject | Kind::Any) && matches(&self.text, name, &[',', '+'])
    }

    fn matches_alternative(&self, certificate: &Certificate) -> bool {
        let is_any = self.kind == Kind::Any;
        certificate.alternative_names().iter().any(|name| match name {
            AlternativeName::Email(address) if is_any || self.kind == Kind::Email => {
                matches(&folded_address(&self.text), &folded_address(address), &['@'])
            }
            AlternativeName::Dns(host) if is_any || self.kind == Kind::Dns => {
                matches(&self.text.to_ascii_lowercase(), &host.to_ascii_lowercase(), &['.'])
            }
            AlternativeName::Uri(uri) if is_any || self.kind == Kind::Uri => matches(&self.text, uri, &['/']),
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

/// Longer names and patterns are compared letter by letter only.
const MAX_LENGTH: usize = 2048;

/// Whether `text` fits `pattern`, in which `*` stands for any text without one of `stops` and `**` for any text.
pub(super) fn matches(pattern: &str, text: &str, stops: &[char]) -> bool {
    if !pattern.contains('*') || pattern.len() > MAX_LENGTH || text.len() > MAX_LENGTH {
        return pattern == text;
    }
    let steps = steps(pattern);
    // Which steps could come next, after each character: no pattern makes this slow.
    let mut reached = vec![false; steps.len() + 1];
    mark(&mut reached, &steps, 0);
    for character in text.chars() {
        let mut next = vec![false; steps.len() + 1];
        for (at, step) in steps.iter().enumerate().filter(|&(at, _)| reached[at]) {
            match step {
                Step::Character(wanted) if *wanted == character => mark(&mut next, &steps, at + 1),
                Step::Part if !stops.contains(&character) => mark(&mut next, &steps, at),
                Step::All => mark(&mut next, &steps, at),
                Step::Character(_) | Step::Part => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

enum Step {
    Character(char),
    Part,
    All,
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for character in pattern.chars() {
        match (character, steps.last()) {
            ('*', Some(Step::Part)) => {
                steps.pop();
                steps.push(Step::All);
            }
            ('*', Some(Step::All)) => {}
            ('*', _) => steps.push(Step::Part),
            (other, _) => steps.push(Step::Character(other)),
        }
    }
    steps
}

/// Marks step `at` and what follows it without a character: a star may stand for nothing.
fn mark(reached: &mut [bool], steps: &[Step], at: usize) {
    for (at, reached) in reached.iter_mut().enumerate().skip(at) {
        *reached = true;
        if !matches!(steps.get(at), Some(Step::Part | Step::All)) {
            break;
        }
    }
}
