//! A gate out of its arguments.

use alnage_pipeline::{KeyHint, trusted::TrustPolicy, x509::UnixTime};
use alnage_sandbox::{
    Audit, Mode,
    admission::{FormatPolicy, Gate, Trust},
};

use super::vet::now;
use crate::{
    args::{GateArgs, TrustArgs},
    config::{Settings, seen_directory},
    trust,
};

/// The gate that the arguments ask for, as of now.
pub(super) fn gate(arguments: &GateArgs, settings: &Settings) -> anyhow::Result<Gate> {
    let signers = signers(&arguments.trust, arguments.mode.into())?;
    let trust = Trust {
        signers: Box::new(signers),
        verdict: arguments.verdict(),
        receipt: arguments.receipt(),
        log: arguments.log.as_ref().unwrap_or(&settings.log).clone(),
        memory: (!arguments.no_cache).then(seen_directory),
    };
    let formats = FormatPolicy::new(&arguments.ban, &arguments.allow_format)?;
    Ok(Gate::new(trust, formats, arguments.unsigned(), arguments.exempt.clone()))
}

/// Where its decisions go.
pub(super) fn audit(arguments: &GateArgs) -> anyhow::Result<Audit> {
    Ok(Audit::open(arguments.mode.into(), arguments.audit.as_deref())?)
}

/// Whoever only looks on need not trust anybody.
fn signers(arguments: &TrustArgs, mode: Mode) -> anyhow::Result<TrustPolicy> {
    let names_nobody = arguments.trust.is_none() && arguments.key.is_empty() && arguments.ca.is_empty();
    if mode == Mode::Observe && names_nobody {
        return Ok(TrustPolicy::new(Vec::new(), UnixTime(now())));
    }
    trust::policy(arguments, KeyHint::MustMatch, UnixTime(now()))
}
