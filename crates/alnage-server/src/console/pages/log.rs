//! The transparency log, and one entry with its proof.

use askama::Template;

use super::Pages;
use crate::console::parts::{Count, Frame, Link, Mark, Moment, Proof, Size};

/// The log.
#[derive(Template)]
#[template(path = "log.html")]
pub(crate) struct Log {
    pub(crate) frame: Frame,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) pages: Pages,
}

/// What the log signed last.
pub(crate) struct Checkpoint {
    pub(crate) origin: String,
    pub(crate) size: Count,
    pub(crate) root: String,
    pub(crate) mark: Mark,
    pub(crate) checked: String,
    pub(crate) text: String,
}

/// One entry in the list.
pub(crate) struct EntryRow {
    pub(crate) number: Link,
    pub(crate) what: String,
    pub(crate) subject: Link,
    pub(crate) when: Moment,
}

/// One entry with its proof.
#[derive(Template)]
#[template(path = "entry.html")]
pub(crate) struct Entry {
    pub(crate) frame: Frame,
    pub(crate) number: Count,
    pub(crate) what: String,
    pub(crate) mark: Mark,
    /// What the server computed, in a sentence.
    pub(crate) server_says: String,
    pub(crate) bytes: Size,
    /// The bytes of the leaf: text, because entries are.
    pub(crate) text: String,
    /// The statement within, laid out for reading; empty when there is none.
    pub(crate) statement: String,
    pub(crate) size: Count,
    pub(crate) proof: Proof,
}
