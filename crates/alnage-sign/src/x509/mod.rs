//! X.509 certificates: which of them are to be believed, by RFC 5280, from anchors that the user names.
//!
//! No anchor is built in: a certificate of the web's authorities says who runs a server, not who may sign a model.

mod algorithm;
mod certificate;
mod constraints;
mod name;
mod path;
mod revocation;
mod time;

pub(crate) use algorithm::{Hash, verify_signature};
pub use certificate::{AlternativeName, Certificate};
pub use path::{PathRules, Purpose, TrustedPath, find_path};
pub use revocation::{RevocationList, StaleLists};
pub use time::UnixTime;

#[cfg(test)]
mod tests;
