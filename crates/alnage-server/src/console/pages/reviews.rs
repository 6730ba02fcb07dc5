//! Requests for approval, the decision about one, and exceptions.

use askama::Template;

use super::{FindingRow, Pages, Reason, VoteRow};
use crate::console::parts::{Count, Frame, Link, Mark, Moment, Said, Shape, Short, Span, Tone, Until};

/// What waits for a decision.
#[derive(Template)]
#[template(path = "reviews.html")]
pub(crate) struct Reviews {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<ReviewRow>,
    pub(crate) pages: Pages,
}

/// One request.
pub(crate) struct ReviewRow {
    pub(crate) model: Link,
    pub(crate) version: Short,
    pub(crate) verdict: Mark,
    pub(crate) who: String,
    /// `1 of 2 votes`; empty when nobody voted.
    pub(crate) votes: String,
    pub(crate) reason: String,
    pub(crate) since: Span,
    pub(crate) href: String,
}

/// The decision about one request.
#[derive(Template)]
#[template(path = "review.html")]
pub(crate) struct Review {
    pub(crate) frame: Frame,
    pub(crate) number: String,
    pub(crate) model: Link,
    pub(crate) version: Short,
    pub(crate) who: String,
    pub(crate) when: Moment,
    pub(crate) verdict: Mark,
    pub(crate) answer: String,
    pub(crate) because: String,
    pub(crate) reasons: Vec<Reason>,
    /// What the requester wrote.
    pub(crate) reason: String,
    pub(crate) findings: Vec<FindingRow>,
    pub(crate) findings_total: Count,
    /// Where all of the evidence is.
    pub(crate) evidence: Link,
    pub(crate) votes: Vec<VoteRow>,
    /// Why the reader cannot decide it.
    pub(crate) refusal: Option<String>,
    pub(crate) action: String,
    pub(crate) earliest: String,
    pub(crate) until: String,
    /// How many people it takes, in words.
    pub(crate) four_eyes: String,
}

impl Review {
    fn said(&self) -> Said<'_> {
        Said(&self.because)
    }

    fn look(&self) -> Shape {
        Shape(Tone::Look)
    }
}

/// What was excepted from the policy.
#[derive(Template)]
#[template(path = "exceptions.html")]
pub(crate) struct Exceptions {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<ExceptionRow>,
    pub(crate) pages: Pages,
    pub(crate) may_grant: bool,
    /// The version that the form begins with.
    pub(crate) version: String,
    pub(crate) earliest: String,
}

/// One exception.
pub(crate) struct ExceptionRow {
    pub(crate) model: Link,
    pub(crate) version: Short,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) who: String,
    pub(crate) until: Until,
    pub(crate) mark: Mark,
    /// Where the form that ends it goes; empty for who may not.
    pub(crate) end: String,
}
