//! Appends to a log, proves what is in it, and audits all of it.

use alnage_types::Digest;

use crate::{
    Checkpoint, Entry, Error, LogKey, LogVerifier, Receipt, Store, empty_root, leaf_hash,
    tiles::{self, WIDTH},
    tree,
};

/// The object that says what the log's state is; everything it does not cover does not exist yet.
const CHECKPOINT: &str = "checkpoint";

/// The log's state; `None` when nothing was ever appended.
pub fn current(store: &dyn Store, verifier: &LogVerifier) -> Result<Option<Checkpoint>, Error> {
    let Some(text) = checkpoint_text(store)? else {
        return Ok(None);
    };
    Checkpoint::open(&text, verifier).map(Some)
}

fn checkpoint_text(store: &dyn Store) -> Result<Option<String>, Error> {
    let bytes = store.read(CHECKPOINT).map_err(|source| Error::Store { name: CHECKPOINT.into(), source })?;
    bytes
        .map(|bytes| {
            String::from_utf8(bytes).map_err(|_| Error::Damaged("the checkpoint is not text".into()))
        })
        .transpose()
}

/// Appends an entry; the receipt proves it.
///
/// Objects are written before the checkpoint that covers them, so a crash leaves the log as it was, with objects
/// that the next append writes over. The right edge of the tree is verified first: a log that was tampered with
/// there does not grow on.
pub fn append(store: &mut dyn Store, key: &LogKey, entry: &Entry) -> Result<Receipt, Error> {
    let bytes = entry.to_bytes()?;
    let size = match current(store, key.verifier())? {
        Some(checkpoint) => {
            if tiles::range_hash(store, 0, checkpoint.size, checkpoint.size)? != checkpoint.root {
                return Err(Error::Damaged("its tiles do not lead to the root of its checkpoint".into()));
            }
            checkpoint.size
        }
        None => 0,
    };
    write_entry(store, size, bytes.clone())?;
    write_hashes(store, size, leaf_hash(&bytes))?;
    let grown = size + 1;
    let root = tiles::range_hash(store, 0, grown, grown)?;
    let checkpoint = Checkpoint::seal(grown, root, key);
    let proof = prove_inclusion(store, size, grown)?;
    write(store, CHECKPOINT.into(), checkpoint.as_bytes())?;
    Ok(Receipt { entry: bytes, index: size, proof, checkpoint })
}

fn write(store: &mut dyn Store, name: String, bytes: &[u8]) -> Result<(), Error> {
    store.write(&name, bytes).map_err(|source| Error::Store { name, source })
}

fn write_entry(store: &mut dyn Store, size: u64, entry: Vec<u8>) -> Result<(), Error> {
    let bundle = size / WIDTH;
    let mut entries = tiles::read_bundle(store, bundle, size)?;
    entries.push(entry);
    write(store, tiles::bundle_name(bundle, entries.len() as u64), &tiles::bundle_bytes(&entries))
}

/// Adds a leaf's hash to its tile, and the hash of each tile that it fills to the tile above.
pub(crate) fn write_hashes(store: &mut dyn Store, size: u64, leaf: Digest) -> Result<(), Error> {
    let mut hash = leaf;
    for level in 0.. {
        let position = size.checked_shr(level * 8).unwrap_or(0);
        let mut hashes = tiles::read_tile(store, level, position / WIDTH, size)?;
        hashes.push(hash);
        let width = hashes.len() as u64;
        write(store, tiles::tile_name(level, position / WIDTH, width), &tiles::tile_bytes(&hashes))?;
        if width < WIDTH {
            break;
        }
        hash = tree::complete_root(&hashes);
    }
    Ok(())
}

/// A receipt for an entry that is in the log already, under the log's newest checkpoint.
pub fn receipt_for(store: &dyn Store, verifier: &LogVerifier, index: u64) -> Result<Receipt, Error> {
    let checkpoint = checkpoint_text(store)?.ok_or(Error::NoSuchEntry { index, size: 0 })?;
    let size = Checkpoint::open(&checkpoint, verifier)?.size;
    let proof = prove_inclusion(store, index, size)?;
    let entries = tiles::read_bundle(store, index / WIDTH, size)?;
    let entry = entries.into_iter().nth((index % WIDTH) as usize);
    let entry = entry.ok_or(Error::NoSuchEntry { index, size })?;
    Ok(Receipt { entry, index, proof, checkpoint })
}

/// The inclusion proof of an entry, from the leaf's sibling up (RFC 6962, 2.1.1).
pub(crate) fn prove_inclusion(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
    if index >= size {
        return Err(Error::NoSuchEntry { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + tree::split(end - start);
        if index < middle {
            proof.push(tiles::range_hash(store, middle, end, size)?);
            end = middle;
        } else {
            proof.push(tiles::range_hash(store, start, middle, size)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the log of `new_size` entries begins with the log of `old_size` entries (RFC 6962, 2.1.2). The
/// log at hand has at least `new_size` entries.
pub fn prove_consistency(store: &dyn Store, old_size: u64, new_size: u64) -> Result<Vec<Digest>, Error> {
    if old_size > new_size {
        return Err(Error::NoSuchEntry { index: old_size, size: new_size });
    }
    let mut proof = Vec::new();
    if old_size == 0 || old_size == new_size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new_size);
    while end != old_size {
        let middle = start + tree::split(end - start);
        if old_size <= middle {
            proof.push(tiles::range_hash(store, middle, end, new_size)?);
            end = middle;
        } else {
            proof.push(tiles::range_hash(store, start, middle, new_size)?);
            start = middle;
        }
    }
    // A subtree from the first leaf on is the old log itself, whose root is known.
    if start != 0 {
        proof.push(tiles::range_hash(store, start, end, new_size)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Recomputes every hash of the log from its entries, shows each entry to `visit`, and gives the log's state.
pub fn audit(
    store: &dyn Store,
    verifier: &LogVerifier,
    visit: &mut dyn FnMut(u64, &Entry),
) -> Result<Checkpoint, Error> {
    let Some(checkpoint) = current(store, verifier)? else {
        return Ok(Checkpoint { origin: verifier.origin().to_owned(), size: 0, root: empty_root() });
    };
    let size = checkpoint.size;
    let mut levels = Vec::new();
    for bundle in 0..size.div_ceil(WIDTH) {
        for (place, bytes) in tiles::read_bundle(store, bundle, size)?.into_iter().enumerate() {
            let index = bundle * WIDTH + place as u64;
            let entry = Entry::from_bytes(&bytes)
                .map_err(|error| Error::Damaged(format!("entry {index} is {error}")))?;
            visit(index, &entry);
            add_and_compare(store, &mut levels, leaf_hash(&bytes), size)?;
        }
    }
    for (level, (tile, hashes)) in (0..).zip(&levels) {
        compare_tile(store, level, *tile, hashes, size)?;
    }
    if tiles::range_hash(store, 0, size, size)? != checkpoint.root {
        return Err(Error::Damaged("its entries do not lead to the root of its checkpoint".into()));
    }
    Ok(checkpoint)
}

/// The hashes of the tile that is being filled at each level, and that tile's index.
type Levels = Vec<(u64, Vec<Digest>)>;

fn add_and_compare(store: &dyn Store, levels: &mut Levels, leaf: Digest, size: u64) -> Result<(), Error> {
    let mut hash = leaf;
    for level in 0.. {
        if levels.len() == level {
            levels.push((0, Vec::new()));
        }
        let Some((tile, hashes)) = levels.get_mut(level) else { break };
        hashes.push(hash);
        if (hashes.len() as u64) < WIDTH {
            break;
        }
        compare_tile(store, level as u32, *tile, hashes, size)?;
        hash = tree::complete_root(hashes);
        hashes.clear();
        *tile += 1;
    }
    Ok(())
}

fn compare_tile(store: &dyn Store, level: u32, tile: u64, hashes: &[Digest], size: u64) -> Result<(), Error> {
    if tiles::read_tile(store, level, tile, size)? == hashes {
        return Ok(());
    }
    let name = tiles::tile_name(level, tile, hashes.len() as u64);
    Err(Error::Damaged(format!("`{name}` does not follow from the entries")))
}
