//! Signed notes: <https://c2sp.org/signed-note>.

use base64ct::{Base64, Encoding as _};

use crate::{Error, LogKey, LogVerifier};

/// More than any witnessed checkpoint carries.
const MAX_SIGNATURES: usize = 64;

/// Signs `text`, which ends in a newline.
pub(crate) fn sign(text: &str, key: &LogKey) -> String {
    let mut blob = key.verifier().key_id().to_vec();
    blob.extend_from_slice(&key.sign(text.as_bytes()));
    format!("{text}\n— {} {}\n", key.verifier().origin(), Base64::encode_string(&blob))
}

/// The text of a note that `verifier` signed. Signatures by others are passed over.
pub(crate) fn open<'a>(note: &'a str, verifier: &LogVerifier) -> Result<&'a str, Error> {
    let malformed = |message: &str| Error::Malformed(format!("not a signed note: {message}"));
    if note.chars().any(|character| character < ' ' && character != '\n') {
        return Err(malformed("it holds control characters"));
    }
    let (text, signatures) = note
        .rfind("\n\n")
        .map(|at| (&note[..=at], &note[at + 2..]))
        .ok_or_else(|| malformed("there is no empty line before signatures"))?;
    let signatures = signatures.strip_suffix('\n').ok_or_else(|| malformed("the last line does not end"))?;
    if signatures.split('\n').count() > MAX_SIGNATURES {
        return Err(malformed("it holds too many signatures"));
    }
    let mut verified = false;
    for line in signatures.split('\n') {
        let (name, blob) = line
            .strip_prefix("— ")
            .and_then(|line| line.split_once(' '))
            .ok_or_else(|| malformed("a line is no signature"))?;
        let blob = Base64::decode_vec(blob).map_err(|_| malformed("a signature is not base64"))?;
        let (key_id, signature) =
            blob.split_first_chunk::<4>().ok_or_else(|| malformed("a signature is too short"))?;
        if name == verifier.origin() && key_id == verifier.key_id() {
            verifier.verify(text.as_bytes(), signature)?;
            verified = true;
        }
    }
    if !verified {
        return Err(Error::Unproven(format!("the checkpoint is not signed by `{}`", verifier.origin())));
    }
    Ok(text)
}
