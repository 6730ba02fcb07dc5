//! What all archives have in common: entries with names, and the ways entries lie or escape.

use std::collections::HashMap;

use serde::Serialize;

/// Facts about an archive: zip, tar, 7z, rar.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArchiveFacts {
    /// Entries any reader would see.
    pub entries: u64,
    /// Sum of the sizes the entries declare.
    pub declared_size: u64,
    /// Bytes in front of the archive that a reader skips.
    #[serde(skip_serializing_if = "is_zero")]
    pub prepended: u64,
    /// Bytes behind the archive that a reader skips.
    #[serde(skip_serializing_if = "is_zero")]
    pub appended: u64,
    /// The archive's comment, at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether decompression was stopped because too much came out of too little.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bomb: bool,
    /// Where entries lie, escape, hide or are read differently by different readers, at most
    /// [`ArchiveFacts::MAX_ANOMALIES`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<Anomaly>,
}

pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One way in which an entry is not what it seems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Anomaly {
    /// What is wrong.
    pub kind: AnomalyKind,
    /// The entry's name, as the directory spells it.
    pub entry: String,
    /// Where the entry's header stands in the archive.
    pub offset: u64,
    /// The two readings, or the target: what a person needs to see.
    pub detail: String,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// The name leads out of the folder it is extracted to.
    PathEscape,
    /// A link whose target leads out of the folder it is extracted to.
    LinkEscape,
    /// A device, pipe or other special file.
    SpecialFile,
    /// Two entries that differ only in case, or only in what some file systems ignore.
    NameCollision,
    /// Two entries with one name and different bytes: one reader takes the first, another the last.
    DuplicateName,
    /// Characters in the name that readers treat differently: NUL, backslash, control characters.
    AmbiguousName,
    /// The directory and the entry's own header name it differently.
    NameMismatch,
    /// The directory and the entry's own header give different compression methods.
    MethodMismatch,
    /// The directory and the entry's own header give different flags.
    FlagMismatch,
    /// The directory and the entry's own header give different sizes or checksums.
    SizeMismatch,
    /// The content does not have the checksum that is declared.
    ChecksumMismatch,
    /// The content does not have the size that is declared.
    WrongSize,
    /// The compression method is one that the content is not compressed with.
    FalseMethod,
    /// The entry is marked as encrypted but is not.
    FalseEncryption,
    /// Encrypted.
    Encrypted,
    /// An entry that no directory lists.
    HiddenEntry,
    /// Entries share bytes.
    Overlap,
    /// A directory entry with content.
    DirectoryWithContent,
    /// Readers disagree on which directory of entries is the archive's.
    RivalDirectory,
    /// The archive ends in the middle and goes on with another one.
    Concatenated,
}

impl ArchiveFacts {
    /// How many anomalies are kept.
    pub const MAX_ANOMALIES: usize = 64;

    /// Keeps an anomaly, when there is room.
    pub(super) fn anomaly(&mut self, kind: AnomalyKind, entry: &str, offset: u64, detail: impl Into<String>) {
        // One kind must not crowd out the others.
        let same = self.anomalies.iter().filter(|anomaly| anomaly.kind == kind).count();
        if self.anomalies.len() < Self::MAX_ANOMALIES && same < 8 {
            let detail = shorten(&detail.into(), 200);
            self.anomalies.push(Anomaly { kind, entry: shorten(entry, 200), offset, detail });
        }
    }

    /// Judges the name of an entry.
    pub(super) fn judge_name(&mut self, name: &str, offset: u64) {
        if escapes(name) {
            self.anomaly(AnomalyKind::PathEscape, name, offset, name);
        } else if name.contains('\0') {
            self.anomaly(
                AnomalyKind::AmbiguousName,
                name,
                offset,
                "Python ends the name at the NUL, others do not",
            );
        }
    }
}

/// The first `max` characters of `text`, control characters escaped.
pub(super) fn shorten(text: &str, max: usize) -> String {
    let mut short = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == max {
            short.push('…');
            break;
        }
        if character.is_control() { short.extend(character.escape_default()) } else { short.push(character) }
    }
    short
}

/// Whether extracting an entry of this name would write outside the folder extracted to: an absolute path, a
/// drive, a network share, or more `..` than folders before it.
pub(super) fn escapes(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    let absolute = name.starts_with(['/', '\\']) && name.len() > 1;
    drive || absolute || climbs(name, 0)
}

/// Whether a link named `name` leads out of the folder extracted to.
pub(super) fn link_escapes(name: &str, target: &str) -> bool {
    let depth = name.trim_start_matches("./").split('/').count() as i64 - 1;
    let drive = target.as_bytes().get(1) == Some(&b':');
    drive || target.starts_with(['/', '\\']) || climbs(target, depth)
}

/// Whether `..` components go above the start, which lies `depth` folders below the root.
fn climbs(path: &str, mut depth: i64) -> bool {
    for component in path.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Gives every member a name of its own: the second `data.pkl` becomes `data.pkl#2`.
#[derive(Default)]
pub(super) struct Names {
    seen: HashMap<String, u32>,
}

impl Names {
    pub(super) fn unique(&mut self, name: &str) -> String {
        let count = self.seen.entry(name.to_owned()).or_insert(0);
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name}#{count}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_escape() {
        for name in ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..\\x", "\\\\host\\x", "a\\..\\..\\x"] {
            assert!(escapes(name), "{name}");
        }
        for name in ["a/../b", "./x", "..x", "a..b/c", "a/b/", "/"] {
            assert!(!escapes(name), "{name}");
        }
    }

    #[test]
    fn links_that_escape() {
        assert!(link_escapes("a/b", "../../x"));
        assert!(link_escapes("a", "/etc"));
        assert!(!link_escapes("a/b", "../x"));
        assert!(!link_escapes("./libx.so", "libx.so.1"));
    }
}
