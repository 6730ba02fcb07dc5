//! The grammar of guarding a host.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use alnage_sandbox::{Guarded, OnChange, Overload, Report};
use clap::{Args, ValueEnum};

use super::GateArgs;

#[derive(Debug, Args)]
pub(crate) struct GuardArgs {
    /// Guard the file system that PATH lies on, wherever it is mounted and for every process. May be given again
    #[arg(long, value_name = "PATH", required_unless_present = "dir")]
    pub(crate) mount: Vec<PathBuf>,
    /// Guard what lies at or below DIR, on the file systems that are mounted there now. May be given again
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Vec<PathBuf>,
    /// What is answered when there is no time to judge
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t = OverloadAnswer::Deny)]
    pub(crate) on_overload: OverloadAnswer,
    /// So many opens wait for a judgement at most; more are an overload
    #[arg(long, value_name = "N", default_value = "4096")]
    pub(crate) queue: NonZeroUsize,
    /// So many opens are judged at a time; two for each processor when left out
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// A judgement that takes longer is an overload. It goes on all the same, so that a later open finds it done
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub(crate) time_limit: NonZeroUsize,
    /// What becomes of programs that have a verified model open which somebody is about to write to
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = ChangeAction::Stop)]
    pub(crate) on_change: ChangeAction,
    /// Judge each read, write and map of what is open, too: files that become models after they were opened. Linux 6.14,
    /// on ext4, XFS and Btrfs; each costs as much as an open
    #[arg(long)]
    pub(crate) every_access: bool,
    /// Where the figures for Prometheus go: a port of this machine (`127.0.0.1:9464`), or a file
    #[arg(long, value_name = "ADDRESS|FILE")]
    pub(crate) metrics: Option<Report>,
    /// Follow the guard that runs as process PID: it ends, and nothing is opened unjudged meanwhile
    #[arg(long, value_name = "PID")]
    pub(crate) take_over: Option<u32>,
    #[command(flatten)]
    pub(crate) gate: GateArgs,
}

/// What is answered when there is no time to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverloadAnswer {
    /// The file cannot be opened
    Deny,
    /// It can, unseen
    Allow,
}

/// What becomes of programs whose model is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangeAction {
    /// They are stopped before the first byte changes
    Stop,
    /// They go on; it is told
    Tell,
}

impl GuardArgs {
    pub(crate) fn places(&self) -> Vec<Guarded> {
        let mounts = self.mount.iter().cloned().map(Guarded::FileSystem);
        mounts.chain(self.dir.iter().cloned().map(Guarded::Folder)).collect()
    }

    pub(crate) fn overload(&self) -> Overload {
        match self.on_overload {
            OverloadAnswer::Deny => Overload::Deny,
            OverloadAnswer::Allow => Overload::Allow,
        }
    }

    pub(crate) fn on_change(&self) -> OnChange {
        match self.on_change {
            ChangeAction::Stop => OnChange::Stop,
            ChangeAction::Tell => OnChange::Tell,
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.time_limit.get() as u64)
    }

    pub(crate) fn workers(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        self.workers.map_or_else(|| processors().saturating_mul(2), NonZeroUsize::get)
    }
}
