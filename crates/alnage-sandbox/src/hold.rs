//! Keeping verified files as they were verified: copies that nobody can write to, leases, and looking again.

use std::{
    collections::HashMap,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alnage_fs::{Handed, Stamp};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create, open};

use crate::{
    admission::{Admission, Places},
    raw::{lease_stands, take_lease},
    resolve::own_name,
};

/// A copy of `bytes` that can be read and never changed, called `name` where such names are shown.
pub(crate) fn sealed_copy(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    const LONGEST: usize = 200;
    let name: String = name.chars().filter(|character| *character != '\0').take(LONGEST / 4).collect();
    let memory = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(bytes)?;
    let memory = OwnedFd::from(file);
    fcntl_add_seals(&memory, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    // Opened anew, so that it is at its beginning and only for reading.
    Ok(open(own_name(&memory), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The files that programs have been handed and that are too long to copy.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    held: Mutex<HashMap<(u64, u64), Held>>,
}

#[derive(Debug)]
struct Held {
    file: Handed,
    place: PathBuf,
    /// Nobody has it open for writing, and nobody can without waiting for us.
    leased: bool,
    /// What was decided while it was held.
    admitted: Vec<(Places, Admission)>,
}

impl Held {
    fn stands(&self) -> bool {
        !self.file.has_changed() && (!self.leased || lease_stands(self.file.file().as_fd()))
    }
}

impl Holds {
    /// Keeps writers away from `file` as far as the system lets us. The inner error is why that cannot be: somebody is
    /// writing to it.
    pub(crate) fn take(&self, file: &Handed, places: &Places) -> Result<(), String> {
        let key = (file.stamp().device, file.stamp().inode);
        let mut all = self.all();
        if all.get(&key).is_some_and(|held| held.stands() && held.file.stamp() == file.stamp()) {
            return Ok(());
        }
        // A lease goes with what was opened, and the program gets that: ours must be another.
        let again = || -> io::Result<Handed> {
            let borrowed: OwnedFd = file.file().as_fd().try_clone_to_owned()?;
            let file = open(own_name(&borrowed), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            Handed::new(file.into())
        };
        let held = again().map_err(|error| format!("it cannot be held: {error}"))?;
        let leased = match take_lease(held.file().as_fd()) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err("somebody has it open for writing".to_owned());
            }
            // Another's file, or a file system without leases.
            Err(_) => false,
        };
        all.insert(key, Held { file: held, place: places.place.clone(), leased, admitted: Vec::new() });
        Ok(())
    }

    /// What was decided of this file, when it has been held since.
    pub(crate) fn admitted(&self, file: &Handed, places: &Places) -> Option<Admission> {
        let all = self.all();
        let held = all.get(&(file.stamp().device, file.stamp().inode))?;
        if !held.leased || held.file.stamp() != file.stamp() || !held.stands() {
            return None;
        }
        held.admitted.iter().find(|(known, _)| known == places).map(|(_, admission)| admission.clone())
    }

    /// Keeps in mind that `file` was admitted.
    pub(crate) fn admit(&self, file: &Handed, places: &Places, admission: &Admission) {
        const MOST: usize = 64;
        if let Some(held) = self.all().get_mut(&(file.stamp().device, file.stamp().inode))
            && held.admitted.len() < MOST
        {
            held.admitted.push((places.clone(), admission.clone()));
        }
    }

    /// Whether the file of this stamp is held.
    pub(crate) fn holds(&self, stamp: Stamp) -> bool {
        self.all().contains_key(&(stamp.device, stamp.inode))
    }

    /// Files that somebody has written to, or waits to write to, since they were verified. Each is told once.
    pub(crate) fn broken(&self) -> Vec<PathBuf> {
        let mut all = self.all();
        let broken: Vec<_> = all.iter().filter(|(_, held)| !held.stands()).map(|(key, _)| *key).collect();
        broken.iter().filter_map(|key| all.remove(key)).map(|held| held.place).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(u64, u64), Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
