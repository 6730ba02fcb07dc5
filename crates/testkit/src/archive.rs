//! Builds archives and compressed streams, honest and lying ones.

use std::io::Write;

/// A zip, every part of which can be made to lie.
#[derive(Debug, Clone, Default)]
pub struct Zip {
    /// Bytes in front of the first entry. Offsets do not count them unless `absolute`.
    pub prefix: Vec<u8>,
    /// The entries in the order of their own headers.
    pub entries: Vec<ZipEntry>,
    /// The comment, at the very end.
    pub comment: Vec<u8>,
    /// Bytes behind the comment.
    pub suffix: Vec<u8>,
    /// Whether offsets count the prefix.
    pub absolute: bool,
    /// Whether to write a zip64 end record and locator.
    pub zip64: bool,
    /// What the end record gives as number of entries, when that is a lie.
    pub promised: Option<u16>,
    /// Whether to leave the directory and the end record away.
    pub headless: bool,
}

/// One entry, as its own header and the directory describe it.
#[derive(Debug, Clone)]
pub struct ZipEntry {
    /// The bytes in the archive, packed or not.
    pub data: Vec<u8>,
    /// As the entry's own header describes it.
    pub local: ZipHeader,
    /// As the directory describes it; absent for an entry that no directory lists.
    pub central: Option<ZipHeader>,
    /// Whether a data descriptor follows the data; the local header's sums are then 0.
    pub descriptor: bool,
    /// Unix mode, in the directory.
    pub mode: u32,
    /// Index of an earlier entry whose header this one shares: nothing is written for this one.
    pub shares: Option<usize>,
}

/// The fields that stand twice in a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipHeader {
    /// The name.
    pub name: Vec<u8>,
    /// General purpose flags.
    pub flags: u16,
    /// Compression method.
    pub method: u16,
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Length in the archive.
    pub compressed: u32,
    /// Length of the content.
    pub size: u32,
}

impl ZipEntry {
    /// An entry that is stored as it is.
    pub fn stored(name: impl Into<Vec<u8>>, content: &[u8]) -> Self {
        Self::packed(name, 0, content, content.to_vec())
    }

    /// A deflated entry.
    pub fn deflated(name: impl Into<Vec<u8>>, content: &[u8]) -> Self {
        Self::packed(name, 8, content, deflate(content))
    }

    /// An entry packed by any method.
    pub fn packed(name: impl Into<Vec<u8>>, method: u16, content: &[u8], data: Vec<u8>) -> Self {
        let header = ZipHeader {
            name: name.into(),
            flags: 0,
            method,
            crc32: crc32(content),
            compressed: data.len() as u32,
            size: content.len() as u32,
        };
        Self {
            data,
            local: header.clone(),
            central: Some(header),
            descriptor: false,
            mode: 0o100_644,
            shares: None,
        }
    }

    /// The same entry with its own header changed.
    #[must_use]
    pub fn local(mut self, change: impl FnOnce(&mut ZipHeader)) -> Self {
        change(&mut self.local);
        self
    }

    /// The same entry with the directory's description changed.
    #[must_use]
    pub fn central(mut self, change: impl FnOnce(&mut ZipHeader)) -> Self {
        if let Some(central) = &mut self.central {
            change(central);
        }
        self
    }

    /// The same entry with both descriptions changed.
    #[must_use]
    pub fn both(self, change: impl Fn(&mut ZipHeader)) -> Self {
        self.local(&change).central(&change)
    }
}

impl Zip {
    /// A zip of these entries and nothing unusual.
    pub fn of(entries: impl Into<Vec<ZipEntry>>) -> Self {
        Self { entries: entries.into(), ..Self::default() }
    }

    /// The bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let base = if self.absolute { 0 } else { self.prefix.len() };
        let mut offsets: Vec<u32> = Vec::new();
        for entry in &self.entries {
            if let Some(other) = entry.shares {
                offsets.push(offsets[other]);
                continue;
            }
            offsets.push((out.len() - base) as u32);
            let mut local = entry.local.clone();
            if entry.descriptor {
                local = ZipHeader { flags: local.flags | 8, crc32: 0, compressed: 0, size: 0, ..local };
            }
            out.extend(b"PK\x03\x04\x14\0");
            out.extend(fields(&local, 0));
            out.extend(&local.name);
            out.extend(&entry.data);
            if entry.descriptor {
                out.extend(b"PK\x07\x08");
                for number in [entry.local.crc32, entry.local.compressed, entry.local.size] {
                    out.extend(number.to_le_bytes());
                }
            }
        }
        if self.headless {
            return out;
        }
        let start = out.len();
        let mut count = 0u16;
        for (entry, offset) in self.entries.iter().zip(&offsets) {
            let Some(central) = &entry.central else { continue };
            count += 1;
            let mut central = central.clone();
            central.flags |= if entry.descriptor { 8 } else { 0 };
            out.extend(b"PK\x01\x02\x14\x03\x14\0");
            out.extend(fields(&central, 0));
            out.extend([0; 6]);
            out.extend((entry.mode << 16).to_le_bytes());
            out.extend(offset.to_le_bytes());
            out.extend(&central.name);
        }
        let (length, offset) = (out.len() - start, start - base);
        let promised = self.promised.unwrap_or(count);
        if self.zip64 {
            let end64 = out.len() - base;
            out.extend(b"PK\x06\x06");
            out.extend(44u64.to_le_bytes());
            out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [u64::from(promised), u64::from(promised), length as u64, offset as u64] {
                out.extend(number.to_le_bytes());
            }
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend((end64 as u64).to_le_bytes());
            out.extend(1u32.to_le_bytes());
        }
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(promised.to_le_bytes());
        out.extend(promised.to_le_bytes());
        let saturate = |number: usize| if self.zip64 { u32::MAX } else { number as u32 };
        out.extend(saturate(length).to_le_bytes());
        out.extend(saturate(offset).to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out.extend(&self.suffix);
        out
    }
}

/// Flags, method, time, date, sums and name lengths, as both headers have them.
fn fields(header: &ZipHeader, extra: u16) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(header.flags.to_le_bytes());
    out.extend(header.method.to_le_bytes());
    out.extend([0, 0, 0x21, 0]);
    for number in [header.crc32, header.compressed, header.size] {
        out.extend(number.to_le_bytes());
    }
    out.extend((header.name.len() as u16).to_le_bytes());
    out.extend(extra.to_le_bytes());
    out
}

/// A PyTorch checkpoint with this pickle and one storage.
pub fn torch_zip(pickle: &[u8], storage: &[u8]) -> Zip {
    Zip::of([
        ZipEntry::stored("archive/data.pkl", pickle),
        ZipEntry::stored("archive/byteorder", b"little"),
        ZipEntry::stored("archive/data/0", storage),
        ZipEntry::stored("archive/version", b"3\n"),
    ])
}

/// One member of a tar.
#[derive(Debug, Clone)]
pub struct TarEntry {
    /// The name.
    pub name: String,
    /// The type flag: `b'0'` for a file.
    pub kind: u8,
    /// The target of a link.
    pub link: String,
    /// The content.
    pub content: Vec<u8>,
}

impl TarEntry {
    /// A regular file.
    pub fn file(name: &str, content: &[u8]) -> Self {
        Self { name: name.to_owned(), kind: b'0', link: String::new(), content: content.to_vec() }
    }

    /// A symbolic link.
    pub fn symlink(name: &str, target: &str) -> Self {
        Self { name: name.to_owned(), kind: b'2', link: target.to_owned(), content: Vec::new() }
    }
}

/// A ustar archive with its two end blocks.
pub fn tar(entries: &[TarEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let mut block = [0u8; 512];
        let put = |block: &mut [u8; 512], at: usize, bytes: &[u8]| {
            block[at..at + bytes.len()].copy_from_slice(bytes)
        };
        put(&mut block, 0, entry.name.as_bytes());
        put(&mut block, 100, b"0000644\0");
        put(&mut block, 124, format!("{:011o}\0", entry.content.len()).as_bytes());
        block[156] = entry.kind;
        put(&mut block, 157, entry.link.as_bytes());
        put(&mut block, 257, b"ustar\x0000");
        put(&mut block, 148, b"        ");
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
        out.extend(block);
        out.extend(&entry.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Raw deflate.
pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// A zlib stream.
pub fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// A gzip stream of one member.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// CRC-32 as zip and gzip use it.
pub fn crc32(content: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    crc.sum()
}

/// A `.npy` file of version 1.0 with this header and payload.
pub fn npy(header: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    let length = (header.len() + 1 + 10).next_multiple_of(64) - 10;
    out.extend((length as u16).to_le_bytes());
    out.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    out.extend(payload);
    out
}

/// What every stream of [`STREAMS`] decompresses to.
pub const STREAM_CONTENT: &str = "the content of the stream\nthe content of the stream\nthe content of the stream\nthe content of the stream\n";

/// Streams made by Python's own modules and by the reference tools, in hexadecimal: format and bytes.
pub const STREAMS: &[(&str, &str)] = &[
    (
        "bzip2",
        "425a6839314159265359ba035cfc00002fd180001040002b439c002000508068002aa689e88793849641c2093d1449440f8d9a367e499285192ce8bb9229c28485d01ae7e0",
    ),
    (
        "xz",
        "fd377a585a000004e6d6b4460200210116000000742fe5a3e00067001e5d003a1a08ce7649b4a5e9cc37e7a8c211e415b9c55a3c667135de0b44200000000000fcb8f414f9d43b8e00013a68388246461fb6f37d010000000004595a",
    ),
    (
        "lzma",
        "5d00008000ffffffffffffffff003a1a08ce7649b4a5e9cc37e7a8c211e415b9c55a3c667135de0b4686c897fffed70400",
    ),
    ("zstd", "28b52ffd24680d0100d074686520636f6e74656e74206f66207468652073747265616d0a01006ea3730c70a53fdd"),
    (
        "lz4",
        "04224d186c4068000000000000001827000000f00074686520636f6e74656e74206f66200f007073747265616d0a0b000f1a0032507265616d0a00000000bf026323",
    ),
];

/// Zips whose one member, `m.txt`, is [`STREAM_CONTENT`]: by bzip2 and by LZMA, from Python's zipfile.
pub const PACKED_ZIPS: &[(&str, &str)] = &[
    (
        "bzip2",
        "504b03042e0000000c002320765d4cd3e5ca4500000068000000050000006d2e747874425a6839314159265359ba035cfc00002fd180001040002b439c002000508068002aa689e88793849641c2093d1449440f8d9a367e499285192ce8bb9229c28485d01ae7e0504b01022e032e0000000c002320765d4cd3e5ca45000000680000000500000000000000000000008001000000006d2e747874504b0506000000000100010033000000680000000000",
    ),
    (
        "lzma",
        "504b03043f0002000e002320765d4cd3e5ca2d00000068000000050000006d2e747874090405005d00008000003a1a08ce7649b4a5e9cc37e7a8c211e415b9c55a3c667135de0b4686c897fffed70400504b01023f033f0002000e002320765d4cd3e5ca2d000000680000000500000000000000000000008001000000006d2e747874504b0506000000000100010033000000500000000000",
    ),
];

/// 7z archives by py7zr with `model.pkl` and `sub/b.txt`: [`STREAM_CONTENT`] and an `A`, and the same and a `B`.
pub const SEVENZ: &[(&str, &str)] = &[
    (
        "lzma2",
        "377abcaf271c0004ee1421729d0000000000000014000000000000001bbb6c32e000d100245d003a1a08ce7649b4a5e9cc37e7a8c20a435488939966b9d82b860810867b58be68ec1c400000e0007400695d0000813307ae0fd0c44b3c9f3f474104043237e932adbbdd3072d21f053f0b09b58ad324e310aacc0cde328fbd4a84ad62585bf919f2c837823aaf3c5e2dbc145a2c1feaf66a1c368de406cbfb360f651b66d74a55d2229c9657fbb95684eb047a4f26bf09b9d50000000017062c01097100070b010001212101180c750000",
    ),
    (
        "lzma",
        "377abcaf271c000449c94474a5000000000000001500000000000000c76c7560003a1a08ce7649b4a5e9cc37e7a8c20a435488939966b9d82b860810867b58be68fe59bffffff730c000e0008000735d0000813307ae0fd0a606bc9f3f474158d6fe026a25a861885ffc437f664d2271e6637c13d943e8fdf4850750ef090ec53fcdb0b169fecdef87ff1a4114a917961d7f35c1e5c10f2c097520142fcb34e8c390c54343ea2f072c52a0ef3db39dcfae8ced6826e875f894c7144bf37369de310000000017062a01097b00070b010001212101180c80810000",
    ),
    (
        "copy",
        "377abcaf271c0004136cd1e0460100000000000015000000000000002615619874686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a4174686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a74686520636f6e74656e74206f66207468652073747265616d0a42e00078006c5d0000813307ae0fd531789d9724d3feb9c4e3749893d63853069fa2a6294106f98914ce6cb9c21527c3a8737c9403a03c7294915fb8b8076da41bc0aea17b68de69c0d7a1bf4b698ca902ae30fef775706b56f9af49742726ea32c2800f66b708c79810c7cddc6b062903f6000000170680d201097400070b010001212101180c790000",
    ),
    (
        "bzip2",
        "377abcaf271c0004ed4a92cebf000000000000001400000000000000c81873d0425a68393141592653591d10a68b00006055800010400030002b439c00200050a600002aa993349ea1e891a1b161230b8c8f42840a160f840ec40fc645c504baaac0d8e0bb9229c28480e8853458e0007400695d0000813307ae0fd2a7a17d40c090cee5cb76f65384c7b7c0debef3c57e7e895c27008dd2d15083250d87b909e3b5558715d4d438bf39d05f140ff47322d739538ffa7dbc80a0f4fbe163d58e50f6d715ef06e453e09aee20528ceeeaa425213467d0dc9704a0e50000000017064e01097100070b010001212101180c750000",
    ),
    (
        "deflate",
        "377abcaf271c000456cd38ee96000000000000001400000000000000f6a36fca2bc9485548cecf2b49cd2b51c84f532801728b4b8a521373b94aa82ae3485de370cb380100e0007400695d0000813307ae0fd05a5b7c9f3f473be7d11e82af526264ede076b9546b570bc085207848eee897061960296b284e4d73d2029e55e6c8ddbc89532f41d3336636cd4afd7e4d7d3d20349a5f0d698cd317c686a2727a9f4ed44c21eea725176740347edb2c443bb40000000017062501097100070b010001212101180c750000",
    ),
    (
        "bcj",
        "377abcaf271c0004bfcd4053a5000000000000001500000000000000b742097ae000d100245d003a1a08ce7649b4a5e9cc37e7a8c20a435488939966b9d82b860810867b58be68ec1c400000e0008000715d0000813307ae0fd0c44b3c9f39109c6cea5269eae1ce421bf7ef824e4ab46bb5ed8c8ae6f78515a334b6f1eeb2e0212c1ceb259c685b092c902501c48b9983ca4929ddc6dffdb90bc5aa4d7be142a18dfdc17d914f52ce116caf5cac04890fcdceff49de9cc146c4f3370731abeb65c000000017062c01097900070b010001212101180c80810000",
    ),
    (
        "aes",
        "377abcaf271c000407712d98c6000000000000001600000000000000c7478ad1149a3df00da91b5fc0899cb15c570989123528073d82289fbaac70d1cd54bb50727f99490faa539bd570290407a7bca7e00098008e5d0000813307ae0fd101221594dcbd582906682c8de104a61accf87122fa8cea1a073e10a8a674be7a41f785be7c35c2b3e447daebe662467a19e42937657ff8df768a1e21b3741d42bc589a7632d90e999be79dfa9ab8d35f890a398cc9456b6ac5cc56cbc086fce58e0ba11bd48954a9e8e00f4c8c5ff74ecdce41b2c725c5d8cb4e51a7bb31e72a1195237b500000001706300109809600070b010001212101180c80990000",
    ),
    (
        "zstd",
        "377abcaf271c00043f45f57fad0000000000000015000000000000009434392428b52ffd0058450100e074686520636f6e74656e74206f66207468652073747265616d0a4142030060c34a01bd6ea3730ce0008000745d0000813307ae0fd10ff6b8a090a077db9dde2f37970cf8fd922ab63c75e810605282bc6683a86bf86d706c55944f9e7e3973c5192a058e9886e347ce2b0cc92a5cbe609b89b34d6aaa87823d22cd71386cb5065eb1969c30250661be8c61240112d2afc6147a95bccbb9df926b613018270a0000000017063101097c00070b010001212101180c80810000",
    ),
];

/// The bytes that hexadecimal digits spell.
pub fn hex(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    digits.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
