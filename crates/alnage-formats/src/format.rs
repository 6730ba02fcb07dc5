//! What a format is to the analysis: one row that says how it is recognised and parsed.

use std::{cell::OnceCell, sync::Arc};

use alnage_types::{ArtifactPath, Reader, Source};

use crate::{Context, Facts, registry};

/// A format Alnage reads. One `static` a format, listed in its family's `FORMATS`.
pub struct Format {
    /// Stable lower-case name in records: `safetensors`.
    pub id: &'static str,
    /// For people: `Safetensors`.
    pub title: &'static str,
    /// Lower-case extensions that promise this format. A promise is checked, never believed.
    pub extensions: &'static [&'static str],
    /// What its usual loaders do with it.
    pub load_effect: LoadEffect,
    /// What the analysis knows afterwards, one sentence for the capability matrix.
    pub reads: &'static str,
    /// What the analysis cannot know, one sentence for the capability matrix.
    pub cannot: &'static str,
    /// Whether some real loader would take these bytes for this format.
    pub identify: fn(&Probe<'_>) -> bool,
    /// Reads the facts. Never fails: what is malformed becomes an issue in the context.
    pub parse: fn(&Arc<dyn Source>, &mut Context<'_>) -> Facts,
}

impl Format {
    /// Whether a file of this format can be a model on its own, as opposed to code, text or a general container.
    pub fn holds_a_model(&self) -> bool {
        self.load_effect != LoadEffect::Container
            && registry::model_formats().any(|format| format.id == self.id)
    }
}

/// What loading a format does by design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadEffect {
    /// The file is a program: loading runs it.
    Executes,
    /// Loading runs code only with an option or for some contents.
    MayExecute,
    /// Loading only reads data.
    Data,
    /// Holds other files.
    Container,
}

/// What identification may look at: the beginning, the end, and on request any other place.
pub struct Probe<'a> {
    /// All bytes.
    pub source: &'a dyn Source,
    /// Where the artifact is; its name is a hint for formats that loaders find by name (`config.json`).
    pub path: &'a ArtifactPath,
    /// The first bytes, at most [`Probe::HEAD`].
    pub head: &'a [u8],
    /// The last bytes, at most [`Probe::TAIL`]; overlaps `head` in a short file.
    pub tail: &'a [u8],
    // Every format asks, once per artifact is enough.
    text: OnceCell<bool>,
    extension: OnceCell<Option<String>>,
}

impl<'a> Probe<'a> {
    /// Bytes of `head`.
    pub const HEAD: usize = 4 << 10;
    /// Bytes of `tail`: a zip end record with the longest comment, and its zip64 locator.
    pub const TAIL: usize = 22 + 0xffff + 20;

    /// A look at `source`, of which `head` and `tail` are the ends.
    pub fn new(source: &'a dyn Source, path: &'a ArtifactPath, head: &'a [u8], tail: &'a [u8]) -> Self {
        Self { source, path, head, tail, text: OnceCell::new(), extension: OnceCell::new() }
    }

    /// Length of the artifact in bytes.
    pub fn len(&self) -> u64 {
        self.source.len()
    }

    /// Whether the artifact has no bytes.
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// Whether the artifact starts with `magic`.
    pub fn starts_with(&self, magic: &[u8]) -> bool {
        self.head.starts_with(magic)
    }

    /// Whether `magic` stands at `offset` within the head.
    pub fn has_at(&self, offset: usize, magic: &[u8]) -> bool {
        self.head.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    }

    /// What stands behind `#!` on the first line.
    pub fn shebang(&self) -> Option<&'a [u8]> {
        self.head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()
    }

    /// A cursor over all bytes, for formats that are recognised by structure.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.source)
    }

    /// The extension of the artifact's name, in lower case.
    pub fn extension(&self) -> Option<&str> {
        self.extension.get_or_init(|| self.path.extension()).as_deref()
    }

    /// Whether the head could be text: valid UTF-8 (a character cut by the end of the head aside) without
    /// control characters other than white space.
    pub fn is_text(&self) -> bool {
        *self.text.get_or_init(|| self.reads_as_text())
    }

    fn reads_as_text(&self) -> bool {
        let valid = match std::str::from_utf8(self.head) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && self.head.len() == Self::HEAD => {
                std::str::from_utf8(&self.head[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return false,
        };
        !valid.is_empty()
            && !valid.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c'))
    }
}
