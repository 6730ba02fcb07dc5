//! The index of a TensorFlow checkpoint: a table of tensor names beside the raw data files.

use crate::{Facts, Format, LoadEffect};

/// The number that ends an SSTable.
const TABLE_MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();

pub(in crate::framework) static FORMAT: Format = Format {
    id: "tensorflow-checkpoint-index",
    title: "TensorFlow checkpoint index",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "that it is a sorted table; names and shapes in it are not listed",
    cannot: "whether the data files it points into are whole",
    identify: |probe| probe.len() >= 48 && probe.tail.ends_with(&TABLE_MAGIC),
    parse: |source, context| {
        context.claim(0..source.len());
        Facts::None {}
    },
};
