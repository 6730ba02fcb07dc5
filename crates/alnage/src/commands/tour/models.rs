//! The two models of the tour, made of a few bytes each.

use std::path::{Path, PathBuf};

use alnage_fs::{create_dir, write_atomic};

/// Says that a directory was made by the tour, so that it may be made anew.
const MARKER: &str = ".made-by-alnage-tour";

/// Makes `root` with both models. A directory of that name that the tour did not make is left alone: `false`.
pub(super) fn make(root: &Path) -> anyhow::Result<bool> {
    let marker = root.join(MARKER);
    if root.exists() {
        if !marker.is_file() {
            return Ok(false);
        }
        std::fs::remove_dir_all(root)?;
    }
    create_dir(&good(root))?;
    create_dir(&bad(root))?;
    write_atomic(&marker, b"this directory is made anew by `alnage tour`\n")?;
    write_atomic(&good(root).join("model.safetensors"), &safetensors())?;
    write_atomic(&good(root).join("config.json"), CONFIG.as_bytes())?;
    write_atomic(&good(root).join("README.md"), CARD.as_bytes())?;
    write_atomic(&bad(root).join("pytorch_model.bin"), &checkpoint())?;
    write_atomic(&bad(root).join("config.json"), CONFIG.as_bytes())?;
    Ok(true)
}

/// The model that passes.
pub(super) fn good(root: &Path) -> PathBuf {
    root.join("good")
}

/// The model that would run a command when it is loaded.
pub(super) fn bad(root: &Path) -> PathBuf {
    root.join("weaponised")
}

const CONFIG: &str = r#"{
  "architectures": ["BertModel"],
  "hidden_size": 4,
  "model_type": "bert",
  "num_attention_heads": 1,
  "num_hidden_layers": 1,
  "vocab_size": 4
}
"#;

const CARD: &str = "\
---
license: apache-2.0
language: en
library_name: transformers
---

# A model for the tour

Sixteen numbers, good for nothing but to be vetted.
";

/// One tensor of sixteen numbers.
fn safetensors() -> Vec<u8> {
    let header = br#"{"__metadata__":{"format":"pt"},"embedding.weight":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}}"#;
    // Padded with spaces to a multiple of eight, as the reference writer does.
    let padded = header.len().next_multiple_of(8);
    let mut bytes = (padded as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.resize(8 + padded, b' ');
    bytes.extend((0..16_u8).flat_map(|number| (f32::from(number) / 16.0).to_le_bytes()));
    bytes
}

/// What `torch.save` would write, but for a callable in place of the weights: loading it prints a word.
fn checkpoint() -> Vec<u8> {
    // Protocol 2; the callable; its argument of ten letters in a tuple of one; the call; the end.
    let pickle = b"\x80\x02cos\nsystem\nX\x0a\x00\x00\x00echo pwned\x85R.";
    zip(&[("archive/data.pkl", pickle), ("archive/version", b"3\n"), ("archive/byteorder", b"little")])
}

/// A zip of stored members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in members {
        let offset = file.len() as u32;
        let mut fields = Vec::new();
        // Version 2.0, no flags, stored, midnight of 1 January 1980.
        fields.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        fields.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
        fields.extend_from_slice(&(content.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(content.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(name.len() as u16).to_le_bytes());
        fields.extend_from_slice(&[0, 0]);
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&fields);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(content);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&fields);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let start = file.len() as u32;
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&(members.len() as u16).to_le_bytes());
    file.extend_from_slice(&(members.len() as u16).to_le_bytes());
    file.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    file.extend_from_slice(&start.to_le_bytes());
    file.extend_from_slice(&[0, 0]);
    file
}
