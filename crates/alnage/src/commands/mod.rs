//! One file a command.

mod bom;
mod config;
mod convert;
mod deps;
mod formats;
mod gate;
mod guard_host;
mod keygen;
mod log;
mod public_key;
mod revoke;
mod rules;
mod run;
mod sign;
mod signature;
mod tour;
mod verify;
mod vet;

use std::process::ExitCode;

pub(crate) use log::LogCommand;

use crate::{
    args::{Arguments, Command, ConfigCommand, SettingArgs},
    config::{Config, Settings},
    reference,
};

/// Runs a command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Vet(arguments) => return vet::run(*arguments),
        Command::Convert(arguments) => return convert::run(&arguments),
        Command::Deps(arguments) => return deps::run(&arguments),
        Command::Bom { command } => return bom::run(&command),
        Command::Rules(arguments) => rules::list(arguments.format)?,
        Command::Explain { code } => rules::explain(&code)?,
        Command::Formats(arguments) => formats::list(arguments.format)?,
        Command::Config { command: ConfigCommand::Show(flags) } => config::show(&flags)?,
        Command::Completions { shell } => reference::completions(shell)?,
        Command::Man => reference::man()?,
        Command::Tour => return tour::run(),
        Command::Verify(arguments) => return verify::run(&arguments, &unflagged()?),
        Command::Run(arguments) => return run::start(&arguments, &unflagged()?),
        Command::GuardHost(arguments) => guard_host::run(*arguments, unflagged()?)?,
        Command::Signature { command } => return signature::run(&command),
        Command::Sign(arguments) => sign::run(&arguments, unflagged()?.jobs)?,
        Command::PublicKey { key } => public_key::run(&key)?,
        Command::Revoke(arguments) => revoke::run(&arguments, &unflagged()?)?,
        Command::Log { command } => return log::run(command, &unflagged()?),
        Command::Keygen(arguments) => keygen::run(&arguments.out, arguments.curve.into())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings of file and environment, for commands without flags for them.
fn unflagged() -> anyhow::Result<Settings> {
    Ok(Config::load(&SettingArgs::default())?.settings)
}
