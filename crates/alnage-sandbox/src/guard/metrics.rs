//! What the guard counts, in the text format of Prometheus: in a file, or for who asks on this machine.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Where the figures go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Into a file, again and again, for a collector that reads files.
    File(PathBuf),
    /// To who asks at this address of this machine.
    Address(SocketAddr),
}

impl std::str::FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Address(address)),
            Ok(address) => {
                Err(format!("`{address}` can be reached from elsewhere; name one of 127.0.0.1 or [::1]"))
            }
            Err(_) => Ok(Self::File(text.into())),
        }
    }
}

/// What became of an open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is a model, or part of one, that is admitted.
    Admitted,
    /// It is not admitted.
    Refused,
    /// It is no model.
    NoModel,
    /// It is written to and gives no bytes.
    Written,
    /// It lies on a guarded file system, and not below a guarded directory.
    Elsewhere,
}

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Admitted, "admitted"),
    (Outcome::Refused, "refused"),
    (Outcome::NoModel, "no-model"),
    (Outcome::Written, "written"),
    (Outcome::Elsewhere, "elsewhere"),
];

/// Upper ends, in microseconds.
const BUCKETS: [u64; 7] = [100, 250, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    outcomes: [AtomicU64; OUTCOMES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    answered: AtomicU64,
    microseconds: AtomicU64,
    /// Answered unseen as the queue was full.
    pub(super) crowded: AtomicU64,
    /// Answered unseen as it took too long.
    pub(super) late: AtomicU64,
    /// The guard's own.
    pub(super) own: AtomicU64,
    /// Verified files that somebody wrote to.
    pub(super) changed: AtomicU64,
    /// Times that trust was read again.
    pub(super) reloaded: AtomicU64,
    /// Times that it could not be.
    pub(super) not_reloaded: AtomicU64,
}

/// What is so at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) waiting: usize,
    pub(super) held: usize,
    pub(super) enforcing: bool,
}

impl Metrics {
    pub(super) fn count(&self, outcome: Outcome) {
        let counters = OUTCOMES.iter().zip(&self.outcomes);
        counters.filter(|((known, _), _)| *known == outcome).for_each(|(_, counter)| add(counter));
    }

    /// An open was judged and answered after `time`.
    pub(super) fn took(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        add(&self.answered);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        let fitting = BUCKETS.iter().zip(&self.buckets).filter(|(end, _)| microseconds <= **end);
        fitting.for_each(|(_, counter)| add(counter));
    }

    /// Opens that were answered without having been looked at.
    pub(super) fn unseen(&self) -> u64 {
        get(&self.crowded) + get(&self.late)
    }

    /// The figures as text.
    pub(super) fn text(&self, now: Now) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP alnage_guard_{name} {help}\n# TYPE alnage_guard_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "alnage_guard_{name}{labels} {value}");
            }
        };
        let one = |value: u64| vec![(String::new(), value)];
        let outcomes: Vec<_> = OUTCOMES
            .iter()
            .zip(&self.outcomes)
            .map(|((_, name), counter)| (format!("{{outcome=\"{name}\"}}"), get(counter)))
            .collect();
        family("opens_total", "counter", "Opens that were judged.", &outcomes);
        let unseen = [("queue", &self.crowded), ("time", &self.late)];
        let unseen = unseen.map(|(why, counter)| (format!("{{reason=\"{why}\"}}"), get(counter)));
        family(
            "overload_total",
            "counter",
            "Opens answered unseen: the queue was full, or it took too long.",
            &unseen,
        );
        family("own_opens_total", "counter", "Opens of the guard itself.", &one(get(&self.own)));
        family(
            "changed_total",
            "counter",
            "Verified files that were written to while in use.",
            &one(get(&self.changed)),
        );
        let reloads = [("done", &self.reloaded), ("failed", &self.not_reloaded)];
        let reloads = reloads.map(|(how, counter)| (format!("{{result=\"{how}\"}}"), get(counter)));
        family("reloads_total", "counter", "Times that trust was read again.", &reloads);
        family("waiting", "gauge", "Opens that wait for an answer.", &one(now.waiting as u64));
        family(
            "held_files",
            "gauge",
            "Verified files that writers are kept away from.",
            &one(now.held as u64),
        );
        family(
            "enforcing",
            "gauge",
            "Whether what is not admitted is refused.",
            &one(u64::from(now.enforcing)),
        );
        self.times(&mut text);
        text
    }

    fn times(&self, text: &mut String) {
        const NAME: &str = "alnage_guard_answer_seconds";
        let seconds = |microseconds: u64| microseconds as f64 / 1e6;
        let answered = get(&self.answered);
        let _ = writeln!(text, "# HELP {NAME} How long opens waited.\n# TYPE {NAME} histogram");
        for (end, counter) in BUCKETS.iter().zip(&self.buckets) {
            let _ = writeln!(text, "{NAME}_bucket{{le=\"{}\"}} {}", seconds(*end), get(counter));
        }
        let _ = writeln!(text, "{NAME}_bucket{{le=\"+Inf\"}} {answered}");
        let _ = writeln!(text, "{NAME}_sum {}\n{NAME}_count {answered}", seconds(get(&self.microseconds)));
    }
}

pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Puts `text` at `path`, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut young = path.as_os_str().to_owned();
    young.push(".new");
    fs::write(&young, text)?;
    fs::rename(young, path)
}

/// Answers everybody who asks, one after the other, whatever they ask.
pub(super) fn serve(listener: &TcpListener, text: impl Fn() -> String) {
    for stream in listener.incoming().flatten() {
        // Who does not listen gets nothing.
        let _ = answer(stream, &text());
    }
}

fn answer(mut stream: TcpStream, text: &str) -> io::Result<()> {
    const PATIENCE: Option<Duration> = Some(Duration::from_secs(1));
    stream.set_read_timeout(PATIENCE)?;
    stream.set_write_timeout(PATIENCE)?;
    let mut question = [0; 4096];
    if stream.read(&mut question)? == 0 {
        return Ok(());
    }
    let len = text.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{text}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.count(Outcome::Refused);
        metrics.took(Duration::from_micros(200));
        let text = metrics.text(Now { waiting: 3, held: 2, enforcing: true });
        for line in [
            "alnage_guard_opens_total{outcome=\"refused\"} 1",
            "alnage_guard_waiting 3",
            "alnage_guard_enforcing 1",
            "alnage_guard_answer_seconds_bucket{le=\"0.0001\"} 0",
            "alnage_guard_answer_seconds_bucket{le=\"0.00025\"} 1",
            "alnage_guard_answer_seconds_count 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
        let described = text.lines().filter(|line| line.starts_with("# TYPE")).count();
        assert_eq!(described, text.lines().filter(|line| line.starts_with("# HELP")).count());
    }

    #[test]
    fn figures_stay_on_this_machine() {
        assert_eq!("127.0.0.1:9".parse(), Ok(Report::Address(([127, 0, 0, 1], 9).into())));
        assert_eq!("/run/guard.prom".parse(), Ok(Report::File("/run/guard.prom".into())));
        assert!("0.0.0.0:9100".parse::<Report>().is_err());
    }
}
