//! The policy: packs, rules, and a place to try them.

use askama::Template;

use super::Reason;
use crate::console::parts::{Frame, Link, Mark, Short};

/// The page.
#[derive(Template)]
#[template(path = "policy.html")]
pub(crate) struct Policy {
    pub(crate) frame: Frame,
    /// Which pack decides here.
    pub(crate) standing: String,
    pub(crate) packs: Vec<Pack>,
    /// The pack whose rules are shown.
    pub(crate) chosen: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) sources: Vec<Source>,
    pub(crate) of: String,
    pub(crate) input: String,
    pub(crate) answer: Option<Answer>,
}

/// A pack.
pub(crate) struct Pack {
    pub(crate) name: Link,
    pub(crate) about: String,
    pub(crate) digest: Short,
    pub(crate) mark: Mark,
}

/// A rule of a pack.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) effect: Mark,
    pub(crate) about: String,
}

/// A file of a pack.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What a pack answered.
pub(crate) struct Answer {
    pub(crate) effect: Mark,
    pub(crate) reasons: Vec<Reason>,
    /// Why there is no real answer.
    pub(crate) problem: String,
}
