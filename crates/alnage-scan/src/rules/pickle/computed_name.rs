//! PKL010: the name of an import is computed while loading.

use alnage_formats::{Model, pickle::Import};
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL010",
    name: "pickle-computed-name",
    summary: "the name of an import is computed while loading",
    why: "Picklers write names as they are. Decoding, joining or replacing text to get at a name serves only to hide it from scanners.",
    remediation: "Treat the file as hostile.",
    references: &["CWE-502", "CWE-506", "AML.T0015"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`codecs.decode('cbfvk', 'rot13')` as a module name",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for global in facts.globals.iter().filter(|global| global.how == Import::ComputedName) {
            if !few.has_room(global.offset) {
                continue;
            }
            let path = shorten(&global.path());
            let message = format!("the name `{path}` is put together while loading");
            sink.report_at(&artifact.path, (global.offset, global.offset + 1), message, path);
        }
        few.close(sink, artifact, None);
    }
}
