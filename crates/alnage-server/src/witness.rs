//! A witness for logs: <https://c2sp.org/tlog-witness>.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use alnage_pipeline::{Refusal, WitnessDir, WitnessError};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

/// A checkpoint with a hundred signatures of the longest kind, and a proof.
const MAX_BODY: usize = 1 << 20;

/// One request at a time looks at what was seen and changes it.
type Shared = Arc<Mutex<WitnessDir>>;

/// Serves `add-checkpoint` on `listener` until the process ends. `now` gives the seconds since the beginning of 1970.
pub fn serve_witness(listener: TcpListener, witness: WitnessDir, now: fn() -> u64) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let routes = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state((Arc::new(Mutex::new(witness)), now));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, routes).await })
}

async fn add_checkpoint(State((witness, now)): State<(Shared, fn() -> u64)>, body: Bytes) -> Response {
    let decided = tokio::task::spawn_blocking(move || {
        // Whoever panicked had not stored anything, or all of it: the state on disk is always whole.
        let mut witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        witness.add_checkpoint(&body, now())
    });
    match decided.await {
        Ok(Ok(cosignatures)) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], cosignatures).into_response()
        }
        Ok(Err(WitnessError::Refused(refusal))) => refused(&refusal),
        Ok(Err(WitnessError::Failed(_))) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::NotSigned(_) => StatusCode::FORBIDDEN,
        Refusal::UnknownLog(_) => StatusCode::NOT_FOUND,
        Refusal::NotProven(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Stale(size) => {
            let size = format!("{size}\n");
            return (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], size)
                .into_response();
        }
    };
    (status, format!("{refusal}\n")).into_response()
}
