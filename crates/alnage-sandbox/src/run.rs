//! A run from its start to the end of the last process it started.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use alnage_fs::Handed;
use rustix::process::{Resource, WaitOptions, getrlimit, set_child_subreaper, setrlimit};
use serde_json::json;

use crate::{
    Audit, Confinement, Error, Mode,
    admission::{Gate, Judgement, Places},
    audit::say,
    filter::Filter,
    launch::{Program, launch},
    raw::{hold_signals, next_signal, send_signal, standard},
    serve::Supervisor,
};

/// What is run.
pub struct Running<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// Who judges the files it opens.
    pub gate: Gate,
    /// Where decisions go.
    pub audit: Audit,
    /// What else it is kept from.
    pub confinement: Confinement,
}

/// How often files are looked at that the system does not keep writers away from.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs the program and gives its exit code: 128 and the signal's number when a signal ended it.
///
/// Ends when the last process that was started has ended, so that none goes on without a supervisor.
pub fn run(running: Running<'_>) -> Result<u8, Error> {
    let Running { command, gate, audit, confinement } = running;
    let mode = audit.mode();
    let enforcing = mode == Mode::Enforce;
    let program = Program::find(command)?;
    if enforcing {
        refuse_models_at_hand(&gate, &audit, &program)?;
    }
    let filter = Filter {
        observing: !enforcing,
        no_network: confinement.no_network,
        as_root: rustix::process::geteuid().is_root(),
    };
    set_child_subreaper(rustix::process::Pid::from_raw(1)).map_err(Error::at("taking care of orphans"))?;
    let writable = confinement.read_only.then(|| {
        let places = confinement.writable.iter();
        places.map(|place| place.canonicalize().unwrap_or_else(|_| place.clone())).collect()
    });
    let places = program.places(&confinement.programs);
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    audit.event("start", vec![("command", json!(words))]);
    let (send, receive) = mpsc::channel();
    let programs = places.clone();
    let serve = move |listener| {
        hold_signals();
        let supervisor = Supervisor::new(listener, gate, audit, writable, programs);
        supervisor.start()?;
        send.send(supervisor).map_err(io::Error::other)
    };
    let child = launch(&program, filter, &confinement, &places, enforcing, serve)?;
    hold_signals();
    more_descriptors();
    let supervisor = receive.recv().map_err(|error| Error::at("threads")(io::Error::other(error)))?;
    let process = child.id();
    let watching = Arc::clone(&supervisor);
    let watch = move |supervisor: &Supervisor| stop_on_change(supervisor, enforcing);
    thread::spawn(move || {
        loop {
            thread::sleep(LOOK_AGAIN);
            watch(&watching);
        }
    });
    let signalled = Arc::clone(&supervisor);
    thread::spawn(move || pass_signals_on(process, &signalled, enforcing));
    let code = wait_for_all(process);
    stop_on_change(&supervisor, enforcing);
    supervisor.gate.keep();
    supervisor.audit.event("end", vec![("code", json!(code))]);
    Ok(code)
}

/// What the program would have without opening it: itself, and its standard input.
fn refuse_models_at_hand(gate: &Gate, audit: &Audit, program: &Program) -> Result<(), Error> {
    let own = program.path.canonicalize().map_err(Error::at(format!("`{}`", program.path.display())))?;
    if let Ok(file) = File::open(&own).and_then(Handed::new)
        && gate.is_model_program(&file, &own.to_string_lossy()).unwrap_or(true)
    {
        refuse(gate, audit, &file, own)?;
    }
    for number in 0..=2 {
        let Some(descriptor) = standard(number) else { continue };
        if let Some((file, place)) = readable_file(&descriptor) {
            refuse(gate, audit, &file, place)?;
        }
    }
    Ok(())
}

/// The file that a descriptor can be read from, and where it is.
fn readable_file(descriptor: &OwnedFd) -> Option<(Handed, PathBuf)> {
    let flags = rustix::fs::fcntl_getfl(descriptor).ok()?;
    if flags & rustix::fs::OFlags::RWMODE == rustix::fs::OFlags::WRONLY {
        return None;
    }
    let file = Handed::new(descriptor.try_clone().ok()?.into()).ok()?;
    let place = std::fs::read_link(crate::resolve::own_name(descriptor)).ok()?;
    Some((file, place))
}

fn refuse(gate: &Gate, audit: &Audit, file: &Handed, place: PathBuf) -> Result<(), Error> {
    let places = Places { place, named: None };
    let judgement =
        gate.judge(file, &places, &|_| Ok(())).map_err(Error::at(format!("`{}`", places.place.display())))?;
    audit.judged(std::process::id(), &places, &judgement);
    match judgement {
        Judgement::Refused(refusal) => Err(Error::Refused { path: places.place, reason: refusal.reason }),
        Judgement::Admitted(_) | Judgement::NoModel => Ok(()),
    }
}

/// Each long file that is held takes a descriptor; the limit of the program is its own.
fn more_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Fewer descriptors are fewer files that are held.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Waits for every process that was started, and gives the code of the first.
fn wait_for_all(process: u32) -> u8 {
    let mut code = 0;
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended.as_raw_nonzero().get() as u32 == process => {
                code = exit_code(ExitStatus::from_raw(status.as_raw()));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return code,
        }
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// A verified file that somebody writes to is no longer what was verified, and nothing takes it out of a program that
/// has it in memory.
fn stop_on_change(supervisor: &Supervisor, enforcing: bool) {
    let broken = supervisor.holds.broken();
    for file in &broken {
        supervisor.audit.changed(&file.place);
    }
    if enforcing && !broken.is_empty() {
        say("the program is stopped: what it has open is no longer what was signed");
        descendants(std::process::id()).into_iter().for_each(|process| send_signal(process, libc::SIGKILL));
    }
}

fn pass_signals_on(process: u32, supervisor: &Supervisor, enforcing: bool) {
    while let Some(signal) = next_signal() {
        match signal.number {
            // Somebody wants to write to a file that is held.
            libc::SIGIO => stop_on_change(supervisor, enforcing),
            // From the terminal the program has it already.
            _ if signal.by_kernel => {}
            number => send_signal(process, number),
        }
    }
}

/// Every process below `ancestor`.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let mut found = vec![ancestor];
    let parents: Vec<(u32, u32)> = processes(Path::new("/proc"));
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        let below = parents.iter().filter(|(process, of)| *of == parent && !found.contains(process));
        let below: Vec<u32> = below.map(|(process, _)| *process).collect();
        found.extend(below);
        at += 1;
    }
    found.remove(0);
    found
}

/// All processes, each with its parent.
fn processes(proc: &Path) -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |process| crate::resolve::status_field(process, "PPid:")?.parse().ok();
    numbers.filter_map(|process| Some((process, parent(process)?))).collect()
}
