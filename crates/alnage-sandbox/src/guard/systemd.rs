//! What a service manager is told, and what it keeps for the next start.

use std::{env, ffi::OsStr, io::IoSlice, mem::MaybeUninit, os::fd::BorrowedFd, os::unix::ffi::OsStrExt};

use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sendmsg_addr, socket_with,
};

/// Whether there is a manager that wants to hear that all is well.
pub(super) fn is_watched() -> bool {
    env::var_os("WATCHDOG_USEC").is_some()
}

/// Tells the manager, when there is one. That it does not listen is no harm.
pub(super) fn tell(message: &str) {
    let _ = send(message, None);
}

/// Gives the manager `group` to keep, so that those who wait at it go on waiting while no guard runs.
pub(super) fn keep(group: BorrowedFd<'_>) -> bool {
    send("FDSTORE=1\nFDNAME=guard\nFDPOLL=0", Some(group)).is_some()
}

fn send(message: &str, file: Option<BorrowedFd<'_>>) -> Option<()> {
    let place = env::var_os("NOTIFY_SOCKET")?;
    let address = match place.as_bytes() {
        [b'@', name @ ..] => SocketAddrUnix::new_abstract_name(name).ok()?,
        path => SocketAddrUnix::new(OsStr::from_bytes(path)).ok()?,
    };
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = file.map(|file| [file]);
    if let Some(files) = &files
        && !control.push(SendAncillaryMessage::ScmRights(files))
    {
        return None;
    }
    let message = [IoSlice::new(message.as_bytes())];
    sendmsg_addr(socket, &address, &message, &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT).ok()?;
    Some(())
}
