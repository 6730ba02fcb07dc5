//! The binary as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod approved;
mod bom;
mod certificates;
mod clients;
mod config;
mod conformance;
mod convert;
mod cross;
mod deps;
mod detonate;
mod encrypted_key;
mod exit_codes;
mod fleet;
mod guard;
mod keyless;
mod kube;
mod log;
mod policy;
mod reference;
mod registry;
mod reports;
mod run;
mod sandbox;
mod seal;
mod served;
mod signatures;
mod signing_in;
mod softhsm;
mod tour;
mod tree;
mod trust;
