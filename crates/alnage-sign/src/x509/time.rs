//! A second of universal time, as certificates count it.

use std::{fmt, str::FromStr, time::Duration};

use x509_cert::der::DateTime;

use crate::Error;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl From<Duration> for UnixTime {
    fn from(since_epoch: Duration) -> Self {
        Self(since_epoch.as_secs())
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "second {}", self.0),
        }
    }
}

impl FromStr for UnixTime {
    type Err = Error;

    /// Reads `2026-11-22T08:00:00Z`, or a date alone for its first second.
    fn from_str(text: &str) -> Result<Self, Error> {
        let midnight;
        let full = if text.len() == "2026-11-22".len() {
            midnight = format!("{text}T00:00:00Z");
            &midnight
        } else {
            text
        };
        let time: DateTime = full.parse().map_err(|_| {
            let shown: String = text.chars().take(40).collect();
            Error::Policy(format!(
                "`{}` is no time; write it as `2026-11-22T08:00:00Z`",
                shown.escape_debug()
            ))
        })?;
        Ok(time.unix_duration().into())
    }
}
