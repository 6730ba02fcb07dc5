//! Objects and workspaces of R: `.rds`, `.rda`, `.RData`. Compression around them is a container's matter.

mod call;
mod function;
mod token;
mod walk;

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::{Reader, Source};
use serde::Serialize;

use super::FrameworkFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

pub use call::{RArgument, RCall, RPromise};
pub use function::RFunction;

pub(super) static FORMAT: Format = Format {
    id: "r-serialized",
    title: "R object",
    extensions: &["rds", "rda", "rdata"],
    load_effect: LoadEffect::MayExecute,
    reads: "every object; functions, promises and language objects as the calls they make; raw vectors are handed on",
    cannot: "functions that are called through names put together at run time; what packages' methods do with an object",
    identify,
    parse,
};

/// What an R file holds.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RFacts {
    /// `xdr`, `ascii` or `native`.
    pub encoding: &'static str,
    /// Version of the serialization, 2 or 3.
    pub version: u32,
    /// Version of R that wrote it: `4.3.1`.
    pub writer: String,
    /// Whether it is a workspace of named objects (`save`) and not one object (`saveRDS`).
    pub workspace: bool,
    /// Names of a workspace's objects; at most 256.
    pub names: Vec<String>,
    /// How many objects there are of each type of R.
    pub types: BTreeMap<&'static str, u64>,
    /// Promises that nobody has evaluated yet; at most 256.
    pub promises: Vec<RPromise>,
    /// Calls in functions, promises and language objects, a few of every function; a large model has many.
    #[serde(skip)]
    pub calls: Vec<RCall>,
}

/// How the numbers of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Xdr,
    Ascii,
    Native,
}

/// What stands before the first object.
struct Header {
    encoding: Encoding,
    workspace: bool,
    version: u32,
    writer: u32,
}

fn identify(probe: &Probe<'_>) -> bool {
    header(&mut token::Tokens::new(probe.reader(), Encoding::Xdr)).is_some()
}

/// The header, when the bytes have one that R accepts.
fn header(tokens: &mut token::Tokens<'_>) -> Option<Header> {
    let first = tokens.reader.array::<2>().ok()?;
    let workspace = &first == b"RD";
    // R looks at the letter alone: behind it may stand a newline, a carriage return or anything else.
    let kind = if workspace {
        let [kind, version, end] = tokens.reader.array::<3>().ok()?;
        let known = matches!(kind, b'X' | b'A' | b'B') && matches!(version, b'2' | b'3') && end == b'\n';
        let [inner, _] = tokens.reader.array::<2>().ok()?;
        known.then_some(inner)?
    } else if &first == b"\nA" {
        tokens.reader.skip(1).ok()?;
        b'A'
    } else {
        first[0]
    };
    tokens.encoding = match kind {
        b'X' => Encoding::Xdr,
        b'A' => Encoding::Ascii,
        b'B' => Encoding::Native,
        _ => return None,
    };
    let version = u32::try_from(tokens.int().ok()?).ok()?;
    let writer = u32::try_from(tokens.int().ok()?).ok()?;
    let oldest = u32::try_from(tokens.int().ok()?).ok()?;
    // The version of R is three bytes: 4.3.1 is 0x040301.
    let plausible = |number: u32| (1..1 << 24).contains(&number);
    (matches!(version, 2 | 3) && plausible(writer) && oldest < 1 << 24).then_some(())?;
    if version == 3 {
        let length = u64::try_from(tokens.int().ok()?).ok().filter(|&length| length < 256)?;
        tokens.text(length).ok()?;
    }
    Some(Header { encoding: tokens.encoding, workspace, version, writer })
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = RFacts::default();
    let mut tokens = token::Tokens::new(Reader::new(source.as_ref()), Encoding::Xdr);
    match header(&mut tokens) {
        Some(header) => {
            facts.encoding = match header.encoding {
                Encoding::Xdr => "xdr",
                Encoding::Ascii => "ascii",
                Encoding::Native => "native",
            };
            facts.version = header.version;
            facts.workspace = header.workspace;
            let [_, major, minor, patch] = header.writer.to_be_bytes();
            facts.writer = format!("{major}.{minor}.{patch}");
            walk::walk(source, &mut tokens, &mut facts, context);
        }
        None => context.issue(alnage_types::IssueKind::Malformed, 0, "the header of an R file is not one"),
    }
    context.claim(0..tokens.reader.position());
    Facts::Framework(Box::new(FrameworkFacts::R(facts)))
}

#[cfg(test)]
mod tests;
