//! The list of models.

use askama::Template;

use super::{Choice, Pages};
use crate::console::parts::{Frame, Link, Mark, Moment, Short};

/// The page.
#[derive(Template)]
#[template(path = "models.html")]
pub(crate) struct Models {
    pub(crate) frame: Frame,
    pub(crate) filter: Filter,
    pub(crate) rows: Vec<ModelRow>,
    pub(crate) pages: Pages,
}

/// What the list is narrowed to.
pub(crate) struct Filter {
    pub(crate) q: String,
    /// Fields with a choice.
    pub(crate) choices: Vec<Field>,
    pub(crate) is_set: bool,
}

/// A field with a choice.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) options: Vec<Choice>,
}

/// A model or dataset by its newest version.
pub(crate) struct ModelRow {
    pub(crate) model: Link,
    pub(crate) kind: String,
    pub(crate) version: Short,
    pub(crate) verdict: Mark,
    pub(crate) stage: Mark,
    pub(crate) owner: String,
    pub(crate) changed: Moment,
}

impl Filter {
    /// A filter as it was asked for; values that no choice has choose nothing.
    pub(crate) fn new(q: &str, kind: &str, verdict: &str, stage: &str) -> Self {
        let field = |name, label, chosen: &str, all: &[(&str, &str)]| {
            let options = all.iter().map(|(value, label)| Choice {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                chosen: *value == chosen,
            });
            Field { name, label, options: options.collect() }
        };
        Self {
            q: q.to_owned(),
            choices: vec![
                field(
                    "kind",
                    "Kind",
                    kind,
                    &[("", "All kinds"), ("model", "Models"), ("dataset", "Datasets")],
                ),
                field(
                    "verdict",
                    "Verdict",
                    verdict,
                    &[
                        ("", "Any verdict"),
                        ("pass", "Pass"),
                        ("unknown", "Unknown"),
                        ("review", "Review"),
                        ("block", "Block"),
                    ],
                ),
                field(
                    "stage",
                    "Stage",
                    stage,
                    &[
                        ("", "Any stage"),
                        ("quarantined", "Quarantined"),
                        ("approved", "Approved"),
                        ("production", "In production"),
                        ("deprecated", "Deprecated"),
                        ("rejected", "Rejected"),
                        ("revoked", "Revoked"),
                    ],
                ),
            ],
            is_set: [q, kind, verdict, stage].iter().any(|text| !text.is_empty()),
        }
    }
}
