//! The Xet protocol's objects as pure functions: hashes, xorbs, shards, and the plan that makes a file of them.
//!
//! A client that uploads by Xet cuts files into *chunks*, packs chunks into *xorbs* and says in a *shard* which
//! chunks of which xorbs make which file. Everything here comes from a client and is hostile until its hash is
//! computed anew: no length is believed, no hash is taken from the bytes that it names.

mod compression;
mod error;
mod hash;
mod plan;
mod shard;
mod xorb;

pub use compression::Compression;
pub use error::Error;
pub use hash::{MerkleHash, chunk_hash, file_hash, keyed, range_hash, xorb_hash};
pub use plan::{Chunks, MAX_FILE_CHUNKS, Piece, Plan};
pub use shard::{File, MAX_SHARD_BYTES, Segment, Shard};
pub use xorb::{Chunk, MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_XORB_BODY, MAX_XORB_BYTES, Xorb, decode_chunk};

#[cfg(test)]
mod tests;
