//! RAR: recognised, not read.

use std::sync::Arc;

use alnage_types::{IssueKind, Source};

use super::{ContainerFacts, archive::ArchiveFacts};
use crate::{Context, Facts, Format, LoadEffect};

/// The row of this format.
pub(super) static RAR: Format = Format {
    id: "rar",
    title: "RAR archive",
    extensions: &["rar"],
    load_effect: LoadEffect::Container,
    reads: "that it is one",
    cannot: "its content",
    identify: |probe| probe.starts_with(b"Rar!\x1a\x07\x00") || probe.starts_with(b"Rar!\x1a\x07\x01\x00"),
    parse,
};

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    context.issue(IssueKind::Unsupported, 0, "RAR archives are not read");
    context.claim(0..source.len());
    Facts::Container(Box::new(ContainerFacts::Archive(ArchiveFacts::default())))
}
