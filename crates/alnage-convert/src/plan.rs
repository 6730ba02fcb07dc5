//! Which tensor is written where: the files, their headers, and the index over several.

use std::{collections::BTreeMap, io};

use alnage_formats::tensor::safetensors::leads_out;
use serde_json::{Map, Value as Json, json};

use crate::{
    Options,
    gather::gather,
    harvest::{self, Harvest},
    read::{Checksum, Read},
    refusal::{Refusal, malformed, shown},
    state,
    tensor::Tensor,
};

/// A conversion that is ready to be written.
pub struct Plan {
    read: Read,
    harvest: Harvest,
    /// The files with tensors; one unless they are limited in size.
    pub files: Vec<TensorFile>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("format", &self.read.format)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// One file of safetensors.
#[derive(Debug)]
pub struct TensorFile {
    /// Its tensors in the order in which they are written.
    pub tensors: Vec<Planned>,
    header: Vec<u8>,
    data: u64,
}

/// A tensor with its place in its file.
#[derive(Debug)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What it is a view of.
    pub tensor: Tensor,
    /// Its first byte, behind the header.
    pub offset: u64,
}

/// Bytes that views may repeat before it matters how often: 16 MiB.
const FREE_EXPANSION: u64 = 16 << 20;

impl Plan {
    pub(crate) fn new(mut read: Read, options: &Options) -> Result<Self, Refusal> {
        let harvest = harvest::harvest(&read)?;
        if harvest.tensors.is_empty() {
            return Err(Refusal::Nothing("there are no tensors in it".to_owned()));
        }
        let own = std::mem::take(&mut read.graph.left_out);
        read.left_out.extend(own);
        refuse_expansion(&read, &harvest, options)?;
        let aliases = harvest.aliases.iter().map(|(name, _)| name);
        let mut names = harvest.tensors.iter().map(|(name, _)| name).chain(aliases);
        if let Some(name) = names.find(|name| leads_out(name)) {
            return malformed(format!("the name of the tensor `{}` is a path out of a folder", shown(name)));
        }
        let mut all = Vec::new();
        for (name, index) in &harvest.tensors {
            let Some(tensor) = read.graph.tensors.get(*index as usize) else {
                return malformed("no such tensor");
            };
            all.push((name.clone(), tensor.clone()));
        }
        if options.copy_aliases {
            for (name, target) in &harvest.aliases {
                let known = all.iter().find(|(name, _)| name == target).map(|(_, tensor)| tensor.clone());
                let Some(tensor) = known else { return malformed("an alias of no tensor") };
                all.push((name.clone(), tensor));
            }
        }
        // As the reference implementation orders them, so that each lies where its numbers may be read in place.
        all.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.element.part));
        let files = split(all, options.max_shard_size);
        let mut plan = Self { read, harvest, files: Vec::new() };
        for tensors in files {
            let file = plan.file(tensors, options)?;
            plan.files.push(file);
        }
        Ok(plan)
    }

    fn file(&self, tensors: Vec<(String, Tensor)>, options: &Options) -> Result<TensorFile, Refusal> {
        let mut header = Map::new();
        header.insert("__metadata__".to_owned(), self.metadata(&tensors, options));
        let mut data = 0_u64;
        let mut planned = Vec::new();
        for (name, tensor) in tensors {
            let Some(end) = data.checked_add(tensor.bytes()) else {
                return malformed("the tensors' sizes overflow");
            };
            let entry = json!({
                "dtype": tensor.element.safetensors,
                "shape": tensor.written_shape(),
                "data_offsets": [data, end],
            });
            header.insert(name.clone(), entry);
            planned.push(Planned { name, tensor, offset: data });
            data = end;
        }
        let mut text = Json::Object(header).to_string().into_bytes();
        while !text.len().is_multiple_of(8) {
            text.push(b' ');
        }
        const MAX_HEADER: usize = 100_000_000;
        if text.len() > MAX_HEADER {
            return Err(Refusal::Unsupported(
                "the header would be longer than loaders of safetensors read".into(),
            ));
        }
        let mut header = (text.len() as u64).to_le_bytes().to_vec();
        header.append(&mut text);
        Ok(TensorFile { tensors: planned, header, data })
    }

    /// What the header says besides tensors: texts alone, as the format wants.
    fn metadata(&self, tensors: &[(String, Tensor)], options: &Options) -> Json {
        let here = |name: &str| tensors.iter().any(|(known, _)| known == name);
        let mut metadata = BTreeMap::new();
        metadata.insert("format".to_owned(), self.read.framework.to_owned());
        if let Some(wrapper) = &self.harvest.unwrapped {
            metadata.insert("alnage.unwrapped".to_owned(), wrapper.clone());
        }
        if !options.copy_aliases {
            for (name, target) in self.harvest.aliases.iter().filter(|(_, target)| here(target)) {
                metadata.insert(format!("alnage.alias.{name}"), target.clone());
            }
        }
        for (name, tensor) in tensors.iter().filter(|(_, tensor)| needs_type(tensor)) {
            metadata.insert(format!("alnage.dtype.{name}"), tensor.element.name.to_owned());
        }
        for (name, layout, properties) in &self.harvest.layouts {
            let parts = |known: &String| {
                known.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if tensors.iter().any(|(known, _)| parts(known)) {
                let mut described = Map::from_iter([("layout".to_owned(), Json::from(layout.as_str()))]);
                for (key, value) in properties {
                    described.insert((*key).to_owned(), Json::from(value.as_str()));
                }
                metadata.insert(format!("alnage.layout.{name}"), Json::Object(described).to_string());
            }
        }
        json!(metadata)
    }

    /// What the source is: `pytorch`, `keras-hdf5`.
    pub fn format(&self) -> &'static str {
        self.read.format
    }

    /// Names that are further names of tensors, each with the name that is written.
    pub fn aliases(&self) -> &[(String, String)] {
        &self.harvest.aliases
    }

    /// Tensors that share bytes of their storage and are written one by one all the same: pairs of names.
    pub fn overlaps(&self) -> Vec<(String, String)> {
        const MOST: usize = 1000;
        let mut extents: Vec<(u32, u64, u64, &str)> = Vec::new();
        for planned in self.files.iter().flat_map(|file| &file.tensors) {
            let tensor = &planned.tensor;
            if let (Ok(end), true) = (tensor.end(), tensor.elements() > 0) {
                extents.push((tensor.storage, tensor.start, end, &planned.name));
            }
        }
        extents.sort_unstable();
        let mut overlaps = Vec::new();
        let mut reach: Option<(u32, u64, &str)> = None;
        for (storage, start, end, name) in extents {
            match reach {
                Some((known, until, before)) if known == storage && start < until => {
                    overlaps.push((before.to_owned(), name.to_owned()));
                    reach = Some(if end > until { (storage, end, name) } else { (known, until, before) });
                }
                _ => reach = Some((storage, end, name)),
            }
            if overlaps.len() >= MOST {
                break;
            }
        }
        overlaps
    }

    /// What of the source is in no file of the conversion, as far as it is known before the side-car is written.
    pub fn left_out(&self) -> &[String] {
        &self.read.left_out
    }

    /// The key that was taken off all names.
    pub fn unwrapped(&self) -> Option<&str> {
        self.harvest.unwrapped.as_deref()
    }

    /// Checksums that the source gives for its own bytes, to be checked by who reads all of it.
    pub fn checksums(&self) -> &[Checksum] {
        &self.read.checksums
    }

    /// Whether the source holds more than tensors: then there is a side-car to write.
    pub fn has_state(&self) -> bool {
        self.harvest.has_state
    }

    /// Writes the side-car; gives what it leaves out.
    pub fn write_state(&self, out: &mut dyn io::Write) -> io::Result<Vec<String>> {
        state::write(&self.read, &self.harvest, out)
    }

    /// Writes a file from beginning to end; `give` takes the bytes.
    pub fn write(
        &self,
        file: &TensorFile,
        give: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        give(&file.header)?;
        for planned in &file.tensors {
            let storage = self.read.graph.storages.get(planned.tensor.storage as usize);
            let Some(place) = storage.and_then(|storage| storage.place.as_ref()) else {
                return malformed("a tensor's storage is not there");
            };
            gather(&planned.tensor, place, give)?;
        }
        Ok(())
    }

    /// What the source calls the storage that `tensor` is a view of; empty where it has no names for them.
    pub fn storage_key(&self, tensor: &Tensor) -> &str {
        self.read.graph.storages.get(tensor.storage as usize).map_or("", |storage| &storage.key)
    }

    pub(crate) fn place(&self, tensor: &Tensor) -> Option<&crate::tensor::Place> {
        self.read.graph.storages.get(tensor.storage as usize)?.place.as_ref()
    }

    /// The index over several files: which tensor is in which.
    pub fn index(&self, names: &[String]) -> String {
        let mut map: BTreeMap<&str, &str> = BTreeMap::new();
        for (file, name) in self.files.iter().zip(names) {
            map.extend(file.tensors.iter().map(|planned| (planned.name.as_str(), name.as_str())));
        }
        let size: u64 = self.files.iter().map(|file| file.data).sum();
        let index = json!({ "metadata": { "total_size": size }, "weight_map": map });
        format!("{index:#}\n")
    }
}

impl TensorFile {
    /// How long the file is.
    pub fn len(&self) -> u64 {
        self.header.len() as u64 + self.data
    }

    /// Whether there are no tensors in it.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }
}

/// Whether the type that is written does not tell what the source's was.
fn needs_type(tensor: &Tensor) -> bool {
    let element = tensor.element;
    let says = match element.safetensors {
        "F32" => "float32",
        "F64" => "float64",
        "F16" => "float16",
        "I32" => "int32",
        "I8" => "int8",
        "U8" => "uint8",
        "U16" => "uint16",
        _ => return false,
    };
    says != element.name
}

/// Views that repeat elements, as `expand` makes them, could make little into much; so could chunks that nobody wrote.
fn refuse_expansion(read: &Read, harvest: &Harvest, options: &Options) -> Result<(), Refusal> {
    let tensors = || harvest.tensors.iter().filter_map(|(_, index)| read.graph.tensors.get(*index as usize));
    let written = tensors().fold(0_u64, |sum, tensor| sum.saturating_add(tensor.bytes()));
    let mut storages: Vec<u32> = tensors().map(|tensor| tensor.storage).collect();
    storages.sort_unstable();
    storages.dedup();
    let stored = storages.into_iter().filter_map(|at| read.graph.storages.get(at as usize));
    let stored = stored.fold(0_u64, |sum, storage| sum.saturating_add(storage.declared));
    let stored = stored.saturating_sub(read.graph.not_stored);
    if !options.allow_expansion && written > FREE_EXPANSION && written / 2 > stored {
        return Err(Refusal::Unsupported(format!(
            "{written} bytes would come of {stored} that are stored; `--allow-expansion` writes them"
        )));
    }
    Ok(())
}

/// Fills file after file up to `most` bytes; a tensor that is longer has one of its own.
fn split(all: Vec<(String, Tensor)>, most: Option<u64>) -> Vec<Vec<(String, Tensor)>> {
    let Some(most) = most else { return vec![all] };
    let mut files = vec![Vec::new()];
    let mut filled = 0_u64;
    for (name, tensor) in all {
        let bytes = tensor.bytes();
        if filled.saturating_add(bytes) > most && files.last().is_some_and(|file| !file.is_empty()) {
            files.push(Vec::new());
            filled = 0;
        }
        filled = filled.saturating_add(bytes);
        if let Some(file) = files.last_mut() {
            file.push((name, tensor));
        }
    }
    files
}
