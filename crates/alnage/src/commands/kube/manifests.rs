//! The manifests that paths name: files, standard input, and all that lie in a directory.

use std::{io, path::Path};

use anyhow::{anyhow, bail};

/// A manifest is no longer.
const MAX: u64 = 16 << 20;
/// What manifests in a directory end in.
const ENDS: [&str; 3] = [".yaml", ".yml", ".json"];

/// A manifest, or why it cannot be read.
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) text: anyhow::Result<String>,
}

/// Adds what `path` names to `manifests`. In a directory nothing that looks like a manifest is passed over silently.
pub(super) fn named(path: &str, manifests: &mut Vec<Manifest>) -> anyhow::Result<()> {
    if path == "-" {
        let bytes = alnage_fs::read_stdin(io::stdin().lock(), MAX);
        manifests.push(manifest(path.to_owned(), bytes));
        return Ok(());
    }
    let root = Path::new(path);
    if !root.is_dir() {
        manifests.push(manifest(path.to_owned(), alnage_fs::read_small(root, MAX)));
        return Ok(());
    }
    let tree = alnage_fs::walk(root)?;
    let before = manifests.len();
    let shown = |inside: &dyn std::fmt::Display| root.join(inside.to_string()).display().to_string();
    for file in tree.files.iter().filter(|file| is_manifest(&file.path)) {
        let bytes = alnage_fs::read_beneath(root, file.location(), MAX);
        manifests.push(manifest(shown(&file.path), bytes));
    }
    for entry in tree.unread().filter(|entry| is_manifest(&entry.path)) {
        let name = shown(&entry.path);
        let text = Err(anyhow!("`{name}`: it is no file of this directory"));
        manifests.push(Manifest { name, text });
    }
    for (folder, error) in &tree.unreadable {
        let name = shown(folder);
        let text = Err(anyhow!("`{name}`: {error}"));
        manifests.push(Manifest { name, text });
    }
    if manifests.len() == before {
        bail!("`{path}`: no file in it ends in {}", ENDS.join(", "));
    }
    Ok(())
}

fn is_manifest(path: &impl std::fmt::Display) -> bool {
    let name = path.to_string().to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
}

fn manifest(name: String, bytes: Result<Vec<u8>, alnage_fs::Error>) -> Manifest {
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Manifest { name, text: text.map_err(Into::into) }
}
