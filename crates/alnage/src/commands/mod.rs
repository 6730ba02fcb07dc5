//! One file a command.

mod config;
mod formats;
mod rules;
mod vet;

use std::process::ExitCode;

use crate::{
    args::{Arguments, Command, ConfigCommand},
    reference,
};

/// Runs a command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Vet(arguments) => return vet::run(*arguments),
        Command::Rules(arguments) => rules::list(arguments.format)?,
        Command::Explain { code } => rules::explain(&code)?,
        Command::Formats(arguments) => formats::list(arguments.format)?,
        Command::Config { command: ConfigCommand::Show(flags) } => config::show(&flags)?,
        Command::Completions { shell } => reference::completions(shell)?,
        Command::Man => reference::man()?,
        Command::Tour | Command::Verify(_) | Command::Sign(_) | Command::Keygen(_) => {
            anyhow::bail!("not in this build")
        }
    }
    Ok(ExitCode::SUCCESS)
}
