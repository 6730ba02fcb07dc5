//! What Alnage serves over HTTP. A handler translates; what it decides is in the crates below.

mod api;
mod auth;
mod core;
mod settings;
mod witness;

pub use settings::{Settings, serve};
pub use witness::serve_witness;
