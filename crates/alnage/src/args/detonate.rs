//! The grammar of loading models in a jail.

use std::{path::PathBuf, time::Duration};

use alnage_sandbox::detonate::{Limits, Profile};
use clap::{Args, ValueEnum};

use crate::config::parse_size;

#[derive(Debug, Args)]
pub(crate) struct DetonateArgs {
    /// Files or directories; each is one model
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) jail: JailArgs,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = DetonationFormat::Text)]
    pub(crate) format: DetonationFormat,
    /// Write the report to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write what was seen to FILE as an in-toto statement about the files; signed when there is a `--key`
    #[arg(long, value_name = "FILE")]
    pub(crate) attestation: Option<PathBuf>,
    /// The private key to sign the attestation with: a file, `pkcs11:…` or `exec:…`
    #[arg(long, value_name = "KEY", requires = "attestation")]
    pub(crate) key: Option<PathBuf>,
    /// Enter the signed attestation in the log in DIR
    #[arg(long, value_name = "DIR", requires = "key")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JailArgs {
    /// What takes the place of the model's frameworks
    #[arg(long, value_enum, default_value_t = JailProfile::Stub, help_heading = "The jail")]
    pub(crate) profile: JailProfile,
    /// The Python that loads: with `--profile real`, that of the environment that the model is used with
    #[arg(long, value_name = "EXE", default_value = "python3", help_heading = "The jail")]
    pub(crate) python: PathBuf,
    /// How long the load of a file may take: `20s`, `2m`
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "20s", help_heading = "The jail")]
    pub(crate) time_limit: Duration,
    /// How much memory the load of a file may use
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "1GB", help_heading = "The jail")]
    pub(crate) memory: u64,
}

impl JailArgs {
    pub(crate) fn limits(&self) -> Limits {
        Limits { time: self.time_limit, memory: self.memory }
    }

    pub(crate) fn profile(&self) -> Profile {
        match self.profile {
            JailProfile::Stub => Profile::Stub,
            JailProfile::Real => Profile::Real,
        }
    }
}

/// What takes the place of the frameworks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JailProfile {
    /// Python's own library; every other module is made up
    Stub,
    /// The packages and loaders of `--python`'s environment
    Real,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DetonationFormat {
    /// For a person at a terminal
    Text,
    /// For programs
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write it as `20s`, `500ms` or `2m`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let time = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    match time {
        time if time.is_zero() || time > Duration::from_secs(24 * 60 * 60) => Err(wrong()),
        time => Ok(time),
    }
}
