//! HDF5 without libhdf5: the object tree, attributes, and everything that leads out of the file.
//!
//! The file is walked from the superblock's root group over a queue of object header addresses; each header is read
//! once, so that cycles end. Datasets are stepped over, never read, but for those that hold bytes of Python.

mod arrays;
mod attribute;
mod chunks;
mod dataset;
mod file;
mod group;
mod header;
mod heap;
mod index;
mod tree;

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::{IssueKind, Source};
use serde::Serialize;

use super::FrameworkFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};
pub use arrays::{Hdf5Array, Hdf5Values, hdf5_arrays};
use file::File;

pub(super) static FORMAT: Format = Format {
    id: "hdf5",
    title: "HDF5",
    extensions: &["h5", "hdf5", "hdf", "he5", "nc4"],
    load_effect: LoadEffect::MayExecute,
    reads: "groups, links, attributes, shapes and types of datasets, external links, external storage, virtual datasets, filters; configuration and pickles in attributes are handed on",
    cannot: "the values of compressed datasets",
    identify: |probe| superblock_at(probe).is_some(),
    parse,
};

/// What an HDF5 file holds and refers to.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hdf5Facts {
    /// Version of the superblock.
    pub superblock_version: u8,
    /// Bytes before the superblock.
    pub user_block: u64,
    /// How many groups were reached.
    pub groups: u64,
    /// How many datasets were reached.
    pub datasets: u64,
    /// How many attributes there are.
    pub attributes: u64,
    /// Elements of all datasets by type: `float32`.
    pub elements: BTreeMap<String, u64>,
    /// How many datasets use a filter, by filter: `deflate`.
    pub filters: BTreeMap<String, u64>,
    /// Everything that leads elsewhere, at most [`Hdf5Facts::MAX_REFERENCES`].
    pub references: Vec<Hdf5Reference>,
    /// Short text attributes of the root group: `keras_version`, `backend`.
    pub properties: BTreeMap<String, String>,
}

impl Hdf5Facts {
    /// How many references are kept.
    pub const MAX_REFERENCES: usize = 1024;
}

/// A way out of the place where it stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hdf5Reference {
    /// What it is.
    pub kind: Hdf5ReferenceKind,
    /// Path of the link or dataset in the file.
    pub path: String,
    /// The other file, for those that name one.
    pub file: Option<String>,
    /// The object it leads to, for those that name one.
    pub target: Option<String>,
    /// Byte offset of the structure that says so.
    pub offset: u64,
}

/// The ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Hdf5ReferenceKind {
    /// A path within the same file.
    SoftLink,
    /// An object of another file.
    ExternalLink,
    /// A link class that the reading program defines.
    UserDefinedLink,
    /// Raw data in another file of any kind.
    ExternalStorage,
    /// A dataset mapped from datasets of other files.
    VirtualDataset,
}

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Where the superblock is: at 0, or at 512 and its doublings behind a user block.
fn superblock_at(probe: &Probe<'_>) -> Option<u64> {
    find_superblock(probe.source)
}

fn find_superblock(source: &dyn Source) -> Option<u64> {
    let places = std::iter::once(0).chain((9..40).map(|shift| 1_u64 << shift));
    places.take_while(|&place| place < source.len()).find(|&place| {
        let mut reader = alnage_types::Reader::at(source, place);
        reader.array::<8>().is_ok_and(|bytes| bytes == *SIGNATURE)
    })
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = Hdf5Facts::default();
    let start = find_superblock(source.as_ref()).unwrap_or(0);
    facts.user_block = start;
    match File::open(source, start, &mut facts, context) {
        Ok((mut file, roots)) => walk(&mut file, roots, &mut facts, context),
        Err(end) => context.read_end(end, start, "the superblock"),
    }
    Facts::Framework(Box::new(FrameworkFacts::Hdf5(facts)))
}

/// An object still to be read: where its header is, and by which path it was first reached.
type Reached = (u64, String);

fn walk(file: &mut File<'_>, roots: Vec<Reached>, facts: &mut Hdf5Facts, context: &mut Context<'_>) {
    let mut seen = std::collections::HashSet::new();
    let mut queue = roots;
    while let Some((address, path)) = queue.pop() {
        if !seen.insert(address) {
            continue;
        }
        if let Err(limit) = context.meter().step(1) {
            return context.exhausted(limit, address);
        }
        let messages = header::read(file, address, context);
        if messages.is_empty() {
            continue;
        }
        let is_dataset = messages.iter().any(|message| message.kind == header::LAYOUT);
        let is_group = messages
            .iter()
            .any(|message| matches!(message.kind, header::SYMBOL_TABLE | header::LINK_INFO | header::LINK));
        if is_dataset {
            facts.datasets += 1;
            dataset::read(file, &path, &messages, facts, context);
        }
        if is_group {
            facts.groups += 1;
            queue.extend(group::read(file, &path, &messages, facts, context));
        }
        attribute::read(file, &path, &messages, facts, context);
        if queue.len() as u64 > context.meter().budget().max_nodes {
            context.issue(IssueKind::Budget, address, "stopped at the limit `max-nodes`");
            return;
        }
    }
}

/// Keeps a reference, and says so when there are too many.
fn refer(facts: &mut Hdf5Facts, reference: Hdf5Reference) {
    if facts.references.len() < Hdf5Facts::MAX_REFERENCES {
        facts.references.push(reference);
    }
}

fn join(path: &str, name: &str) -> String {
    // A path longer than this is a game with cycles or names; it stays readable.
    const MAX_PATH: usize = 1024;
    super::text::short(&if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }, MAX_PATH)
}

#[cfg(test)]
mod tests;
