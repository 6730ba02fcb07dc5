//! Paddle's combined parameters: tensors one after the other, each with a small description.

use std::sync::Arc;

use alnage_types::{IssueKind, ReadEnd, Reader, Source};

use super::proto::{Allowed::*, Shape};
use crate::{Context, Facts, Format, LoadEffect};

pub(super) static FORMAT: Format = Format {
    id: "paddle-parameters",
    title: "Paddle parameters",
    extensions: &["pdiparams"],
    load_effect: LoadEffect::Data,
    reads: "the size of every tensor against the bytes that are there",
    cannot: "names of the tensors, which stand in the program",
    identify: |probe| tensor(probe.source, &mut probe.reader()).is_ok_and(|tensor| tensor.is_some()),
    parse,
};

/// Steps over one tensor's head; how many bytes of data follow. `None` when it is no tensor.
fn tensor(source: &dyn Source, reader: &mut Reader<'_>) -> Result<Option<u64>, ReadEnd> {
    if reader.u32le()? != 0 {
        return Ok(None);
    }
    // Levels of detail: each a byte count and as many bytes.
    let levels = reader.u64le()?;
    if levels > 16 {
        return Ok(None);
    }
    for _ in 0..levels {
        let length = reader.u64le()?;
        reader.skip(length)?;
    }
    if reader.u32le()? != 0 {
        return Ok(None);
    }
    let length = u64::from(reader.u32le()?);
    if !(2..=512).contains(&length) {
        return Ok(None);
    }
    let start = reader.position();
    reader.skip(length)?;
    let allowed = [Number(1..=1), Any(2..=2)];
    let Some(shape) = Shape::of(source, start..start + length, 64, &allowed) else { return Ok(None) };
    let width: u64 = match shape.varint(1) {
        Some(0 | 20 | 21) => 1,
        Some(1 | 4 | 22) => 2,
        Some(2 | 5) => 4,
        Some(3 | 6 | 23) => 8,
        Some(24) => 16,
        _ => return Ok(None),
    };
    let size = shape.varints(source, 2).into_iter().try_fold(width, u64::checked_mul);
    Ok(size)
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut reader = Reader::new(source.as_ref());
    while reader.remaining() > 0 {
        let at = reader.position();
        if let Err(limit) = context.meter().step(8) {
            context.exhausted(limit, at);
            break;
        }
        let size = match tensor(source.as_ref(), &mut reader) {
            Ok(Some(size)) => size,
            Ok(None) => {
                context.issue(IssueKind::Malformed, at, "what follows is no tensor of Paddle");
                break;
            }
            Err(end) => {
                context.read_end(end, at, "a tensor of Paddle");
                break;
            }
        };
        if let Err(end) = reader.skip(size) {
            context.read_end(end, at, "a tensor of Paddle");
            break;
        }
        context.claim(at..reader.position());
    }
    Facts::None {}
}

#[cfg(test)]
mod tests {
    use alnage_types::{ArtifactPath, Budget, MemorySource};
    use testkit::framework::protobuf_number;

    use super::*;
    use crate::analyse;

    fn tensor(data: &[u8]) -> Vec<u8> {
        let shape = [protobuf_number(1, 5), protobuf_number(2, 2), protobuf_number(2, 3)].concat();
        [&[0; 16][..], &(shape.len() as u32).to_le_bytes(), &shape, data].concat()
    }

    #[track_caller]
    fn check(bytes: &[u8], format: &str, issues: usize) {
        let source = Arc::new(MemorySource::new(bytes));
        let analysis = analyse(ArtifactPath::file("m.pdiparams"), source, &Budget::default());
        assert_eq!(analysis.artifacts[0].format, format);
        assert_eq!(analysis.issues.len(), issues, "{:?}", analysis.issues);
    }

    #[test]
    fn tensors_fill_the_file() {
        check(&[tensor(&[0; 24]), tensor(&[1; 24])].concat(), "paddle-parameters", 0);
        check(&tensor(&[0; 23]), "paddle-parameters", 1);
        check(&[tensor(&[0; 24]), b"\x7fELF".to_vec()].concat(), "paddle-parameters", 1);
        check(&[0; 64], "unrecognised", 0);
    }

    #[test]
    fn damaged_files_are_survived() {
        super::super::mutation::survive("m.pdiparams", &tensor(&[0; 24]), 2000);
    }
}
