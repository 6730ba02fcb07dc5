//! Where something stands: a word, a shape and a colour that say the same, so that none of them is needed to read it.

use std::fmt;

/// How grave it is. Each has a shape and a colour of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing to do.
    Good,
    /// In work, or waiting for somebody.
    Wait,
    /// A person must look.
    Look,
    /// Not understood.
    Unclear,
    /// Stopped, or to be stopped.
    Bad,
    /// Of no weight: past, informal.
    Quiet,
}

impl Tone {
    /// The class that gives the colours in the stylesheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Look => "look",
            Self::Unclear => "unclear",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }

    /// What is drawn, in a square of 16.
    pub(crate) fn drawing(self) -> &'static str {
        match self {
            Self::Good => {
                r#"<circle class="full" cx="8" cy="8" r="6.5"/><path class="cut" d="M5 8.2l2.1 2.1L11 6.1"/>"#
            }
            Self::Wait => r#"<circle cx="8" cy="8" r="6.5"/><path d="M8 4.5V8l2.3 1.6"/>"#,
            Self::Look => {
                r#"<path class="full" d="M8 1.8L15 14H1z"/><path class="cut" d="M8 6.2v3.4M8 11.7v.1"/>"#
            }
            Self::Unclear => {
                r#"<path d="M8 1.3L14.7 8 8 14.7 1.3 8z"/><path d="M6.5 6.6a1.6 1.6 0 1 1 2.2 1.5c-.5.2-.7.5-.7 1M8 11.3v.1"/>"#
            }
            Self::Bad => {
                r#"<path class="full" d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"/><path class="cut" d="M5 8h6"/>"#
            }
            Self::Quiet => r#"<path d="M3 8h10"/>"#,
        }
    }
}

/// The shape alone, for where a word stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape(pub(crate) Tone);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<svg class="shape" viewBox="0 0 16 16" aria-hidden="true">{}</svg>"#, self.0.drawing())
    }
}

impl askama::filters::HtmlSafe for Shape {}

/// A word with its shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// What is read.
    pub(crate) word: &'static str,
    /// What is seen.
    pub(crate) tone: Tone,
}

impl Mark {
    /// A word that is no verdict, stage or severity.
    pub(crate) const fn new(word: &'static str, tone: Tone) -> Self {
        Self { word, tone }
    }

    /// Of a verdict's name, as records spell it.
    pub(crate) fn of_verdict(name: &str) -> Self {
        match name {
            "pass" => Self::new("Pass", Tone::Good),
            "review" => Self::new("Review", Tone::Look),
            "block" => Self::new("Block", Tone::Bad),
            "unknown" => Self::new("Unknown", Tone::Unclear),
            _ => Self::new("Not yet scanned", Tone::Wait),
        }
    }

    /// Of a stage's name.
    pub(crate) fn of_stage(name: &str) -> Self {
        match name {
            "approved" => Self::new("Approved", Tone::Good),
            "production" => Self::new("In production", Tone::Good),
            "deprecated" => Self::new("Deprecated", Tone::Look),
            "revoked" => Self::new("Revoked", Tone::Bad),
            "rejected" => Self::new("Rejected", Tone::Bad),
            _ => Self::new("Quarantined", Tone::Wait),
        }
    }

    /// Of a finding's severity.
    pub(crate) fn of_severity(name: &str) -> Self {
        match name {
            "critical" => Self::new("Critical", Tone::Bad),
            "high" => Self::new("High", Tone::Bad),
            "medium" => Self::new("Medium", Tone::Look),
            "low" => Self::new("Low", Tone::Quiet),
            _ => Self::new("Note", Tone::Quiet),
        }
    }

    /// Of a policy's answer.
    pub(crate) fn of_effect(name: &str) -> Self {
        match name {
            "allow" => Self::new("Allow", Tone::Good),
            "quarantine" => Self::new("Quarantine", Tone::Wait),
            _ => Self::new("Deny", Tone::Bad),
        }
    }

    /// The shape alone.
    pub(crate) fn shape(&self) -> Shape {
        Shape(self.tone)
    }

    /// The class of its colours.
    pub(crate) fn class(&self) -> &'static str {
        self.tone.class()
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<span class="mark {}">{}{}</span>"#, self.tone.class(), self.shape(), self.word)
    }
}

impl askama::filters::HtmlSafe for Mark {}
