//! The record for people and tools: text, JSON, Markdown, SARIF. Pure: a record in, characters out.

mod json;
mod markdown;
mod rule_page;
mod sarif;
mod text;
mod words;

pub use json::json;
pub use markdown::markdown;
pub use rule_page::{explanation, rule_json};
pub use sarif::sarif;
pub use text::{TextStyle, text};

#[cfg(test)]
mod tests;
