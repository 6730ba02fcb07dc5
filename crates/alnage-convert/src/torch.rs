//! PyTorch's files: the zip of today, TorchScript programs, and the stream of before 1.6.

use std::sync::Arc;

use alnage_formats::{
    container::{ZipMember, agreed_zip},
    pickle::PYTORCH_LEGACY_MAGIC,
};
use alnage_types::{Meter, Reader, Source, WindowSource};

use crate::{
    graph::{Graph, Node, Piece, Value},
    machine::{self, Machine, Setting, UnknownCalls},
    read::{Checksum, Read},
    refusal::{Refusal, malformed, shown, unsupported},
    tensor::{Place, Storage},
};

/// Whether a zip holds what PyTorch would load.
pub(crate) fn is_checkpoint(members: &[ZipMember]) -> bool {
    members.iter().any(|member| root_of(&member.name).is_some())
}

fn root_of(name: &str) -> Option<&str> {
    let root = name.strip_suffix("data.pkl")?;
    (root.is_empty() || root.ends_with('/') && root.matches('/').count() == 1).then_some(root)
}

/// Reads a zip that `torch.save` or `torch.jit.save` wrote.
pub(crate) fn zip(
    source: &Arc<dyn Source>,
    members: &[ZipMember],
    unknown: UnknownCalls,
    meter: &mut Meter,
) -> Result<Read, Refusal> {
    let roots: Vec<&str> = members.iter().filter_map(|member| root_of(&member.name)).collect();
    let &[root] = roots.as_slice() else {
        return Err(Refusal::Ambiguous("several pickles in it could be the checkpoint".to_owned()));
    };
    let find = |name: &str| members.iter().find(|member| member.name.strip_prefix(root) == Some(name));
    let is_script = find("constants.pkl").is_some();
    let Some(pickle) = find("data.pkl") else { return malformed("no `data.pkl`") };
    let pickled = open(source, pickle, meter)?;
    let mut graph = Graph::default();
    let setting = if is_script { Setting::Script } else { Setting::Torch };
    let ran = machine::run(&pickled, 0, &mut graph, setting, unknown, 0)
        .map_err(|refusal| in_member(refusal, &pickle.name))?;
    let big_endian = match find("byteorder") {
        Some(member) => small_text(source, member, meter)? == "big",
        None => false,
    };
    let mut checksums = vec![checksum(pickle)];
    for storage in &mut graph.storages {
        let Some(member) = find(&format!("data/{}", storage.key)) else {
            if storage.place.is_some() {
                continue;
            }
            return malformed(format!("the storage `{}` is not there", shown(&storage.key)));
        };
        let content = open(source, member, meter)?;
        if content.len() < storage.declared {
            return malformed(format!("the bytes end inside the storage `{}`", shown(&storage.key)));
        }
        checksums.push(checksum(member));
        let (source, start) = match member.is_stored() {
            true => (source.clone(), member.data.start),
            false => (content.clone(), 0),
        };
        storage.place = Some(Place { source, start, len: content.len(), big_endian });
    }
    let mut read = Read::new("pytorch", "pt", pickled, graph, ran.root);
    read.checksums = checksums.into_iter().flatten().collect();
    let other = |start: &str| members.iter().filter(|member| below(member, root, start)).count();
    if is_script {
        read.format = "torchscript";
        read.leave_out(other("code/"), "source files of the program");
        read.leave_out(other("constants/"), "constants of the program");
    }
    read.leave_out(usize::from(find("bytecode.pkl").is_some()), "bytecode of the program");
    read.leave_out(other("extra/"), "extra files");
    Ok(read)
}

fn below(member: &ZipMember, root: &str, folder: &str) -> bool {
    member.name.strip_prefix(root).is_some_and(|name| name.starts_with(folder)) && member.size > 0
}

fn checksum(member: &ZipMember) -> Option<Checksum> {
    member.is_stored().then(|| Checksum {
        name: member.name.clone(),
        range: member.data.clone(),
        crc32: member.crc32,
    })
}

fn open(source: &Arc<dyn Source>, member: &ZipMember, meter: &mut Meter) -> Result<Arc<dyn Source>, Refusal> {
    let opened = member.open(source, meter);
    opened.map_err(|reason| Refusal::Malformed(format!("`{}` cannot be read: {reason}", shown(&member.name))))
}

fn small_text(source: &Arc<dyn Source>, member: &ZipMember, meter: &mut Meter) -> Result<String, Refusal> {
    let content = open(source, member, meter)?;
    let bytes = Reader::new(content.as_ref()).take(content.len().min(64));
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default())
}

/// The same refusal, of a pickle inside an archive.
pub(crate) fn in_member(refusal: Refusal, name: &str) -> Refusal {
    match refusal {
        Refusal::Call { callee, effect, offset, line, .. } => {
            Refusal::Call { callee, effect, member: name.to_owned(), offset, line }
        }
        other => other,
    }
}

/// Whether the file starts with the pickle of the magic number.
pub(crate) fn is_stream(head: &[u8]) -> bool {
    let head = head.get(..32).unwrap_or(head);
    head.windows(PYTORCH_LEGACY_MAGIC.len()).any(|window| window == PYTORCH_LEGACY_MAGIC)
}

fn is_magic(graph: &Graph, source: &dyn Source, value: Value) -> bool {
    let Value::Long(piece) = value else { return false };
    graph.bytes(source, piece, 16).is_some_and(|bytes| bytes == PYTORCH_LEGACY_MAGIC)
}

/// Reads what `torch.save` wrote before 1.6: five pickles, and the storages behind them.
pub(crate) fn stream(source: &Arc<dyn Source>, unknown: UnknownCalls) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let mut at = 0;
    let mut roots = Vec::new();
    for part in 0..5 {
        let setting = if part == 3 { Setting::Torch } else { Setting::Alone };
        let ran = machine::run(source, at, &mut graph, setting, unknown, 0)?;
        roots.push(ran.root);
        at = ran.end;
    }
    let &[magic, protocol, system, root, keys] = roots.as_slice() else {
        return malformed("not five pickles");
    };
    if !is_magic(&graph, source.as_ref(), magic) || protocol != Value::Int(1001) {
        return unsupported("a version of PyTorch's stream that is not known");
    }
    let big_endian = graph.pairs(system).unwrap_or_default().iter().any(|(key, value)| {
        *value == Value::Bool(false)
            && graph.text(source.as_ref(), *key, 32).as_deref() == Some("little_endian")
    });
    let Some(keys) = graph.items(keys).map(<[Value]>::to_vec) else {
        return malformed("the list of storages is no list");
    };
    for key in keys {
        let Some(key) = graph.text(source.as_ref(), key, 4096) else {
            return malformed("a storage's key is no text");
        };
        let Some(storage) = graph.storages.iter_mut().find(|storage| storage.key == key) else {
            return malformed("the list of storages has one that no tensor names");
        };
        at = place_storage(source, at, storage, big_endian)?;
    }
    if let Some(storage) = graph.storages.iter().find(|storage| storage.place.is_none()) {
        return malformed(format!("the storage `{}` is not there", shown(&storage.key)));
    }
    let mut read = Read::new("pytorch-legacy", "pt", source.clone(), graph, root);
    read.leave_out_bytes(source.len().saturating_sub(at), "behind the last storage");
    Ok(read)
}

/// Notes where the bytes of the storage at `at` are; gives where they end.
pub(crate) fn place_storage(
    source: &Arc<dyn Source>,
    at: u64,
    storage: &mut Storage,
    big_endian: bool,
) -> Result<u64, Refusal> {
    let mut reader = Reader::at(source.as_ref(), at);
    let count = if big_endian { reader.u64be() } else { reader.u64le() };
    let len = count.ok().and_then(|count| count.checked_mul(storage.item));
    if len != Some(storage.declared) {
        return malformed(format!("the storage `{}` has two lengths", shown(&storage.key)));
    }
    let start = reader.position();
    let end = start.checked_add(storage.declared).filter(|&end| end <= source.len());
    let Some(end) = end else {
        return malformed(format!("the bytes end inside the storage `{}`", shown(&storage.key)));
    };
    storage.place = Some(Place { source: source.clone(), start, len: storage.declared, big_endian });
    Ok(end)
}

/// The storage that a whole PyTorch file in the bytes of a pickle holds.
pub(crate) fn storage_in(machine: &mut Machine<'_>, piece: u32) -> Result<Value, Refusal> {
    let Some(Piece::At(range)) = machine.graph.pieces.get(piece as usize).cloned() else {
        return unsupported("a storage inside bytes that are made while loading");
    };
    let window = WindowSource::new(machine.source.clone(), range.start, range.end - range.start);
    let inner: Arc<dyn Source> = Arc::new(window);
    let read = match agreed_zip(inner.as_ref()) {
        Ok(members) if is_checkpoint(&members) => {
            zip(&inner, &members, machine.unknown, &mut Meter::new(Default::default()))?
        }
        _ => stream(&inner, machine.unknown)?,
    };
    let Some(&Node::Storage { storage, start, element }) = read.graph.get(read.root) else {
        return unsupported("a PyTorch file inside a pickle that is more than a storage");
    };
    let Some(storage) = read.graph.storages.get(storage as usize).cloned() else {
        return malformed("a storage that is not there");
    };
    let storage = machine.graph.add_storage(storage)?;
    machine.graph.node(Node::Storage { storage, start, element })
}
