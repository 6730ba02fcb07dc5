//! From when to when something counts, both ends among it.

use serde::Deserialize;

use crate::{Error, x509::UnixTime};

/// A span of time; the end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    start: UnixTime,
    end: Option<UnixTime>,
}

impl Window {
    /// Whether `time` lies in it.
    pub(super) fn contains(&self, time: UnixTime) -> bool {
        self.start <= time && self.end.is_none_or(|end| time <= end)
    }
}

/// As a trusted root writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WrittenWindow {
    start: Option<String>,
    end: Option<String>,
}

impl WrittenWindow {
    /// Reads it. A start is asked for: whoever leaves it out vouches for all the past.
    pub(super) fn read(self, owner: &str) -> Result<Window, Error> {
        let Some(start) = self.start else {
            return Err(Error::Policy(format!("the trusted root does not say from when {owner} counts")));
        };
        Ok(Window { start: second(&start)?, end: self.end.as_deref().map(second).transpose()? })
    }
}

/// Reads `2022-12-31T23:59:59.999Z`; fractions are dropped.
fn second(text: &str) -> Result<UnixTime, Error> {
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.ends_with('Z') => format!("{whole}Z").parse(),
        _ => text.parse(),
    }
}
