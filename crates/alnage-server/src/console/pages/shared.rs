//! Rows that more than one page shows.

use crate::console::parts::{Count, Link, Mark, Moment, Said, Shape, Short, Size, Tone, Until};

/// A number and what it counts.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) count: Count,
    pub(crate) href: String,
}

/// Something that happened.
pub(crate) struct Event {
    pub(crate) when: Moment,
    pub(crate) tone: Tone,
    /// In words: `approved`.
    pub(crate) what: String,
    /// What it happened to; empty on that thing's own page.
    pub(crate) subject: Link,
    pub(crate) who: String,
    /// Its entry in the transparency log.
    pub(crate) entry: Link,
    pub(crate) reason: String,
}

impl Event {
    /// What is drawn beside it.
    pub(crate) fn shape(&self) -> Shape {
        Shape(self.tone)
    }

    /// The reason, with code set as code.
    pub(crate) fn said(&self) -> Said<'_> {
        Said(&self.reason)
    }
}

/// One of the answers a form's field offers.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// Where a long list goes on; empty where it does not.
#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) first: String,
    pub(crate) next: String,
}

/// Why a policy decided as it did.
pub(crate) struct Reason {
    pub(crate) effect: Mark,
    pub(crate) rule: String,
    pub(crate) message: String,
}

impl Reason {
    /// The message, with code set as code.
    pub(crate) fn said(&self) -> Said<'_> {
        Said(&self.message)
    }
}

/// A finding of a scan.
pub(crate) struct FindingRow {
    pub(crate) severity: Mark,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) artifact: String,
    /// Which bytes, in words.
    pub(crate) span: String,
    pub(crate) message: String,
    pub(crate) evidence: String,
    pub(crate) way_out: String,
    pub(crate) confidence: String,
    pub(crate) references: Vec<Link>,
}

impl FindingRow {
    /// The message, with code set as code.
    pub(crate) fn said(&self) -> Said<'_> {
        Said(&self.message)
    }

    /// The way out, likewise.
    pub(crate) fn advice(&self) -> Said<'_> {
        Said(&self.way_out)
    }
}

/// A file of a version.
pub(crate) struct FileRow {
    pub(crate) path: String,
    pub(crate) format: String,
    pub(crate) size: Size,
    pub(crate) digest: Short,
    pub(crate) served: Mark,
    /// Why it is withheld.
    pub(crate) why: String,
}

/// Who voted how, or granted what.
pub(crate) struct VoteRow {
    pub(crate) who: String,
    pub(crate) mark: Mark,
    pub(crate) reason: String,
    pub(crate) conditions: String,
    pub(crate) until: Until,
    pub(crate) when: Moment,
}
