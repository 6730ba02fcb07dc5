//! The progress bar: bytes done, of how many, how fast. Only on a terminal.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use alnage_pipeline::Progress;

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Counts {
    expected: AtomicU64,
    done: AtomicU64,
    over: AtomicBool,
}

/// A bar on standard error while it lives.
pub(crate) struct Bar {
    counts: Arc<Counts>,
    painter: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar, which stays invisible unless `wanted` and standard error is a terminal.
    pub(crate) fn new(wanted: bool) -> Self {
        let counts = Arc::new(Counts::default());
        let visible = wanted && io::stderr().is_terminal();
        let painter = visible.then(|| {
            let counts = counts.clone();
            thread::spawn(move || paint(&counts))
        });
        Self { counts, painter }
    }
}

impl Progress for Bar {
    fn expect(&self, bytes: u64) {
        self.counts.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.counts.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.counts.over.store(true, Ordering::Relaxed);
        if let Some(painter) = self.painter.take() {
            painter.thread().unpark();
            // A painter that failed has nothing more to say.
            let _ = painter.join();
        }
    }
}

fn paint(counts: &Counts) {
    let start = Instant::now();
    let mut shown = false;
    while !counts.over.load(Ordering::Relaxed) {
        thread::park_timeout(TICK);
        let elapsed = start.elapsed();
        if elapsed < PATIENCE {
            continue;
        }
        let (done, expected) = (counts.done.load(Ordering::Relaxed), counts.expected.load(Ordering::Relaxed));
        let _ = write!(io::stderr(), "\r\u{1b}[K{}", line(done, expected, elapsed));
        shown = true;
    }
    if shown {
        let _ = write!(io::stderr(), "\r\u{1b}[K");
    }
}

fn line(done: u64, expected: u64, elapsed: Duration) -> String {
    const CELLS: u64 = 24;
    let fraction = if expected == 0 { 0.0 } else { (done as f64 / expected as f64).min(1.0) };
    let filled = (fraction * CELLS as f64) as usize;
    let speed = done as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "[{}{}] {:3.0} %  {:.1} of {:.1} MB  {:.0} MB/s",
        "#".repeat(filled),
        ".".repeat(CELLS as usize - filled),
        fraction * 100.0,
        done as f64 / 1e6,
        expected as f64 / 1e6,
        speed / 1e6
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_share_and_speed() {
        let text = line(512_000_000, 1_024_000_000, Duration::from_secs(1));
        assert_eq!(text, "[############............]  50 %  512.0 of 1024.0 MB  512 MB/s");
        assert!(line(10, 0, Duration::ZERO).contains("  0 %"));
    }
}
