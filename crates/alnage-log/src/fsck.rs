//! Checks everything a log consists of, and names the place of whatever is wrong.

use std::{collections::BTreeSet, fmt};

use alnage_types::Digest;

use crate::{
    Checkpoint, Entry, Error, LogVerifier, Store, empty_root,
    frontier::root_of_edges,
    leaf_hash,
    log::{self, CHECKPOINT},
    tiles::{self, Named, WIDTH},
    tree,
};

/// Something wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the object.
    pub place: String,
    /// What is wrong with it.
    pub message: String,
    /// How bad that is.
    pub weight: Weight,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The log is not what was signed, or part of it is gone.
    Damage,
    /// The log is whole, and something lies about that is no part of it, as after an append that was interrupted.
    Leftover,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.place.escape_debug(), self.message)
    }
}

/// Recomputes every hash of the log from its entries, shows each entry to `visit`, and gives the log's state. The
/// first damage is an error.
pub fn audit(
    store: &dyn Store,
    verifier: &LogVerifier,
    visit: &mut dyn FnMut(u64, &Entry),
) -> Result<Checkpoint, Error> {
    let mut first = None;
    let state = fsck(store, verifier, visit, &mut |problem| {
        if problem.weight == Weight::Damage {
            first.get_or_insert(problem);
        }
    })?;
    match (first, state) {
        (Some(problem), _) => Err(Error::Damaged(problem.to_string())),
        (None, Some(checkpoint)) => Ok(checkpoint),
        (None, None) => Ok(Checkpoint { origin: verifier.origin().to_owned(), size: 0, root: empty_root() }),
    }
}

/// Checks everything, shows each sound entry to `visit` and each problem to `report`. Gives the signed state; `None`
/// when there is none, or when it cannot be believed.
pub fn fsck(
    store: &dyn Store,
    verifier: &LogVerifier,
    visit: &mut dyn FnMut(u64, &Entry),
    report: &mut dyn FnMut(Problem),
) -> Result<Option<Checkpoint>, Error> {
    let names = store.names().map_err(|source| Error::Store { name: "tile".into(), source })?;
    let mut check = Check { store, report, present: BTreeSet::new(), damaged: BTreeSet::new(), size: 0 };
    let mut strangers = Vec::new();
    for name in names {
        match Named::parse(&name) {
            Some(named) => drop(check.present.insert(named)),
            None if name.starts_with("tile/") => strangers.push(name),
            None => {}
        }
    }
    let state = match log::current(store, verifier) {
        Ok(state) => state,
        Err(Error::Store { name, source }) => return Err(Error::Store { name, source }),
        Err(error) => {
            check.damage(CHECKPOINT, format!("cannot be believed: {error}"));
            return Ok(None);
        }
    };
    let Some(checkpoint) = state else {
        if let Some(named) = check.present.first() {
            let name = named.name();
            check.damage(CHECKPOINT, format!("is missing, and there is `{name}`"));
        }
        return Ok(None);
    };
    check.size = checkpoint.size;
    check.everything(&checkpoint, visit)?;
    for name in strangers {
        check.leftover(&name, "is no part of a log");
    }
    Ok(Some(checkpoint))
}

struct Check<'a> {
    store: &'a dyn Store,
    report: &'a mut dyn FnMut(Problem),
    /// The tiles and bundles there are.
    present: BTreeSet<Named>,
    damaged: BTreeSet<String>,
    size: u64,
}

impl Check<'_> {
    fn damage(&mut self, place: &str, message: impl Into<String>) {
        self.damaged.insert(place.to_owned());
        let problem = Problem { place: place.into(), message: message.into(), weight: Weight::Damage };
        (self.report)(problem);
    }

    fn leftover(&mut self, place: &str, message: impl Into<String>) {
        let problem = Problem { place: place.into(), message: message.into(), weight: Weight::Leftover };
        (self.report)(problem);
    }

    fn read(&self, named: Named) -> Result<Option<Vec<u8>>, Error> {
        let name = named.name();
        self.store.read(&name).map_err(|source| Error::Store { name, source })
    }

    fn read_or_full(&self, named: Named) -> Result<Option<Vec<u8>>, Error> {
        match self.read(named)? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.read(Named { width: WIDTH, ..named }),
        }
    }

    /// How many objects of a level can be looked at: the last one there is bounds the work, whatever the checkpoint
    /// says. What is missing behind it is told in one sentence.
    fn bound(&mut self, level: Option<u32>, needed: u64) -> u64 {
        let of_level = self.present.iter().filter(|named| named.level == level);
        let there = of_level.map(|named| named.index.saturating_add(1)).max().unwrap_or(0);
        if there < needed {
            let first = tiles_name(level, there, self.size);
            self.damage(&first, format!("is missing, and so are all of {} after it", needed - there - 1));
        }
        there.min(needed)
    }

    fn everything(
        &mut self,
        checkpoint: &Checkpoint,
        visit: &mut dyn FnMut(u64, &Entry),
    ) -> Result<(), Error> {
        let count = self.size.div_ceil(WIDTH);
        let bundles = self.bound(None, count);
        let leaf_tiles = self.bound(Some(0), count);
        let mut edges: Vec<Vec<Option<Digest>>> = Vec::new();
        let mut stored_edge = None;
        let mut roots = Vec::new();
        for index in 0..bundles.max(leaf_tiles) {
            let width = tiles::tile_width(0, index, self.size);
            let computed = if index < bundles { self.bundle(index, width, visit)? } else { Vec::new() };
            let stored = if index < leaf_tiles { self.tile(0, index, width)? } else { None };
            let parent = self.parent_hash(index)?;
            let (resolved, other) = self.resolve(index, width, computed, stored, parent);
            if width == WIDTH {
                roots.push(complete(&resolved).or(parent));
            } else {
                stored_edge = other;
                edges.push(unknown_unless(width, resolved));
            }
        }
        if edges.is_empty() {
            edges.push(unknown_unless(self.size % WIDTH, Vec::new()));
        }
        self.upper_levels(roots, &mut edges)?;
        self.root(checkpoint, &edges, stored_edge);
        self.others()
    }

    /// The entries of a bundle as hashes; none for an entry that cannot be read.
    fn bundle(
        &mut self,
        index: u64,
        width: u64,
        visit: &mut dyn FnMut(u64, &Entry),
    ) -> Result<Vec<Option<Digest>>, Error> {
        let named = Named { level: None, index, width };
        let Some(bytes) = self.read_or_full(named)? else {
            self.damage(&named.name(), "is missing");
            return Ok(Vec::new());
        };
        let entries = match tiles::parse_bundle(&bytes, width) {
            Ok(entries) => entries,
            Err(message) => {
                self.damage(&named.name(), message);
                return Ok(Vec::new());
            }
        };
        let mut hashes = Vec::with_capacity(entries.len());
        for (number, bytes) in (index * WIDTH..).zip(entries).take(usize::try_from(width).unwrap_or(0)) {
            match Entry::from_bytes(&bytes) {
                Ok(entry) => visit(number, &entry),
                Err(error) => self.damage(&named.name(), format!("holds as entry {number} what is {error}")),
            }
            hashes.push(Some(leaf_hash(&bytes)));
        }
        Ok(hashes)
    }

    fn tile(&mut self, level: u32, index: u64, width: u64) -> Result<Option<Vec<Digest>>, Error> {
        let named = Named { level: Some(level), index, width };
        let Some(bytes) = self.read_or_full(named)? else {
            self.damage(&named.name(), "is missing");
            return Ok(None);
        };
        match tiles::parse_tile(&bytes, width) {
            Ok(mut hashes) => {
                hashes.truncate(usize::try_from(width).unwrap_or(0));
                Ok(Some(hashes))
            }
            Err(message) => {
                self.damage(&named.name(), message);
                Ok(None)
            }
        }
    }

    /// What the level above says of a full tile of the lowest level.
    fn parent_hash(&self, index: u64) -> Result<Option<Digest>, Error> {
        let width = tiles::tile_width(1, index / WIDTH, self.size);
        if width <= index % WIDTH {
            return Ok(None);
        }
        let above = Named { level: Some(1), index: index / WIDTH, width };
        let Some(bytes) = self.read(above)? else { return Ok(None) };
        let hashes = tiles::parse_tile(&bytes, width).unwrap_or_default();
        Ok(hashes.get((index % WIDTH) as usize).copied())
    }

    /// Which of the entries' hashes and the tile's are believed, when they differ: those that the level above
    /// confirms. For the last tile nothing does, so the tile's are given too, to be tried with the root.
    fn resolve(
        &mut self,
        index: u64,
        width: u64,
        computed: Vec<Option<Digest>>,
        stored: Option<Vec<Digest>>,
        parent: Option<Digest>,
    ) -> (Vec<Option<Digest>>, Option<Vec<Digest>>) {
        let Some(stored) = stored else { return (computed, None) };
        let differs =
            (computed.iter().zip(&stored)).position(|(computed, stored)| *computed != Some(*stored));
        let all: Vec<Option<Digest>> = stored.iter().copied().map(Some).collect();
        let Some(at) = differs.filter(|_| !computed.is_empty()) else { return (all, None) };
        let entry = index * WIDTH + at as u64;
        let (bundle, tile) = (tiles::bundle_name(index, width), tiles::tile_name(0, index, width));
        if width < WIDTH {
            return (computed, Some(stored));
        }
        if parent.is_some() && parent == Some(tree::complete_root(&stored)) {
            self.damage(&bundle, format!("holds another entry {entry} than was logged"));
            return (all, None);
        }
        self.damage(
            &tile,
            format!("does not follow from the entries: hash {at} is not that of entry {entry}"),
        );
        (computed, None)
    }

    /// Compares every tile above the lowest level with what follows from below, level by level.
    fn upper_levels(
        &mut self,
        mut hashes: Vec<Option<Digest>>,
        edges: &mut Vec<Vec<Option<Digest>>>,
    ) -> Result<(), Error> {
        for level in 1..8 {
            let needed = tiles::hashes_at(level, self.size);
            if needed == 0 {
                break;
            }
            let count = self.bound(Some(level), needed.div_ceil(WIDTH));
            let mut above = Vec::new();
            let mut edge = Vec::new();
            for index in 0..count {
                let width = tiles::tile_width(level, index, self.size);
                let stored = self.tile(level, index, width)?;
                let start = usize::try_from(index * WIDTH).unwrap_or(usize::MAX);
                let below = |at: usize| hashes.get(start.saturating_add(at)).copied().flatten();
                let mut resolved = Vec::new();
                for at in 0..usize::try_from(width).unwrap_or(0) {
                    let said = stored.as_ref().and_then(|stored| stored.get(at)).copied();
                    let follows = below(at);
                    if let (Some(said), Some(follows)) = (said, follows)
                        && said != follows
                    {
                        let name = tiles::tile_name(level, index, width);
                        let child = tiles::tile_name(level - 1, index * WIDTH + at as u64, WIDTH);
                        self.damage(&name, format!("does not follow: hash {at} is not that of `{child}`"));
                    }
                    resolved.push(follows.or(said));
                }
                if width == WIDTH {
                    above.push(complete(&resolved));
                } else {
                    edge = resolved;
                }
            }
            edges.push(unknown_unless(needed % WIDTH, edge));
            hashes = above;
        }
        Ok(())
    }

    fn root(&mut self, checkpoint: &Checkpoint, edges: &[Vec<Option<Digest>>], stored: Option<Vec<Digest>>) {
        let known: Option<Vec<Vec<Digest>>> =
            edges.iter().map(|edge| edge.iter().copied().collect::<Option<Vec<_>>>()).collect();
        let Some(mut known) = known else { return };
        let root = root_of_edges(known.iter().map(Vec::as_slice));
        let index = self.size / WIDTH;
        let width = self.size % WIDTH;
        let (bundle, tile) = (tiles::bundle_name(index, width), tiles::tile_name(0, index, width));
        if root == checkpoint.root {
            if stored.is_some() {
                self.damage(&tile, "does not follow from the entries, which lead to the signed root");
            }
            return;
        }
        if let (Some(stored), Some(first)) = (stored, known.first_mut()) {
            let computed = std::mem::replace(first, stored);
            let differs = computed.iter().zip(&*first).position(|(computed, stored)| computed != stored);
            if root_of_edges(known.iter().map(Vec::as_slice)) == checkpoint.root {
                let entry = index * WIDTH + differs.unwrap_or(0) as u64;
                self.damage(&bundle, format!("holds another entry {entry} than was logged"));
                return;
            }
            self.damage(&tile, format!("contradicts `{bundle}`, and neither leads to the signed root"));
        }
        self.damage(CHECKPOINT, "has a root to which the entries do not lead");
    }

    /// Tiles and bundles of older states must be the beginnings of those of today; others have no place here.
    fn others(&mut self) -> Result<(), Error> {
        let names = std::mem::take(&mut self.present);
        let mut today: Option<(Named, Option<Vec<u8>>)> = None;
        for named in names {
            let width = tiles::tile_width(named.level.unwrap_or(0), named.index, self.size);
            if width == named.width {
                continue;
            }
            if width < named.width {
                self.leftover(&named.name(), "is not covered by the checkpoint");
                continue;
            }
            let now = Named { width, ..named };
            if self.damaged.contains(&now.name()) {
                continue;
            }
            if today.as_ref().is_none_or(|(name, _)| *name != now) {
                today = Some((now, self.read(now)?));
            }
            let (Some(old), Some((_, Some(new)))) = (self.read(named)?, &today) else { continue };
            let begins = match named.level {
                Some(_) => old.len() as u64 == named.width * 32 && new.starts_with(&old),
                None => tiles::parse_bundle(&old, named.width).is_ok() && new.starts_with(&old),
            };
            if !begins {
                self.damage(&named.name(), format!("is not the beginning of `{}`", now.name()));
            }
        }
        Ok(())
    }
}

/// A partial tile whose hashes are known when there are `width` of them.
fn unknown_unless(width: u64, hashes: Vec<Option<Digest>>) -> Vec<Option<Digest>> {
    if hashes.len() as u64 == width { hashes } else { vec![None] }
}

fn tiles_name(level: Option<u32>, index: u64, size: u64) -> String {
    let width = tiles::tile_width(level.unwrap_or(0), index, size).max(1);
    Named { level, index, width }.name()
}

/// The root over a full tile, when all its hashes are known.
fn complete(hashes: &[Option<Digest>]) -> Option<Digest> {
    let known: Vec<Digest> = hashes.iter().copied().collect::<Option<_>>()?;
    (known.len() as u64 == WIDTH).then(|| tree::complete_root(&known))
}
