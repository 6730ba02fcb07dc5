//! Figures for Prometheus: requests by door and status, their time, what is open now.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::Door;

/// Upper bounds of the histogram, in milliseconds.
const BOUNDS: [u64; 9] = [1, 5, 10, 20, 50, 100, 500, 2_000, 10_000];
const DOORS: usize = Door::ALL.len();

/// Counted since the process began.
#[derive(Default)]
pub(crate) struct Metrics {
    statuses: [[AtomicU64; 5]; DOORS],
    times: [[AtomicU64; BOUNDS.len() + 1]; DOORS],
    spent: [AtomicU64; DOORS],
    /// Requests that are being answered.
    pub(crate) open: AtomicU64,
}

impl Metrics {
    /// Counts one answer.
    pub(crate) fn count(&self, door: Door, status: u16, took: Duration) {
        let door = door as usize;
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| millis < *bound).unwrap_or(BOUNDS.len());
        if let (Some(statuses), Some(times), Some(spent)) =
            (self.statuses.get(door), self.times.get(door), self.spent.get(door))
        {
            statuses[class].fetch_add(1, Relaxed);
            times[bucket].fetch_add(1, Relaxed);
            spent.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("# TYPE alnage_http_requests_total counter\n");
        for door in Door::ALL {
            for (class, count) in self.statuses[door as usize].iter().enumerate() {
                let (count, class) = (count.load(Relaxed), class + 1);
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "alnage_http_requests_total{{door=\"{door}\",status=\"{class}xx\"}} {count}"
                    );
                }
            }
        }
        text.push_str("# TYPE alnage_http_request_seconds histogram\n");
        for door in Door::ALL {
            let times = &self.times[door as usize];
            let all: u64 = times.iter().map(|count| count.load(Relaxed)).sum();
            if all == 0 {
                continue;
            }
            let mut below = 0;
            for (bound, count) in BOUNDS.iter().zip(times) {
                below += count.load(Relaxed);
                let bound = Duration::from_millis(*bound).as_secs_f64();
                let _ = writeln!(
                    text,
                    "alnage_http_request_seconds_bucket{{door=\"{door}\",le=\"{bound}\"}} {below}"
                );
            }
            let _ = writeln!(text, "alnage_http_request_seconds_bucket{{door=\"{door}\",le=\"+Inf\"}} {all}");
            let spent = Duration::from_micros(self.spent[door as usize].load(Relaxed)).as_secs_f64();
            let _ = writeln!(text, "alnage_http_request_seconds_sum{{door=\"{door}\"}} {spent}");
            let _ = writeln!(text, "alnage_http_request_seconds_count{{door=\"{door}\"}} {all}");
        }
        let _ = writeln!(
            text,
            "# TYPE alnage_http_requests_open gauge\nalnage_http_requests_open {}",
            self.open.load(Relaxed)
        );
        let _ = writeln!(
            text,
            "# TYPE alnage_build_info gauge\nalnage_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        );
        text
    }
}
