//! The record for people and tools: text, JSON, Markdown, SARIF. Pure: a record in, characters out.

mod json;
mod rule_page;
mod text;
mod words;

pub use json::json;
pub use rule_page::{explanation, rule_json};
pub use text::{TextStyle, text};
