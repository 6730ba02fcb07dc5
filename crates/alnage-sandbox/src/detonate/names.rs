//! The name service in the jail: every name has an address, in a network that is nobody's.

use std::{
    collections::BTreeMap,
    mem::MaybeUninit,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};

/// How many names are given addresses.
const MOST: usize = 250;
const HEADER: usize = 12;

/// Answers questions for names, and remembers what it said.
pub(super) struct Names {
    socket: OwnedFd,
    given: BTreeMap<Ipv4Addr, String>,
}

impl Names {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, given: BTreeMap::new() }
    }

    /// Where questions come from.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The name that was given this address.
    pub(super) fn of(&self, address: IpAddr) -> Option<&str> {
        match address {
            IpAddr::V4(address) => self.given.get(&address).map(String::as_str),
            IpAddr::V6(_) => None,
        }
    }

    /// Answers the question that waits; gives the name that was asked for.
    pub(super) fn answer(&mut self) -> Option<String> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 512];
        let ((question, _), _, from) = recvfrom(&self.socket, &mut buffer, RecvFlags::DONTWAIT).ok()?;
        let (name, kind, end) = read_question(question)?;
        let address = (kind == 1).then(|| self.address_of(&name)).flatten();
        let answer = write_answer(question.get(..end)?, address)?;
        if let Some(from) = from.and_then(|from| SocketAddr::try_from(from).ok()) {
            // Who asks and does not listen goes without.
            let _ = sendto(&self.socket, &answer, SendFlags::DONTWAIT, &from);
        }
        Some(name)
    }

    fn address_of(&mut self, name: &str) -> Option<Ipv4Addr> {
        if let Some((address, _)) = self.given.iter().find(|(_, known)| *known == name) {
            return Some(*address);
        }
        let next = u8::try_from(self.given.len().checked_add(1)?).ok().filter(|_| self.given.len() < MOST)?;
        let address = Ipv4Addr::new(198, 18, 0, next);
        self.given.insert(address, name.to_owned());
        Some(address)
    }
}

/// The name and type of the first question, and where it ends.
fn read_question(message: &[u8]) -> Option<(String, u16, usize)> {
    let mut at = HEADER;
    let mut name = String::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        if length > 63 {
            return None;
        }
        let label = message.get(at..at + length)?;
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|&byte| char::from(byte)));
        at += length;
    }
    let kind = u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?);
    let class = message.get(at + 2..at + 4)?;
    (class == [0, 1]).then_some((name, kind, at + 4))
}

/// The answer to the question: this address, or none.
fn write_answer(question: &[u8], address: Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let mut answer = question.to_owned();
    let count = u8::from(address.is_some());
    // An answer, recursion available, no error; one question, and as many answers.
    answer.get_mut(2..HEADER)?.copy_from_slice(&[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
    if let Some(address) = address {
        // Named as in the question, an address, valid for a minute.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests;
