//! `alnage run`: a program whose models are verified as it opens them.

use std::{num::NonZeroUsize, process::ExitCode};

use alnage_pipeline::{KeyHint, log_audit, rfc3339, trusted::TrustPolicy, x509::UnixTime};
use alnage_sandbox::{
    Audit, Error, Mode, Running,
    admission::{FormatPolicy, Gate, Trust},
    run,
};

use super::vet::now;
use crate::{
    args::{RunArgs, TrustArgs},
    config::{Settings, seen_directory},
    output::hinted,
    trust,
};

/// Runs the program and gives its exit code.
pub(super) fn start(arguments: &RunArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let mode = Mode::from(arguments.mode);
    let signers = signers(&arguments.trust, mode)?;
    if signers.threshold > NonZeroUsize::MIN {
        return Err(hinted(
            "one signature is looked at for each model, and the policy asks for several",
            "a trust file with `threshold = 1` for `alnage run`, and `alnage verify` for the rest",
        ));
    }
    let log = arguments.log.as_deref().unwrap_or(&settings.log);
    let trust = Trust {
        signers: Box::new(signers),
        verdict: arguments.verdict(),
        receipt: arguments.receipt(),
        log: log.to_owned(),
        memory: (!arguments.no_cache).then(seen_directory),
    };
    let formats = FormatPolicy::new(&arguments.ban, &arguments.allow_format)?;
    let gate = Gate::new(trust, formats, arguments.unsigned(), arguments.exempt.clone());
    let audit = Audit::open(mode, arguments.audit.as_deref())?;
    let running = Running { command: &arguments.command, gate, audit, confinement: arguments.confinement() };
    let code = run(running).map_err(|error| match error {
        Error::Unsupported(_) => hinted(
            error.to_string(),
            "`--mode warn` runs the program all the same and tells what it would have refused",
        ),
        error => error.into(),
    })?;
    if let Some(audit) = arguments.audit.as_deref().filter(|_| arguments.log_audit) {
        log_audit(audit, log, rfc3339(now()))?;
    }
    Ok(ExitCode::from(code))
}

/// Whoever only looks on need not trust anybody.
fn signers(arguments: &TrustArgs, mode: Mode) -> anyhow::Result<TrustPolicy> {
    let names_nobody = arguments.trust.is_none() && arguments.key.is_empty() && arguments.ca.is_empty();
    if mode == Mode::Observe && names_nobody {
        return Ok(TrustPolicy::new(Vec::new(), UnixTime(now())));
    }
    trust::policy(arguments, KeyHint::MustMatch, UnixTime(now()))
}
