//! ARC014: bytes in front of an archive or behind it.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC014",
    name: "archive-foreign-bytes",
    summary: "bytes stand in front of an archive or behind it",
    why: "Archive readers skip them, other loaders start with them: one file is a harmless archive to the scanner and a \
          pickle or program to the loader. It weighs more when something is found there.",
    remediation: "Save the model anew with its framework: ordinary writers leave no such bytes.",
    references: &["CWE-436", "AML.T0076"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle with a zip archive behind it",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let (prepended, appended) = match facts.as_ref() {
            ContainerFacts::Archive(archive) => (archive.prepended, archive.appended),
            ContainerFacts::Stream(stream) => (0, stream.appended),
            _ => continue,
        };
        let message = match (prepended, appended) {
            (0, 0) => continue,
            (_, 0) => format!("{prepended} bytes stand in front of the archive"),
            (0, _) => format!("{appended} bytes stand behind the archive"),
            _ => format!("{prepended} bytes stand in front of the archive and {appended} behind it"),
        };
        let carved = format!("{}!/carved@", artifact.path);
        let held = model.artifacts.iter().find(|other| {
            let another_reading = prepended > 0
                && other.path == artifact.path
                && other.format != artifact.format
                && !matches!(other.facts, Facts::Container(_));
            another_reading || other.path.as_str().starts_with(&carved)
        });
        let finding = sink.report(&artifact.path, message);
        if let Some(held) = held {
            finding.severity = Severity::Medium;
            finding.evidence = Some(format!("{} ({})", held.path, held.format));
        }
    }
}
