//! Reads dependency files, each in its own format.

mod environment;
mod pip_report;
mod pipfile;
mod project;
mod requirement;
mod requirements;
mod tables;

use alnage_types::Span;

use crate::DependencyFile;

/// More packages than any project has.
pub(crate) const MAX_DEPENDENCIES: usize = 100_000;

/// Whether a file of this name is one.
pub fn is_dependency_file(name: &str) -> bool {
    reader(name).is_some()
}

type Reader = fn(&str, &mut DependencyFile);

/// The format of a file of this name, whether it is a lock, and what reads it.
fn reader(path: &str) -> Option<(&'static str, bool, Reader)> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    Some(match name.as_str() {
        "uv.lock" => ("uv.lock", true, tables::uv_lock as Reader),
        "poetry.lock" => ("poetry.lock", true, tables::poetry_lock),
        "pipfile.lock" => ("Pipfile.lock", true, pipfile::read),
        "pyproject.toml" => ("pyproject.toml", false, project::read),
        "environment.yml" | "environment.yaml" | "conda.yml" | "conda.yaml" => {
            ("environment.yml", false, environment::read)
        }
        name if name == "pylock.toml" || name.starts_with("pylock.") && name.ends_with(".toml") => {
            ("pylock.toml", true, tables::pylock)
        }
        name if name.contains("requirements") && (name.ends_with(".txt") || name.ends_with(".in")) => {
            ("requirements.txt", false, requirements::read)
        }
        name if name.contains("pip") && name.contains("report") && name.ends_with(".json") => {
            ("pip report", true, pip_report::read)
        }
        "constraints.txt" => ("requirements.txt", false, requirements::read),
        _ => return None,
    })
}

/// Reads the file `path`; `None` when its name is not that of a dependency file. What is not understood is in its
/// problems.
pub fn read(path: &str, bytes: &[u8]) -> Option<DependencyFile> {
    let (format, is_lock, reader) = reader(path)?;
    Some(read_with(path, format, is_lock, reader, bytes))
}

/// Reads a file that another one includes with `-r` or `-c`, whatever its name.
pub fn read_included(path: &str, bytes: &[u8]) -> DependencyFile {
    read_with(path, "requirements.txt", false, requirements::read, bytes)
}

fn read_with(
    path: &str,
    format: &'static str,
    is_lock: bool,
    reader: Reader,
    bytes: &[u8],
) -> DependencyFile {
    let mut file = DependencyFile { path: path.to_owned(), format, is_lock, ..DependencyFile::default() };
    match str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
        Ok(text) => reader(text, &mut file),
        Err(error) => file.problems.push((error.valid_up_to() as u64, "it is not UTF-8".into())),
    }
    if file.dependencies.len() > MAX_DEPENDENCIES {
        file.dependencies.truncate(MAX_DEPENDENCIES);
        file.problems.push((0, format!("it names more than {MAX_DEPENDENCIES} packages")));
    }
    file
}

/// The place of the first `needle` in `text`.
fn place(text: &str, needle: &str) -> Option<Span> {
    let start = text.find(needle)? as u64;
    Some(Span::new(start, start + needle.len() as u64))
}
