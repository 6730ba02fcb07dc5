//! The record for people and tools: text, JSON, Markdown, SARIF. Pure: a record in, characters out.

mod json;
mod text;
mod words;

pub use json::json;
pub use text::{TextStyle, text};
