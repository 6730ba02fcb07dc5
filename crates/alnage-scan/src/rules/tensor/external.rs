//! Where the external data of an ONNX tensor really is.

use std::collections::BTreeSet;

use alnage_formats::{Artifact, EntryKind, Model, tensor::onnx::ExternalTensor};

use super::onnx;

/// What stands where a tensor says its bytes are.
pub(in crate::rules) enum Found<'a> {
    /// Nothing.
    Missing,
    /// A file of this size.
    File(u64),
    /// A link out of the model.
    LinkOutside(&'a str),
    /// A device, pipe or socket.
    Special,
    /// It cannot be said, or the name itself is the finding.
    Elsewhere,
}

/// One tensor for each file that a model's tensors lie in.
pub(super) fn external_by_file(model: &Model) -> impl Iterator<Item = (&Artifact, &ExternalTensor)> {
    onnx(model).flat_map(|(artifact, facts)| {
        let mut seen = BTreeSet::new();
        facts
            .external
            .iter()
            .filter(move |tensor| seen.insert(tensor.location.as_str()))
            .map(move |tensor| (artifact, tensor))
    })
}

/// How a location leaves the model's folder, in words that go on from "whose name".
pub(in crate::rules) fn escape(location: &str) -> Option<&'static str> {
    if location.contains('\0') {
        return Some("holds a null character");
    }
    if location.contains("_ORT_MEM_ADDR_") {
        return Some("is an address in the runtime's memory");
    }
    if location.contains("://") {
        return Some("is a URL");
    }
    let drive =
        location.as_bytes().get(..2).is_some_and(|head| head[0].is_ascii_alphabetic() && head[1] == b':');
    if drive || location.starts_with(['/', '\\', '~']) {
        return Some("is absolute");
    }
    let mut depth = 0_i64;
    for component in location.split(['/', '\\']) {
        match component {
            ".." => depth -= 1,
            "" | "." => {}
            _ => depth += 1,
        }
        if depth < 0 {
            return Some("climbs out of the model's folder");
        }
    }
    None
}

/// What stands at `location`, seen from the model file.
pub(in crate::rules) fn find<'a>(model: &'a Model, artifact: &Artifact, location: &str) -> Found<'a> {
    if escape(location).is_some() || model.tree.is_empty() {
        return Found::Elsewhere;
    }
    let path = artifact.path.as_str();
    let (container, inner) =
        path.rsplit_once("!/").map_or(("", path), |(outer, inner)| (&path[..outer.len() + 2], inner));
    let folder = inner.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut components: Vec<&str> = folder.split('/').filter(|component| !component.is_empty()).collect();
    for component in location.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    let wanted = format!("{container}{}", components.join("/"));
    if location.is_empty() {
        return Found::Missing;
    }
    if !container.is_empty() {
        let member = model.artifacts.iter().find(|artifact| artifact.path.as_str() == wanted);
        return member.map_or(Found::Missing, |member| Found::File(member.size));
    }
    let Some(entry) = model.tree.iter().find(|entry| entry.path.as_str() == wanted) else {
        return Found::Missing;
    };
    match &entry.kind {
        EntryKind::File | EntryKind::SymlinkInside { .. } => {
            let read = model.artifacts.iter().find(|artifact| artifact.path == entry.path);
            Found::File(read.map_or(entry.size, |artifact| artifact.size))
        }
        EntryKind::SymlinkOutside { target } => Found::LinkOutside(target),
        EntryKind::SymlinkBroken { .. } => Found::Missing,
        EntryKind::Special => Found::Special,
    }
}

/// Why a tensor's range does not lie in a file of `size` bytes.
pub(super) fn range_problem(tensor: &ExternalTensor, size: u64) -> Option<String> {
    let number = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => {
            text.trim().parse::<u64>().map(Some).map_err(|_| format!("has the offset or length {text:?}"))
        }
    };
    let (offset, length) = match (number(&tensor.offset), number(&tensor.length)) {
        (Ok(offset), Ok(length)) => (offset.unwrap_or(0), length.or(tensor.needed).unwrap_or(0)),
        (Err(problem), _) | (_, Err(problem)) => return Some(problem),
    };
    match offset.checked_add(length) {
        Some(end) if end <= size => None,
        _ => Some(format!("takes {length} bytes at {offset} of a file of {size}")),
    }
}
