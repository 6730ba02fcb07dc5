//! The façade: one call from what the user named to a record of verdicts, with seal and log.

mod parallel;
mod vet;

pub use vet::{Failure, Input, Options, Progress, Silent, Vetted, VettedModel, vet};
