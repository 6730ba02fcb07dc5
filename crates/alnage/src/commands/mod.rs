//! One file a command.

mod backup;
mod bom;
mod config;
mod convert;
mod deps;
mod detonate;
mod formats;
mod gate;
mod guard_host;
mod keygen;
mod kube;
mod log;
mod login;
mod policy;
mod public_key;
mod registry;
mod revoke;
mod rules;
mod run;
mod serve;
mod sign;
mod signature;
mod tour;
mod verify;
mod vet;
mod webhook;

use std::process::ExitCode;

use alnage_pipeline::{Options, Silent, Verification};

pub(crate) use log::LogCommand;

use crate::{
    args::{Arguments, Command, ConfigCommand, FileArgs, RunArgs, SettingArgs, VerifyArgs},
    config::{Config, Settings},
    library::Gated,
    reference,
};

/// Runs a command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Vet(arguments) => return vet::run(*arguments),
        Command::Convert(arguments) => return convert::run(&arguments),
        Command::Detonate(arguments) => return detonate::run(&arguments, &unflagged()?),
        Command::Deps(arguments) => return deps::run(&arguments),
        Command::Bom { command } => return bom::run(&command),
        Command::Policy { command } => return policy::run(&command),
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
        Command::Serve(arguments) => serve::run(&arguments, &unflagged()?)?,
        Command::Registry(arguments) => return registry::run(&arguments),
        Command::Worker(arguments) => serve::work(&arguments, &unflagged()?)?,
        Command::Signature { command } => return signature::run(&command),
        Command::Webhook(arguments) => webhook::run(*arguments)?,
        Command::Kube { command } => return kube::run(&command),
        Command::Sign(arguments) => sign::run(&arguments, unflagged()?.jobs)?,
        Command::PublicKey { key } => public_key::run(&key)?,
        Command::Revoke(arguments) => revoke::run(&arguments, &unflagged()?)?,
        Command::Log { command } => return log::run(command, &unflagged()?),
        Command::Keygen(arguments) => keygen::run(&arguments.out, arguments.curve.into())?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) use vet::now;

/// How `alnage vet` vets with these flags.
pub(crate) fn vetting(flags: &SettingArgs) -> anyhow::Result<Options> {
    Ok(vet::options(&Config::load_quietly(flags)?.settings))
}

/// Verifies, and says whether what holds is enough.
pub(crate) fn verify(arguments: &VerifyArgs) -> anyhow::Result<(Verification, bool)> {
    verify::verify(arguments, &unconfigured()?, &Silent)
}

/// The gate of `alnage run`, without the wall.
pub(crate) fn gated(arguments: RunArgs) -> anyhow::Result<Gated> {
    run::gated(arguments, &unconfigured()?)
}

/// The settings of the environment alone: where a library is called from is no place to look for its configuration.
fn unconfigured() -> anyhow::Result<Settings> {
    let file = FileArgs { no_config: true, ..FileArgs::default() };
    Ok(Config::load_quietly(&SettingArgs { file, ..SettingArgs::default() })?.settings)
}

/// The settings of file and environment, for commands without flags for them.
fn unflagged() -> anyhow::Result<Settings> {
    Ok(Config::load(&SettingArgs::default())?.settings)
}
