//! Which paths of a model a signature leaves out.

use std::collections::BTreeSet;

use crate::{Error, path};

/// Left out by every signature, at the top of the model only.
const ALWAYS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// The paths that a signature leaves out, each with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredPaths(BTreeSet<String>);

impl Default for IgnoredPaths {
    /// What every signature leaves out.
    fn default() -> Self {
        Self(ALWAYS.iter().map(|&path| path.to_owned()).collect())
    }
}

impl IgnoredPaths {
    /// `more` and what every signature leaves out: `.git`, `.gitattributes`, `.github` and `.gitignore` at the top.
    ///
    /// Paths are relative to the model's root, without wildcards. Leave out the signature file itself when it lies
    /// inside the model.
    pub fn new(more: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Error> {
        let Self(mut paths) = Self::default();
        for ignored in more {
            let ignored = ignored.into();
            if let Some(flaw) = path::flaw(&ignored) {
                return Err(Error::Malformed(format!("the ignored path `{}` {flaw}", path::shown(&ignored))));
            }
            paths.insert(ignored);
        }
        Ok(Self(paths))
    }

    /// Whether `path` is left out, by itself or by a folder it lies in.
    pub fn contains(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        self.0.contains(path) || folders.into_iter().any(|folder| self.0.contains(folder))
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
