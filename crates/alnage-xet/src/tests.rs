//! What the stock client sends is understood to the last byte, and nothing that was changed on the way is.

use std::io::Write as _;

use alnage_types::Digest;

use super::*;

const XORB: &[u8] = include_bytes!("samples/three-files.xorb");
const SHARD: &[u8] = include_bytes!("samples/three-files.shard");
const XORB_HASH: &str = "23c6c148f18695395d943549bf1764e41fefe2d5a356676803089c86fa2727b0";

fn claimed() -> MerkleHash {
    XORB_HASH.parse().unwrap()
}

/// The three files that the client was given.
fn originals() -> [Vec<u8>; 3] {
    let mut state = 12345u64;
    let noise = std::iter::repeat_with(|| {
        state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff;
        (state >> 16) as u8
    });
    let numbers = (0..150_000u32).flat_map(|i| ((i % 251) as f32 * 0.5 + (i / 4096) as f32).to_le_bytes());
    let words: String =
        (0..20_000).map(|i| format!("row {} of the table, and no more\n", i % 2500)).collect();
    [noise.take(3000).collect(), numbers.collect(), words.into_bytes()]
}

fn content(plan: &Plan, xorb: &Xorb) -> Vec<u8> {
    let chunks = plan.pieces.iter().flat_map(|piece| &xorb.chunks[piece.start..piece.end]);
    chunks.flat_map(|chunk| decode_chunk(&XORB[chunk.start as usize..chunk.end as usize]).unwrap()).collect()
}

fn known(xorb: Xorb) -> Chunks {
    Chunks::from([(xorb.hash, xorb.chunks)])
}

#[test]
fn the_stock_client_s_upload_becomes_the_same_files() {
    let xorb = Xorb::verify(XORB, claimed()).unwrap();
    assert_eq!((xorb.chunks.len(), xorb.body()), (10, XORB.len()));
    let shard = Shard::parse(SHARD).unwrap();
    assert_eq!(shard.xorbs, [claimed()]);
    let known = known(xorb.clone());
    let mut found: Vec<_> =
        shard.files.iter().map(|file| content(&Plan::of(file, &known).unwrap(), &xorb)).collect();
    for (file, content) in shard.files.iter().zip(&found) {
        assert_eq!(file.sha256, Some(Digest::of(content)));
        assert_eq!(file.size(), content.len() as u64);
    }
    let mut wanted = originals();
    found.sort();
    wanted.sort();
    assert!(found == wanted);
}

#[test]
fn a_table_of_chunks_is_kept_and_read_again() {
    let xorb = Xorb::verify(XORB, claimed()).unwrap();
    assert_eq!(Xorb::from_table(xorb.hash, &xorb.table()), Ok(xorb.clone()));
    assert!(Xorb::from_table(xorb.hash, &xorb.table()[1..]).is_err());
}

#[test]
fn a_footer_is_not_a_chunk() {
    let with_footer = [XORB, b"XETBLOB\x01whatever it says"].concat();
    let xorb = Xorb::verify(&with_footer, claimed()).unwrap();
    assert_eq!(xorb.body(), XORB.len());
}

#[test]
fn a_changed_or_cut_xorb_is_refused_or_has_the_same_content() {
    let whole = Xorb::verify(XORB, claimed()).unwrap();
    // The first chunk is stored as it is: no change of it is harmless.
    for place in (0..3008).step_by(311) {
        let mut bytes = XORB.to_vec();
        bytes[place] ^= 0x20;
        assert!(Xorb::verify(&bytes, claimed()).is_err(), "byte {place}");
    }
    for place in (3008..XORB.len()).step_by(1999) {
        let mut bytes = XORB.to_vec();
        bytes[place] ^= 0x01;
        if let Ok(xorb) = Xorb::verify(&bytes, claimed()) {
            let names = |xorb: &Xorb| xorb.chunks.iter().map(|chunk| chunk.hash).collect::<Vec<_>>();
            assert_eq!(names(&xorb), names(&whole), "byte {place}");
        }
    }
    for length in (0..XORB.len()).step_by(1501) {
        assert!(Xorb::verify(&XORB[..length], claimed()).is_err(), "{length} bytes");
    }
}

/// A chunk behind a header that says what it is told to say.
fn frame(version: u8, compression: u8, length: u32, stored: &[u8]) -> Vec<u8> {
    let [s0, s1, s2, _] = (stored.len() as u32).to_le_bytes();
    let [l0, l1, l2, _] = length.to_le_bytes();
    [&[version, s0, s1, s2, compression, l0, l1, l2], stored].concat()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn hostile_xorbs_are_refused_for_what_they_are() {
    let check = |bytes: &[u8], wanted: &str| {
        let error = Xorb::verify(bytes, MerkleHash::default()).unwrap_err().to_string();
        assert!(error.contains(wanted), "`{error}`, not `{wanted}`");
    };
    check(b"", "without chunks");
    check(b"XETBLOB", "without chunks");
    check(b"1234567", "malformed header");
    check(&frame(1, 0, 3, b"abc"), "malformed header");
    check(&frame(0, 0, 0, b""), "malformed header");
    check(&frame(0, 3, 3, b"abc"), "compression");
    check(&frame(0, 99, 3, b"abc"), "compression");
    check(&frame(0, 0, 4, b"abc"), "length is not what");
    check(&frame(0, 0, (128 << 10) + 1, b"abc"), "chunk is larger");
    check(&frame(0, 1, 3, &vec![0; (256 << 10) + 1]), "chunk is larger");
    check(&frame(0, 1, 3, b"abc"), "LZ4 frame");
    check(&frame(0, 0, 3, b"abc")[..9], "ends too early");
    check(&frame(0, 1, 10, &lz4(&vec![0; 8 << 20])), "length is not what");
    check(&frame(0, 2, 10, &lz4(b"short")), "length is not what");
    check(&frame(0, 0, 3, b"abc"), "hash of the xorb");
    check(&frame(0, 0, 1, b"a").repeat(MAX_CHUNKS + 1), "xorb is larger");
    check(&frame(0, 1, 128 << 10, &lz4(&vec![0; 128 << 10])).repeat(513), "xorb is larger");
}

#[test]
fn grouped_bytes_of_any_length_come_back_in_order() {
    for (grouped, wanted) in
        [("a", "a"), ("ab", "ab"), ("abcd", "abcd"), ("aebcd", "abcde"), ("aebfcgd", "abcdefg")]
    {
        let stored = lz4(grouped.as_bytes());
        let bytes = Compression::GroupedLz4.decode(&stored, wanted.len()).unwrap();
        assert_eq!(bytes, wanted.as_bytes());
    }
}

#[test]
fn a_cut_or_lying_shard_is_refused() {
    for length in 0..SHARD.len() {
        assert!(Shard::parse(&SHARD[..length]).is_err(), "{length} bytes");
    }
    let mut other_version = SHARD.to_vec();
    other_version[32] = 3;
    assert!(Shard::parse(&other_version).is_err());
    for count in [2, 1000, u32::MAX] {
        let mut lying = SHARD.to_vec();
        lying[48 + 36..48 + 40].copy_from_slice(&count.to_le_bytes());
        // The list is then read out of step: an error, or files that no plan accepts.
        if let Ok(shard) = Shard::parse(&lying) {
            let known = known(Xorb::verify(XORB, claimed()).unwrap());
            assert!(shard.files.iter().any(|file| Plan::of(file, &known).is_err()), "{count}");
        }
    }
    let footer = [SHARD, &[7; 200]].concat();
    assert_eq!(Shard::parse(&footer), Shard::parse(SHARD));
}

#[test]
fn a_plan_is_made_only_of_what_agrees() {
    let known = known(Xorb::verify(XORB, claimed()).unwrap());
    let honest = Shard::parse(SHARD).unwrap().files.remove(0);
    let check = |change: fn(&mut File), wanted: &str| {
        let mut file = honest.clone();
        change(&mut file);
        let error = Plan::of(&file, &known).unwrap_err().to_string();
        assert!(error.contains(wanted), "`{error}`, not `{wanted}`");
    };
    check(|file| file.segments[0].xorb = MerkleHash::default(), "not known here");
    check(|file| file.segments[0].end = 11, "has no chunks 5..11");
    check(|file| file.segments[0].start = 10, "has no chunks 10..10");
    check(|file| file.segments[0].start = 11, "has no chunks 11..10");
    check(|file| file.segments[0].bytes -= 1, "length of a segment");
    check(|file| file.segments[0].range_hash = Some(MerkleHash::default()), "hash of a segment");
    check(|file| file.segments[0].range_hash = None, "without the hashes");
    check(|file| file.hash = MerkleHash::default(), "hash of the file");
    check(|file| file.segments.clear(), "hash of the file");
    check(|file| file.segments = vec![file.segments[0].clone(); MAX_FILE_CHUNKS / 5 + 1], "file is larger");
}

#[test]
fn the_text_of_a_hash_is_read_back() {
    assert_eq!(claimed().to_string(), XORB_HASH);
    for text in ["", "23c6", &XORB_HASH[1..], &format!("+{}", &XORB_HASH[1..]), &"é".repeat(32)] {
        assert!(text.parse::<MerkleHash>().is_err(), "{text}");
    }
}
