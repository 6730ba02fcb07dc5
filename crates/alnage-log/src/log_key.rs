//! The keys of one log: each of them signs every checkpoint, and all must have signed what is believed.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Error, NoteKey, NoteVerifier, Scheme, note::Note};

/// More keys than any log has.
const MAX_KEYS: usize = 8;

/// Signs checkpoints of one log, with one key or several.
#[derive(Debug)]
pub struct LogKey {
    keys: Vec<NoteKey>,
    verifier: LogVerifier,
}

/// Verifies checkpoints of one log: every one of its keys must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    origin: String,
    keys: Vec<NoteVerifier>,
}

impl LogKey {
    /// The Ed25519 key that 32 random bytes are, for the log named `origin`: like a URL without its scheme.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        Self::new(vec![NoteKey::from_seed(Scheme::Ed25519, origin, seed)?])
    }

    /// A log with these keys, which carry one name.
    pub fn new(keys: Vec<NoteKey>) -> Result<Self, Error> {
        let verifier = LogVerifier::new(keys.iter().map(|key| key.verifier().clone()).collect())?;
        Ok(Self { keys, verifier })
    }

    /// Reads what [`to_text`](Self::to_text) gave.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        Self::new(lines(text).map(NoteKey::from_text).collect::<Result<_, _>>()?)
    }

    /// The keys as text, one a line, to be kept where nobody else reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        NoteKey::texts(&self.keys)
    }

    /// The public half.
    pub fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    /// `text` signed with every key. A log's own signature says nothing about time.
    pub(crate) fn sign(&self, text: &str) -> Result<String, Error> {
        let mut note = format!("{text}\n");
        for key in &self.keys {
            note.push_str(&key.signature_line(text, 0)?);
        }
        Ok(note)
    }
}

impl LogVerifier {
    fn new(keys: Vec<NoteVerifier>) -> Result<Self, Error> {
        let malformed = |message: &str| Err(Error::Malformed(message.to_owned()));
        let Some(origin) = keys.first().map(|key| key.name().to_owned()) else {
            return malformed("there is no key of a log in it");
        };
        if keys.len() > MAX_KEYS {
            return malformed("a log has at most 8 keys");
        }
        if keys.iter().any(|key| key.name() != origin) {
            return malformed("the keys are of several logs");
        }
        if keys.iter().any(|key| key.scheme() == Scheme::Cosignature) {
            return malformed("this is a witness's key; the log's is needed");
        }
        Ok(Self { origin, keys })
    }

    /// Reads verifier keys of one log: `NAME+ID+KEY`, one a line.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        Self::new(lines(text).map(NoteVerifier::from_text).collect::<Result<_, _>>()?)
    }

    /// The log's name, the first line of its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's keys.
    pub fn keys(&self) -> &[NoteVerifier] {
        &self.keys
    }

    /// The text of a note that every key of the log signed. Signatures by others are passed over.
    pub(crate) fn open<'a>(&self, note: &'a str) -> Result<&'a str, Error> {
        let note = Note::parse(note)?;
        for key in &self.keys {
            if note.verify(key)?.is_none() {
                let message = format!("the checkpoint is not signed by the key `{:.80}`", key.to_string());
                return Err(Error::Unproven(message));
            }
        }
        Ok(note.text)
    }
}

/// The keys, one a line.
impl fmt::Display for LogVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{key}")?;
        }
        Ok(())
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
