//! LUA001: a Torch7 file holds Lua code.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, torch7};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "LUA001",
    name: "torch7-code",
    summary: "a Torch7 file holds Lua code",
    why: "Torch7 keeps Lua functions inside models and makes them callable while it loads the file; the text and bytecode of such functions run with all rights of the process.",
    remediation: "Do not load the file; ask for the weights in safetensors.",
    references: &["CWE-502", "CWE-94", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a string with `os.execute('id')` in a `.t7` file",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in torch7(model) {
        for (code, offset) in &facts.code {
            let code = quote(code, 80);
            sink.report_at(&artifact.path, (*offset, *offset), format!("the file holds `{code}`"), code);
        }
    }
}
