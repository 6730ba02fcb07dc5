//! Proof that a certificate was submitted to a log of certificates: the timestamps embedded in it (RFC 6962).

use alnage_types::Digest;
use x509_cert::der::asn1::ObjectIdentifier;

use super::root::Log;
use crate::{
    Error,
    der::{SEQUENCE, first_byte, inner, octets, oid, parts},
    x509::{Certificate, Hash, UnixTime},
};

const TIMESTAMPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// More timestamps are not looked at.
const MAX_TIMESTAMPS: usize = 16;

/// The extensions of a certificate, as its signed part tags them.
const EXTENSIONS: u8 = 0xa3;

/// Verifies that one of `logs` saw `leaf`, which `issuer` signed.
pub(super) fn verify(leaf: &Certificate, issuer: &Certificate, logs: &[Log]) -> Result<(), Error> {
    let list = leaf
        .extension(TIMESTAMPS)
        .ok_or_else(|| refuse("it carries no timestamp of a log".into()))
        .and_then(|content| octets(content).map_err(refuse))?;
    let signed = Precertificate {
        issuer_key: Digest::of(&issuer.public_key_der()?),
        body: without_timestamps(leaf.signed_bytes()).map_err(refuse)?,
    };
    let mut flaw = refuse("it carries no timestamp of a log".into());
    let timestamps = split(list).ok_or_else(|| refuse("its timestamps cannot be read".into()))?;
    for bytes in timestamps.into_iter().take(MAX_TIMESTAMPS) {
        match check(bytes, &signed, logs) {
            Ok(()) => return Ok(()),
            Err(error) => flaw = error,
        }
    }
    Err(flaw)
}

fn refuse(reason: String) -> Error {
    Error::Untrusted(format!("its certificate was not logged: {reason}"))
}

/// What the logs signed: the certificate before they did.
struct Precertificate {
    issuer_key: Digest,
    body: Vec<u8>,
}

fn check(timestamp: &[u8], signed: &Precertificate, logs: &[Log]) -> Result<(), Error> {
    let timestamp = Timestamp::read(timestamp).ok_or_else(|| refuse("a timestamp cannot be read".into()))?;
    let Some(log) = logs.iter().find(|log| log.id == timestamp.log) else {
        let message = "the log of certificates that saw its certificate is not in the trusted root";
        return Err(Error::Unknown(message.into()));
    };
    let time = UnixTime(timestamp.time / 1000);
    if !log.window.contains(time) {
        return Err(refuse(format!("the key of the log `{}` does not count at {time}", log.name())));
    }
    let message = timestamp.message(signed).ok_or_else(|| refuse("it is too long".into()))?;
    let matches = log.verify(&message, timestamp.signature, Some(timestamp.hash));
    matches.map_err(|reason| refuse(format!("by the log `{}`: {reason}", log.name())))
}

struct Timestamp<'a> {
    log: &'a [u8],
    /// Milliseconds since the beginning of 1970.
    time: u64,
    extensions: &'a [u8],
    hash: Hash,
    signature: &'a [u8],
}

impl<'a> Timestamp<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (log, rest) = rest.split_at_checked(32)?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = prefixed(rest)?;
        let (&[hash, _kind], rest) = rest.split_first_chunk::<2>()?;
        let (signature, rest) = prefixed(rest)?;
        let hash = match hash {
            4 => Hash::Sha256,
            5 => Hash::Sha384,
            6 => Hash::Sha512,
            _ => return None,
        };
        let whole = version == 0 && rest.is_empty();
        whole.then_some(Self { log, time: u64::from_be_bytes(*time), extensions, hash, signature })
    }

    /// What the log signed.
    fn message(&self, signed: &Precertificate) -> Option<Vec<u8>> {
        // Version 1, a timestamp of a certificate.
        let mut message = vec![0, 0];
        message.extend_from_slice(&self.time.to_be_bytes());
        // An entry of the kind precertificate.
        message.extend_from_slice(&[0, 1]);
        message.extend_from_slice(signed.issuer_key.as_bytes());
        let [0, length @ ..] = u32::try_from(signed.body.len()).ok()?.to_be_bytes() else { return None };
        message.extend_from_slice(&length);
        message.extend_from_slice(&signed.body);
        message.extend_from_slice(&u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        message.extend_from_slice(self.extensions);
        Some(message)
    }
}

/// What stands behind a length of two bytes, and what follows it.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn split(list: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut list, rest) = prefixed(list)?;
    let mut found = Vec::new();
    while !list.is_empty() {
        let (timestamp, after) = prefixed(list)?;
        found.push(timestamp);
        list = after;
    }
    rest.is_empty().then_some(found)
}

/// The signed part of a certificate without the extension that holds the timestamps; every other byte as it came.
fn without_timestamps(signed: &[u8]) -> Result<Vec<u8>, String> {
    let mut fields = Vec::new();
    for field in parts(signed, SEQUENCE)? {
        if first_byte(field) != EXTENSIONS {
            fields.extend_from_slice(field);
            continue;
        }
        let mut kept = Vec::new();
        for extension in parts(inner(field, EXTENSIONS)?, SEQUENCE)? {
            let identifier = parts(extension, SEQUENCE)?.first().map(|identifier| oid(identifier));
            if identifier.transpose()? != Some(TIMESTAMPS) {
                kept.extend_from_slice(extension);
            }
        }
        fields.extend(tagged(EXTENSIONS, &tagged(SEQUENCE, &kept)));
    }
    Ok(tagged(SEQUENCE, &fields))
}

/// `content` behind its tag and length.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    let mut der = vec![tag];
    match digits {
        [] => der.push(0),
        [short] if *short < 0x80 => der.push(*short),
        // No length has more digits than a pointer.
        long => {
            der.push(0x80 | long.len() as u8);
            der.extend_from_slice(long);
        }
    }
    der.extend_from_slice(content);
    der
}
