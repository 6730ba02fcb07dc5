//! PKL023: arrays are read from other files, which are out of reach.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles};
use crate::{
    Rule, Sink,
    rules::tensor::external::{self, Found},
};

pub(super) static RULE: Rule = Rule {
    code: "PKL023",
    name: "pickle-referenced-file",
    summary: "arrays are read from another file, which is out of reach",
    why: "joblib before 0.10 wrote each array into a file of its own beside the pickle and opens it by the name in the pickle, as NumPy arrays that may hold pickled objects again. A name that leads elsewhere reads any file of the machine; a file that is not there is whatever somebody puts there.",
    remediation: "Vet the folder with all its files. Save the model anew with a current joblib, which keeps arrays in the file.",
    references: &["CWE-22", "CWE-502", "CVE-2024-34997"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`NDArrayWrapper` with `filename` = `../../secret.npy`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for reference in &facts.references {
            let name = shorten(&reference.file);
            let place = (reference.offset, reference.offset + 1);
            let (message, severity) = match external::escape(&reference.file) {
                Some(what) => (format!("an array is read from a file whose name {what}"), Severity::High),
                None => match external::find(model, artifact, &reference.file) {
                    Found::File(_) | Found::Elsewhere => continue,
                    Found::LinkOutside(_) => (
                        format!("an array is read from `{name}`, a link that leads out of the model"),
                        Severity::High,
                    ),
                    Found::Missing | Found::Special => (
                        format!("an array is read from `{name}`, which is not here to be judged"),
                        Severity::Medium,
                    ),
                },
            };
            if severity == Severity::High || few.has_room(reference.offset) {
                sink.report_at(&artifact.path, place, message, format!("filename = {name}")).severity =
                    severity;
            }
        }
        few.close(sink, artifact, None);
    }
}
