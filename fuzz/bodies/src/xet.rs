//! What clients send by Xet: shards, xorbs and hashes as text. The first byte selects.

use alnage_xet::{
    Chunk, Chunks, Error, File, MerkleHash, Plan, Shard, Xorb, chunk_hash, decode_chunk, file_hash,
    range_hash,
};

/// Files of a shard that are planned.
const FILES: usize = 16;
/// Chunks of each xorb that a shard is planned with.
const CHUNKS: u32 = 8;

pub(crate) fn xet(bytes: &[u8]) {
    let Some((&selector, bytes)) = bytes.split_first() else { return };
    match selector % 3 {
        0 => shard(bytes),
        1 => xorb(bytes),
        _ => hash(bytes),
    }
}

fn shard(bytes: &[u8]) {
    let Ok(shard) = Shard::parse(bytes) else { return };
    for file in shard.files.iter().take(FILES) {
        assert!(file.segments.is_empty() || Plan::of(file, &Chunks::new()).is_err(), "a plan of nothing");
        let known: Chunks = file.segments.iter().map(|segment| (segment.xorb, chunks())).collect();
        let _ = Plan::of(file, &known);
        // The same file, were it made of these chunks.
        let honest = honest(file.clone());
        let plan = Plan::of(&honest, &known).expect("what agrees is planned");
        assert_eq!((plan.size, plan.pieces.len()), (honest.size(), honest.segments.len()));
    }
}

fn chunks() -> Vec<Chunk> {
    let chunk = |number| Chunk {
        hash: chunk_hash(&[number as u8]),
        length: 7,
        start: number * 15,
        end: number * 15 + 15,
    };
    (0..CHUNKS).map(chunk).collect()
}

fn honest(mut file: File) -> File {
    let chunks = chunks();
    let mut leaves = Vec::new();
    for segment in &mut file.segments {
        segment.start %= CHUNKS;
        segment.end = segment.start + 1 + segment.end % (CHUNKS - segment.start);
        let taken = &chunks[segment.start as usize..segment.end as usize];
        segment.bytes = 7 * (segment.end - segment.start);
        segment.range_hash = Some(range_hash(taken.iter().map(|chunk| chunk.hash)));
        leaves.extend(taken.iter().map(|chunk| (chunk.hash, u64::from(chunk.length))));
    }
    file.hash = file_hash(leaves);
    file
}

fn xorb(bytes: &[u8]) {
    let computed = match Xorb::verify(bytes, MerkleHash::default()) {
        Err(Error::Mismatch { computed, .. }) => computed,
        Ok(_) => panic!("a xorb whose hash is zero"),
        Err(_) => return,
    };
    let hash = computed.parse().expect("what is told is a hash");
    let xorb = Xorb::verify(bytes, hash).expect("it has the hash that was computed");
    assert!(xorb.body() <= bytes.len(), "chunks that end after the xorb");
    assert_eq!(Xorb::from_table(hash, &xorb.table()).as_ref(), Ok(&xorb));
    for chunk in &xorb.chunks {
        let content =
            decode_chunk(&bytes[chunk.start as usize..chunk.end as usize]).expect("it was read before");
        assert_eq!((chunk_hash(&content), content.len()), (chunk.hash, chunk.length as usize));
    }
}

fn hash(bytes: &[u8]) {
    let _ = decode_chunk(bytes);
    let _ = Xorb::from_table(MerkleHash::default(), bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(hash) = text.parse::<MerkleHash>() {
        assert_eq!(hash.to_string(), text.to_ascii_lowercase());
    }
}
