//! Connections to PostgreSQL under TLS, where the address asks for it. What answers is always held against its
//! authority and its name: encryption without that keeps nobody out who stands between.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use postgres::{
    Client, NoTls, Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{
    TlsConnector, client,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject as _},
    },
};

use crate::{Error, Result};

/// Where the authorities of the system are, as distributions have them.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Connects to the server at `url`, whose `sslmode` and `sslrootcert` say whether under TLS, and whom to believe.
pub(super) fn connect(url: &str) -> Result<Client> {
    let asked = Asked::read(url)?;
    let failed = |error: postgres::Error| {
        // What lies below says more than "error performing TLS handshake".
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Error::Unavailable(format!("cannot connect to the database: {error}{cause}"))
    };
    if !asked.encrypted {
        return Client::connect(&asked.url, NoTls).map_err(failed);
    }
    Client::connect(&asked.url, Tls(connector(asked.authority.as_deref())?)).map_err(failed)
}

/// What an address asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// As the driver takes it.
    pub(super) url: String,
    pub(super) encrypted: bool,
    /// A file with the authorities to believe.
    pub(super) authority: Option<String>,
}

impl Asked {
    pub(super) fn read(text: &str) -> Result<Self> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut encrypted, mut authority) = (false, None);
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable" | "allow" | "prefer")) => {}
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => encrypted = true,
                Some(("sslmode", mode)) => {
                    return Err(Error::Invalid(format!("the database's address has no `sslmode` {mode:?}")));
                }
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", path)) => {
                    let path = url::form_urlencoded::parse(format!("p={path}").as_bytes())
                        .next()
                        .map(|(_, path)| path.into_owned());
                    authority = path;
                }
                _ => kept.push(pair),
            }
        }
        if encrypted {
            kept.push("sslmode=require");
        }
        let url = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
        Ok(Self { url, encrypted, authority })
    }
}

fn connector(authority: Option<&str>) -> Result<TlsConnector> {
    let place = match authority {
        Some(place) => place,
        None => SYSTEM.into_iter().find(|place| std::path::Path::new(place).exists()).ok_or_else(|| {
            Error::Unavailable("this system has no list of authorities: name one by `sslrootcert`".into())
        })?,
    };
    let unreadable = |why: String| Error::Unavailable(format!("the database's authority `{place}`: {why}"));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(place).map_err(|error| unreadable(error.to_string()))?;
    let (added, _) = roots.add_parsable_certificates(certificates.filter_map(std::result::Result::ok));
    if added == 0 {
        return Err(unreadable("there is no certificate in it".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into())
}

/// Makes connections to one server after the other.
#[derive(Clone)]
struct Tls(TlsConnector);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = To;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> std::result::Result<To, InvalidDnsNameError> {
        Ok(To(self.0.clone(), ServerName::try_from(host)?.to_owned()))
    }
}

/// A connection to be made to a server of this name.
struct To(TlsConnector, ServerName<'static>);

impl TlsConnect<Socket> for To {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move { Ok(Encrypted(self.0.connect(self.1, socket).await?)) })
    }
}

/// A connection that was made.
struct Encrypted(client::TlsStream<Socket>);

impl postgres::tls::TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
