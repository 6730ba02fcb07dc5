//! Standard output and standard error: data to one, everything else to the other.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

/// An error with a way out, shown after a blank line.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    hint: String,
}

/// The error `message` with `hint`.
pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted { message: message.into(), hint: hint.into() }.into()
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// Prints an error, its causes on the same line, and its hint.
pub(crate) fn complain(error: &anyhow::Error) {
    warn(format_args!("error: {error:#}"));
    if let Some(hint) = hint(error) {
        warn(format_args!("\nhint: {hint}"));
    }
}

/// The way out of an error, when it knows one.
pub(crate) fn hint(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()).map(|hinted| &*hinted.hint)
}

/// Prints a line to standard error; that nobody reads it is not an error.
pub(crate) fn warn(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints to standard output. A reader that has gone away has seen enough.
pub(crate) fn print(text: &str) -> io::Result<()> {
    print_with(|output| output.write_all(text.as_bytes()))
}

/// Prints what `write` writes to standard output.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut output = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match write(&mut output).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is still buffered would be written, and fail, when the buffer is dropped.
            let _ = output.into_parts();
            Ok(())
        }
        result => result,
    }
}

/// Columns to wrap text at: the terminal's, or 100 where there is none.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    columns.clamp(40, 120)
}

/// Whether standard output is a terminal that takes colour.
pub(crate) fn terminal_takes_color() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value: std::ffi::OsString| value.is_empty());
    io::stdout().is_terminal()
        && unset("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
