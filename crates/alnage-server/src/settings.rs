//! What a server is told when it starts.

use std::{net::TcpListener, path::PathBuf};

use alnage_registry::Registry;

use crate::auth::{Oidc, Trust};

/// What a server is told when it starts.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How clients reach it: `https://models.example.org`. Links in answers begin so.
    pub public_url: String,
    /// Whether those who say nothing of who they are may download what is allowed.
    pub anonymous_read: bool,
    /// The files of a certificate and its private key, both PEM; plain HTTP without.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The identity provider that people sign in at.
    pub oidc: Option<Oidc>,
    /// Whose identities of programs count, and for what.
    pub trust: Vec<Trust>,
    /// Authorities that identity providers are believed by, instead of the web's: PEM.
    pub roots: Option<Vec<u8>>,
}

/// Serves until the process is told to end.
pub fn serve(
    listener: TcpListener,
    registry: Registry,
    settings: Settings,
    clock: fn() -> u64,
) -> std::io::Result<()> {
    use crate::core::{State, listen, routes};
    let tls =
        settings.tls.clone().map(|(certificate, key)| listen::Tls::read(certificate, key)).transpose()?;
    listen::runtime()?.block_on(async {
        let stop = listen::stop_on_signals()?;
        let state = State::new(settings, registry, stop.clone(), clock);
        listen::serve(listener, tls, routes::router(state), stop).await
    })
}
