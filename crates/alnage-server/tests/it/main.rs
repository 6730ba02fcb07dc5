//! The registry as its clients meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connections;
mod doors;
mod hub;
mod mlflow;
mod oci;
mod xet;
