//! What is reported to run.

use askama::Template;

use super::{Choice, Pages};
use crate::console::parts::{Frame, Link, Mark, Moment, Short};

/// The page.
#[derive(Template)]
#[template(path = "deployments.html")]
pub(crate) struct Deployments {
    pub(crate) frame: Frame,
    pub(crate) standing: String,
    pub(crate) environments: Vec<Choice>,
    pub(crate) only: Vec<Choice>,
    pub(crate) rows: Vec<DeploymentRow>,
    pub(crate) pages: Pages,
}

/// A version that runs somewhere.
pub(crate) struct DeploymentRow {
    pub(crate) model: Link,
    pub(crate) version: Short,
    pub(crate) stage: Mark,
    pub(crate) environment: String,
    /// A host, or a cluster's namespace and object.
    pub(crate) place: String,
    pub(crate) by: String,
    pub(crate) seen: Moment,
}
