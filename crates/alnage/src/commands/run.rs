//! `alnage run`: a program whose models are verified as it opens them.

use std::process::ExitCode;

use alnage_pipeline::{log_audit, rfc3339};
use alnage_sandbox::{Error, Running, admission::FormatPolicy, run};

use super::{
    gate::{audit, gate},
    vet::now,
};
use crate::{args::RunArgs, config::Settings, library::Gated, output::hinted};

/// Runs the program and gives its exit code.
pub(super) fn start(arguments: &RunArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let (gate, approvals) = gate(&arguments.gate, settings, "run")?;
    let audit = audit(&arguments.gate)?;
    let running = Running { command: &arguments.command, gate, audit, confinement: arguments.confinement() };
    let code = run(running).map_err(|error| match error {
        Error::Unsupported(_) => hinted(
            error.to_string(),
            "`--mode warn` runs the program all the same and tells what it would have refused",
        ),
        error => error.into(),
    })?;
    if let Some(approvals) = approvals {
        approvals.ended();
    }
    if let Some(audit) = arguments.gate.audit.as_deref().filter(|_| arguments.log_audit) {
        let log = arguments.gate.log.as_deref().unwrap_or(&settings.log);
        log_audit(audit, log, rfc3339(now()))?;
    }
    Ok(ExitCode::from(code))
}

/// The gate alone, for a program that puts it around its own loaders.
pub(super) fn gated(arguments: RunArgs, settings: &Settings) -> anyhow::Result<Gated> {
    if arguments.no_network || arguments.read_only || arguments.log_audit || !arguments.exec.is_empty() {
        return Err(hinted(
            "`--no-network`, `--read-only`, `--exec` and `--log-audit` take more than a program can do to itself",
            "`alnage run` is the wall that does them",
        ));
    }
    Ok(Gated {
        gate: gate(&arguments.gate, settings, "run")?.0,
        formats: FormatPolicy::new(&arguments.gate.ban, &arguments.gate.allow_format)?,
        mode: arguments.gate.mode.into(),
        exempt: arguments.gate.exempt,
        audit: arguments.gate.audit,
        command: arguments.command,
    })
}
