//! The filter in the jail: what the model asks the kernel for is told before it is done, and what could lead out fails.

use libc::c_long;

use crate::{
    filter::{
        ALLOW, ARCHITECTURE, ASK, KILL, MACHINE, NUMBER, always, argument, fail, give, if_any, load,
        only_if_equal, unless_equal,
    },
    raw::Instruction,
};

/// Told, then done by the kernel: the jail bears it.
const TOLD: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_truncate,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_memfd_create,
];

/// The same by their old numbers.
#[cfg(target_arch = "x86_64")]
const TOLD_OLD: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_unlink,
    libc::SYS_rmdir,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_mkdir,
    libc::SYS_mknod,
    libc::SYS_chmod,
    libc::SYS_fork,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const TOLD_OLD: &[c_long] = &[];

/// Told, and refused: no loader needs them, and who asks wants out, or wants to go unseen.
const ESCAPES: &[(c_long, &str)] = &[
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_io_uring_enter, "io_uring_enter"),
    (libc::SYS_io_uring_register, "io_uring_register"),
    (libc::SYS_ptrace, "ptrace"),
    (libc::SYS_process_vm_readv, "process_vm_readv"),
    (libc::SYS_process_vm_writev, "process_vm_writev"),
    (libc::SYS_pidfd_getfd, "pidfd_getfd"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_umount2, "umount2"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_chroot, "chroot"),
    (libc::SYS_open_tree, "open_tree"),
    (libc::SYS_move_mount, "move_mount"),
    (libc::SYS_fsopen, "fsopen"),
    (libc::SYS_fsconfig, "fsconfig"),
    (libc::SYS_fsmount, "fsmount"),
    (libc::SYS_fspick, "fspick"),
    (libc::SYS_mount_setattr, "mount_setattr"),
    (libc::SYS_setns, "setns"),
    (libc::SYS_unshare, "unshare"),
    (libc::SYS_open_by_handle_at, "open_by_handle_at"),
    (libc::SYS_fanotify_init, "fanotify_init"),
    (libc::SYS_bpf, "bpf"),
    (libc::SYS_perf_event_open, "perf_event_open"),
    (libc::SYS_userfaultfd, "userfaultfd"),
    (libc::SYS_keyctl, "keyctl"),
    (libc::SYS_add_key, "add_key"),
    (libc::SYS_request_key, "request_key"),
    (libc::SYS_kexec_load, "kexec_load"),
    (libc::SYS_kexec_file_load, "kexec_file_load"),
    (libc::SYS_init_module, "init_module"),
    (libc::SYS_finit_module, "finit_module"),
    (libc::SYS_delete_module, "delete_module"),
    (libc::SYS_swapon, "swapon"),
    (libc::SYS_swapoff, "swapoff"),
    (libc::SYS_acct, "acct"),
    (libc::SYS_reboot, "reboot"),
    (libc::SYS_quotactl, "quotactl"),
    (libc::SYS_syslog, "syslog"),
    (libc::SYS_settimeofday, "settimeofday"),
    (libc::SYS_clock_settime, "clock_settime"),
    (libc::SYS_sethostname, "sethostname"),
    (libc::SYS_setdomainname, "setdomainname"),
    (libc::SYS_setuid, "setuid"),
    (libc::SYS_setgid, "setgid"),
    (libc::SYS_setreuid, "setreuid"),
    (libc::SYS_setregid, "setregid"),
    (libc::SYS_setresuid, "setresuid"),
    (libc::SYS_setresgid, "setresgid"),
    (libc::SYS_setfsuid, "setfsuid"),
    (libc::SYS_setfsgid, "setfsgid"),
    (libc::SYS_setgroups, "setgroups"),
];

#[cfg(target_arch = "x86_64")]
const ESCAPES_OLD: &[(c_long, &str)] =
    &[(libc::SYS_iopl, "iopl"), (libc::SYS_ioperm, "ioperm"), (libc::SYS_uselib, "uselib")];
#[cfg(not(target_arch = "x86_64"))]
const ESCAPES_OLD: &[(c_long, &str)] = &[];

const NEW_VIEW: u32 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u32;

/// Hold memory that belongs to no process, and so would not be counted.
const UNCOUNTED: &[c_long] = &[libc::SYS_shmget, libc::SYS_msgget, libc::SYS_semget, libc::SYS_memfd_secret];

/// Networks that end at the loopback here, and questions to the kernel about them. Others lead to the host of a virtual
/// machine, or into parts of the kernel that nobody else asks.
const FAMILIES: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The name of a call that is refused because it could lead out.
pub(super) fn escape(call: c_long, first: u64) -> Option<&'static str> {
    if call == libc::SYS_socket {
        return Some("socket of a family that leads out");
    }
    if call == libc::SYS_clone {
        return (first as u32 & NEW_VIEW != 0).then_some("clone with new name spaces");
    }
    let mut all = ESCAPES.iter().chain(ESCAPES_OLD);
    all.find(|(number, _)| *number == call).map(|(_, name)| *name)
}

/// The filter's program.
pub(super) fn program() -> Vec<Instruction> {
    let mut program = Vec::with_capacity(256);
    load(&mut program, ARCHITECTURE);
    unless_equal(&mut program, MACHINE, KILL);
    load(&mut program, NUMBER);
    #[cfg(target_arch = "x86_64")]
    crate::filter::at_least(&mut program, 0x4000_0000, KILL);
    for &call in TOLD.iter().chain(TOLD_OLD) {
        always(&mut program, call, ASK);
    }
    for &(call, _) in ESCAPES.iter().chain(ESCAPES_OLD) {
        always(&mut program, call, ASK);
    }
    // Its flags lie in memory, where no filter looks; without it, libraries use `clone`.
    always(&mut program, libc::SYS_clone3, fail(libc::ENOSYS));
    always(&mut program, libc::SYS_clone, ASK);
    for &call in UNCOUNTED {
        always(&mut program, call, fail(libc::EPERM));
    }
    only_if_equal(&mut program, libc::SYS_socket as u32, 10);
    load(&mut program, argument(0));
    for &family in FAMILIES {
        only_if_equal(&mut program, family as u32, 1);
        give(&mut program, ALLOW);
    }
    give(&mut program, ASK);
    // Only with an address; what goes through a connected socket is answered by nobody.
    only_if_equal(&mut program, libc::SYS_sendto as u32, 6);
    for half in [0, 4] {
        load(&mut program, argument(4) + half);
        if_any(&mut program, u32::MAX, ASK);
    }
    give(&mut program, ALLOW);
    program
}
