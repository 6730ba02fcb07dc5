//! What Alnage serves over HTTP. A handler translates; what it decides is in the crates below.

mod admission;
mod api;
mod auth;
mod console;
mod core;
mod hub;
mod mlflow;
mod oci;
mod settings;
#[cfg(test)]
mod testing;
mod witness;
mod xet;

pub use admission::{AskedRegistry, Webhook, serve_webhook};
/// The OpenAPI document, from the table of routes.
#[cfg(feature = "schema")]
pub use api::described::document as openapi;
pub use auth::{Oidc, Trust};
pub use settings::{Settings, serve, work};
pub use witness::serve_witness;
