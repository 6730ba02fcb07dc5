//! Finds out what a source is, and reads its tensors and what else it says.

use std::{ops::Range, sync::Arc};

use alnage_formats::{
    Probe,
    container::{agreed_tar, agreed_zip, unpacked},
    formats, parse_as,
};
use alnage_types::{ArtifactPath, Budget, Meter, Reader, Source};

use crate::{
    flax,
    graph::{Graph, Value},
    keras,
    machine::{self, Setting, UnknownCalls},
    npy,
    refusal::{Refusal, unsupported},
    torch, torch_tar,
};

/// A source that was read: the graph of what loading it would make.
pub(crate) struct Read {
    /// What it is: `pytorch`, `torchscript`, `keras-hdf5`.
    pub(crate) format: &'static str,
    /// What loaders expect in the metadata of safetensors: `pt`.
    pub(crate) framework: &'static str,
    /// What texts and bytes of the graph are ranges of.
    pub(crate) source: Arc<dyn Source>,
    pub(crate) graph: Graph,
    pub(crate) root: Value,
    /// What is in the source and not in the graph.
    pub(crate) left_out: Vec<String>,
    pub(crate) checksums: Vec<Checksum>,
}

/// Bytes of the source, and the CRC-32 that it gives for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// What they are the content of.
    pub name: String,
    /// Where they are.
    pub range: Range<u64>,
    /// What it should be.
    pub crc32: u32,
}

impl Read {
    pub(crate) fn new(
        format: &'static str,
        framework: &'static str,
        source: Arc<dyn Source>,
        graph: Graph,
        root: Value,
    ) -> Self {
        Self { format, framework, source, graph, root, left_out: Vec::new(), checksums: Vec::new() }
    }

    pub(crate) fn leave_out(&mut self, count: usize, what: &str) {
        if count > 0 {
            self.left_out.push(format!("{count} {what}"));
        }
    }

    pub(crate) fn leave_out_bytes(&mut self, count: u64, place: &str) {
        if count > 0 {
            self.left_out.push(format!("{count} bytes {place}"));
        }
    }
}

/// How deep a source may be packed in compressed streams.
const MAX_PACKED: u32 = 3;

/// Reads `source`, whose file is called `path`.
pub(crate) fn read(
    path: &ArtifactPath,
    source: &Arc<dyn Source>,
    unknown: UnknownCalls,
    budget: &Budget,
) -> Result<Read, Refusal> {
    let mut meter = Meter::new(budget.clone());
    let mut source = source.clone();
    for _ in 0..=MAX_PACKED {
        let (head, tail) = ends(source.as_ref())?;
        let probe = Probe::new(source.as_ref(), path, &head, &tail);
        if let Some(read) = recognised(&probe, &source, unknown, &mut meter) {
            return read.map_err(|refusal| explained(refusal, path, &source, budget));
        }
        match unpacked(&probe, &source, &mut meter) {
            Some(Ok(content)) => source = Arc::new(content),
            Some(Err(reason)) => return Err(Refusal::Malformed(format!("the compressed stream: {reason}"))),
            None => return Err(Refusal::Nothing("it is no checkpoint that is known".to_owned())),
        }
    }
    Err(Refusal::Limit("max-depth"))
}

fn ends(source: &dyn Source) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let take = |at: u64, count: u64| {
        let bytes = Reader::at(source, at).take(count).map(|bytes| bytes.into_owned());
        bytes.map_err(|_| Refusal::Unreadable("its ends".to_owned()))
    };
    let len = source.len();
    let tail = len.min(Probe::TAIL as u64);
    Ok((take(0, len.min(Probe::HEAD as u64))?, take(len - tail, tail)?))
}

/// What the bytes are, by content; `None` when they are nothing that holds tensors.
fn recognised(
    probe: &Probe<'_>,
    source: &Arc<dyn Source>,
    unknown: UnknownCalls,
    meter: &mut Meter,
) -> Option<Result<Read, Refusal>> {
    let is = |id: &str| formats().any(|format| format.id == id && (format.identify)(probe));
    if is("zip") {
        return Some(match agreed_zip(source.as_ref()) {
            Err(reason) => Err(Refusal::Ambiguous(reason)),
            Ok(members) if torch::is_checkpoint(&members) => torch::zip(source, &members, unknown, meter),
            Ok(members) if npy::is_archive(&members) => npy::archive(source, &members, unknown, meter),
            Ok(members) => keras::zip(source, &members, meter),
        });
    }
    if is("tar") {
        let members = agreed_tar(source.as_ref()).unwrap_or_default();
        return Some(match torch_tar::is_checkpoint(&members) {
            true => torch_tar::read(source, &members, unknown),
            false => unsupported("a tar that PyTorch did not write, or that is damaged"),
        });
    }
    if probe.starts_with(b"\x93NUMPY") {
        return Some(npy::file(source, unknown));
    }
    if is("hdf5") {
        return Some(keras::hdf5(source, meter));
    }
    if torch::is_stream(probe.head) {
        return Some(torch::stream(source, unknown));
    }
    if is("flax-msgpack") {
        return Some(flax::read(source));
    }
    is("pickle").then(|| pickle(source, unknown))
}

/// A pickle alone: joblib's, NumPy's, or anybody's.
fn pickle(source: &Arc<dyn Source>, unknown: UnknownCalls) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let ran = machine::run(source, 0, &mut graph, Setting::Alone, unknown, 0)?;
    let mut read = Read::new("pickle", "np", source.clone(), graph, ran.root);
    read.leave_out_bytes(source.len().saturating_sub(ran.end), "behind the pickle");
    Ok(read)
}

/// Adds to the refusal of a call what the call looks like as Python, as `alnage vet` reconstructs it.
fn explained(refusal: Refusal, path: &ArtifactPath, source: &Arc<dyn Source>, budget: &Budget) -> Refusal {
    let Refusal::Call { callee, effect, member, offset, line } = refusal else { return refusal };
    let line = reconstructed(path, source, &member, offset, budget).unwrap_or(line);
    Refusal::Call { callee, effect, member, offset, line }
}

fn reconstructed(
    path: &ArtifactPath,
    source: &Arc<dyn Source>,
    member: &str,
    offset: u64,
    budget: &Budget,
) -> Option<String> {
    let pickled: Arc<dyn Source> = if member.is_empty() {
        source.clone()
    } else {
        let members = agreed_zip(source.as_ref()).ok()?;
        let found = members.into_iter().find(|candidate| candidate.name == member)?;
        found.open(source, &mut Meter::new(budget.clone())).ok()?
    };
    let format = formats().find(|format| format.id == "pickle")?;
    let analysis = parse_as(format, path, &pickled, budget);
    let facts = analysis.artifacts.into_iter().find_map(|artifact| match artifact.facts {
        alnage_formats::Facts::Pickle(facts) => Some(facts),
        _ => None,
    })?;
    facts.calls.into_iter().find(|call| call.offset == offset).map(|call| call.line)
}
