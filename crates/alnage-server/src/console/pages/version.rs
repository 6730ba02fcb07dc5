//! One version of a model, and its files.

use askama::Template;

use super::{Choice, Event, FileRow, FindingRow, Pages, Reason, VoteRow};
use crate::console::{
    pages::DeploymentRow,
    parts::{Count, Frame, Graph, Link, Mark, Said, Size},
};

/// The page of a version.
#[derive(Template)]
#[template(path = "version.html")]
pub(crate) struct Version {
    pub(crate) frame: Frame,
    pub(crate) crumbs: Vec<Link>,
    pub(crate) name: String,
    pub(crate) commit: String,
    /// What the reader may do with it now.
    pub(crate) actions: Vec<Link>,
    /// Its word is not shown: `answer` says it.
    pub(crate) verdict: Mark,
    /// Whether clients get it, in one line.
    pub(crate) answer: String,
    /// Why, in one or two sentences.
    pub(crate) because: String,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) way_out: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) findings: Vec<FindingRow>,
    pub(crate) findings_total: Count,
    pub(crate) findings_more: u64,
    pub(crate) record_href: String,
    /// When it was scanned and by which rules.
    pub(crate) scanned: String,
    /// What is said when there are none.
    pub(crate) no_findings: &'static str,
    pub(crate) files: Vec<FileRow>,
    pub(crate) files_total: Count,
    pub(crate) files_href: String,
    pub(crate) size: Size,
    pub(crate) bom: Vec<BomField>,
    pub(crate) bom_href: String,
    pub(crate) seals: Vec<SealRow>,
    /// When seals were verified: while the page was made.
    pub(crate) seals_checked: String,
    pub(crate) lineage: Graph,
    pub(crate) lineage_rows: Vec<Relative>,
    pub(crate) blast_href: String,
    pub(crate) deployments: Vec<DeploymentRow>,
    pub(crate) approvals: Vec<VoteRow>,
    pub(crate) may_ask: bool,
    pub(crate) ask_action: String,
    /// Stages that the reader may move it to.
    pub(crate) moves: Vec<Choice>,
    pub(crate) move_action: String,
    pub(crate) events: Vec<Event>,
}

impl Version {
    fn said(&self) -> Said<'_> {
        Said(&self.because)
    }

    fn advice(&self) -> Said<'_> {
        Said(&self.way_out)
    }
}

/// A name and a value.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: String,
}

/// A field of the bill of materials.
pub(crate) struct BomField {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) source: String,
}

/// A seal, as it verifies now.
pub(crate) struct SealRow {
    pub(crate) kind: String,
    pub(crate) method: String,
    pub(crate) identity: String,
    pub(crate) issuer: String,
    pub(crate) covers: String,
    pub(crate) mark: Mark,
    pub(crate) problem: String,
}

/// One relation of the lineage, in words.
pub(crate) struct Relative {
    pub(crate) relation: String,
    pub(crate) what: Link,
    pub(crate) stage: Mark,
}

/// The page of a version's files.
#[derive(Template)]
#[template(path = "files.html")]
pub(crate) struct Files {
    pub(crate) frame: Frame,
    pub(crate) crumbs: Vec<Link>,
    pub(crate) total: Count,
    pub(crate) size: Size,
    pub(crate) action: String,
    pub(crate) prefix: String,
    pub(crate) files: Vec<FileRow>,
    pub(crate) pages: Pages,
}
