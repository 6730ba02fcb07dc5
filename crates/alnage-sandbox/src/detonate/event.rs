//! What a model did, or wanted to do, while it was loaded.

use serde::Serialize;

/// What kind of behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program was started.
    Process,
    /// Text or bytes were run as code, or a native library was loaded.
    Code,
    /// A connection was made, or a message was sent.
    Connection,
    /// A name was asked for.
    Lookup,
    /// A port was opened.
    Listening,
    /// A file was written to or made in a place from which it is run later.
    Persistence,
    /// A file was written to, made or changed.
    Written,
    /// A file was removed or renamed.
    Removed,
    /// A file that holds secrets, or another process, was read.
    Secret,
    /// The environment was searched for secrets.
    Environment,
    /// A call that could lead out of the jail was made; it was refused.
    Escape,
    /// So many processes were started that the rest were refused.
    Exhaustion,
    /// A function was called that is dangerous and not there in this profile.
    Call,
}

impl Kind {
    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Process => "starts",
            Self::Code => "runs code",
            Self::Connection => "connects to",
            Self::Lookup => "asks for the address of",
            Self::Listening => "listens at",
            Self::Persistence => "plants",
            Self::Written => "writes",
            Self::Removed => "removes",
            Self::Secret => "reads",
            Self::Environment => "reads the environment:",
            Self::Escape => "tries to get out:",
            Self::Exhaustion => "exhausts",
            Self::Call => "calls",
        }
    }
}

/// One thing it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What kind.
    pub kind: Kind,
    /// The program, path, address, name.
    pub subject: String,
    /// More of it: arguments, what was passed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The program that did it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// How often.
    pub times: u64,
}

/// How many different events are kept.
const MOST: usize = 500;

/// Events in the order in which they were first seen, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Events(pub(super) Vec<Event>);

impl Events {
    pub(super) fn add(&mut self, kind: Kind, subject: String, detail: String, by: String) {
        let is_full = self.0.len() >= MOST;
        let known = self.0.iter_mut().find(|event| {
            event.kind == kind && event.subject == subject && event.detail == detail && event.by == by
        });
        match known {
            Some(event) => event.times = event.times.saturating_add(1),
            None if is_full => {}
            None => self.0.push(Event { kind, subject, detail, by, times: 1 }),
        }
    }

    /// Takes away what a harmless file of the same format does too.
    pub(super) fn subtract(&mut self, control: &Self) {
        self.0.retain(|event| {
            let same = |other: &Event| {
                other.kind == event.kind
                    && unnumbered(&other.subject) == unnumbered(&event.subject)
                    && other.detail == event.detail
            };
            !control.0.iter().any(same)
        });
    }
}

/// The text without numbers, which differ from run to run.
fn unnumbered(text: &str) -> String {
    let mut last_was_digit = false;
    text.chars()
        .filter_map(|character| {
            let was = std::mem::replace(&mut last_was_digit, character.is_ascii_digit());
            match character.is_ascii_digit() {
                true if was => None,
                true => Some('0'),
                false => Some(character),
            }
        })
        .collect()
}

/// What reading or writing the path means; `None` when every program does it.
pub(super) fn of_path(path: &str, writes: bool) -> Option<Kind> {
    if writes {
        return match () {
            () if is_ordinary_to_write(path) => None,
            () if is_run_later(path) => Some(Kind::Persistence),
            () => Some(Kind::Written),
        };
    }
    is_secret(path).then_some(Kind::Secret)
}

fn is_ordinary_to_write(path: &str) -> bool {
    let exact =
        ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/proc/self/task", "/dev/random", "/dev/urandom"];
    // Semaphores, as every use of several processes makes them.
    exact.contains(&path) || path.starts_with("/dev/shm/sem.") || path.starts_with("/dev/shm/_")
}

/// Places whose content is run when somebody logs in, Python starts, or time has come.
fn is_run_later(path: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "/etc/cron",
        "/var/spool/cron",
        "/etc/systemd",
        "/etc/init",
        "/etc/rc",
        "/etc/profile",
        "/etc/bash.bashrc",
        "/etc/ld.so.preload",
        "/etc/sudoers",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/pam.d",
        "/etc/environment",
        "/etc/udev",
        "/lib/systemd",
        "/usr/lib/systemd",
    ];
    const PARTS: &[&str] = &[
        "/.ssh/",
        "/.config/systemd/",
        "/.config/autostart/",
        "/.config/fish/",
        "/.ipython/",
        "/.git/hooks/",
        "/site-packages/",
        "/dist-packages/",
        "/LaunchAgents/",
    ];
    const ENDS: &[&str] = &[
        "/.bashrc",
        "/.bash_profile",
        "/.bash_login",
        "/.bash_logout",
        "/.bash_aliases",
        "/.profile",
        "/.zshrc",
        "/.zshenv",
        "/.zprofile",
        "/.xprofile",
        "/.xinitrc",
        "/.gitconfig",
        "/.pythonrc",
        "/sitecustomize.py",
        "/usercustomize.py",
        ".pth",
    ];
    BEGINNINGS.iter().any(|start| path.starts_with(start))
        || PARTS.iter().any(|part| path.contains(part))
        || ENDS.iter().any(|end| path.ends_with(end)) && !path.starts_with("/tmp/")
}

fn is_secret(path: &str) -> bool {
    const EXACT: &[&str] =
        &["/etc/passwd", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/root", "/home/user/.ssh"];
    const PARTS: &[&str] = &[
        "/.ssh/",
        "/.aws/",
        "/.netrc",
        "/.git-credentials",
        "/.docker/config",
        "/.kube/",
        "/.config/gcloud/",
        "/.config/gh/",
        "/.azure/",
        "/.gnupg/",
        "/.npmrc",
        "/.pypirc",
        "/.bash_history",
        "/.zsh_history",
        "/.python_history",
        "/huggingface/token",
        "/huggingface/stored_tokens",
        "/.mozilla/",
        "/google-chrome/",
        "/var/run/secrets/",
        "/run/secrets/",
        "/.env",
        "/etc/kubernetes/",
        "docker.sock",
        "/wallet.dat",
    ];
    if let Some(rest) = path.strip_prefix("/proc/") {
        let (process, what) = rest.split_once('/').unwrap_or((rest, ""));
        let own = ["self", "thread-self"].contains(&process);
        let number = process.bytes().all(|byte| byte.is_ascii_digit()) && !process.is_empty();
        let inside = ["environ", "mem", "root", "cwd"].iter().any(|part| what.starts_with(part));
        let others = ["environ", "mem", "maps", "cmdline", "root", "cwd", "fd"];
        return own && inside
            || number && others.iter().any(|part| what.starts_with(part))
            || process == "kcore";
    }
    EXACT.contains(&path) || PARTS.iter().any(|part| path.contains(part))
}

#[cfg(test)]
mod tests;
