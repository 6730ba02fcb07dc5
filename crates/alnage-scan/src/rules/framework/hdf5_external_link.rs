//! HDF001: links into other files.

use alnage_formats::{
    Model,
    framework::{Hdf5Reference, Hdf5ReferenceKind},
};
use alnage_types::{ArtifactPath, Confidence, Level, Severity};

use super::{hdf5, paths::leaves_the_model, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "HDF001",
    name: "hdf5-external-link",
    summary: "a link leads into another HDF5 file",
    why: "Loaders follow external links as if the data were part of the model. Who loads weights from such a file \
          reads whatever file the link names, and serves or saves its content as weights.",
    remediation: "Save the model anew with all data in one file.",
    references: &["CWE-73", "CWE-59", "CVE-2026-1669"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`h5py.ExternalLink(\"/home/user/private.h5\", \"/\")`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in hdf5(model) {
        for reference in &facts.references {
            if reference.kind == Hdf5ReferenceKind::ExternalLink {
                report(sink, &artifact.path, reference, "the link", "leads into");
            }
        }
    }
}

/// A finding about a reference to another file; a plain data file beside this one asks for a person only.
pub(super) fn report(
    sink: &mut Sink<'_>,
    artifact: &ArtifactPath,
    reference: &Hdf5Reference,
    what: &str,
    leads: &str,
) {
    let file = reference.file.as_deref().unwrap_or("?");
    let target = reference.target.as_deref().unwrap_or_default();
    let (path, shown) = (quote(&reference.path, 120), quote(file, 200));
    let evidence = format!("{path} -> {shown}:{}", quote(target, 120));
    let span = (reference.offset, reference.offset);
    let finding = sink.report_at(artifact, span, format!("{what} `{path}` {leads} `{shown}`"), evidence);
    let lower = file.to_ascii_lowercase();
    let is_sibling = [".h5", ".hdf5", ".hdf", ".nc"].iter().any(|end| lower.ends_with(end));
    if is_sibling && !leaves_the_model(file) {
        finding.severity = Severity::Medium;
    }
}
