//! What a server is told when it starts.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alnage_registry::{Registry, worker};

use crate::{
    auth::{Oidc, Trust},
    core::{State, audit, listen, routes},
    hub,
};

/// What waits for the audit when the server ends is written down within so long.
const LAST_LINES: Duration = Duration::from_secs(10);

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
    /// Threads that pull and scan.
    pub workers: usize,
}

/// Serves until the process is told to end.
pub fn serve(
    listener: TcpListener,
    registry: Registry,
    settings: Settings,
    clock: fn() -> u64,
) -> std::io::Result<()> {
    let tls =
        settings.tls.clone().map(|(certificate, key)| listen::Tls::read(certificate, key)).transpose()?;
    let workers = settings.workers.min(256);
    let over = AtomicBool::new(false);
    let runtime = listen::runtime()?;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| worker::run(&registry, &worker::KINDS, &over));
        }
        let served = runtime.block_on(async {
            let stop = listen::stop_on_signals()?;
            let (audit, lines) = audit::channel();
            let writing = tokio::spawn(audit::write(registry.clone(), lines));
            let state = State::new(settings, registry.clone(), stop.clone(), audit, clock);
            let known = state.clone();
            let shortcut = Arc::new(move |request: &_| hub::shortcut(&known, request));
            let served = listen::serve(listener, tls, routes::router(state), Some(shortcut), stop).await;
            // With the last request the last sender is gone, and what waits is written down.
            let _ = tokio::time::timeout(LAST_LINES, writing).await;
            served
        });
        over.store(true, Ordering::Relaxed);
        registry.bell().ring();
        served
    })
}

/// Works on what waits in the records, with so many threads, until the process is told to end.
pub fn work(registry: &Registry, threads: usize) -> std::io::Result<()> {
    let over = AtomicBool::new(false);
    let runtime = listen::runtime()?;
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, 256) {
            scope.spawn(|| worker::run(registry, &worker::KINDS, &over));
        }
        let told = runtime.block_on(async {
            listen::stopped(listen::stop_on_signals()?).await;
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        registry.bell().ring();
        told
    })
}
