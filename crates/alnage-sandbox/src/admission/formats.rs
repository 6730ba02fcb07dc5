//! Which formats are models, and which of those do not get in even when they are sealed.

use std::{collections::BTreeSet, sync::OnceLock};

use alnage_formats::{Format, formats};

/// What can stand in a model's place and is none: tables, pictures, sounds, documents, hashes.
const NO_MODELS: &[&str] = &[
    "parquet",
    "arrow",
    "avro",
    "sqlite",
    "png",
    "jpeg",
    "gif",
    "webp",
    "wav",
    "flac",
    "ogg",
    "mp3",
    "mp4",
    "pdf",
    "font",
    "xml",
    "torchscript-code",
    "tensorflow-fingerprint",
];

/// Pickles, and what their loaders unpickle.
const PICKLES: &[&str] =
    &["pickle", "pytorch-zip", "pytorch-tar", "torch-package", "torchserve-mar", "nemo", "joblib-zfile"];

/// Models that are programs of their own.
const PROGRAMS: &[&str] = &["llamafile"];

/// The formats whose files are let through by a gate only when they are admitted.
pub(super) fn models() -> &'static [&'static Format] {
    static MODELS: OnceLock<Vec<&'static Format>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let models = formats().filter(|format| is_model(format.id) && format.holds_a_model());
        models.chain(formats().filter(|format| format.id == "joblib-zfile")).collect()
    })
}

fn is_model(id: &str) -> bool {
    !NO_MODELS.contains(&id)
}

/// The formats that do not get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatPolicy {
    banned: BTreeSet<&'static str>,
}

/// A name that is neither a format's nor a group's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no format of a model; `alnage formats` lists them, and `pickle` stands for all that hold pickles"
)]
pub struct UnknownFormat(pub String);

impl Default for FormatPolicy {
    /// Pickles do not get in.
    fn default() -> Self {
        Self { banned: PICKLES.iter().copied().collect() }
    }
}

impl FormatPolicy {
    /// The default, with `ban` instead when any are named, less what is `allowed`.
    pub fn new(ban: &[String], allowed: &[String]) -> Result<Self, UnknownFormat> {
        let mut policy = Self::default();
        if !ban.is_empty() {
            policy.banned = all(ban)?;
        }
        for format in all(allowed)? {
            policy.banned.remove(format);
        }
        Ok(policy)
    }

    /// The first of `formats` that does not get in.
    pub fn banned(&self, formats: &[&'static str]) -> Option<&'static str> {
        formats.iter().find(|format| self.banned.contains(*format)).copied()
    }
}

fn all(names: &[String]) -> Result<BTreeSet<&'static str>, UnknownFormat> {
    let mut formats = BTreeSet::new();
    for name in names {
        match name.as_str() {
            "pickle" => formats.extend(PICKLES),
            "none" => {}
            name => {
                let known = models().iter().find(|format| format.id == name);
                formats.insert(known.ok_or_else(|| UnknownFormat(name.to_owned()))?.id);
            }
        }
    }
    Ok(formats)
}

/// Whether a file of this format is started, not loaded.
pub(super) fn is_program(formats: &[&'static str]) -> bool {
    formats.iter().any(|format| PROGRAMS.contains(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ban: &[&str], allowed: &[&str], formats: &[&'static str], banned: Option<&str>) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let policy = FormatPolicy::new(&owned(ban), &owned(allowed)).unwrap();
        assert_eq!(policy.banned(formats), banned);
    }

    #[test]
    fn pickles_are_banned_until_they_are_allowed() {
        check(&[], &[], &["safetensors"], None);
        check(&[], &[], &["safetensors", "pickle"], Some("pickle"));
        check(&[], &[], &["pytorch-zip"], Some("pytorch-zip"));
        check(&[], &["pickle"], &["pytorch-zip"], None);
        check(&[], &["pytorch-zip"], &["pickle"], Some("pickle"));
        check(&["gguf"], &[], &["gguf"], Some("gguf"));
        check(&["none"], &[], &["pickle"], None);
        check(&["pickle", "onnx"], &["onnx"], &["onnx"], None);
    }

    #[test]
    fn names_are_those_of_formats() {
        let unknown = FormatPolicy::new(&["pickel".to_owned()], &[]);
        assert_eq!(unknown, Err(UnknownFormat("pickel".into())));
        let known: Vec<&str> = models().iter().map(|format| format.id).collect();
        for name in PICKLES.iter().chain(PROGRAMS) {
            assert!(known.contains(name), "{name}");
        }
        for name in NO_MODELS {
            assert!(alnage_formats::format(name).is_some() && !known.contains(name), "{name}");
        }
        for name in ["safetensors", "gguf", "onnx", "hdf5", "numpy-array", "keras-config"] {
            assert!(known.contains(&name), "{name}");
        }
        for name in ["zip", "json", "python", "elf", "xml"] {
            assert!(!known.contains(&name), "{name}");
        }
    }
}
