//! Name constraints: which names an authority may speak for (RFC 5280, 4.2.1.10).

use x509_cert::{
    der::asn1::ObjectIdentifier,
    ext::pkix::{NameConstraints, constraints::name::GeneralSubtree, name::GeneralName},
    name::Name,
};

use super::{Certificate, name};

const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// How many comparisons one path may cost: names times constraints is what hostile chains make large.
pub(super) const MAX_COMPARISONS: usize = 100_000;

/// Whether every name of `certificate` lies where `constraints` allow; the error says which does not.
///
/// `budget` is how many comparisons are left.
pub(super) fn check(
    constraints: &NameConstraints,
    certificate: &Certificate,
    budget: &mut usize,
) -> Result<(), String> {
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    if permitted.iter().chain(excluded).any(|subtree| subtree.minimum != 0 || subtree.maximum.is_some()) {
        return Err("a name constraint has a minimum or maximum, which is not supported".to_owned());
    }
    for name in names(certificate) {
        let shown = || name.shown();
        let mut comparable = permitted.iter().filter(|subtree| name.is_comparable(&subtree.base)).peekable();
        let is_constrained = comparable.peek().is_some();
        if is_constrained && !any_covers(comparable, &name, Direction::Permitted, budget)? {
            return Err(format!("`{}` lies outside the names its authority may speak for", shown()));
        }
        if any_covers(excluded.iter(), &name, Direction::Excluded, budget)? {
            return Err(format!("`{}` is a name its authority may not speak for", shown()));
        }
    }
    Ok(())
}

/// A wildcard must lie wholly inside what is permitted, and not at all inside what is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Permitted,
    Excluded,
}

fn any_covers<'a>(
    subtrees: impl Iterator<Item = &'a GeneralSubtree>,
    name: &SubjectName<'_>,
    direction: Direction,
    budget: &mut usize,
) -> Result<bool, String> {
    for subtree in subtrees {
        *budget = budget.checked_sub(1).ok_or("its names and name constraints are too many to compare")?;
        if name.is_comparable(&subtree.base) && name.lies_in(&subtree.base, direction)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A name that a certificate gives its holder.
enum SubjectName<'a> {
    Directory(&'a Name),
    Email(String),
    Other(&'a GeneralName),
}

fn names(certificate: &Certificate) -> Vec<SubjectName<'_>> {
    let subject = certificate.subject_name();
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(SubjectName::Directory(subject));
    }
    let addresses = subject.iter().filter(|attribute| attribute.oid == EMAIL_ADDRESS);
    names.extend(addresses.filter_map(name::text).map(SubjectName::Email));
    for alternative in &certificate.extensions().alternative_names {
        names.push(match alternative {
            GeneralName::DirectoryName(name) => SubjectName::Directory(name),
            GeneralName::Rfc822Name(text) => SubjectName::Email(text.to_string()),
            other => SubjectName::Other(other),
        });
    }
    names
}

impl SubjectName<'_> {
    fn shown(&self) -> String {
        let text = match self {
            Self::Directory(name) => name::shown(name),
            Self::Email(text) => text.clone(),
            Self::Other(GeneralName::DnsName(text) | GeneralName::UniformResourceIdentifier(text)) => {
                text.to_string()
            }
            Self::Other(GeneralName::IpAddress(bytes)) => format!("address {:02x?}", bytes.as_bytes()),
            Self::Other(_) => "a name of a rare kind".to_owned(),
        };
        text.escape_debug().take(120).collect()
    }

    /// Whether the constraint is about names of this kind.
    fn is_comparable(&self, base: &GeneralName) -> bool {
        match (self, base) {
            (Self::Directory(_), GeneralName::DirectoryName(_)) => true,
            (Self::Email(_), GeneralName::Rfc822Name(_)) => true,
            (Self::Other(name), base) => std::mem::discriminant(*name) == std::mem::discriminant(base),
            _ => false,
        }
    }

    fn lies_in(&self, base: &GeneralName, direction: Direction) -> Result<bool, String> {
        Ok(match (self, base) {
            (Self::Directory(name), GeneralName::DirectoryName(base)) => name::begins_with(name, base),
            (Self::Email(address), GeneralName::Rfc822Name(base)) => email_lies_in(address, base.as_str()),
            (Self::Other(GeneralName::DnsName(host)), GeneralName::DnsName(base)) => {
                host_lies_in(host.as_str(), base.as_str(), direction)
            }
            (
                Self::Other(GeneralName::UniformResourceIdentifier(uri)),
                GeneralName::UniformResourceIdentifier(base),
            ) => {
                let host = uri_host(uri.as_str()).ok_or("a URI without a host cannot be constrained")?;
                let (host, base) = (host.to_ascii_lowercase(), base.as_str().to_ascii_lowercase());
                if base.starts_with('.') { host.ends_with(&base) } else { host == base }
            }
            (Self::Other(GeneralName::IpAddress(address)), GeneralName::IpAddress(base)) => {
                address_lies_in(address.as_bytes(), base.as_bytes())
                    .ok_or("an address and its constraint do not fit each other")?
            }
            _ => return Err("a constraint on names of a rare kind is not supported".to_owned()),
        })
    }
}

fn host_lies_in(host: &str, base: &str, direction: Direction) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.is_empty() {
        return true;
    }
    let below = |host: &str, base: &str| {
        host.strip_suffix(base).is_some_and(|front| base.starts_with('.') || front.ends_with('.'))
    };
    if host == base || below(&host, &base) {
        return true;
    }
    // `*.example.com` may stand for `a.example.com`.
    let wild = host.strip_prefix("*.").filter(|_| direction == Direction::Excluded);
    wild.is_some_and(|parent| below(base.trim_start_matches('.'), parent))
}

fn email_lies_in(address: &str, base: &str) -> bool {
    let Some((local, host)) = address.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => local == base_local && host.eq_ignore_ascii_case(base_host),
        None if base.starts_with('.') => host.to_ascii_lowercase().ends_with(&base.to_ascii_lowercase()),
        None => host.eq_ignore_ascii_case(base),
    }
}

/// The host of a URI that has one, and no address in its place.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return None;
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty() && host.parse::<core::net::Ipv4Addr>().is_err()).then_some(host)
}

/// The constraint is an address and a mask, both as long as the address.
fn address_lies_in(address: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!((address.len(), base.len()), (4 | 16, 8 | 32)) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    if network.len() != address.len() {
        return Some(false);
    }
    let mut bytes = address.iter().zip(network).zip(mask);
    Some(bytes.all(|((address, network), mask)| address & mask == network & mask))
}
