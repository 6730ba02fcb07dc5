//! The registry as its clients meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod hub;
