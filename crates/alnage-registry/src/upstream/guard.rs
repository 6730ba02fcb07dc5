//! What requests of ours may reach: the public internet, and the hosts that were named, never a network's inside.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use ureq::{
    Agent,
    config::Config,
    http::Uri,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};
use url::Url;

/// Time that a server has to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Time that a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Decides where a request may go. It looks at addresses when they are connected to, so a name that answers differently
/// the second time gains nothing.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    named: Vec<(String, u16)>,
    plain: bool,
    /// A server on this machine may send to another one on it.
    machine: bool,
    /// A server inside a network may send to another one there.
    network: bool,
}

impl Guard {
    /// Lets requests go to public addresses alone, over TLS.
    pub fn public() -> Self {
        Self::default()
    }

    /// Lets requests go to the host and port of `url` as well, wherever it is; and to this machine, or to private
    /// addresses, when it is one. Plain HTTP is let through from then on when `url` says it.
    #[must_use]
    pub fn and(mut self, url: &Url) -> Self {
        if let Some(place) = place(url) {
            self.plain |= url.scheme() == "http";
            let address = place.0.parse::<IpAddr>().ok();
            self.machine |= is_here(&place.0);
            self.network |= address.is_some_and(is_private);
            self.named.push(place);
        }
        self
    }

    /// Lets requests go to the host and port of `url` as well, and nowhere else for that.
    #[must_use]
    pub fn and_only(mut self, url: &Url) -> Self {
        self.named.extend(place(url));
        self
    }

    /// Lets requests go to this machine as well, and in plain HTTP there.
    #[must_use]
    pub fn and_this_machine(mut self) -> Self {
        self.machine = true;
        self
    }

    /// Whether a request may be made to `url` at all; its address is looked at when it is known.
    ///
    /// # Errors
    ///
    /// Says why not.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let shown = shown(url);
        let Some(place) = place(url) else { return Err(format!("`{shown}` names no host")) };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("`{shown}` carries a password"));
        }
        match url.scheme() {
            "https" => {}
            "http" if self.plain || self.names(&place.0, place.1) || self.machine && is_here(&place.0) => {}
            _ => return Err(format!("`{shown}` is not reached over TLS")),
        }
        // An address that is written out is not asked of a resolver by everybody.
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if address.is_some_and(|address| !self.permits(&place.0, place.1, address)) {
            return Err(format!("`{shown}` is an address inside a network"));
        }
        Ok(())
    }

    /// Whether `host` at `port` may be connected to under `address`.
    pub fn permits(&self, host: &str, port: u16, address: IpAddr) -> bool {
        let host = host.trim_matches(['[', ']']);
        let near = self.machine && address.is_loopback() || self.network && is_private(address);
        self.names(host, port) || near || is_public(address)
    }

    fn names(&self, host: &str, port: u16) -> bool {
        self.named.iter().any(|(name, open)| name.eq_ignore_ascii_case(host) && *open == port)
    }

    /// A client that goes nowhere else, follows no redirect by itself and trusts `roots`, or the authorities of the web
    /// when there are none.
    ///
    /// # Errors
    ///
    /// When `roots` holds no certificates.
    pub fn agent(self, roots: Option<&[u8]>) -> Result<Agent, String> {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = roots {
            let certificates: Vec<_> = parse_pem(pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                return Err("the file of trusted authorities holds no certificate".into());
            }
            tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .user_agent(concat!("alnage/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Agent::with_parts(config, DefaultConnector::default(), self))
    }
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.permits(host, address.port(), address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            return Err(ureq::Error::Io(std::io::Error::new(
                std::io::ErrorKind::PermissionDenied,
                format!("`{host}` is an address inside a network"),
            )));
        }
        Ok(allowed)
    }
}

/// A URL as it may be shown: what follows its path may be a credential.
pub(super) fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn place(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

/// Whether a host is this machine by its name.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address belongs to a network of somebody's own. Clouds tell secrets at link-local ones, which do not.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Whether an address belongs to the internet, and to nobody's own network, machine or cloud.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    // Ways of writing an address of version 4 lead where it leads.
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        [0x2001, 0xdb8, ..] => false,
        [0x2001, second, ..] => second >= 0x200,
        // Only this eighth of the space has been given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
