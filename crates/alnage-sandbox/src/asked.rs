//! A question of the filter: which file the program wants to open or start, and how.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use crate::raw::{Notice, read_memory};

/// A call that opens a file, or starts it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The thread that asks.
    pub(crate) thread: u32,
    /// Where a relative path begins.
    pub(crate) base: Base,
    /// The path.
    pub(crate) path: OsString,
    /// `O_…`.
    pub(crate) flags: i32,
    /// Permissions of a file that is made.
    pub(crate) mode: u32,
    /// `RESOLVE_…` of `openat2`.
    pub(crate) resolve: u64,
    /// The file is to be started as a program.
    pub(crate) starts: bool,
}

/// Where a relative path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// At the working directory.
    Working,
    /// At this descriptor.
    Descriptor(i32),
}

impl Asked {
    /// Reads the question. `None` when the kernel would not take it either: it shall say so itself.
    pub(crate) fn read(notice: &Notice) -> Option<Self> {
        let [first, second, third, fourth, ..] = notice.arguments;
        let thread = notice.thread;
        let base = |argument: u64| match argument as i32 {
            libc::AT_FDCWD => Base::Working,
            number => Base::Descriptor(number),
        };
        let plain = |base, path, flags, mode| {
            Some(Self {
                thread,
                base,
                path: read_path(thread, path)?,
                flags: flags as i32,
                mode: mode as u32,
                resolve: 0,
                starts: false,
            })
        };
        match notice.call {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => plain(Base::Working, first, second, third),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                plain(Base::Working, first, flags as u64, second)
            }
            libc::SYS_openat => plain(base(first), second, third, fourth),
            libc::SYS_openat2 => {
                let [flags, mode, resolve] = read_how(thread, third, fourth)?;
                let asked = plain(base(first), second, flags, mode)?;
                // What does not fit is refused by the kernel.
                (i32::try_from(flags).is_ok()).then_some(Self { resolve, ..asked })
            }
            libc::SYS_execve => Some(Self { starts: true, ..plain(Base::Working, first, 0, 0)? }),
            libc::SYS_execveat => Some(Self { starts: true, ..plain(base(first), second, 0, 0)? }),
            _ => None,
        }
    }

    /// Whether what the call gives is closed when the program starts another.
    pub(crate) fn closes_on_exec(&self) -> bool {
        self.has(libc::O_CLOEXEC)
    }

    /// Whether bytes of the file can be read through what is opened.
    pub(crate) fn reads(&self) -> bool {
        matches!(self.flags & libc::O_ACCMODE, libc::O_RDONLY | libc::O_RDWR)
            && self.flags & libc::O_PATH == 0
    }

    /// Whether all of `flags` are set.
    pub(crate) fn has(&self, flags: i32) -> bool {
        self.flags & flags == flags
    }
}

/// The path at `address`; the kernel takes at most 4095 bytes.
fn read_path(thread: u32, address: u64) -> Option<OsString> {
    let mut buffer = vec![0; libc::PATH_MAX as usize];
    let read = read_memory(thread, address, &mut buffer).ok()?;
    let bytes = buffer.get(..read)?;
    let end = bytes.iter().position(|&byte| byte == 0)?;
    buffer.truncate(end);
    Some(OsString::from_vec(buffer))
}

/// Flags, mode and ways to resolve of `struct open_how`.
fn read_how(thread: u32, address: u64, size: u64) -> Option<[u64; 3]> {
    const KNOWN: usize = 24;
    if size != KNOWN as u64 {
        return None;
    }
    let mut bytes = [0; KNOWN];
    if read_memory(thread, address, &mut bytes).ok()? != KNOWN {
        return None;
    }
    let word = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
    Some([word(0)?, word(8)?, word(16)?])
}
