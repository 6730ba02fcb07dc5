//! Parts of DER structures, taken apart one level at a time.

use x509_cert::der::{
    Decode as _, Reader as _, SliceReader,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};

/// A structure that holds more parts than this is none of those read here.
const MAX_PARTS: usize = 64;

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The error says what is wrong with the structure.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The parts of a structure whose first byte is `tag`.
pub(crate) fn parts(der: &[u8], tag: u8) -> Result<Vec<&[u8]>> {
    if first_byte(der) != tag {
        return Err(format!("a part begins with {:#04x}, not {tag:#04x}", first_byte(der)));
    }
    let mut reader = SliceReader::new(value(der)?).map_err(text)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        if parts.len() >= MAX_PARTS {
            return Err("it has too many parts".into());
        }
        parts.push(reader.tlv_bytes().map_err(text)?);
    }
    Ok(parts)
}

/// The one part of a structure whose first byte is `tag`.
pub(crate) fn inner(der: &[u8], tag: u8) -> Result<&[u8]> {
    match parts(der, tag)?.as_slice() {
        [inner] => Ok(inner),
        parts => Err(format!("{} parts stand where one belongs", parts.len())),
    }
}

/// The content of a structure, which ends where `der` does.
pub(crate) fn value(der: &[u8]) -> Result<&[u8]> {
    AnyRef::from_der(der).map(AnyRef::value).map_err(text)
}

pub(crate) fn first_byte(der: &[u8]) -> u8 {
    der.first().copied().unwrap_or_default()
}

pub(crate) fn oid(der: &[u8]) -> Result<ObjectIdentifier> {
    ObjectIdentifier::from_der(der).map_err(text)
}

pub(crate) fn octets(der: &[u8]) -> Result<&[u8]> {
    <&OctetStringRef>::from_der(der).map(OctetStringRef::as_bytes).map_err(text)
}

pub(crate) fn text(error: x509_cert::der::Error) -> String {
    error.to_string()
}
