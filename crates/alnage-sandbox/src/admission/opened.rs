//! Files that a program opens by itself, for a gate that stands inside that program.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use alnage_fs::{Handed, Stamp};
use rustix::fs::{Mode, OFlags};

use super::Places;
use crate::resolve::{path_of, without_links};

/// Opens the file at `path`. An error too when it is no regular file.
pub fn open(path: &Path) -> io::Result<(Handed, Places)> {
    opened(path, Some(path))
}

/// Opens what `descriptor` of this process is open on once more. `name` is what it was opened as; it counts if it still
/// leads there.
pub fn open_again(descriptor: i32, name: Option<&Path>) -> io::Result<(Handed, Places)> {
    opened(Path::new(&format!("/proc/self/fd/{descriptor}")), name)
}

fn opened(path: &Path, name: Option<&Path>) -> io::Result<(Handed, Places)> {
    // A pipe must not be waited for.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
    let place = path_of(&descriptor).ok_or(io::ErrorKind::NotFound)?;
    let file = Handed::new(File::from(descriptor))?;
    let named = name.and_then(|name| named(&file, name)).filter(|named| *named != place);
    Ok((file, Places { place, named }))
}

/// The name in full, when it leads to `file`.
fn named(file: &Handed, name: &Path) -> Option<PathBuf> {
    let name = std::path::absolute(name).ok()?;
    let leads_there = Stamp::at(&name).is_ok_and(|stamp| stamp == file.stamp());
    let of_a_number = name.starts_with("/proc") || name.starts_with("/dev");
    if leads_there && !of_a_number { without_links(&name) } else { None }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_file_is_known_by_where_it_is_and_what_it_was_called() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (blob, link) = (root.join("blob"), root.join("link"));
        std::fs::write(&blob, "text").unwrap();
        std::os::unix::fs::symlink(&blob, &link).unwrap();
        let check = |found: io::Result<(Handed, Places)>, named: Option<&Path>| {
            let expected = Places { place: blob.clone(), named: named.map(Path::to_owned) };
            assert_eq!(found.unwrap().1, expected);
        };
        check(open(&blob), None);
        check(open(&link), Some(&link));
        let file = File::open(&link).unwrap();
        check(open_again(file.as_raw_fd(), None), None);
        check(open_again(file.as_raw_fd(), Some(&link)), Some(&link));
        check(open_again(file.as_raw_fd(), Some(&root.join("elsewhere"))), None);
        assert!(open(&root).is_err() && open(&root.join("elsewhere")).is_err());
    }
}
