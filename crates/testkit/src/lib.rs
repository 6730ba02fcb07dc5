//! Builds hostile and benign sample files in code, for tests only.

pub mod archive;
pub mod bytecode;
pub mod framework;
pub mod peers;
pub mod pickle;
pub mod pki;
pub mod repository;
pub mod sigstore;
pub mod tensor;
