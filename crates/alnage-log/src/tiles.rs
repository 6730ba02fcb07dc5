//! The tiles a log of a given size is kept in: <https://c2sp.org/tlog-tiles>.

use alnage_types::Digest;

use crate::{
    Error, Store,
    tree::{self, Subtree},
};

/// Hashes in a full tile, entries in a full bundle.
pub(crate) const WIDTH: u64 = 256;
const LEVELS: u32 = 8;

/// The name of a tile of hashes; `width` is the number of hashes in it.
pub(crate) fn tile_name(level: u32, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", numbered(index, width))
}

/// The name of a bundle of entries; `width` is the number of entries in it.
pub(crate) fn bundle_name(index: u64, width: u64) -> String {
    format!("tile/entries/{}", numbered(index, width))
}

/// `1234067` as `x001/x234/067`, and the width when it is not the full one.
fn numbered(index: u64, width: u64) -> String {
    let mut name = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        name = format!("x{:03}/{name}", rest % 1000);
        rest /= 1000;
    }
    if width < WIDTH { format!("{name}.p/{width}") } else { name }
}

/// How many hashes the tiles of `level` have together in a log of `size` entries.
pub(crate) fn hashes_at(level: u32, size: u64) -> u64 {
    size.checked_shr(level.saturating_mul(LEVELS)).unwrap_or(0)
}

/// How many hashes the tile `index` of `level` has in a log of `size` entries.
pub(crate) fn tile_width(level: u32, index: u64, size: u64) -> u64 {
    hashes_at(level, size).saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH)
}

/// What an object's name says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// `None` for a bundle of entries.
    pub(crate) level: Option<u32>,
    pub(crate) index: u64,
    pub(crate) width: u64,
}

impl Named {
    /// Reads the name of a tile or bundle; only the one spelling that the specification allows.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (level, rest) = name.strip_prefix("tile/")?.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok()?) };
        let (path, width) = match rest.split_once(".p/") {
            Some((path, width)) => (path, width.parse().ok().filter(|width| (1..WIDTH).contains(width))?),
            None => (rest, WIDTH),
        };
        let mut index = 0_u64;
        for part in path.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let named = Self { level, index, width };
        (named.name() == name).then_some(named)
    }

    pub(crate) fn name(self) -> String {
        match self.level {
            Some(level) => tile_name(level, self.index, self.width),
            None => bundle_name(self.index, self.width),
        }
    }
}

/// The folder of a tile's or bundle's partial forms, given the name of the full one.
pub(crate) fn partial_folder(full: &str) -> String {
    format!("{full}.p")
}

/// Reads an object that must be there: a partial one may have been replaced by the full one since.
pub(crate) fn read(store: &dyn Store, name: impl Fn(u64) -> String, width: u64) -> Result<Vec<u8>, Error> {
    for name in [name(width), name(WIDTH)] {
        match store.read(&name) {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => {}
            Err(source) => return Err(Error::Store { name, source }),
        }
    }
    Err(Error::Damaged(format!("`{}` is missing", name(width))))
}

/// The hashes of a tile in a log of `size` entries; none when the log has no such tile.
pub(crate) fn read_tile(store: &dyn Store, level: u32, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
    let width = tile_width(level, index, size);
    if width == 0 {
        return Ok(Vec::new());
    }
    let bytes = read(store, |width| tile_name(level, index, width), width)?;
    let mut hashes =
        parse_tile(&bytes, width).map_err(|message| damaged(&tile_name(level, index, width), &message))?;
    hashes.truncate(usize::try_from(width).unwrap_or(usize::MAX));
    Ok(hashes)
}

fn damaged(name: &str, message: &str) -> Error {
    Error::Damaged(format!("`{name}` {message}"))
}

/// The hashes in a tile that should have `width` of them, and may be the full one.
pub(crate) fn parse_tile(bytes: &[u8], width: u64) -> Result<Vec<Digest>, String> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let count = hashes.len() as u64;
    if !rest.is_empty() || count != width && count != WIDTH {
        return Err(format!("has {} bytes instead of {}", bytes.len(), width * 32));
    }
    Ok(hashes.iter().map(|&hash| Digest::from_bytes(hash)).collect())
}

/// A tile as bytes.
pub(crate) fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The entries of a bundle in a log of `size` entries; none when the log has no such bundle.
pub(crate) fn read_bundle(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Vec<u8>>, Error> {
    let width = tile_width(0, index, size);
    if width == 0 {
        return Ok(Vec::new());
    }
    let bytes = read(store, |width| bundle_name(index, width), width)?;
    let mut entries =
        parse_bundle(&bytes, width).map_err(|message| damaged(&bundle_name(index, width), &message))?;
    entries.truncate(usize::try_from(width).unwrap_or(usize::MAX));
    Ok(entries)
}

/// The entries in a bundle that should have `width` of them, and may be the full one.
pub(crate) fn parse_bundle(bytes: &[u8], width: u64) -> Result<Vec<Vec<u8>>, String> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    while !rest.is_empty() && (entries.len() as u64) < WIDTH {
        let Some((entry, after)) = rest
            .split_first_chunk()
            .and_then(|(length, after)| after.split_at_checked(u16::from_be_bytes(*length).into()))
        else {
            return Err(format!("ends within entry {} of {width}", entries.len()));
        };
        entries.push(entry.to_vec());
        rest = after;
    }
    let count = entries.len() as u64;
    if !rest.is_empty() || count != width && count != WIDTH {
        return Err(format!("has {count} entries and {} bytes more instead of {width} entries", rest.len()));
    }
    Ok(entries)
}

/// A bundle as bytes; entries are at most 65,535 bytes long, which [`Entry`](crate::Entry) sees to.
pub(crate) fn bundle_bytes(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    bytes
}

/// The hash over the leaves `start..end` of a log of `size` entries, for ranges as [`tree::subtrees`] takes them.
pub(crate) fn range_hash(store: &dyn Store, start: u64, end: u64, size: u64) -> Result<Digest, Error> {
    let hashes: Vec<Digest> = tree::subtrees(start, end)
        .map(|subtree| subtree_hash(store, subtree, size))
        .collect::<Result<_, _>>()?;
    Ok(tree::join(hashes.into_iter()))
}

fn subtree_hash(store: &dyn Store, subtree: Subtree, size: u64) -> Result<Digest, Error> {
    let (tile_level, height) = (subtree.level / LEVELS, subtree.level % LEVELS);
    let first = subtree.index << height;
    let tile = read_tile(store, tile_level, first / WIDTH, size)?;
    let start = (first % WIDTH) as usize;
    match tile.get(start..start + (1 << height)) {
        Some(hashes) => Ok(tree::complete_root(hashes)),
        None => Err(Error::Damaged(format!("a tile of level {tile_level} is too short"))),
    }
}
