//! The layer that finds out who asks.

use axum::{
    extract::{Request, State as Shared},
    middleware::Next,
    response::Response,
};

use super::Caller;
use crate::core::{State, layers};

pub(crate) async fn recognise(Shared(_state): Shared<State>, mut request: Request, next: Next) -> Response {
    let address = layers::address(&request);
    request.extensions_mut().insert(Caller::anonymous(address));
    next.run(request).await
}
