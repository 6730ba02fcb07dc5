//! Tamper-evident log of statement digests: an RFC 6962 tree and its proofs.
