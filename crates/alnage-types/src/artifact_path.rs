//! Where an artifact is: a file of the model, and the way down into it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path inside a model, `/`-separated, with `!/` between a container and its member:
/// `weights/pytorch_model.bin!/archive/data.pkl`.
///
/// It names; it is never opened. Only `alnage-fs` turns the part before the first `!/` into a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// The path of a file of the model, relative to the model's root.
    pub fn file(relative: impl Into<String>) -> Self {
        Self(relative.into())
    }

    /// The path of a member of this artifact. The name is kept as the container spells it, so that `../x` is
    /// seen as what it is; control characters are escaped, since paths are printed on terminals.
    pub fn member(&self, name: &str) -> Self {
        let mut path = String::with_capacity(self.0.len() + 2 + name.len());
        path.push_str(&self.0);
        path.push_str("!/");
        for character in name.chars() {
            if character.is_control() {
                path.extend(character.escape_default())
            } else {
                path.push(character)
            }
        }
        Self(path)
    }

    /// The file on disk that holds this artifact: what stands before the first `!/`.
    pub fn outer_file(&self) -> &str {
        match self.0.as_bytes().windows(2).position(|pair| pair == b"!/") {
            Some(at) => &self.0[..at],
            None => &self.0,
        }
    }

    /// The last component of the innermost name: `data.pkl`.
    pub fn name(&self) -> &str {
        // Both separators end in a slash, so the last one begins the name.
        match self.0.bytes().rposition(|byte| matches!(byte, b'/' | b'\\')) {
            Some(at) => &self.0[at + 1..],
            None => &self.0,
        }
    }

    /// Whether this artifact lies in another one.
    pub fn is_member(&self) -> bool {
        self.last_join().is_some()
    }

    /// Whether this artifact is a member of `container`, and not of a member of it.
    pub fn is_in(&self, container: &Self) -> bool {
        self.last_join().is_some_and(|at| self.0[..at] == container.0)
    }

    /// Where the last `!/` stands. Asked of every artifact by many rules, which is more often than a general search
    /// for text is made for.
    fn last_join(&self) -> Option<usize> {
        self.0.as_bytes().windows(2).rposition(|pair| pair == b"!/")
    }

    /// The container this artifact is a member of.
    pub fn container(&self) -> Option<Self> {
        self.last_join().map(|at| Self(self.0[..at].to_owned()))
    }

    /// The lower-case extension of [`name`](Self::name), without the dot.
    pub fn extension(&self) -> Option<String> {
        let (stem, extension) = self.name().rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_ascii_lowercase())
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_nest() {
        let path = ArtifactPath::file("a/b.bin").member("archive/data.pkl");
        assert_eq!(path.as_str(), "a/b.bin!/archive/data.pkl");
        assert_eq!(path.outer_file(), "a/b.bin");
        assert_eq!(path.name(), "data.pkl");
        assert_eq!(path.extension().as_deref(), Some("pkl"));
        assert_eq!(path.container(), Some(ArtifactPath::file("a/b.bin")));
        assert!(
            path.is_in(&ArtifactPath::file("a/b.bin"))
                && !path.member("c").is_in(&ArtifactPath::file("a/b.bin"))
        );
        assert!(path.is_member() && !ArtifactPath::file("a!b/c").is_member());
    }

    #[test]
    fn terminal_control_characters_are_escaped() {
        assert_eq!(ArtifactPath::file("a.zip").member("\u{1b}[31m").as_str(), "a.zip!/\\u{1b}[31m");
    }

    #[test]
    fn a_dot_file_has_no_extension() {
        assert_eq!(ArtifactPath::file(".gitattributes").extension(), None);
    }
}
