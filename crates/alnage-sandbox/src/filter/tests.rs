use super::*;

/// Runs the program on a call as the kernel would.
fn answer(filter: Filter, machine: u32, call: c_long, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend((call as u32).to_ne_bytes());
    data.extend(machine.to_ne_bytes());
    data.extend(0_u64.to_ne_bytes());
    data.extend(arguments.iter().flat_map(|argument| argument.to_ne_bytes()));
    let program = filter.program();
    let (mut at, mut loaded) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        at += 1 + match u32::from(code) & !libc::BPF_K {
            code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => {
                let word = &data[k as usize..k as usize + 4];
                loaded = u32::from_ne_bytes(word.try_into().unwrap());
                0
            }
            code if code == libc::BPF_JMP | libc::BPF_JEQ => jump(loaded == k),
            code if code == libc::BPF_JMP | libc::BPF_JGE => jump(loaded >= k),
            code if code == libc::BPF_JMP | libc::BPF_JSET => jump(loaded & k != 0),
            _ => return k,
        };
    }
}

const ENFORCING: Filter = Filter { observing: false, no_network: true, as_root: true };

#[track_caller]
fn check(call: c_long, arguments: &[i32], expected: u32) {
    let mut all = [0; 6];
    for (place, &argument) in all.iter_mut().zip(arguments) {
        *place = argument as u32 as u64;
    }
    assert_eq!(answer(ENFORCING, MACHINE, call, all), expected, "{call} {arguments:?}");
}

#[test]
fn what_can_give_bytes_of_a_file_asks() {
    let openat = libc::SYS_openat;
    for flags in [libc::O_RDONLY, libc::O_RDWR, libc::O_WRONLY, libc::O_RDWR | libc::O_CREAT, libc::O_TMPFILE]
    {
        check(openat, &[-100, 0, flags], ASK);
    }
    for flags in [libc::O_PATH, libc::O_DIRECTORY, libc::O_PATH | libc::O_CREAT | libc::O_RDWR] {
        check(openat, &[-100, 0, flags], ALLOW);
    }
    check(openat, &[-100, 0, libc::O_DIRECTORY | libc::O_CREAT], ASK);
    check(libc::SYS_openat2, &[], ASK);
    check(libc::SYS_execve, &[], ASK);
    #[cfg(target_arch = "x86_64")]
    {
        check(libc::SYS_open, &[0, libc::O_RDONLY], ASK);
        check(libc::SYS_open, &[libc::O_PATH, 0], ASK);
        check(libc::SYS_creat, &[], ASK);
    }
    check(libc::SYS_read, &[], ALLOW);
}

#[test]
fn ways_around_fail() {
    for &call in UNSEEN.iter().chain(FORBIDDEN).chain(IDENTITY) {
        check(call, &[], fail(libc::EPERM));
    }
    check(libc::SYS_clone3, &[], fail(libc::ENOSYS));
    check(libc::SYS_clone, &[libc::CLONE_VM | libc::CLONE_THREAD], ALLOW);
    check(libc::SYS_clone, &[libc::CLONE_NEWUSER], fail(libc::EPERM));
    check(libc::SYS_unshare, &[libc::CLONE_NEWNS], fail(libc::EPERM));
    check(libc::SYS_unshare, &[libc::CLONE_FILES], ALLOW);
    check(libc::SYS_socket, &[libc::AF_INET], fail(libc::EACCES));
    check(libc::SYS_socket, &[libc::AF_UNIX], ALLOW);
}

#[test]
fn calls_of_another_machine_kill() {
    assert_eq!(answer(ENFORCING, 0x4000_0003, 5, [0; 6]), KILL);
    #[cfg(target_arch = "x86_64")]
    assert_eq!(answer(ENFORCING, MACHINE, libc::SYS_openat | 0x4000_0000, [0; 6]), KILL);
}

#[test]
fn observing_forbids_only_what_goes_unseen() {
    let observing = Filter { observing: true, no_network: false, as_root: true };
    let answer = |call| answer(observing, MACHINE, call, [0; 6]);
    assert_eq!(answer(libc::SYS_io_uring_setup), fail(libc::EPERM));
    assert_eq!(answer(libc::SYS_openat), ASK);
    for call in [libc::SYS_mount, libc::SYS_setuid, libc::SYS_clone3, libc::SYS_socket] {
        assert_eq!(answer(call), ALLOW);
    }
}
