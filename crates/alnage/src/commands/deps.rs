//! `alnage deps`: what the code beside a model is built from.

use std::process::ExitCode;

use alnage_pipeline::{Depending, deps};

use super::vet::{now, options, reports, write_report};
use crate::{args::DepsArgs, config::Config, exit, progress::Bar};

/// Checks what the arguments name, writes the reports, and gives the exit code.
pub(super) fn run(arguments: &DepsArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&arguments.settings)?;
    let settings = &config.settings;
    let reports = reports(&arguments.format, &arguments.output)?;
    let what = Depending {
        paths: arguments.paths.clone(),
        osv: arguments.osv_db.clone(),
        wheels: arguments.wheels.clone(),
        internal: arguments.internal.clone(),
        trusted_root: arguments.trusted_root.clone(),
        now: now(),
    };
    let bar = Bar::new(!settings.quiet);
    let record = deps(&what, &options(settings), &bar);
    drop(bar);
    let record = record?;
    let code = exit::of_record(&record, 0, settings.fail_on);
    for report in &reports {
        write_report(report, &record, settings, code)?;
    }
    Ok(ExitCode::from(code))
}
