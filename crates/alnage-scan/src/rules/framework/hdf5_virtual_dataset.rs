//! HDF003: datasets mapped from other files.

use alnage_formats::{Model, framework::Hdf5ReferenceKind};
use alnage_types::{Confidence, Level, Severity};

use super::{hdf5, hdf5_external_link::report};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "HDF003",
    name: "hdf5-virtual-dataset",
    summary: "a virtual dataset takes its values from other files",
    why: "A virtual dataset reads its source files whenever it is read, like an external link that no listing of \
          links shows.",
    remediation: "Save the model anew with all data in one file.",
    references: &["CWE-73", "CVE-2026-1669"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`h5py.VirtualSource(\"/home/user/private.h5\", \"data\", (10,))`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in hdf5(model) {
        for reference in &facts.references {
            // A dot is the file itself, as is its own name.
            let name = artifact.path.name();
            let is_other = reference.file.as_deref().is_none_or(|file| file != "." && file != name);
            if reference.kind == Hdf5ReferenceKind::VirtualDataset && is_other {
                report(sink, &artifact.path, reference, "the virtual dataset", "reads");
            }
        }
    }
}
