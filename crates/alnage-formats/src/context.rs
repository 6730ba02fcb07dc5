//! What a parser may do besides returning facts: raise issues, hand on members, claim bytes, spend budget.

use std::{ops::Range, sync::Arc};

use alnage_types::{ArtifactPath, Exhausted, Issue, IssueKind, Meter, ReadEnd, Source};

/// The parser's side of one analysis.
pub struct Context<'a> {
    path: &'a ArtifactPath,
    meter: &'a mut Meter,
    pub(crate) issues: Vec<Issue>,
    pub(crate) members: Vec<Member>,
    pub(crate) claims: Vec<Range<u64>>,
}

/// Something nested in an artifact, to be analysed as an artifact of its own.
pub struct Member {
    /// Its name as the container spells it.
    pub name: String,
    /// Its bytes.
    pub source: Arc<dyn Source>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(path: &'a ArtifactPath, meter: &'a mut Meter) -> Self {
        Self { path, meter, issues: Vec::new(), members: Vec::new(), claims: Vec::new() }
    }

    /// Where the artifact is.
    pub fn path(&self) -> &ArtifactPath {
        self.path
    }

    /// The budget's meter.
    pub fn meter(&mut self) -> &mut Meter {
        self.meter
    }

    /// Says that something was not understood. At most a few hundred are kept; the first ones matter.
    pub fn issue(&mut self, kind: IssueKind, offset: impl Into<Option<u64>>, message: impl Into<String>) {
        const MAX_ISSUES: usize = 256;
        if self.issues.len() < MAX_ISSUES {
            let (artifact, offset, message) = (self.path.clone(), offset.into(), message.into());
            self.issues.push(Issue { artifact, offset, kind, message });
        }
    }

    /// The issue for a limit of the budget.
    pub fn exhausted(&mut self, limit: Exhausted, offset: impl Into<Option<u64>>) {
        self.issue(IssueKind::Budget, offset, format!("stopped at the limit `{}`", limit.limit));
    }

    /// The issue for a read that gave nothing; `what` names the structure being read.
    pub fn read_end(&mut self, end: ReadEnd, offset: u64, what: &str) {
        match end {
            ReadEnd::Truncated => {
                self.issue(IssueKind::Truncated, offset, format!("the bytes end inside {what}"))
            }
            ReadEnd::Unreadable => {
                self.issue(IssueKind::Unreadable, offset, format!("{what} could not be read"))
            }
        }
    }

    /// Hands on something nested.
    pub fn member(&mut self, name: impl Into<String>, source: Arc<dyn Source>) {
        self.members.push(Member { name: name.into(), source });
    }

    /// Says that these bytes are accounted for by this reading.
    pub fn claim(&mut self, range: Range<u64>) {
        if range.start >= range.end {
            return;
        }
        match self.claims.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.claims.push(range),
        }
    }
}
