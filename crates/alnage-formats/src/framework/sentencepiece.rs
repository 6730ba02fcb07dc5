//! SentencePiece models: vocabularies of pieces in protobuf, recognised by the shape of all of their first pieces.

use std::sync::Arc;

use alnage_types::{Reader, Source};

use super::proto::{Allowed::*, Shape, each_field};
use crate::{Context, Facts, Format, LoadEffect, wire::Message};

pub(super) static FORMAT: Format = Format {
    id: "sentencepiece",
    title: "SentencePiece model",
    // Models of every kind are named `.model`; the name promises nothing.
    extensions: &["spm"],
    load_effect: LoadEffect::Data,
    reads: "that every part is one of the format's own; the pieces are not listed",
    cannot: "what the normalisation table does to text",
    identify: |probe| is_model(probe.source),
    parse,
};

/// A few pieces, each of text, score and kind. Trained models start with `<unk>` and the other control pieces.
fn is_model(source: &dyn Source) -> bool {
    const FIRST: usize = 8;
    let Some(top) = Shape::whole(source, FIRST, &[Bytes(1..=5)]) else { return false };
    top.bytes(1).count() >= 3
        && top.bytes(1).all(|range| {
            Shape::of(source, range, 4, &[Bytes(1..=1), Number(2..=3)]).is_some_and(|piece| {
                piece.name(source, 1).is_some()
                    && piece.has(2)
                    && piece.varint(3).is_none_or(|kind| (1..=6).contains(&kind))
            })
        })
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut reader = Reader::new(source.as_ref());
    let message = Message::new(0..source.len());
    each_field(&mut reader, context, message, "a SentencePiece model", |field, _, context| {
        // What the format does not define is left for the search for hidden files.
        if let (1..=5, Some(bytes)) = (field.number, field.bytes()) {
            context.claim(field.start..bytes.end);
        }
    });
    Facts::None {}
}

#[cfg(test)]
mod tests {
    use alnage_types::{ArtifactPath, Budget, MemorySource};
    use testkit::framework::{protobuf_bytes, protobuf_number};

    use super::*;
    use crate::analyse;

    fn piece(text: &str, kind: u64) -> Vec<u8> {
        let score = [&[0x15][..], &(-1.5_f32).to_le_bytes()].concat();
        protobuf_bytes(1, &[protobuf_bytes(1, text.as_bytes()), score, protobuf_number(3, kind)].concat())
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: bool) {
        let source = Arc::new(MemorySource::new(bytes));
        let analysis = analyse(ArtifactPath::file("spiece.model"), source, &Budget::default());
        assert_eq!(analysis.artifacts.iter().any(|artifact| artifact.format == "sentencepiece"), expected);
        assert!(analysis.issues.is_empty(), "{:?}", analysis.issues);
    }

    #[test]
    fn pieces_make_a_model() {
        let pieces = [piece("<unk>", 2), piece("<s>", 3), piece("\u{2581}the", 1)].concat();
        check(&[&pieces[..], &protobuf_bytes(2, &protobuf_number(3, 1))].concat(), true);
        check(&[piece("<unk>", 2), piece("<s>", 9), piece("a", 1)].concat(), false);
        check(&protobuf_bytes(1, b"word"), false);
    }

    #[test]
    fn damaged_files_are_survived() {
        let pieces = [piece("<unk>", 2), piece("<s>", 3), piece("a", 1)].concat();
        super::super::mutation::survive("m.model", &pieces, 2000);
    }
}
