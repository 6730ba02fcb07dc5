//! NPY001: a NumPy array of Python objects.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "NPY001",
    name: "numpy-object-array",
    summary: "a NumPy array holds Python objects, so its payload is a pickle",
    why: "NumPy loads such arrays only with `allow_pickle=True`; then the pickle runs. What it would do is reported by \
          the pickle rules.",
    remediation: "Save the array with a numeric or string type.",
    references: &["CWE-502", "CVE-2019-6446"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`np.save(\"x.npy\", np.array([{}], dtype=object))`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        if let Facts::Container(facts) = &artifact.facts
            && let ContainerFacts::Array(array) = facts.as_ref()
            && array.object
        {
            sink.report(&artifact.path, "needs `allow_pickle=True` to load").evidence =
                Some(array.dtype.clone());
        }
    }
}
