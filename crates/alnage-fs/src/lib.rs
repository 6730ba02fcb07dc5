//! The only crate that opens files: walks a model's tree, reads and hashes it, and writes what is asked for.
//!
//! A file is opened relative to its root by a path without links, so what was judged to lie inside the root is
//! what is read, even when somebody swaps a directory for a link meanwhile.

mod error;
mod git;
mod handed;
mod hash;
mod hub;
mod inputs;
mod log_dir;
mod new_file;
mod read;
mod root;
mod seen;
mod sha256;
mod stamp;
mod walk;
mod write;

pub use error::Error;
pub use handed::{Handed, digests_of};
pub use hash::{Extent, Hashed, engine};
pub use inputs::{STDIN_LIMIT, canonical, expand, read_stdin};
pub use log_dir::LogDir;
pub use new_file::{Existing, NewFile};
pub use read::{Content, IN_MEMORY, MemoryBytes};
pub use seen::{Recall, Seen};
pub use sha256::Sha256;
pub use stamp::Stamp;
pub use walk::{Git, Link, Sidecars, Tree, TreeFile, walk, walk_with};
pub use write::{
    create_dir, random_seed, read_beneath, read_small, replace_secret, write_atomic, write_secret,
};
