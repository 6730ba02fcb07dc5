//! Grows a log and tells its state.

use crate::{
    Checkpoint, Entry, Error, LogKey, LogVerifier, NoteVerifier, Receipt, Store, empty_root,
    frontier::Frontier,
    leaf_hash,
    note::Note,
    prove,
    tiles::{self, WIDTH},
};

/// The object that says what the log's state is; everything it does not cover does not exist yet.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The log's state; `None` when nothing was ever appended.
pub fn current(store: &dyn Store, verifier: &LogVerifier) -> Result<Option<Checkpoint>, Error> {
    let Some(text) = checkpoint_text(store)? else {
        return Ok(None);
    };
    Checkpoint::open(&text, verifier).map(Some)
}

/// The log's newest checkpoint, signed as it is; `None` when nothing was ever appended.
pub fn checkpoint_text(store: &dyn Store) -> Result<Option<String>, Error> {
    let bytes = store.read(CHECKPOINT).map_err(|source| Error::Store { name: CHECKPOINT.into(), source })?;
    bytes
        .map(|bytes| {
            String::from_utf8(bytes).map_err(|_| Error::Damaged("the checkpoint is not text".into()))
        })
        .transpose()
}

/// Appends an entry; the receipt proves it. When this returns, the entry is there to stay.
pub fn append(store: &mut dyn Store, key: &LogKey, entry: &Entry) -> Result<Receipt, Error> {
    let index = append_all(store, key, &mut std::iter::once(Ok(entry.clone())))?.start;
    prove::receipt_for(store, key.verifier(), index)
}

/// Appends entries under one new checkpoint; gives their indices. When this returns, all of them are there to stay.
///
/// Objects are written before the checkpoint that covers them, so a crash leaves the log as it was, with objects
/// that the next append writes over. The right edge of the tree is verified first: a log that was tampered with
/// there does not grow on.
pub fn append_all(
    store: &mut dyn Store,
    key: &LogKey,
    entries: &mut dyn Iterator<Item = Result<Entry, Error>>,
) -> Result<std::ops::Range<u64>, Error> {
    let (size, root) = match current(store, key.verifier())? {
        Some(checkpoint) => (checkpoint.size, checkpoint.root),
        None => {
            // An empty state first: so objects without a checkpoint always mean that one is gone.
            write(store, CHECKPOINT, Checkpoint::seal(0, empty_root(), key)?.as_bytes())?;
            (0, empty_root())
        }
    };
    let mut frontier = Frontier::load(store, size)?;
    if frontier.root() != root {
        return Err(Error::Damaged("its tiles do not lead to the root of its checkpoint".into()));
    }
    let mut full = Vec::new();
    let mut bundle = tiles::read_bundle(store, size / WIDTH, size)?;
    let mut grown = size;
    for entry in entries {
        let bytes = entry?.to_bytes()?;
        let leaf = leaf_hash(&bytes);
        bundle.push(bytes);
        frontier.push(leaf, &mut |place, hashes| {
            let name = tiles::tile_name(place.level, place.index, WIDTH);
            write(store, &name, &tiles::tile_bytes(hashes))?;
            full.push(name);
            Ok(())
        })?;
        if bundle.len() as u64 == WIDTH {
            let name = tiles::bundle_name(grown / WIDTH, WIDTH);
            write(store, &name, &tiles::bundle_bytes(&bundle))?;
            full.push(name);
            bundle.clear();
        }
        grown = grown.checked_add(1).ok_or_else(|| Error::Malformed("the log is full".into()))?;
    }
    if grown == size {
        return Ok(size..size);
    }
    if !bundle.is_empty() {
        let name = tiles::bundle_name(grown / WIDTH, bundle.len() as u64);
        write(store, &name, &tiles::bundle_bytes(&bundle))?;
    }
    for (place, hashes) in frontier.grown() {
        let name = tiles::tile_name(place.level, place.index, hashes.len() as u64);
        write(store, &name, &tiles::tile_bytes(hashes))?;
    }
    write(store, CHECKPOINT, Checkpoint::seal(grown, frontier.root(), key)?.as_bytes())?;
    for name in full {
        // They say nothing that the full ones do not say; if they stay, nothing is lost.
        let _ = store.discard(&tiles::partial_folder(&name));
    }
    Ok(size..grown)
}

/// Puts the cosignatures among `lines` that `verifiers` verify onto the newest checkpoint; gives how many it carries
/// of these cosigners now.
pub fn add_cosignatures(
    store: &mut dyn Store,
    log: &LogVerifier,
    verifiers: &[NoteVerifier],
    lines: &str,
) -> Result<usize, Error> {
    let Some(mut checkpoint) = checkpoint_text(store)? else {
        return Err(Error::NoSuchEntry { index: 0, size: 0 });
    };
    let text = log.open(&checkpoint)?.to_owned();
    let joined = format!("{text}\n{lines}");
    let offered = Note::parse(&joined)?;
    let mut count = 0;
    for verifier in verifiers {
        if Note::parse(&checkpoint)?.verify(verifier)?.is_none() && offered.verify(verifier)?.is_some() {
            for line in offered.lines_by(verifier) {
                checkpoint.push_str(line);
                checkpoint.push('\n');
            }
        }
        count += usize::from(Note::parse(&checkpoint)?.verify(verifier)?.is_some());
    }
    write(store, CHECKPOINT, checkpoint.as_bytes())?;
    Ok(count)
}

fn write(store: &mut dyn Store, name: &str, bytes: &[u8]) -> Result<(), Error> {
    store.write(name, bytes).map_err(|source| Error::Store { name: name.to_owned(), source })
}

/// Adds a leaf that is no entry, so that tests need no bundles.
#[cfg(test)]
pub(crate) fn write_hashes(
    store: &mut dyn Store,
    size: u64,
    leaf: alnage_types::Digest,
) -> Result<(), Error> {
    let mut frontier = Frontier::load(store, size)?;
    frontier.push(leaf, &mut |place, hashes| {
        write(store, &tiles::tile_name(place.level, place.index, WIDTH), &tiles::tile_bytes(hashes))
    })?;
    for (place, hashes) in frontier.grown() {
        let name = tiles::tile_name(place.level, place.index, hashes.len() as u64);
        write(store, &name, &tiles::tile_bytes(hashes))?;
    }
    Ok(())
}
