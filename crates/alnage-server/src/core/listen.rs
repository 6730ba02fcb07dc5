//! Connections: accepted up to a limit, with time limits, in plain or under TLS, ended in good order.

use std::{
    future::{Future, poll_fn},
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::{Duration, SystemTime},
};

use axum::{Router, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Semaphore, mpsc, watch},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 8192;
/// A request's head, from the end of the last request on.
const HEAD_TIME: Duration = Duration::from_secs(75);
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// What is under way when the end is asked for has so long.
const LAST_TIME: Duration = Duration::from_secs(20);
const MAX_HEADERS: usize = 128;
const MAX_HEAD: usize = 64 << 10;

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Answers what it has an answer for at hand; the router answers the rest.
pub(crate) type Shortcut = Arc<dyn Fn(&hyper::Request<Incoming>) -> Option<Response> + Send + Sync>;

/// When to end.
pub(crate) type Stop = watch::Receiver<bool>;

/// Waits until the end is asked for.
pub(crate) async fn stopped(mut stop: Stop) {
    // Whoever could have asked is gone: that is the end, too.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

/// Becomes true when the process is told to end: SIGTERM or SIGINT.
pub(crate) fn stop_on_signals() -> io::Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        either(terminate.recv(), interrupt.recv()).await;
        let _ = sender.send(true);
    });
    Ok(receiver)
}

/// A runtime for servers.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads(256).enable_all().build()
}

/// Serves `router` on `listener` until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    shortcut: Option<Shortcut>,
    stop: Stop,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Every connection holds a sender: when all are gone, nobody is connected.
    let (alive, mut gone) = mpsc::channel::<()>(1);
    let tls = tls.map(Arc::new);
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = match either(listener.accept(), stopped(stop.clone())).await {
            Either::First(accepted) => accepted,
            Either::Second(()) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, as a rule: those who are connected give some back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (service, stop) = ((router.clone(), shortcut.clone()), stop.clone());
        let (tls, alive) = (tls.clone(), alive.clone());
        tokio::spawn(async move {
            accept(stream, peer, tls, service, stop).await;
            drop((place, alive));
        });
    }
    drop(listener);
    drop(alive);
    let _ = tokio::time::timeout(LAST_TIME, gone.recv()).await;
    Ok(())
}

type Service = (Router, Option<Shortcut>);

async fn accept(stream: TcpStream, peer: SocketAddr, tls: Option<Arc<Tls>>, service: Service, stop: Stop) {
    // Without it, small answers wait for the acknowledgement of the last packet.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(stream, peer, service, stop).await };
    let Ok(acceptor) = tls.acceptor() else { return };
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
        converse(stream, peer, service, stop).await;
    }
}

async fn converse<I>(stream: I, peer: SocketAddr, (router, shortcut): Service, stop: Stop)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answered = match shortcut.as_ref().and_then(|shortcut| shortcut(&request)) {
            Some(response) => Either::First(response),
            None => Either::Second(service.call(request)),
        };
        async move {
            match answered {
                Either::First(response) => Ok(response),
                Either::Second(answering) => answering.await,
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    if let Either::Second(()) = either(connection.as_mut(), stopped(stop)).await {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Which of two came first.
enum Either<A, B> {
    First(A),
    Second(B),
}

async fn either<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> Either<A, B> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(value));
        }
        second.as_mut().poll(context).map(Either::Second)
    })
    .await
}

/// Certificate and key, read again when their files change.
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<(Option<SystemTime>, TlsAcceptor)>,
}

impl Tls {
    /// Reads a chain of certificates and a private key, both PEM.
    pub(crate) fn read(certificate: PathBuf, key: PathBuf) -> io::Result<Self> {
        let changed = changed(&certificate);
        let acceptor = acceptor(&certificate, &key)?;
        Ok(Self { certificate, key, current: Mutex::new((changed, acceptor)) })
    }

    fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.certificate);
        if changed != current.0 {
            // While the new pair is half written, the old one is still good.
            if let Ok(acceptor) = acceptor(&self.certificate, &self.key) {
                *current = (changed, acceptor);
            }
        }
        Ok(current.1.clone())
    }
}

fn changed(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn acceptor(certificate: &PathBuf, key: &PathBuf) -> io::Result<TlsAcceptor> {
    let named = |path: &PathBuf| {
        let path = path.display().to_string();
        move |error: rustls::pki_types::pem::Error| io::Error::other(format!("`{path}`: {error}"))
    };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(named(certificate))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(named(certificate))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(named(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| io::Error::other(format!("`{}`: {error}", certificate.display())))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
