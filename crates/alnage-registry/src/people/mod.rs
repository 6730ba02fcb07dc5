//! People and programs that ask: who they are, what they may do, what they show to prove it.

mod role;

pub use role::{Grant, Place, Role, Roles};
