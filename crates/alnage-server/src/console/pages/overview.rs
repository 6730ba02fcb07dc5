//! The first page: what runs, what waits, what is blocked and why.

use askama::Template;

use super::{DeploymentRow, Event, Figure};
use crate::console::parts::{Count, Frame, Link, Mark, Said, Span};

/// The page.
#[derive(Template)]
#[template(path = "overview.html")]
pub(crate) struct Overview {
    pub(crate) frame: Frame,
    /// The state of affairs in one sentence.
    pub(crate) headline: String,
    /// What stands behind it: the server, the policy, the log.
    pub(crate) standing: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) attention: Vec<Attention>,
    pub(crate) running: Vec<DeploymentRow>,
    pub(crate) running_total: Count,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) waiting_total: Count,
    pub(crate) blocked: Vec<Blocked>,
    pub(crate) blocked_total: Count,
    pub(crate) events: Vec<Event>,
}

/// What a person should look at.
pub(crate) struct Attention {
    pub(crate) what: Link,
    pub(crate) mark: Mark,
    pub(crate) why: String,
    pub(crate) since: Span,
    pub(crate) action: Link,
}

/// What waits, and for what.
pub(crate) struct Waiting {
    pub(crate) model: Link,
    pub(crate) what: String,
    pub(crate) since: Span,
}

/// What is blocked, and why.
pub(crate) struct Blocked {
    pub(crate) model: Link,
    pub(crate) stage: Mark,
    pub(crate) reason: String,
    pub(crate) rule: String,
}

impl Waiting {
    fn said(&self) -> Said<'_> {
        Said(&self.what)
    }
}

impl Blocked {
    fn said(&self) -> Said<'_> {
        Said(&self.reason)
    }
}
