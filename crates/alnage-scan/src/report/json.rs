//! The record as it is, in JSON.

use std::io::{self, Write};

use crate::Record;

/// Writes the record as indented JSON with a newline at the end.
pub fn json(record: &Record, mut output: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut output, record)?;
    output.write_all(b"\n")
}
