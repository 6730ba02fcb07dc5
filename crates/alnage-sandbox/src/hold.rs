//! Keeping verified files as they were verified: copies that nobody can write to, leases, and looking again.

use std::{
    collections::HashMap,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use alnage_fs::{Handed, Stamp};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create, open};

use crate::{
    admission::{Admission, Places},
    raw::{is_alone, lease_stands, take_lease},
    resolve::own_name,
};

/// A copy of `bytes` that can be read and never changed, called `name` where such names are shown.
pub fn sealed_copy(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    opened_anew(&sealed_memory(name, bytes)?)
}

fn sealed_memory(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    const LONGEST: usize = 200;
    let name: String = name.chars().filter(|character| *character != '\0').take(LONGEST / 4).collect();
    let memory = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(bytes)?;
    let memory = OwnedFd::from(file);
    fcntl_add_seals(&memory, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(memory)
}

/// At its beginning, and only for reading.
fn opened_anew(memory: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(open(own_name(memory), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Copies of short files that were admitted, to be handed out again for as long as the files stay as they were.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    kept: Mutex<HashMap<(Stamp, Places), Kept>>,
}

#[derive(Debug)]
struct Kept {
    memory: OwnedFd,
    admission: Admission,
}

impl Copies {
    /// So many bytes are kept at most.
    const MOST_BYTES: u64 = 64 << 20;
    /// So many copies are kept at most: each takes a descriptor.
    const MOST: usize = 128;

    /// The copy of `file` that was admitted at `places`, opened anew, and why it was admitted. `None` when there is none,
    /// or what it was admitted for no longer counts, by `counts`.
    pub(crate) fn again(
        &self,
        file: &Handed,
        places: &Places,
        counts: impl Fn(&Admission) -> bool,
    ) -> Option<(OwnedFd, Admission)> {
        let key = (file.stamp(), places.clone());
        let (opened, admission) = {
            let all = self.all();
            let kept = all.get(&key)?;
            (opened_anew(&kept.memory), kept.admission.clone())
        };
        match opened {
            Ok(copy) if counts(&admission) => Some((copy, admission)),
            // Or who was handed it took away everybody's right to open it.
            _ => {
                self.all().remove(&key);
                None
            }
        }
    }

    /// Makes a copy of the bytes of `file`, called `name`, that were admitted at `places`, and keeps it where a look at
    /// the file will show that it was written to.
    pub(crate) fn make(
        &self,
        name: &str,
        bytes: &[u8],
        file: &Handed,
        places: &Places,
        admission: Admission,
    ) -> io::Result<OwnedFd> {
        let memory = sealed_memory(name, bytes)?;
        let opened = opened_anew(&memory)?;
        if file.is_settled(SystemTime::now()) && !file.has_changed() {
            let mut all = self.all();
            let taken: u64 = all.keys().map(|(stamp, _)| stamp.len).sum();
            if all.len() >= Self::MOST || taken + file.stamp().len > Self::MOST_BYTES {
                all.clear();
            }
            all.insert((file.stamp(), places.clone()), Kept { memory, admission });
        }
        Ok(opened)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(Stamp, Places), Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// When it was last handed to somebody.
    handed: Instant,
    /// What was decided while it was held.
    admitted: Vec<(Places, Admission)>,
}

/// A file that was held and is being written to, or about to.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Where it was.
    pub(crate) place: PathBuf,
    /// The file, still leased.
    pub(crate) file: Handed,
}

impl Held {
    /// Nobody writes without breaking the lease; who renames the file, links to it or changes its rights does no harm.
    fn stands(&self) -> bool {
        match self.leased {
            true => lease_stands(self.file.file().as_fd()),
            false => !self.file.has_changed(),
        }
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
        let (place, handed) = (places.place.clone(), Instant::now());
        all.insert(key, Held { file: held, place, leased, handed, admitted: Vec::new() });
        Ok(())
    }

    /// What was decided of this file, when it has been held since.
    pub(crate) fn admitted(&self, file: &Handed, places: &Places) -> Option<Admission> {
        let mut all = self.all();
        let held = all.get_mut(&(file.stamp().device, file.stamp().inode))?;
        if !held.leased || held.file.stamp() != file.stamp() || !held.stands() {
            return None;
        }
        held.handed = Instant::now();
        held.admitted.iter().find(|(known, _)| known == places).map(|(_, admission)| admission.clone())
    }

    /// Keeps in mind that `file` was admitted.
    pub(crate) fn admit(&self, file: &Handed, places: &Places, admission: &Admission) {
        const MOST: usize = 64;
        let mut all = self.all();
        let Some(held) = all.get_mut(&(file.stamp().device, file.stamp().inode)) else { return };
        held.handed = Instant::now();
        if held.admitted.len() < MOST && held.admitted.iter().all(|(known, _)| known != places) {
            held.admitted.push((places.clone(), admission.clone()));
        }
    }

    /// Whether the file of this stamp is held.
    pub(crate) fn holds(&self, stamp: Stamp) -> bool {
        self.all().contains_key(&(stamp.device, stamp.inode))
    }

    /// Files that somebody has written to, or waits to write to, since they were verified. Each is told once, and who
    /// waits goes on waiting until what is given here is dropped.
    pub(crate) fn broken(&self) -> Vec<Broken> {
        let mut all = self.all();
        let broken: Vec<_> = all.iter().filter(|(_, held)| !held.stands()).map(|(key, _)| *key).collect();
        let taken = broken.iter().filter_map(|key| all.remove(key));
        taken.map(|held| Broken { place: held.place, file: held.file }).collect()
    }

    /// Whether the file of this stamp is held and nobody wrote to it or waits to.
    pub(crate) fn stands(&self, stamp: Stamp) -> bool {
        let all = self.all();
        all.get(&(stamp.device, stamp.inode)).is_some_and(|held| held.stands() && held.file.stamp() == stamp)
    }

    /// Gives up the file of this stamp, when it was not admitted.
    pub(crate) fn let_go_of_refused(&self, stamp: Stamp) {
        let mut all = self.all();
        let key = (stamp.device, stamp.inode);
        if all.get(&key).is_some_and(|held| held.admitted.is_empty()) {
            all.remove(&key);
        }
    }

    /// Gives up the file of this stamp.
    pub(crate) fn let_go(&self, stamp: Stamp) {
        self.all().remove(&(stamp.device, stamp.inode));
    }

    /// Whether the file of this stamp was handed to somebody a moment ago, so that he may not have it yet.
    pub(crate) fn is_fresh(&self, stamp: Stamp) -> bool {
        const MOMENT: Duration = Duration::from_secs(1);
        let all = self.all();
        all.get(&(stamp.device, stamp.inode)).is_some_and(|held| held.handed.elapsed() < MOMENT)
    }

    /// Gives up what nobody else has open any more, and forgets nothing else.
    pub(crate) fn let_go_of_unused(&self) {
        self.all().retain(|_, held| !held.leased || !is_alone(held.file.file().as_fd()));
    }

    /// Forgets what was decided; files stay held.
    pub(crate) fn forget(&self) {
        self.all().values_mut().for_each(|held| held.admitted.clear());
    }

    /// How many files are held.
    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(u64, u64), Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read, os::unix::fs::MetadataExt, path::Path};

    use alnage_types::Digest;

    use super::*;

    fn admission(signer: &str) -> Admission {
        Admission {
            formats: Vec::new(),
            model: PathBuf::from("model"),
            digest: Digest::of(b""),
            signer: signer.to_owned(),
            bytes: None,
        }
    }

    fn opened(path: &Path) -> (Handed, Places) {
        let file = Handed::new(File::open(path).unwrap()).unwrap();
        (file, Places { place: path.to_owned(), named: None })
    }

    #[test]
    fn a_copy_is_handed_out_again_while_its_file_stays_and_its_seal_counts() {
        // A file that nobody wrote to in the last minutes.
        let (file, places) = opened(Path::new("/bin/sh"));
        let copies = Copies::default();
        let first = File::from(copies.make("f", b"verified", &file, &places, admission("a")).unwrap());
        let (again, told) = copies.again(&file, &places, |_| true).expect("it is kept");
        let mut again = File::from(again);
        let mut bytes = Vec::new();
        again.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), told.signer.as_str()), (&b"verified"[..], "a"));
        assert_eq!(again.metadata().unwrap().ino(), first.metadata().unwrap().ino());
        let elsewhere = Places { place: PathBuf::from("/elsewhere"), named: None };
        assert!(copies.again(&file, &elsewhere, |_| true).is_none());
        assert!(copies.again(&file, &places, |_| false).is_none(), "its seal no longer counts");
        assert!(copies.again(&file, &places, |_| true).is_none(), "and it was forgotten");
    }

    #[test]
    fn a_file_that_was_written_to_a_moment_ago_is_copied_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "bytes").unwrap();
        let (file, places) = opened(&path);
        let copies = Copies::default();
        copies.make("f", b"bytes", &file, &places, admission("a")).unwrap();
        assert!(copies.again(&file, &places, |_| true).is_none());
    }
}
