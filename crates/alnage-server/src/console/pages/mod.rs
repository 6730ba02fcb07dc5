//! The pages: what each shows, as plain values that its template writes down. Nothing here asks the registry.

mod deployments;
mod log;
mod models;
mod overview;
mod people;
mod policy;
mod reviews;
mod revoke;
mod search;
mod shared;
mod sign_in;
mod version;

pub(crate) use deployments::{DeploymentRow, Deployments};
pub(crate) use log::{Checkpoint, Entry, EntryRow, Log};
pub(crate) use models::{Filter, ModelRow, Models};
pub(crate) use overview::{Attention, Blocked, Overview, Waiting};
pub(crate) use people::{Audit, AuditRow, People, PersonRow, TokenRow};
pub(crate) use policy::{Answer, Pack, Policy, Rule, Source};
pub(crate) use reviews::{ExceptionRow, Exceptions, Review, ReviewRow, Reviews};
pub(crate) use revoke::{DownstreamRow, Revoke};
pub(crate) use search::{Group, Hit, Search};
pub(crate) use shared::{Choice, Event, Figure, FileRow, FindingRow, Pages, Reason, VoteRow};
pub(crate) use sign_in::{Device, Failure, SignIn};
pub(crate) use version::{BomField, Fact, Files, Relative, SealRow, Version};
