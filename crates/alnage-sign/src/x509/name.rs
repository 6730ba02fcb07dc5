//! Distinguished names: when two are the same, and how one is shown.

use x509_cert::{
    attr::AttributeTypeAndValue,
    der::{
        Tag, Tagged as _,
        asn1::{BmpString, Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef},
    },
    name::{Name, RelativeDistinguishedName},
};

/// More attributes in one part of a name are compared byte by byte only.
const MAX_ATTRIBUTES: usize = 16;

/// The name as RFC 4514 writes it, or a mark when it is empty.
pub(super) fn shown(name: &Name) -> String {
    if name.is_empty() { "(no subject)".to_owned() } else { name.to_string() }
}

/// Whether two names are the same: part by part, without regard to case, to runs of blanks and to the kind of string.
pub(super) fn same(one: &Name, other: &Name) -> bool {
    one.len() == other.len() && begins_with(one, other)
}

/// Whether `name` is `base` or lies below it.
pub(super) fn begins_with(name: &Name, base: &Name) -> bool {
    let parts = |name: &Name| name.iter_rdn().count();
    parts(base) <= parts(name)
        && name.iter_rdn().zip(base.iter_rdn()).all(|(one, other)| same_part(one, other))
}

fn same_part(one: &RelativeDistinguishedName, other: &RelativeDistinguishedName) -> bool {
    if one == other {
        return true;
    }
    let within = |one: &RelativeDistinguishedName, other: &RelativeDistinguishedName| {
        one.iter().all(|attribute| other.iter().any(|candidate| same_attribute(attribute, candidate)))
    };
    one.len() == other.len() && one.len() <= MAX_ATTRIBUTES && within(one, other) && within(other, one)
}

fn same_attribute(one: &AttributeTypeAndValue, other: &AttributeTypeAndValue) -> bool {
    one.oid == other.oid
        && (one.value == other.value
            || matches!((folded(one), folded(other)), (Some(one), Some(other)) if one == other))
}

/// The text with case and blanks evened out; nothing for what is no text.
fn folded(attribute: &AttributeTypeAndValue) -> Option<String> {
    let text = text(attribute)?.to_lowercase();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// An attribute's text.
pub(super) fn text(attribute: &AttributeTypeAndValue) -> Option<String> {
    let value = &attribute.value;
    match value.tag() {
        Tag::PrintableString => PrintableStringRef::try_from(value).ok().map(|text| text.as_str().to_owned()),
        Tag::Utf8String => Utf8StringRef::try_from(value).ok().map(|text| text.as_str().to_owned()),
        Tag::Ia5String => Ia5StringRef::try_from(value).ok().map(|text| text.as_str().to_owned()),
        Tag::TeletexString => TeletexStringRef::try_from(value).ok().map(|text| text.as_str().to_owned()),
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
        _ => None,
    }
}
