//! Rules over facts, the verdict they lead to, and the reports made from the record.

pub mod capability;
mod date;
mod judge;
mod policy;
mod record;
pub mod report;
mod rule;
pub mod rules;
mod suppress;

pub use date::{Date, InvalidDate};
pub use judge::{Exceptions, Judgement, judge, judge_found, judge_with};
pub use policy::{Effect, Policy};
#[cfg(feature = "schema")]
pub use record::record_schema;
pub use record::{ModelRecord, Record, SCHEMA, Stats};
pub use rule::{Answers, Rule, Sink};
pub use suppress::{Suppressed, Suppression};
