//! Who asks, and whether they may.

mod caller;
mod recognise;

pub(crate) use caller::{Caller, CallerKind};
pub(crate) use recognise::recognise;
