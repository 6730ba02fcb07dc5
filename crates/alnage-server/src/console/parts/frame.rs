//! What stands around each page: who reads it, where they are, and where they can go.

use super::{Count, Mark, Tone};
use crate::console::assets;

/// A page's surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Of the page, as the browser's window shows it.
    pub(crate) title: String,
    /// Which place of the console it belongs to.
    pub(crate) place: Place,
    /// Who reads; empty for a stranger.
    pub(crate) name: String,
    /// What they may do, in words: `reviewer`, `viewer of 2 projects`.
    pub(crate) role: String,
    /// Proves that a form came from a page of ours; empty for whoever is not signed in.
    pub(crate) csrf: String,
    /// How many requests wait for a decision.
    pub(crate) waiting: u64,
    /// What just happened.
    pub(crate) notice: Option<Notice>,
}

/// What just happened, told once on the page that follows.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// Whether it went well.
    pub(crate) tone: Tone,
    /// One sentence.
    pub(crate) text: String,
}

/// The places of the console. One with a name stands in the list at the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// None of them: search, errors, signing in.
    Elsewhere,
    Overview,
    Models,
    Reviews,
    Exceptions,
    Deployments,
    Policy,
    Log,
    Audit,
    People,
}

/// A row of the list of places.
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) href: &'static str,
    /// The letter that leads there after `g`.
    pub(crate) key: &'static str,
    /// Whether it begins a new group.
    pub(crate) apart: bool,
}

/// Every place, in the order of the list.
pub(crate) static PLACES: [Row; 9] = [
    Row { place: Place::Overview, name: "Overview", href: "/console", key: "o", apart: false },
    Row { place: Place::Models, name: "Models", href: "/console/models", key: "m", apart: false },
    Row { place: Place::Reviews, name: "Reviews", href: "/console/reviews", key: "r", apart: false },
    Row { place: Place::Exceptions, name: "Exceptions", href: "/console/exceptions", key: "e", apart: false },
    Row {
        place: Place::Deployments,
        name: "Deployments",
        href: "/console/deployments",
        key: "d",
        apart: false,
    },
    Row { place: Place::Policy, name: "Policy", href: "/console/policy", key: "p", apart: true },
    Row { place: Place::Log, name: "Transparency log", href: "/console/log", key: "l", apart: false },
    Row { place: Place::Audit, name: "Audit", href: "/console/audit", key: "a", apart: false },
    Row { place: Place::People, name: "People and tokens", href: "/console/people", key: "u", apart: false },
];

impl Frame {
    /// Every place, in the order of the list.
    pub(crate) fn places(&self) -> &'static [Row] {
        &PLACES
    }

    /// Whether this page belongs to `row`.
    pub(crate) fn at(&self, row: &Row) -> bool {
        self.place == row.place
    }

    /// How many wait there, where that is said.
    pub(crate) fn count(&self, row: &Row) -> Option<Count> {
        (row.place == Place::Reviews && self.waiting > 0).then_some(Count(self.waiting))
    }

    /// Whether somebody is signed in.
    pub(crate) fn signed_in(&self) -> bool {
        !self.name.is_empty()
    }

    /// Where the stylesheet is.
    pub(crate) fn style(&self) -> String {
        assets::address("console.css")
    }

    /// Where the script is.
    pub(crate) fn script(&self) -> String {
        assets::address("console.js")
    }

    /// Where the sign of the house is.
    pub(crate) fn icon(&self) -> String {
        assets::address("seal.svg")
    }

    /// The version of the program.
    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

impl Notice {
    /// It was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into() }
    }

    /// What is drawn beside it.
    pub(crate) fn mark(&self) -> Mark {
        Mark::new("", self.tone)
    }
}
