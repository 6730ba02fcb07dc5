//! Rules over facts, the verdict they lead to, and the reports made from the record.

pub mod capability;
mod judge;
mod policy;
mod record;
mod rule;
pub mod rules;

pub use judge::{Judgement, judge};
pub use policy::{Effect, Policy};
pub use record::{ModelRecord, Record, SCHEMA, Stats};
pub use rule::{Rule, Sink};
