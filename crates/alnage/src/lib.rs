//! Tests, seals and gates AI models: the command line.
//!
//! A command reads its arguments, calls the pipeline and prints; what it decides is in the crates below.

mod approvals;
mod args;
mod commands;
mod config;
mod exit;
pub mod library;
mod login;
mod output;
mod progress;
mod reference;
mod remote;
mod signer;
mod timestamp;
mod trust;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

pub use reference::cli_markdown;

/// Runs the command line `arguments`, the program's own name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // A panic in a parser is caught and becomes an issue of the record; here it only leaves its place.
    std::panic::set_hook(Box::new(|panic| output::warn(format_args!("internal error: {panic}"))));
    let arguments = match args::Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help on a closed pipe is nobody's problem.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::COULD_NOT_RUN } else { 0 });
        }
    };
    commands::run(arguments).unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::from(exit::COULD_NOT_RUN)
    })
}
