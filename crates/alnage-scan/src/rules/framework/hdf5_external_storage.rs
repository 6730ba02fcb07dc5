//! HDF002: datasets whose raw data is in another file.

use alnage_formats::{Model, framework::Hdf5ReferenceKind};
use alnage_types::{Confidence, Level, Severity};

use super::{hdf5, hdf5_external_link::report};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "HDF002",
    name: "hdf5-external-storage",
    summary: "a dataset's raw data is in another file of any kind",
    why: "External storage makes the bytes of any file on the machine into the values of a weight: loading the model \
          reads the file, and saving, serving or inspecting the model hands it out.",
    remediation: "Do not load the file; ask for the model with all data in one file.",
    references: &["CWE-73", "CVE-2026-1669"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`f.create_dataset(\"kernel\", (10,), \"u1\", external=[(\"/etc/passwd\", 0, 10)])`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in hdf5(model) {
        for reference in &facts.references {
            if reference.kind == Hdf5ReferenceKind::ExternalStorage {
                report(sink, &artifact.path, reference, "the dataset", "keeps its data in");
            }
        }
    }
}
