//! The grammar of who gets in, for every gate.

use std::path::PathBuf;

use alnage_pipeline::{ReceiptPolicy, VerdictPolicy};
use alnage_sandbox::{Mode, admission::UnsignedFiles};
use clap::{Args, ValueEnum};

use super::TrustArgs;

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// What a model that is not admitted leads to
    #[arg(long, value_enum, value_name = "MODE", default_value_t = GateMode::Enforce)]
    pub(crate) mode: GateMode,
    /// Formats that are refused even when they are sealed, instead of `pickle`, which stands for all that hold pickles.
    /// May be given again; `none` for none
    #[arg(long, value_name = "FORMAT")]
    pub(crate) ban: Vec<String>,
    /// Formats that are not banned after all. May be given again
    #[arg(long, value_name = "FORMAT")]
    pub(crate) allow_format: Vec<String>,
    /// Refuse models without a signed verdict
    #[arg(long)]
    pub(crate) require_verdict: bool,
    /// Refuse models whose verdict is older than AGE: `30d`, `12h`, `90m`
    #[arg(long, value_name = "AGE", value_parser = age, requires = "require_verdict")]
    pub(crate) max_age: Option<u64>,
    /// Refuse models whose verdict has no receipt of the log
    #[arg(long)]
    pub(crate) require_receipt: bool,
    /// Let through files in a sealed model that were not signed and are no models themselves
    #[arg(long)]
    pub(crate) ignore_unsigned_files: bool,
    /// Do not look at what lies at or below PATH. May be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) exempt: Vec<PathBuf>,
    /// Write each decision to the end of FILE, a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,
    /// The directory of the log
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Read every file, and remember nothing
    #[arg(long)]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) records: RecordsArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// A registry that has to know what gets in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Only what a registry approved")]
pub(crate) struct RecordsArgs {
    /// Admit only what the registry at URL has approved, and tell it what runs here. Where somebody is named to trust, the
    /// very model of their seal must be approved; without, each file that is a model
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,
    /// A file with the token for it; when left out, `ALNAGE_TOKEN`, or the token that one is logged in with there
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub(crate) registry_token_file: Option<PathBuf>,
    /// Ask again what was approved more than AGE ago: `30s`, `5m`
    #[arg(long, value_name = "AGE", value_parser = age, default_value = "1m", requires = "registry")]
    pub(crate) registry_age: u64,
    /// When the registry cannot be asked, admit what it approved less than AGE ago; nothing when left out
    #[arg(long, value_name = "AGE", value_parser = age, requires = "registry")]
    pub(crate) registry_stale: Option<u64>,
    /// What the registry is told of where this is: `production`
    #[arg(long, value_name = "NAME", requires = "registry")]
    pub(crate) environment: Option<String>,
}

/// What a model that is not admitted leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GateMode {
    /// It cannot be opened
    Enforce,
    /// It is opened, and the person is told
    Warn,
    /// It is opened; what would be loaded is listed
    Observe,
}

impl From<GateMode> for Mode {
    fn from(mode: GateMode) -> Self {
        match mode {
            GateMode::Enforce => Self::Enforce,
            GateMode::Warn => Self::Warn,
            GateMode::Observe => Self::Observe,
        }
    }
}

impl GateArgs {
    pub(crate) fn verdict(&self) -> VerdictPolicy {
        match (self.require_verdict, self.max_age) {
            (_, Some(age)) => VerdictPolicy::Fresh(age),
            (true, None) => VerdictPolicy::Required,
            (false, None) => VerdictPolicy::Optional,
        }
    }

    pub(crate) fn receipt(&self) -> ReceiptPolicy {
        if self.require_receipt { ReceiptPolicy::Required } else { ReceiptPolicy::Optional }
    }

    pub(crate) fn unsigned(&self) -> UnsignedFiles {
        if self.ignore_unsigned_files { UnsignedFiles::Admitted } else { UnsignedFiles::Refused }
    }
}

/// Seconds.
fn age(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no age; write it as `30d`, `12h`, `90m` or `30s`");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "d" => 24 * 60 * 60,
        "h" => 60 * 60,
        "m" => 60,
        "s" => 1,
        _ => return Err(wrong()),
    };
    digits.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)).ok_or_else(wrong)
}
