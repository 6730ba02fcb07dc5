//! The filter that is put before every system call of the program: which ones ask, which ones fail.

use libc::c_long;

use crate::raw::Instruction;

/// What the filter is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    /// Only asks; nothing fails but what would go unseen.
    pub(crate) observing: bool,
    /// Sockets of other kinds than `AF_UNIX` fail.
    pub(crate) no_network: bool,
    /// The supervisor has root's rights, so the program must not give them up and still be served with them.
    pub(crate) as_root: bool,
}

/// Would open files, or tell of them, without a call that asks.
const UNSEEN: &[c_long] = &[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Opens files by number, or changes where paths lead, or reaches beneath the kernel.
const FORBIDDEN: &[c_long] = &[
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_bpf,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_acct,
];

/// Make the caller another user.
const IDENTITY: &[c_long] = &[
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
];

#[cfg(target_arch = "x86_64")]
pub(crate) const MACHINE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(crate) const MACHINE: u32 = 0xc000_00b7;

/// Where `struct seccomp_data` has them.
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCHITECTURE: u32 = 4;
pub(crate) const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

pub(crate) const ASK: u32 = libc::SECCOMP_RET_USER_NOTIF;
pub(crate) const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
pub(crate) const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
pub(crate) const fn fail(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

const NEW_VIEW: u32 = (libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u32;
/// The bit of `O_TMPFILE` that is not also `O_DIRECTORY`.
const TMPFILE: u32 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;

impl Filter {
    /// The filter's program.
    pub(crate) fn program(self) -> Vec<Instruction> {
        let mut program = Vec::with_capacity(128);
        load(&mut program, ARCHITECTURE);
        // Calls of another architecture have other numbers: a program of 32 bits would slip through by them.
        unless_equal(&mut program, MACHINE, KILL);
        load(&mut program, NUMBER);
        #[cfg(target_arch = "x86_64")]
        at_least(&mut program, 0x4000_0000, KILL);
        #[cfg(target_arch = "x86_64")]
        {
            opening(&mut program, libc::SYS_open, 1);
            always(&mut program, libc::SYS_creat, ASK);
        }
        opening(&mut program, libc::SYS_openat, 2);
        always(&mut program, libc::SYS_openat2, ASK);
        for &call in UNSEEN {
            always(&mut program, call, fail(libc::EPERM));
        }
        if !self.observing {
            for call in [libc::SYS_execve, libc::SYS_execveat] {
                always(&mut program, call, ASK);
            }
            for &call in FORBIDDEN {
                always(&mut program, call, fail(libc::EPERM));
            }
            #[cfg(target_arch = "x86_64")]
            always(&mut program, libc::SYS_uselib, fail(libc::EPERM));
            // Its flags lie in memory, where no filter looks; without it, libraries use `clone`.
            always(&mut program, libc::SYS_clone3, fail(libc::ENOSYS));
            when_set(&mut program, libc::SYS_clone, 0, NEW_VIEW, fail(libc::EPERM));
            when_set(&mut program, libc::SYS_unshare, 0, NEW_VIEW, fail(libc::EPERM));
            if self.as_root {
                for &call in IDENTITY {
                    always(&mut program, call, fail(libc::EPERM));
                }
            }
        }
        if self.no_network {
            local_sockets_only(&mut program);
        }
        give(&mut program, ALLOW);
        program
    }
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code: code as u16, jt, jf, k }
}

pub(crate) fn load(program: &mut Vec<Instruction>, offset: u32) {
    program.push(instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset));
}

pub(crate) fn give(program: &mut Vec<Instruction>, answer: u32) {
    program.push(instruction(libc::BPF_RET | libc::BPF_K, 0, 0, answer));
}

/// Skips `skipped` instructions unless what is loaded equals `value`.
pub(crate) fn only_if_equal(program: &mut Vec<Instruction>, value: u32, skipped: u8) {
    program.push(instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, skipped, value));
}

/// Gives `answer` when a bit of `bits` is set in what is loaded.
pub(crate) fn if_any(program: &mut Vec<Instruction>, bits: u32, answer: u32) {
    program.push(instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, bits));
    give(program, answer);
}

pub(crate) fn unless_equal(program: &mut Vec<Instruction>, value: u32, answer: u32) {
    program.push(instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, value));
    give(program, answer);
}

#[cfg(target_arch = "x86_64")]
pub(crate) fn at_least(program: &mut Vec<Instruction>, value: u32, answer: u32) {
    program.push(instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, value));
    give(program, answer);
}

pub(crate) fn always(program: &mut Vec<Instruction>, call: c_long, answer: u32) {
    only_if_equal(program, call as u32, 1);
    give(program, answer);
}

/// `call` gets `answer` when a bit of `bits` is set in its argument `index`; else it is allowed.
fn when_set(program: &mut Vec<Instruction>, call: c_long, index: u32, bits: u32, answer: u32) {
    only_if_equal(program, call as u32, 4);
    load(program, argument(index));
    if_any(program, bits, answer);
    give(program, ALLOW);
}

/// A call that opens, with its flags in argument `index`: what can give no bytes of a file need not ask. Flags in a
/// register are what the kernel will act upon; nobody can change them behind the filter.
fn opening(program: &mut Vec<Instruction>, call: c_long, index: u32) {
    only_if_equal(program, call as u32, 8);
    load(program, argument(index));
    if_any(program, libc::O_PATH as u32, ALLOW);
    if_any(program, TMPFILE | libc::O_CREAT as u32, ASK);
    if_any(program, libc::O_DIRECTORY as u32, ALLOW);
    give(program, ASK);
}

fn local_sockets_only(program: &mut Vec<Instruction>) {
    only_if_equal(program, libc::SYS_socket as u32, 4);
    load(program, argument(0));
    unless_equal(program, libc::AF_UNIX as u32, fail(libc::EACCES));
    give(program, ALLOW);
}

#[cfg(test)]
mod tests;
