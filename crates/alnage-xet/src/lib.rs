//! The Xet protocol's objects: Merkle hashes, xorbs, shards; parse, build, reconstruct.
