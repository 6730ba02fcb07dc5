//! The binary as its users meet it.

mod config;
mod exit_codes;
mod reference;
mod reports;
mod sandbox;
mod seal;
mod tour;
mod tree;
