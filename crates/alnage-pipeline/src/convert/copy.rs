//! A directory: every checkpoint is converted, what stands beside it as plain data is copied, the rest is named.

use std::{collections::BTreeMap, path::Path};

use alnage_convert::Refusal;
use alnage_fs::{NewFile, Tree, TreeFile, create_dir};
use serde_json::Value;

use super::{Conversion, Converting, Names, at, names::stem_of, one};
use crate::{Error, Progress};

/// Extensions of files that may be checkpoints.
const CHECKPOINTS: &[&str] = &[
    "pt", "pth", "bin", "ckpt", "pkl", "pickle", "joblib", "npy", "npz", "msgpack", "jit", "ptl", "h5",
    "hdf5", "keras", "th", "tar",
];
/// Extensions of files that are plain data.
const DATA: &[&str] = &[
    "json",
    "jsonl",
    "txt",
    "md",
    "rst",
    "yaml",
    "yml",
    "toml",
    "cfg",
    "ini",
    "csv",
    "tsv",
    "model",
    "tiktoken",
    "jinja",
    "bpe",
    "vocab",
    "merges",
    "safetensors",
    "png",
    "jpg",
    "jpeg",
    "svg",
    "gif",
];
const DATA_NAMES: &[&str] = &["LICENSE", "LICENCE", "NOTICE", "README", "COPYING", "USE_POLICY"];
/// The longest file that is copied.
const MAX_COPIED: u64 = 64 << 30;
/// The longest index that is read.
const MAX_INDEX: u64 = 64 << 20;

pub(super) fn directory(
    request: &Converting<'_>,
    tree: &Tree,
    progress: &dyn Progress,
    conversion: &mut Conversion,
) -> Result<(), Error> {
    create_dir(request.output)?;
    progress.expect(tree.files.iter().map(|file| file.size).sum());
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    for file in &tree.files {
        let Some(name) = file.name.clone() else {
            conversion.left_behind.push((file.path.as_str().to_owned(), "its name is not UTF-8".to_owned()));
            continue;
        };
        let extension =
            name.rsplit('/').next().and_then(|last| last.rsplit_once('.')).map_or("", |(_, end)| end);
        let extension = extension.to_lowercase();
        let base = name.rsplit('/').next().unwrap_or_default();
        let output = converted_name(&name);
        if CHECKPOINTS.contains(&extension.as_str()) {
            if let Some(other) = used.insert(output.clone(), name.clone()) {
                let reason = format!("`{other}` is converted under the same name");
                conversion.left_behind.push((name, reason));
                continue;
            }
            let names = Names::of_file(&request.output.join(&output));
            let before = conversion.refused.len();
            one(request, tree, file, &names, progress, conversion)?;
            demote(conversion, before);
        } else if name.ends_with(".bin.index.json") {
            index(request, tree, file, &name, conversion)?;
        } else if DATA.contains(&extension.as_str()) || DATA_NAMES.contains(&base) {
            if used.insert(name.clone(), name.clone()).is_some() {
                conversion.left_behind.push((name, "a converted file has its name".to_owned()));
                continue;
            }
            copy(request, tree, file, &name)?;
            progress.advance(file.size);
            conversion.copied.push(name);
        } else {
            let reason = "neither a checkpoint nor plain data by its name".to_owned();
            conversion.left_behind.push((name, reason));
        }
    }
    Ok(())
}

/// A file that only might have been a checkpoint, and is none, is left behind like any other.
fn demote(conversion: &mut Conversion, before: usize) {
    if conversion.refused.len() > before
        && let Some((name, Refusal::Nothing(reason))) =
            conversion.refused.pop_if(|(_, refusal)| matches!(refusal, Refusal::Nothing(_)))
    {
        conversion.left_behind.push((name, reason));
    }
}

fn converted_name(name: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, base)) => format!("{folder}/{}.safetensors", stem_of(base)),
        None => format!("{}.safetensors", stem_of(name)),
    }
}

/// The index over shards names files that are called otherwise now.
fn index(
    request: &Converting<'_>,
    tree: &Tree,
    file: &TreeFile,
    name: &str,
    conversion: &mut Conversion,
) -> Result<(), Error> {
    let content = tree.read(file, false, &|_| {}).map_err(|source| at(request.source, source))?;
    let bytes = alnage_types::Reader::new(content.source.as_ref()).take(file.size.min(MAX_INDEX));
    let parsed = bytes.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(mut parsed) = parsed else {
        conversion.left_behind.push((name.to_owned(), "it is no index".to_owned()));
        return Ok(());
    };
    if let Some(map) = parsed.get_mut("weight_map").and_then(Value::as_object_mut) {
        for (_, file) in map.iter_mut() {
            if let Some(known) = file.as_str() {
                *file = Value::from(converted_name(known));
            }
        }
    }
    let folder = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let base = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".bin.index.json");
    let renamed = format!("{folder}{}.safetensors.index.json", stem_of(&format!("{base}.bin")));
    let mut new = begin(&request.output.join(&renamed))?;
    new.write(format!("{parsed:#}\n").as_bytes())?;
    new.finish(request.existing)?;
    conversion.copied.push(renamed);
    Ok(())
}

fn begin(path: &Path) -> Result<NewFile, Error> {
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    Ok(NewFile::begin(path)?)
}

fn copy(request: &Converting<'_>, tree: &Tree, file: &TreeFile, name: &str) -> Result<(), Error> {
    const PIECE: usize = 1 << 20;
    let content = tree.read(file, false, &|_| {}).map_err(|source| at(request.source, source))?;
    let mut new = begin(&request.output.join(name))?;
    let mut buffer = alnage_types::Buffer::new(PIECE);
    let (mut offset, end) = (0, content.source.len().min(MAX_COPIED));
    while offset < end {
        let count =
            content.source.read_at(offset, &mut buffer).map_err(|source| at(request.source, source))?;
        if count == 0 {
            break;
        }
        new.write(buffer.get(..count).unwrap_or_default())?;
        offset += count as u64;
    }
    Ok(new.finish(request.existing)?)
}
