//! The names that git gives to content: clients of a hub take them for the identity of a file.

use crate::columns::hex;
use std::io::{self, Read};

use alnage_types::Digest;
use sha1::{Digest as _, Sha1};

/// The object name of a blob of `size` bytes, read from `bytes`.
pub fn blob_oid(size: u64, mut bytes: impl Read) -> io::Result<String> {
    let mut hash = Sha1::new();
    hash.update(format!("blob {size}\0"));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    Ok(hex(&hash.finalize()))
}

/// The object name of the LFS pointer to the content with this digest.
pub fn pointer_oid(digest: Digest, size: u64) -> String {
    let pointer = pointer(digest, size);
    // Reading from memory does not fail.
    blob_oid(pointer.len() as u64, pointer.as_bytes()).unwrap_or_default()
}

/// The LFS pointer to the content with this digest.
pub fn pointer(digest: Digest, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n")
}
