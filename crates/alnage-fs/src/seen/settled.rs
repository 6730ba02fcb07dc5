//! When the time of a file's last change says that nobody has written to it since.

use std::{fs, time::SystemTime};

use rustix::fs as sys;

use crate::{Stamp, Tree};

/// Local file systems whose times of change are the kernel's own, by the number `statfs` gives them. Not among them:
/// tmpfs, where a store through a mapping sets no time; network file systems, where others set the times; FUSE, where
/// a program does; overlays, whose files change place when they are written to.
const KNOWN: &[(u64, &str)] = &[(0xef53, "ext4"), (0x5846_5342, "xfs"), (0x9123_683e, "btrfs")];

/// How long ago a file must have been changed, at least: more than any of these file systems rounds times by, and more
/// than the kernel's ordinary 35 seconds until it has written a page and watches for stores to it again.
const LEAST_SECONDS: i64 = 60;

/// A moment and a file system on which times of change before it are final.
#[derive(Debug)]
pub(crate) struct Settled {
    device: u64,
    /// Files that were changed after this second are too young.
    before: i64,
}

impl Settled {
    /// For the files of `tree`, hashed after `now`; `None` where times of change prove nothing.
    pub(super) fn at(tree: &Tree, now: SystemTime) -> Option<Self> {
        Self::on(tree.file_system()?, now)
    }

    /// For an open file, likewise.
    pub(crate) fn of(file: &fs::File, now: SystemTime) -> Option<Self> {
        Self::on(file_system(file)?, now)
    }

    fn on((device, kind): (u64, u64), now: SystemTime) -> Option<Self> {
        KNOWN.iter().find(|(number, _)| *number == kind)?;
        let wait = LEAST_SECONDS.max(writeback_seconds()?.saturating_mul(2));
        Some(Self { device, before: super::seconds(now).saturating_sub(wait) })
    }

    /// Whether the file lies on the file system that is known.
    pub(super) fn is_here(&self, stamp: &Stamp) -> bool {
        stamp.device == self.device
    }

    /// Whether a file of this stamp had not been changed for long when it was hashed.
    pub(crate) fn holds(&self, stamp: &Stamp) -> bool {
        self.is_here(stamp) && stamp.changed.0 < self.before
    }
}

/// How long the kernel leaves a page that was written to through a mapping as it is; `None` when nobody knows, or when
/// it was told never to write pages by itself.
fn writeback_seconds() -> Option<i64> {
    let read = |name: &str| -> Option<i64> {
        let text = fs::read_to_string(format!("/proc/sys/vm/{name}")).ok()?;
        text.trim().parse::<i64>().ok().filter(|&hundredths| hundredths > 0)
    };
    let hundredths = read("dirty_expire_centisecs")?.checked_add(read("dirty_writeback_centisecs")?)?;
    Some(hundredths / 100 + 1)
}

/// The device and the kind of the file system that `descriptor` lies on.
pub(crate) fn file_system(descriptor: impl std::os::fd::AsFd) -> Option<(u64, u64)> {
    let kind = sys::fstatfs(&descriptor).ok()?.f_type;
    let device = sys::fstat(&descriptor).ok()?.st_dev;
    // The kernel's number is of 32 bits; some machines widen it with its sign.
    Some((device, kind as u64 & 0xffff_ffff))
}
