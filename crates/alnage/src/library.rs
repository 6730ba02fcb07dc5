//! What the command line makes of its arguments, for other surfaces that take the same ones, such as the Python module.

use std::{ffi::OsString, path::PathBuf};

use alnage_pipeline::{Options, Verification};
use alnage_sandbox::{
    Mode,
    admission::{FormatPolicy, Gate},
};
use anyhow::bail;
use clap::Parser;

use crate::{
    args::{Arguments, Command},
    commands, output,
};

/// A gate as `alnage run` would put it around a program.
pub struct Gated {
    /// The gate.
    pub gate: Gate,
    /// What it refuses even when it is sealed.
    pub formats: FormatPolicy,
    /// What a refusal leads to.
    pub mode: Mode,
    /// What it does not look at.
    pub exempt: Vec<PathBuf>,
    /// Where decisions are to be written.
    pub audit: Option<PathBuf>,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

/// The model has no signature, at least not where one was looked for.
#[derive(Debug)]
pub struct NoSignature(pub PathBuf);

impl std::fmt::Display for NoSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no signature at `{}`", self.0.display())
    }
}

impl std::error::Error for NoSignature {}

/// How `alnage vet` with `arguments` would vet.
pub fn vetting(arguments: Vec<OsString>) -> anyhow::Result<Options> {
    match parse("vet", arguments)? {
        Command::Vet(arguments) => commands::vetting(&arguments.settings),
        _ => bail!("no arguments of `alnage vet`"),
    }
}

/// Verifies as `alnage verify` with `arguments` would; also whether that is enough. [`NoSignature`] is an error of its own.
pub fn verify(arguments: Vec<OsString>) -> anyhow::Result<(Verification, bool)> {
    match parse("verify", arguments)? {
        Command::Verify(arguments) => commands::verify(&arguments),
        _ => bail!("no arguments of `alnage verify`"),
    }
}

/// The gate of `alnage run` with `arguments`. What only the wall can do is an error.
pub fn gate(arguments: Vec<OsString>) -> anyhow::Result<Gated> {
    match parse("run", arguments)? {
        Command::Run(arguments) => commands::gated(*arguments),
        _ => bail!("no arguments of `alnage run`"),
    }
}

/// The error, its causes and the way out, as the command line shows them.
pub fn explain(error: &anyhow::Error) -> String {
    match output::hint(error) {
        Some(hint) => format!("{error:#}; hint: {hint}"),
        None => format!("{error:#}"),
    }
}

fn parse(command: &str, arguments: Vec<OsString>) -> anyhow::Result<Command> {
    let words = ["alnage".into(), command.into()].into_iter().chain(arguments);
    match Arguments::try_parse_from(words) {
        Ok(arguments) => Ok(arguments.command),
        Err(error) => {
            // The first line says what is wrong; usage is of no use to a program.
            let text = error.render().to_string();
            let said = text.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            bail!("{}", said.trim_start_matches("error: "))
        }
    }
}
