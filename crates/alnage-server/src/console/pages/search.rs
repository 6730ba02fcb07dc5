//! What a search found.

use askama::Template;

use crate::console::parts::{Frame, Link, Mark};

/// The page.
#[derive(Template)]
#[template(path = "search.html")]
pub(crate) struct Search {
    pub(crate) frame: Frame,
    pub(crate) q: String,
    pub(crate) groups: Vec<Group>,
}

/// What was found of one kind.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Hit>,
    /// Whether there is more than is shown.
    pub(crate) more: bool,
}

/// One thing that was found.
pub(crate) struct Hit {
    pub(crate) what: Link,
    pub(crate) detail: String,
    pub(crate) mark: Mark,
}
