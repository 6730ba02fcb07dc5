//! What depends on a version, shown before it is revoked.

use askama::Template;

use super::{DeploymentRow, Figure};
use crate::console::parts::{Frame, Link, Mark, Short};

/// The page.
#[derive(Template)]
#[template(path = "revoke.html")]
pub(crate) struct Revoke {
    pub(crate) frame: Frame,
    pub(crate) crumbs: Vec<Link>,
    pub(crate) heading: String,
    /// What revoking does, or that it is done.
    pub(crate) effect: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) rows: Vec<DownstreamRow>,
    pub(crate) deployments: Vec<DeploymentRow>,
    pub(crate) may_revoke: bool,
    pub(crate) action: String,
    pub(crate) back: String,
}

/// A version that was made from it.
pub(crate) struct DownstreamRow {
    pub(crate) model: Link,
    pub(crate) version: Short,
    /// `fine-tuned, then quantised`.
    pub(crate) path: String,
    pub(crate) stage: Mark,
    pub(crate) owner: String,
    /// `production, staging`; what is said when it runs nowhere.
    pub(crate) deployments: String,
}
