//! What keys sign that also sign the moment: <https://c2sp.org/tlog-cosignature>.

use crate::{Error, checkpoint};

/// The message of an Ed25519 cosignature.
pub(crate) fn cosignature(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// The message of an ML-DSA-44 signature: the whole tree of the checkpoint `text`, as `name` saw it at `time`.
pub(crate) fn subtree(text: &str, name: &str, time: u64) -> Result<Vec<u8>, Error> {
    let checkpoint = checkpoint::parse(text)?;
    let mut message = b"subtree/v1\n\0".to_vec();
    push_name(&mut message, name)?;
    message.extend_from_slice(&time.to_be_bytes());
    push_name(&mut message, &checkpoint.origin)?;
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&checkpoint.size.to_be_bytes());
    message.extend_from_slice(checkpoint.root.as_bytes());
    Ok(message)
}

/// `opaque<1..2^8-1>`.
fn push_name(message: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    match u8::try_from(name.len()) {
        Ok(length) if length > 0 => {
            message.push(length);
            message.extend_from_slice(name.as_bytes());
            Ok(())
        }
        _ => Err(Error::Malformed("a log's name has 1 to 255 bytes".into())),
    }
}
