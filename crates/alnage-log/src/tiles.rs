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

/// How many hashes the tile `index` of `level` has in a log of `size` entries.
pub(crate) fn tile_width(level: u32, index: u64, size: u64) -> u64 {
    let hashes = size.checked_shr(level * LEVELS).unwrap_or(0);
    hashes.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH)
}

/// Reads an object that must be there: a partial one may have been replaced by the full one since.
fn read(store: &dyn Store, name: impl Fn(u64) -> String, width: u64) -> Result<Vec<u8>, Error> {
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
    let hashes: Vec<Digest> =
        bytes.as_chunks::<32>().0.iter().map(|&hash| Digest::from_bytes(hash)).collect();
    let whole = bytes.len() % 32 == 0 && hashes.len() as u64 >= width;
    if !whole || hashes.len() as u64 > WIDTH {
        let name = tile_name(level, index, width);
        return Err(Error::Damaged(format!("`{name}` has {} bytes instead of {}", bytes.len(), width * 32)));
    }
    Ok(hashes.into_iter().take(width as usize).collect())
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
    let mut rest = bytes.as_slice();
    let mut entries = Vec::new();
    while (entries.len() as u64) < width {
        let Some((entry, after)) = rest
            .split_first_chunk()
            .and_then(|(length, after)| after.split_at_checked(u16::from_be_bytes(*length).into()))
        else {
            let name = bundle_name(index, width);
            return Err(Error::Damaged(format!("`{name}` ends after {} entries of {width}", entries.len())));
        };
        entries.push(entry.to_vec());
        rest = after;
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
