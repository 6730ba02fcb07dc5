//! Keeps the findings of a rule about one artifact to a number that somebody can read.

use alnage_formats::Artifact;
use alnage_types::Severity;

use crate::Sink;

/// How many findings of one weight are given one by one.
const MAX_FINDINGS: u64 = 100;

/// Counts findings of one weight about one artifact.
pub(super) struct Few {
    seen: u64,
    /// Where the first that is left out stands.
    more_at: u64,
}

impl Few {
    pub(super) fn new() -> Self {
        Self { seen: 0, more_at: 0 }
    }

    /// Counts another one; whether it is to be given.
    pub(super) fn has_room(&mut self, offset: u64) -> bool {
        self.seen += 1;
        if self.seen == MAX_FINDINGS + 1 {
            self.more_at = offset;
        }
        self.seen <= MAX_FINDINGS
    }

    /// Says how many were left out, with the weight they have.
    pub(super) fn close(self, sink: &mut Sink<'_>, artifact: &Artifact, severity: Option<Severity>) {
        let more = self.seen.saturating_sub(MAX_FINDINGS);
        if more == 0 {
            return;
        }
        let message = format!("{more} more of these are left out here");
        let place = (self.more_at, self.more_at + 1);
        let finding = sink.report_at(&artifact.path, place, message, format!("{} in all", self.seen));
        if let Some(severity) = severity {
            finding.severity = severity;
        }
    }
}
