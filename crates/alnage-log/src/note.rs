//! Signed notes: <https://c2sp.org/signed-note>.

use base64ct::{Base64, Encoding as _};

use crate::{Error, NoteVerifier};

/// More than any witnessed checkpoint carries.
const MAX_SIGNATURES: usize = 100;
/// The longest signature of any kind takes less than half of that.
const MAX_SIGNATURE: usize = 8192;

/// A note taken apart; its text is not to be believed before a signature is verified.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    /// What was signed, with its last newline.
    pub(crate) text: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Debug)]
struct Signature<'a> {
    name: &'a str,
    key_id: [u8; 4],
    bytes: Vec<u8>,
    line: &'a str,
}

impl<'a> Note<'a> {
    pub(crate) fn parse(note: &'a str) -> Result<Self, Error> {
        let malformed = |message: &str| Error::Malformed(format!("not a signed note: {message}"));
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(malformed("it holds control characters"));
        }
        let (text, signatures) = note
            .rfind("\n\n")
            .and_then(|at| Some((note.get(..=at)?, note.get(at + 2..)?)))
            .ok_or_else(|| malformed("there is no empty line before signatures"))?;
        Ok(Self { text, signatures: parse_signatures(signatures)? })
    }

    /// The moment that the signature by `verifier` carries; `None` when it did not sign. A signature under its name
    /// and id that does not hold is an error.
    pub(crate) fn verify(&self, verifier: &NoteVerifier) -> Result<Option<u64>, Error> {
        let mut time = None;
        for signature in &self.signatures {
            if verifier.made(signature.name, signature.key_id) {
                time = time.max(Some(verifier.verify(self.text, &signature.bytes)?));
            }
        }
        Ok(time)
    }

    /// The lines of signatures by `verifier`.
    pub(crate) fn lines_by(&self, verifier: &NoteVerifier) -> impl Iterator<Item = &'a str> {
        let made = |signature: &&Signature<'a>| verifier.made(signature.name, signature.key_id);
        self.signatures.iter().filter(made).map(|signature| signature.line)
    }
}

fn parse_signatures(lines: &str) -> Result<Vec<Signature<'_>>, Error> {
    let malformed = |message: &str| Error::Malformed(format!("not a signed note: {message}"));
    let lines = lines.strip_suffix('\n').ok_or_else(|| malformed("the last line does not end"))?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        if signatures.len() == MAX_SIGNATURES {
            return Err(malformed("it holds too many signatures"));
        }
        let (name, blob) = line
            .strip_prefix("— ")
            .and_then(|line| line.split_once(' '))
            .ok_or_else(|| malformed("a line is no signature"))?;
        if blob.len() > MAX_SIGNATURE {
            return Err(malformed("a signature is too long"));
        }
        let blob = Base64::decode_vec(blob).map_err(|_| malformed("a signature is not base64"))?;
        let (key_id, bytes) =
            blob.split_first_chunk::<4>().ok_or_else(|| malformed("a signature is too short"))?;
        signatures.push(Signature { name, key_id: *key_id, bytes: bytes.to_vec(), line });
    }
    Ok(signatures)
}
