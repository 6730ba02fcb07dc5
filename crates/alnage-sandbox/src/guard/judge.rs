//! What an open that waits is answered.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use alnage_fs::Handed;
use rustix::fs::fstat;

use super::{
    group::Waiting,
    metrics::{Metrics, Outcome},
    place::{Manner, Whereabouts, holders, whereabouts},
};
use crate::{
    Audit, Mode,
    admission::{Gate, Judgement, Places},
    hold::Holds,
};

/// Which files are judged.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Those on these file systems.
    pub(super) devices: Vec<u64>,
    /// Those below these places.
    pub(super) folders: Vec<PathBuf>,
    /// Directories of ours on the guarded file systems.
    pub(super) roots: Vec<OwnedFd>,
}

impl Scope {
    /// A file whose place cannot be told is not outside.
    fn covers(&self, file: &OwnedFd, place: &Path) -> bool {
        place.as_os_str().is_empty()
            || self.folders.iter().any(|folder| place.starts_with(folder))
            || fstat(file).is_ok_and(|stat| self.devices.contains(&stat.st_dev))
    }
}

/// As many verified files are held at most.
const MOST_HELD: usize = 1 << 15;

/// Judges opens. Many threads may ask at once.
pub(super) struct Judge {
    gate: RwLock<Arc<Gate>>,
    pub(super) audit: Audit,
    pub(super) holds: Holds,
    pub(super) metrics: Metrics,
    scope: Scope,
}

impl Judge {
    pub(super) fn new(gate: Gate, audit: Audit, scope: Scope) -> Self {
        let gate = RwLock::new(Arc::new(gate));
        Self { gate, audit, holds: Holds::default(), metrics: Metrics::default(), scope }
    }

    /// The gate that decides now.
    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on `gate` decides, also about what was decided before.
    pub(super) fn set_gate(&self, gate: Gate) {
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(gate);
        self.holds.forget();
    }

    /// Whether what is not admitted can be opened all the same.
    pub(super) fn only_looks(&self) -> bool {
        self.audit.mode() != Mode::Enforce
    }

    /// Whether the open may go on.
    pub(super) fn decide(&self, waiting: &Waiting) -> bool {
        let found = whereabouts(&waiting.file, waiting.thread, waiting.accesses, &self.scope.roots);
        if !self.scope.covers(&waiting.file, &found.places.place) {
            self.metrics.count(Outcome::Elsewhere);
            return true;
        }
        let outcome = self.judge(waiting, &found).unwrap_or_else(|error| {
            let reason = format!("it could not be looked at: {error}");
            self.audit.refused(waiting.thread, &found.places, &reason);
            Outcome::Refused
        });
        self.metrics.count(outcome);
        outcome != Outcome::Refused || self.only_looks()
    }

    fn judge(&self, waiting: &Waiting, found: &Whereabouts) -> io::Result<Outcome> {
        let file = Handed::new(File::from(waiting.file.try_clone()?))?;
        let refuse = |reason: &str| {
            self.audit.refused(waiting.thread, &found.places, reason);
            Ok(Outcome::Refused)
        };
        if found.manner != Manner::Reads && self.holds.holds(file.stamp()) {
            if self.is_in_use(&file) {
                return refuse("it was verified, and is not written to while it is in use");
            }
            self.holds.let_go(file.stamp());
        }
        match found.manner {
            Manner::Reads => self.reading(waiting, found, &file),
            Manner::Writes => Ok(Outcome::Written),
            Manner::Both if self.gate().is_guarded(&file, &found.places)? => {
                refuse("a model is opened for reading alone, not for writing too")
            }
            Manner::Both => Ok(Outcome::NoModel),
        }
    }

    /// Keeps writers away from `file`. Each file that is held takes a descriptor, and without any the kernel refuses
    /// everybody: so there is an end to it.
    fn hold(&self, file: &Handed, places: &Places) -> Result<(), String> {
        if self.holds.len() >= MOST_HELD {
            self.holds.let_go_of_unused();
            if self.holds.len() >= MOST_HELD {
                return Err("too many verified files are in use".to_owned());
            }
        }
        self.holds.take(file, places)
    }

    fn is_in_use(&self, file: &Handed) -> bool {
        let stamp = file.stamp();
        self.holds.is_fresh(stamp) || !holders(stamp.device, stamp.inode).is_empty()
    }

    fn reading(&self, waiting: &Waiting, found: &Whereabouts, file: &Handed) -> io::Result<Outcome> {
        let places = &found.places;
        let hold = |file: &Handed| self.hold(file, places);
        let known = self.holds.admitted(file, places);
        let judgement = match known.filter(|admission| self.gate().still_counts(admission)) {
            Some(admission) => Judgement::Admitted(Box::new(admission)),
            None => self.gate().judge_in_place(file, places, &hold).inspect_err(|_| {
                self.holds.let_go_of_refused(file.stamp());
            })?,
        };
        if let Judgement::Admitted(admission) = &judgement {
            // Somebody may have begun to write to it since it was hashed.
            if !self.holds.stands(file.stamp()) {
                return Err(io::Error::other("somebody is writing to it"));
            }
            self.holds.admit(file, places, admission);
        } else {
            self.holds.let_go_of_refused(file.stamp());
        }
        self.audit.judged(waiting.thread, places, &judgement);
        Ok(match judgement {
            Judgement::NoModel => Outcome::NoModel,
            Judgement::Admitted(_) => Outcome::Admitted,
            Judgement::Refused(_) => Outcome::Refused,
        })
    }
}
