use super::*;

#[track_caller]
fn check(path: &str, written: Option<Kind>, read: Option<Kind>) {
    assert_eq!((of_path(path, true), of_path(path, false)), (written, read), "{path}");
}

#[test]
fn what_a_path_means() {
    let (written, later, secret) = (Some(Kind::Written), Some(Kind::Persistence), Some(Kind::Secret));
    check("/tmp/x", written, None);
    check("/usr/lib/python3/os.py", written, None);
    check("/dev/null", None, None);
    check("/dev/shm/sem.abc", None, None);
    check("/dev/shm/dropped", written, None);
    check("/home/user/.bashrc", later, None);
    check("/home/user/.ssh/authorized_keys", later, secret);
    check("/etc/cron.d/x", later, None);
    check("/usr/lib/python3/site-packages/x.pth", later, None);
    check("/etc/passwd", later, secret);
    check("/etc/hosts", written, None);
    check("/home/user/.aws/credentials", written, secret);
    check("/proc/self/environ", written, secret);
    check("/proc/self/status", written, None);
    check("/proc/17/mem", written, secret);
    check("/proc/17/status", written, None);
    check("/proc/cpuinfo", written, None);
}

#[test]
fn what_a_harmless_file_does_too_is_taken_away() {
    let events = |subjects: &[&str]| {
        let mut events = Events::default();
        for subject in subjects {
            events.add(Kind::Written, (*subject).to_owned(), String::new(), String::new());
        }
        events
    };
    let mut seen = events(&["/tmp/a12", "/tmp/b", "/tmp/b", "/tmp/c"]);
    assert_eq!(seen.0.len(), 3);
    assert_eq!(seen.0[1].times, 2);
    seen.subtract(&events(&["/tmp/a7", "/tmp/c"]));
    assert_eq!(seen.0.iter().map(|event| &*event.subject).collect::<Vec<_>>(), ["/tmp/b"]);
}
