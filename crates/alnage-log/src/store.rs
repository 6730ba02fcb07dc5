//! Where a log keeps its objects.

use std::{collections::BTreeMap, io};

/// Named objects, as a directory or a bucket keeps them.
///
/// A `write` that has returned must survive a crash, and a reader must see either the old object or the new one.
/// While an entry is appended, nobody else writes: the caller sees to that.
pub trait Store {
    /// The object's bytes; `None` when there is no such object.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Puts an object in place, over an older one of that name.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Forgets every object below `folder`. What stays because of a crash does no harm.
    fn discard(&mut self, folder: &str) -> io::Result<()>;

    /// The names of all objects, in no order.
    fn names(&self) -> io::Result<Vec<String>>;
}

/// A log in memory, for tests and dry runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStore {
    /// The objects by name.
    pub objects: BTreeMap<String, Vec<u8>>,
}

impl Store for MemoryStore {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.objects.get(name).cloned())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.objects.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn discard(&mut self, folder: &str) -> io::Result<()> {
        let inside = |name: &String| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.objects.retain(|name, _| !inside(name));
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.objects.keys().cloned().collect())
    }
}
