//! The zip that `torch.save` and `torch.jit.save` write: a pickle, and each storage as a stored member.

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::{Reader, Source};
use serde::Serialize;

use crate::{
    Context, Facts, Format, LoadEffect,
    container::{
        ContainerFacts,
        archive::shorten,
        zip::{self, Listed},
    },
};

/// The row of this format.
pub(in crate::container) static CHECKPOINT: Format = Format {
    id: "pytorch-zip",
    title: "PyTorch checkpoint",
    extensions: &["pt", "pth", "bin", "ckpt", "ptl", "jit", "pt.tar"],
    load_effect: LoadEffect::MayExecute,
    reads: "version, byte order, storages, whether it is a state dict, TorchScript or a mobile program",
    cannot: "the values of the tensors",
    identify: |probe| {
        zip::ZIP_MAGIC.iter().any(|magic| probe.starts_with(magic))
            && zip::names(probe.source).iter().any(|name| root_of(name).is_some())
    },
    parse,
};

/// Facts about a PyTorch checkpoint.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckpointFacts {
    /// What `torch.load` or `torch.jit.load` would make of it.
    pub flavour: Flavour,
    /// The folder that holds everything: `archive`, or the file's stem.
    pub root: String,
    /// Content of the `version` record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Content of the `.format_version` record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_version: Option<String>,
    /// Content of the `byteorder` record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byteorder: Option<String>,
    /// Number of storages.
    pub storages: u64,
    /// Bytes of all storages.
    pub storage_bytes: u64,
    /// Number of TorchScript source files.
    pub code_files: u64,
    /// Bytes of each storage by its key.
    #[serde(skip)]
    pub storage_sizes: BTreeMap<String, u64>,
}

/// What kind of program a checkpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// What `torch.save` writes: any pickled object.
    Pickled,
    /// What `torch.jit.save` writes: a program that `torch.jit.load` compiles.
    Torchscript,
    /// A program for the lite interpreter.
    Mobile,
}

/// The folder of a checkpoint's pickle: `archive` for `archive/data.pkl`.
fn root_of(name: &str) -> Option<&str> {
    // miniz finds names without regard to case.
    let at = name.len().checked_sub("data.pkl".len())?;
    let (root, file) = (name.get(..at)?, name.get(at..)?);
    (file.eq_ignore_ascii_case("data.pkl") && (root.is_empty() || root.ends_with('/')))
        .then(|| root.trim_end_matches('/'))
}

fn parse(source: &Arc<dyn Source>, _context: &mut Context<'_>) -> Facts {
    let members = zip::list(source.as_ref());
    let root = members.iter().find_map(|member| root_of(&member.name)).unwrap_or_default().to_owned();
    let below = |member: &Listed| {
        let rest = member.name.strip_prefix(root.as_str())?;
        Some(rest.strip_prefix('/').unwrap_or(rest).to_owned())
    };
    let mut facts = CheckpointFacts {
        flavour: Flavour::Pickled,
        root: shorten(&root, 100),
        version: None,
        format_version: None,
        byteorder: None,
        storages: 0,
        storage_bytes: 0,
        code_files: 0,
        storage_sizes: BTreeMap::new(),
    };
    for member in &members {
        let Some(name) = below(member) else { continue };
        match name.as_str() {
            "version" | ".data/version" => facts.version = small_text(source, member),
            ".format_version" => facts.format_version = small_text(source, member),
            "byteorder" => facts.byteorder = small_text(source, member),
            "bytecode.pkl" => facts.flavour = Flavour::Mobile,
            "constants.pkl" if facts.flavour == Flavour::Pickled => facts.flavour = Flavour::Torchscript,
            _ => {
                if let Some(key) = name.strip_prefix("data/").filter(|key| !key.contains('/')) {
                    facts.storages += 1;
                    facts.storage_bytes = facts.storage_bytes.saturating_add(member.size);
                    let stored =
                        member.stored.as_ref().map_or(member.size, |stored| stored.end - stored.start);
                    facts.storage_sizes.insert(key.to_owned(), member.size.min(stored));
                } else if name.starts_with("code/") && name.ends_with(".py") {
                    facts.code_files += 1;
                }
            }
        }
    }
    Facts::Container(Box::new(ContainerFacts::Checkpoint(facts)))
}

fn small_text(source: &Arc<dyn Source>, member: &Listed) -> Option<String> {
    let stored = member.stored.clone()?;
    let bytes = Reader::at(source.as_ref(), stored.start).take((stored.end - stored.start).min(64)).ok()?;
    Some(shorten(String::from_utf8_lossy(&bytes).trim(), 32))
}
