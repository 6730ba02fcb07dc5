//! The only crate that opens files: walks a model tree, reads and hashes it.
