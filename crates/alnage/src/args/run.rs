//! The grammar of running a program behind the gate.

use std::{ffi::OsString, path::PathBuf};

use alnage_sandbox::Confinement;
use clap::Args;

use super::GateArgs;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Enter the digest of the audit in the log when the program has ended
    #[arg(long, requires = "audit")]
    pub(crate) log_audit: bool,
    #[command(flatten)]
    pub(crate) gate: GateArgs,
    /// No sockets but those between programs of this machine
    #[arg(long, help_heading = "What the program may do")]
    pub(crate) no_network: bool,
    /// No writing to files, but for those of `--writable`
    #[arg(long, help_heading = "What the program may do")]
    pub(crate) read_only: bool,
    /// Where it may write all the same. May be given again
    #[arg(long, value_name = "DIR", requires = "read_only", help_heading = "What the program may do")]
    pub(crate) writable: Vec<PathBuf>,
    /// Another place that it may start programs from, besides those of the system and of the search path
    #[arg(long, value_name = "PATH", help_heading = "What the program may do")]
    pub(crate) exec: Vec<PathBuf>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl RunArgs {
    pub(crate) fn confinement(&self) -> Confinement {
        Confinement {
            no_network: self.no_network,
            read_only: self.read_only,
            writable: self.writable.clone(),
            programs: self.exec.clone(),
        }
    }
}
