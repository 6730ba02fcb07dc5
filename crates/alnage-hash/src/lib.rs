//! SHA-256 of many streams at once: the intrinsics of the processor behind a safe interface, and nothing else.
//!
//! One SHA-256 stream is serial: no processor computes its blocks side by side. Several streams can be, in the lanes of
//! one vector or interleaved on the unit that hashes, and a model is several files. An [`Engine`] takes pieces of many
//! [`Stream`]s and keeps its lanes full: when a piece ends, the next one takes over its lane, and the few long ones that
//! are left at the end go to the kernel that is best for few.
//!
//! Every digest is the one that any other SHA-256 gives; the engine only decides how soon.

mod engine;
mod kernel;
mod lanes;
mod stream;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use engine::Engine;
pub use kernel::Kernel;
pub use stream::{Part, Piece, Stream};

/// The unit in which SHA-256 works.
type Block = [u8; 64];
/// The chaining value of one stream.
type State = [u32; 8];

#[cfg(test)]
mod tests;
