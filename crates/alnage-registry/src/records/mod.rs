//! The records: what is here, what was found in it, who decided what about it.

mod answer;
mod approvals;
mod audit;
mod deployments;
mod documents;
mod events;
mod exceptions;
mod lineage;
mod repos;
mod scans;
mod stages;
mod types;
mod versions;

#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod tests;

pub use approvals::{NewRequest, Request, RequestState, Vote, VoteKind};
pub use audit::{AuditEntry, AuditRecord};
pub use deployments::{Deployment, NewDeployment};
pub use documents::Document;
pub use events::Event;
pub use exceptions::{Exception, NewException};
pub use lineage::{Downstream, Edge, Revocation, Revoked};
pub use repos::{RepoQuery, Stats, check_name, project_of};
pub use scans::{FindingQuery, FindingRecord, NewFinding, Scan, ScanRecord};
pub use stages::Transition;
pub use types::{
    Actor, ActorKind, Answer, FileRecord, Kind, NewFile, NewVersion, Onto, Page, Ref, RefKind, Repo, Stage,
    Version,
};
pub use versions::is_commit;

pub(crate) use events::add as add_event;
pub(crate) use lineage::subject_named as lineage_subject;
pub(crate) use types::read;

pub(crate) use versions::Moved;

use crate::{
    Result,
    database::{Database, Transaction},
};

/// Says that something changed which answers depend on.
pub(crate) fn touch(transaction: &mut Transaction) -> Result<()> {
    Database::count(transaction, "generation").map(|_| ())
}
