//! `alnage log`: the transparency log itself, for whoever keeps one or checks one.

mod append;
mod grammar;
mod read;
mod verify;

use std::{fmt::Write as _, net::TcpListener, path::Path, process::ExitCode};

use alnage_log::Scheme;
use alnage_pipeline::{NEW_LOG, WitnessDir, log_verifier, make_log_key};

pub(crate) use grammar::LogCommand;
use grammar::{Algorithm, KeyArgs, LogDirArgs, WitnessArgs};

use crate::{
    commands::vet::now,
    config::Settings,
    output::{self, hinted},
};

/// Runs one of the commands of the log.
pub(super) fn run(command: LogCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    let at = |given: &LogDirArgs| given.log.clone().unwrap_or_else(|| settings.log.clone());
    match command {
        LogCommand::Key(arguments) => key(&arguments, &at(&arguments.log))?,
        LogCommand::Append(arguments) => return append::run(&arguments, &at(&arguments.log)),
        LogCommand::Prove(arguments) => read::prove(&arguments, &at(&arguments.log))?,
        LogCommand::Verify(arguments) => return verify::run(&arguments, &at(&arguments.log)),
        LogCommand::Fsck(arguments) => return read::fsck(&at(&arguments.log), arguments.json),
        LogCommand::Export(arguments) => read::export(&at(&arguments.log), &arguments.output)?,
        LogCommand::List(arguments) => read::list(&at(&arguments.log), arguments.json)?,
        LogCommand::Cosign(arguments) => return append::cosign(&at(&arguments)),
        LogCommand::Witness(arguments) => serve(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn key(arguments: &KeyArgs, log: &Path) -> anyhow::Result<()> {
    if arguments.new {
        let schemes = match arguments.algorithm {
            Algorithm::Ed25519 => &[Scheme::Ed25519],
            Algorithm::MlDsa44 => &[Scheme::MlDsa44],
            Algorithm::Both => NEW_LOG,
        };
        make_log_key(log, arguments.origin.as_deref(), schemes)?;
    }
    let verifier = log_verifier(log).map_err(|error| no_log(error, log))?;
    Ok(output::print(&format!("{verifier}\n"))?)
}

fn serve(arguments: &WitnessArgs) -> anyhow::Result<()> {
    let witness = WitnessDir::lock(&arguments.dir, arguments.name.as_deref())?;
    let listener = TcpListener::bind(arguments.listen)?;
    let mut text = format!("listening on http://{}\n", listener.local_addr()?);
    for verifier in witness.verifiers() {
        let _ = writeln!(text, "{verifier}");
    }
    output::print(&text)?;
    Ok(alnage_server::serve_witness(listener, witness, now)?)
}

/// The error for a directory without a log, with the way to one.
fn no_log(error: alnage_pipeline::Error, log: &Path) -> anyhow::Error {
    match error {
        alnage_pipeline::Error::Files(alnage_fs::Error::NotFound(_)) => hinted(
            format!("there is no log at `{}`", log.display()),
            "name one: `--log DIR`; `alnage log key --new` and `alnage vet --seal` make one",
        ),
        error => error.into(),
    }
}

/// The bytes of a file that somebody hands on, as text.
fn text_of(path: &Path) -> anyhow::Result<String> {
    const MAX: u64 = 16 << 20;
    Ok(String::from_utf8_lossy(&alnage_fs::read_small(path, MAX)?).into_owned())
}
