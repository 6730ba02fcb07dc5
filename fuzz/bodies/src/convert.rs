//! Conversion: the bytes are planned, written and compared, as `alnage convert --check` does it.

use std::{io, sync::Arc};

use alnage_convert::{Options, Plan, Refusal, TensorFile, UnknownCalls, check, prepare};
use alnage_types::{ArtifactPath, MemorySource, Source};

/// Bytes of an output that are written; files of tensors are as long as they say, whatever they say.
const MOST: u64 = 4 << 20;

/// The first byte selects how.
pub(crate) fn convert(bytes: &[u8]) {
    let Some((&selector, bytes)) = bytes.split_first() else { return };
    let is = |bit: u8| selector & bit != 0;
    let options = Options {
        max_shard_size: is(1).then_some(64),
        unknown_calls: if is(2) { UnknownCalls::LeftOut } else { UnknownCalls::Refused },
        allow_expansion: is(4),
        copy_aliases: is(8),
        budget: crate::budget(),
    };
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
    let Ok(plan) = prepare(&ArtifactPath::file("model.bin"), &source, &options) else { return };
    let _ = (plan.overlaps(), plan.aliases(), plan.left_out(), plan.unwrapped(), plan.checksums());
    let _ = plan.index(&vec!["model.safetensors".to_owned(); plan.files.len()]);
    let _ = plan.write_state(&mut io::sink());
    let mut left = MOST;
    for file in &plan.files {
        if left < file.len() {
            break;
        }
        left -= file.len();
        file_of(&plan, file);
    }
}

/// What can be written is as long as planned, and holds what it should.
fn file_of(plan: &Plan, file: &TensorFile) {
    let mut written = Vec::new();
    let wrote = plan.write(file, &mut |bytes| {
        written.extend_from_slice(bytes);
        if written.len() as u64 > file.len() { Err(Refusal::Limit("length")) } else { Ok(()) }
    });
    if wrote.is_err() {
        assert!(written.len() as u64 <= file.len(), "more is written than was planned");
        return;
    }
    assert_eq!(written.len() as u64, file.len(), "other than planned is written");
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(written.clone()));
    let checked = check(plan, file, &source);
    let head = String::from_utf8_lossy(&written);
    assert!(checked.is_ok(), "what was written is not what was planned: {checked:?}\n{head}");
}
