//! A gate out of its arguments.

use std::{path::Path, sync::Arc};

use alnage_pipeline::{KeyHint, trusted::TrustPolicy, x509::UnixTime};
use alnage_sandbox::{
    Audit, Mode,
    admission::{FormatPolicy, Gate, Trust, Vouching},
};

use super::vet::now;
use crate::{
    approvals::{Ages, Approvals},
    args::{GateArgs, TrustArgs},
    config::{Settings, seen_directory},
    output::hinted,
    remote::Remote,
    trust,
};

/// The gate that the arguments ask for, as of now, and the registry that it asks. `kind` is what it is called there.
pub(super) fn gate(
    arguments: &GateArgs,
    settings: &Settings,
    kind: &'static str,
) -> anyhow::Result<(Gate, Option<Arc<Approvals>>)> {
    let approvals = approvals(arguments, kind)?;
    let signers = signers(arguments)?;
    let vouching = match approvals.clone() {
        None => Vouching::Seal,
        Some(approvals) if names_nobody(&arguments.trust) => Vouching::Record(approvals),
        Some(approvals) => Vouching::SealAndRecord(approvals),
    };
    let trust = Trust {
        signers: Box::new(signers),
        verdict: arguments.verdict(),
        receipt: arguments.receipt(),
        log: arguments.log.as_ref().unwrap_or(&settings.log).clone(),
        memory: (!arguments.no_cache).then(seen_directory),
        vouching,
    };
    let formats = FormatPolicy::new(&arguments.ban, &arguments.allow_format)?;
    Ok((Gate::new(trust, formats, arguments.unsigned(), arguments.exempt.clone()), approvals))
}

/// Where its decisions go.
pub(super) fn audit(arguments: &GateArgs) -> anyhow::Result<Audit> {
    Ok(Audit::open(arguments.mode.into(), arguments.audit.as_deref())?)
}

/// The registry that has to know what gets in.
fn approvals(arguments: &GateArgs, kind: &'static str) -> anyhow::Result<Option<Arc<Approvals>>> {
    let records = &arguments.records;
    let Some(registry) = &records.registry else { return Ok(None) };
    let remote = Remote::chosen(Some(registry), records.registry_token_file.as_deref().map(Path::new))?;
    let ages = Ages { fresh: records.registry_age, stale: records.registry_stale };
    let environment = records.environment.clone().unwrap_or_default();
    Ok(Some(Arc::new(Approvals::of(remote, ages, kind, environment))))
}

/// Whoever only looks on need not trust anybody, nor who asks a registry.
fn signers(arguments: &GateArgs) -> anyhow::Result<TrustPolicy> {
    let trust = &arguments.trust;
    let asks_a_registry = arguments.records.registry.is_some();
    if !names_nobody(trust) || Mode::from(arguments.mode) != Mode::Observe && !asks_a_registry {
        return trust::policy(trust, KeyHint::MustMatch, UnixTime(now()));
    }
    let needs_a_seal =
        arguments.require_verdict || arguments.require_receipt || arguments.ignore_unsigned_files;
    if asks_a_registry && needs_a_seal {
        return Err(hinted(
            "nobody is named whose seal could be asked for more",
            "name the signer (`--key FILE`), or leave `--require-verdict`, `--require-receipt` and \
             `--ignore-unsigned-files` out: the registry has verdicts of its own",
        ));
    }
    Ok(TrustPolicy::new(Vec::new(), UnixTime(now())))
}

fn names_nobody(trust: &TrustArgs) -> bool {
    trust.trust.is_none() && trust.key.is_empty() && trust.ca.is_empty() && trust.identity_provider.is_empty()
}
