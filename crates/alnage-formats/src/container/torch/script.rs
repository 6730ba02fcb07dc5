//! TorchScript source inside a checkpoint: which operators it calls. The rules say which of them reach out.

use std::{collections::HashMap, sync::Arc};

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use crate::{
    Context, Facts, Format, LoadEffect, Probe,
    container::{ContainerFacts, archive::shorten},
};

/// The row of this format.
pub(in crate::container) static SCRIPT: Format = Format {
    id: "torchscript-code",
    title: "TorchScript source",
    extensions: &[],
    load_effect: LoadEffect::MayExecute,
    reads: "every operator and custom class that the program names",
    cannot: "what the operators of native libraries do",
    identify,
    parse,
};

/// The longest source that is read.
const MAX_SOURCE: u64 = 64 << 20;
/// How many distinct operators are kept.
const MAX_OPERATORS: usize = 512;

/// Facts about a TorchScript source file.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScriptFacts {
    /// Distinct operators in the order of their first use.
    pub operators: Vec<Operator>,
    /// Distinct custom classes, `torch.classes.…`, at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_classes: Vec<String>,
}

/// An operator that a TorchScript program names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Operator {
    /// With its namespace: `aten.from_file`, `image.read_file`; `.save` when it is a method of some value.
    pub name: String,
    /// Where it is first named.
    pub offset: u64,
    /// The line that names it first.
    #[serde(skip)]
    pub line: String,
}

/// By its place, `…/code/….py` in an archive, and by TorchScript's way of naming things.
fn identify(probe: &Probe<'_>) -> bool {
    let path = probe.path.as_str();
    let inner = path.rsplit("!/").next().unwrap_or_default();
    let in_code = path.contains("!/") && (inner.contains("/code/") || inner.starts_with("code/"));
    let name_ends = inner.split('#').next().is_some_and(|name| name.ends_with(".py"));
    let find = |needle: &[u8]| memchr::memmem::find(probe.head, needle).is_some();
    in_code
        && name_ends
        && (inner.contains("__torch__")
            || [&b"__torch__"[..], b"__parameters__", b"op_version_set", b"torch", b"ops", b"Tensor"]
                .iter()
                .any(|needle| find(needle)))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = ScriptFacts::default();
    let length = source.len().min(MAX_SOURCE);
    match Reader::new(source.as_ref()).take(length) {
        Ok(bytes) => {
            if source.len() > MAX_SOURCE {
                context.issue(IssueKind::Budget, MAX_SOURCE, "TorchScript source is read up to 64 MiB");
            }
            if let Err(limit) = context.meter().step(length / 8) {
                context.exhausted(limit, None);
            }
            facts = read(&bytes);
            context.claim(0..length);
        }
        Err(end) => context.read_end(end, 0, "TorchScript source"),
    }
    Facts::Container(Box::new(ContainerFacts::Script(facts)))
}

/// Collects the dotted names of a program, with the modules' other names followed.
fn read(source: &[u8]) -> ScriptFacts {
    let mut facts = ScriptFacts::default();
    let mut known: HashMap<String, ()> = HashMap::new();
    let mut aliases: HashMap<String, String> = HashMap::new();
    let mut assigned: Option<String> = None;
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match byte {
            b'#' => at += memchr::memchr(b'\n', &source[at..]).unwrap_or(source.len() - at),
            b'"' | b'\'' => at = skip_string(source, at),
            b'.' if source.get(at + 1).is_some_and(|&byte| is_start(byte)) => {
                // An attribute of something that is no plain name: `(_0).save(x)`.
                let (name, end) = dotted(source, at + 1);
                note(&mut facts, &mut known, format!(".{}", last_of(&name)), at, source);
                at = end;
            }
            _ if is_start(byte) => {
                let (mut name, end) = dotted(source, at);
                let first = name.split('.').next().unwrap_or_default();
                if let Some(real) = aliases.get(first) {
                    name = format!("{real}{}", &name[first.len()..]);
                }
                if let Some(target) = assigned.take()
                    && aliases.len() < 1024
                    && (name == "torch"
                        || name == "ops"
                        || name.starts_with("ops.")
                        || name.starts_with("torch."))
                {
                    aliases.insert(target, name.clone());
                }
                if is_assignment(source, end) && !name.contains('.') {
                    assigned = Some(name.clone());
                }
                operator(&mut facts, &mut known, &name, at, source);
                at = end;
            }
            _ => {
                if !byte.is_ascii_whitespace() && byte != b'=' {
                    assigned = None;
                }
                at += 1;
            }
        }
    }
    facts
}

/// Notes what a dotted name stands for.
fn operator(facts: &mut ScriptFacts, known: &mut HashMap<String, ()>, name: &str, at: usize, source: &[u8]) {
    if let Some(class) = name.find("torch.classes.").map(|start| &name[start..]) {
        if known.insert(class.to_owned(), ()).is_none() && facts.custom_classes.len() < 64 {
            facts.custom_classes.push(shorten(class, 120));
        }
    } else if let Some(operator) = name.strip_prefix("ops.") {
        note(facts, known, operator.to_owned(), at, source);
    } else if let Some(operator) = name.strip_prefix("torch.").filter(|rest| !rest.contains('.')) {
        note(facts, known, format!("aten.{operator}"), at, source);
    } else if name.contains('.') && !name.starts_with("__torch__") {
        note(facts, known, format!(".{}", last_of(name)), at, source);
    }
}

fn note(facts: &mut ScriptFacts, known: &mut HashMap<String, ()>, name: String, at: usize, source: &[u8]) {
    // Attributes are countless; only those that an operator could be called by matter.
    let attribute = name.starts_with('.');
    if attribute && !matches!(name.as_str(), ".save" | ".from_file" | ".read_file" | ".write_file") {
        return;
    }
    if facts.operators.len() < MAX_OPERATORS && known.insert(name.clone(), ()).is_none() {
        let start = memchr::memrchr(b'\n', &source[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |newline| at + newline);
        let line = shorten(String::from_utf8_lossy(&source[start..end]).trim(), 160);
        facts.operators.push(Operator { name: shorten(&name, 120), offset: at as u64, line });
    }
}

/// A name with its attributes, blanks around the dots removed; and where it ends.
fn dotted(source: &[u8], start: usize) -> (String, usize) {
    let mut name = String::new();
    let mut at = start;
    loop {
        let end =
            at + source[at..].iter().take_while(|&&byte| is_start(byte) || byte.is_ascii_digit()).count();
        name.push_str(&String::from_utf8_lossy(&source[at..end]));
        let blank = |from: usize| {
            from + source[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\\')
                .count()
        };
        let dot = blank(end);
        let next = blank((dot + 1).min(source.len()));
        if source.get(dot) != Some(&b'.')
            || !source.get(next).is_some_and(|&byte| is_start(byte))
            || name.len() > 512
        {
            return (name, end);
        }
        name.push('.');
        at = next;
    }
}

fn is_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn last_of(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether a single `=` follows.
fn is_assignment(source: &[u8], end: usize) -> bool {
    let rest = source[end..].trim_ascii_start();
    rest.first() == Some(&b'=') && rest.get(1) != Some(&b'=')
}

/// The end of the string literal that starts at `start`.
fn skip_string(source: &[u8], start: usize) -> usize {
    let quote = source[start];
    let triple = [quote; 3];
    if source[start..].starts_with(&triple) {
        let rest = &source[start + 3..];
        return start + 3 + memchr::memmem::find(rest, &triple).map_or(rest.len(), |end| end + 3);
    }
    let mut at = start + 1;
    while let Some(&byte) = source.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, operators: &[&str]) {
        let facts = read(source.as_bytes());
        assert_eq!(
            facts.operators.iter().map(|op| op.name.as_str()).collect::<Vec<_>>(),
            operators,
            "{source}"
        );
    }

    #[test]
    fn operators_are_found_however_they_are_named() {
        check(
            "def forward(self, x: Tensor):\n  return torch.from_file(\"/etc/passwd\", True, 10)\n",
            &["aten.from_file"],
        );
        check("  _0 = ops . aten .\\\n from_file(\"x\")", &["aten.from_file"]);
        check("  t = torch\n  t.save(x, \"y\")", &["aten.save"]);
        check("  a = ops.image\n  b = a.read_file(p)", &["image", "image.read_file"]);
        check("  (x).save(\"y\")", &[".save"]);
    }

    #[test]
    fn strings_and_comments_are_no_code() {
        check("# torch.save\n  x = \"torch.save('a\\\"b')\"\n  y = '''torch.load'''\n", &[]);
    }

    #[test]
    fn custom_classes_are_listed() {
        let facts = read(b"  packed : __torch__.torch.classes.quantized.LinearPackedParamsBase\n");
        assert_eq!(facts.custom_classes, ["torch.classes.quantized.LinearPackedParamsBase"]);
    }
}
