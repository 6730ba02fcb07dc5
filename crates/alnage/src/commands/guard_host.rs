//! `alnage guard-host`: models are verified as anybody on this host opens them.

use alnage_sandbox::{Guarding, guard};

use super::gate::{audit, gate};
use crate::{args::GuardArgs, config::Settings};

/// Guards until somebody ends it.
pub(super) fn run(arguments: GuardArgs, settings: Settings) -> anyhow::Result<()> {
    // What is wrong with the arguments is told with its hint, before anything is guarded.
    gate(&arguments.gate, &settings, "guard")?;
    let guarding = Guarding {
        audit: audit(&arguments.gate)?,
        places: arguments.places(),
        overload: arguments.overload(),
        queue: arguments.queue.get(),
        workers: arguments.workers(),
        limit: arguments.limit(),
        accesses: arguments.every_access,
        on_change: arguments.on_change(),
        report: arguments.metrics.clone(),
        predecessor: arguments.take_over,
        gate: Box::new(move || {
            let made = gate(&arguments.gate, &settings, "guard");
            made.map(|(gate, _)| gate).map_err(|error| format!("{error:#}"))
        }),
    };
    Ok(guard(guarding)?)
}
