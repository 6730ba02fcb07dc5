//! HDF004: links of a class that the reading program defines.

use alnage_formats::{Model, framework::Hdf5ReferenceKind};
use alnage_types::{Confidence, Level, Severity};

use super::{hdf5, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "HDF004",
    name: "hdf5-user-defined-link",
    summary: "a link has a class that only the reading program understands",
    why: "What following such a link does is up to code outside of the file and of the HDF5 library; no framework \
          writes them.",
    remediation: "Find out which program made the file, or save the model anew.",
    references: &["CWE-829"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a link message of type 187",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in hdf5(model) {
        for reference in &facts.references {
            if reference.kind == Hdf5ReferenceKind::UserDefinedLink {
                let path = quote(&reference.path, 120);
                let class = quote(reference.target.as_deref().unwrap_or_default(), 40);
                let span = (reference.offset, reference.offset);
                sink.report_at(
                    &artifact.path,
                    span,
                    format!("the link `{path}` has a class of its own"),
                    class,
                );
            }
        }
    }
}
