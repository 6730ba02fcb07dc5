//! The forerunners of GGUF: GGML, GGMF, GGJT and GGLA files. Recognised; only their header is read.

use std::sync::Arc;

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use super::TensorFacts;
use crate::{Context, Facts, Format, LoadEffect};

/// The magic numbers as they stand in the file, and their names.
const MAGICS: &[(&[u8; 4], &str)] =
    &[(b"lmgg", "ggml"), (b"fmgg", "ggmf"), (b"tjgg", "ggjt"), (b"algg", "ggla")];

/// The row.
pub(crate) static FORMAT: Format = Format {
    id: "ggml",
    title: "GGML, GGMF, GGJT, GGLA",
    extensions: &["ggml"],
    load_effect: LoadEffect::Data,
    reads: "Which of the forerunners of GGUF it is, and its version.",
    cannot: "The layout depends on the model's architecture, which the file does not name: tensors are not read.",
    identify: |probe| MAGICS.iter().any(|(magic, _)| probe.starts_with(*magic)),
    parse,
};

/// What a GGML file says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GgmlFacts {
    /// `ggml`, `ggmf`, `ggjt` or `ggla`.
    pub variant: &'static str,
    /// The version, which plain `ggml` does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = GgmlFacts::default();
    let mut reader = Reader::new(source.as_ref());
    let header = reader.array::<4>().and_then(|magic| Ok((magic, reader.u32le()?)));
    match header {
        Ok((magic, version)) => {
            facts.variant =
                MAGICS.iter().find(|(known, _)| **known == magic).map_or("ggml", |(_, name)| name);
            facts.version = (facts.variant != "ggml").then_some(version);
            context.claim(0..8);
            let message = "the layout of this old format depends on an architecture it does not name";
            context.issue(IssueKind::Unsupported, 8, message);
        }
        Err(end) => context.read_end(end, 0, "the header"),
    }
    Facts::Tensor(Box::new(TensorFacts::Ggml(facts)))
}
