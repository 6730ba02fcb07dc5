//! `alnage verify`: is the model what was signed?

use std::{fmt::Write, path::Path, process::ExitCode, time::SystemTime};

use alnage_pipeline::{
    Outcome, Progress, Remembered, Reuse, Verification, Verifying, verify_signed_by, x509::UnixTime,
};

use crate::{
    args::VerifyArgs,
    config::{Settings, seen_directory},
    exit,
    library::NoSignature,
    output::{self, hinted, warn},
    progress::Bar,
    trust,
};

use super::vet::now;

/// Verifies, says what was and what was not checked, and gives the exit code.
pub(super) fn run(arguments: &VerifyArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let bar = Bar::new(true);
    let result = verify(arguments, settings, &bar);
    drop(bar);
    let (verification, verified) = result.map_err(|error| match error.downcast_ref::<NoSignature>() {
        Some(none) => hinted(
            none.to_string(),
            "name it: `--signature FILE`; `alnage vet --seal` and `alnage sign` make one",
        ),
        None => error,
    })?;
    if arguments.verbose {
        verification.notes.iter().for_each(|note| warn(format_args!("{note}")));
    }
    output::print(&report(&arguments.path, &verification, verified))?;
    if verified && !verification.has_verdict() {
        warn(format_args!("\nhint: `--require-seal` refuses a model without a signed and logged verdict"));
    }
    Ok(if verified { ExitCode::SUCCESS } else { ExitCode::from(exit::REFUSED) })
}

/// Verifies, and says whether what holds is enough.
pub(super) fn verify(
    arguments: &VerifyArgs,
    settings: &Settings,
    progress: &dyn Progress,
) -> anyhow::Result<(Verification, bool)> {
    let signers = trust::policy(&arguments.trust, arguments.hint(), UnixTime(now()))?;
    let log = arguments.log.as_deref().unwrap_or(&settings.log);
    let remembered = if arguments.full { Remembered::Replaced } else { Remembered::Used };
    let reuse = Reuse { directory: &seen_directory(), remembered, now: SystemTime::now() };
    let what = Verifying {
        ignore_paths: &arguments.leave_out.ignore_paths,
        git: arguments.leave_out.git(),
        forms: arguments.forms(),
        unsigned: arguments.unsigned(),
        ignored: arguments.ignored(),
        symlinks: arguments.symlinks(),
        form: arguments.form(),
        jobs: settings.jobs,
        reuse: (!arguments.no_cache).then_some(reuse),
        ..Verifying::new(&arguments.path, &signers, log)
    };
    let result = verify_signed_by(what, &signers, &arguments.signature, progress);
    let verification = result.map_err(|error| match error {
        alnage_pipeline::Error::Files(alnage_fs::Error::NotFound(path)) if path != arguments.path => {
            NoSignature(path).into()
        }
        error => anyhow::Error::from(error),
    })?;
    let verified = verification.holds() && (!arguments.require_seal || verification.is_complete());
    Ok((verification, verified))
}

/// How many differing files are told.
const DIFFERENCES: usize = 50;

/// What was found, as text.
pub(super) fn report(path: &Path, verification: &Verification, verified: bool) -> String {
    let word = match (verified, verification.has_verdict()) {
        (true, true) => "verified",
        (true, false) => "verified, without a verdict",
        (false, _) => "not verified",
    };
    let mut text = format!("{word}: {}\n", path.display());
    for check in &verification.checks {
        let outcome = match check.outcome {
            Outcome::Holds => "holds",
            Outcome::Refused => "refused",
            Outcome::NotChecked => "not checked",
            Outcome::Noted => "noted",
        };
        let _ = writeln!(text, "  {outcome:11}  {}: {}", check.part, check.message);
    }
    for difference in verification.differences.iter().take(DIFFERENCES) {
        let _ = writeln!(text, "    {difference}");
    }
    for (path, files) in verification.uncovered.iter().take(DIFFERENCES) {
        let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let _ = writeln!(text, "    not covered by the signature: `{}`, {files}", path.escape_debug());
    }
    if verification.differences.len() > DIFFERENCES {
        let _ = writeln!(text, "    and {} more", verification.differences.len() - DIFFERENCES);
    }
    text
}
