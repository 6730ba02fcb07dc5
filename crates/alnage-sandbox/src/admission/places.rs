//! Where a file is: what it was called by who opened it, and where that led.

use std::path::{Path, PathBuf};

/// The names of an opened file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Places {
    /// Where it is, without links.
    pub place: PathBuf,
    /// What it was called, when that is a link to another name; its folder is without links.
    pub named: Option<PathBuf>,
}

/// A model that a file may be part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// A directory, or the file itself.
    pub(super) model: PathBuf,
    /// Whether the model is one file.
    pub(super) single_file: bool,
    /// The file's name in it; for a model that is one file, that file's name.
    pub(super) name: String,
}

impl Places {
    /// The name that says most, for a person.
    pub fn shown(&self) -> &Path {
        self.named.as_deref().unwrap_or(&self.place)
    }

    /// The file's own name, as who opened it knows it.
    pub(super) fn file_name(&self) -> String {
        self.shown().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The models that have a signature and that the file may be part of, the nearest first. `is_there` tells whether a
    /// signature exists.
    ///
    /// A link in a sealed model stands for what was signed under the link's name, whatever it leads to: otherwise whoever
    /// can make links could swap two files that were both signed.
    pub(super) fn candidates(&self, is_there: impl Fn(&Path) -> bool) -> Vec<Candidate> {
        for path in self.named.iter().chain([&self.place]) {
            let found = around(path, &is_there);
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

fn around(path: &Path, is_there: &impl Fn(&Path) -> bool) -> Vec<Candidate> {
    let mut found = Vec::new();
    let (Some(name), true) = (path.file_name().and_then(|name| name.to_str()), path.is_absolute()) else {
        return found;
    };
    if is_there(&alnage_pipeline::signature_of(path, true)) {
        found.push(Candidate { model: path.to_owned(), single_file: true, name: name.to_owned() });
    }
    for folder in path.ancestors().skip(1) {
        let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
        if is_there(&alnage_pipeline::signature_of(folder, false)) {
            found.push(Candidate { model: folder.to_owned(), single_file: false, name: name.to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(named: Option<&str>, place: &str, signatures: &[&str], expected: &[(&str, &str)]) {
        let places = Places { place: place.into(), named: named.map(PathBuf::from) };
        let found = places.candidates(|path| signatures.iter().any(|signature| Path::new(signature) == path));
        let found: Vec<_> =
            found.iter().map(|found| (found.model.to_str().unwrap(), found.name.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_nearest_signature_comes_first() {
        check(None, "/m/a/b/w.gguf", &[], &[]);
        check(None, "/m/a/b/w.gguf", &["/m/model.sig"], &[("/m", "a/b/w.gguf")]);
        check(
            None,
            "/m/a/w.gguf",
            &["/m/model.sig", "/m/a/model.sig", "/m/a/w.gguf.sig"],
            &[("/m/a/w.gguf", "w.gguf"), ("/m/a", "w.gguf"), ("/m", "a/w.gguf")],
        );
        check(None, "w.gguf", &["model.sig"], &[]);
    }

    #[test]
    fn a_link_in_a_sealed_model_stands_for_its_own_name() {
        let blob = "/hub/blobs/cafe";
        let link = Some("/hub/snapshots/1/w.gguf");
        check(link, blob, &["/hub/snapshots/1/model.sig"], &[("/hub/snapshots/1", "w.gguf")]);
        check(Some("/tmp/link"), "/m/w.gguf", &["/m/model.sig"], &[("/m", "w.gguf")]);
        check(Some("/m/a"), "/m/b", &["/m/model.sig"], &[("/m", "a")]);
    }
}
