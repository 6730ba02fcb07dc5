//! What `alnage detonate` saw a model do when it was loaded. No bytes set these rules off: the events stand in
//! `alnage-sandbox`; here is what they are called and why they matter.

mod code;
mod escape;
mod exhaustion;
mod files;
mod missing;
mod network;
mod persistence;
mod process;
mod secrets;

use alnage_formats::Model;

use crate::{Rule, Sink};

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &process::RULE,
    &code::RULE,
    &network::RULE,
    &persistence::RULE,
    &files::RULE,
    &secrets::RULE,
    &escape::RULE,
    &exhaustion::RULE,
    &missing::RULE,
];

/// A model's artifacts set off none of them.
fn elsewhere(_: &Model, _: &mut Sink<'_>) {}
