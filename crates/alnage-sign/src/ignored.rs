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
        let Self(mut paths) = Self::exactly(more)?;
        paths.extend(Self::default().0);
        Ok(Self(paths))
    }

    /// These paths and no others: git's files at the top are signed too.
    pub fn exactly(these: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Error> {
        let mut paths = BTreeSet::new();
        for ignored in these {
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
        self.reason(path).is_some()
    }

    /// Which of the paths leaves `path` out.
    pub fn reason<'a>(&self, path: &'a str) -> Option<&'a str> {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.chain([path]).find(|&folder| self.0.contains(folder))
    }

    /// These paths and the others.
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
