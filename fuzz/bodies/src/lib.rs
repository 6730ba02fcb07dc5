//! What each fuzz target does with its bytes. Nothing here may panic, hang or grow without bound.

use std::sync::Arc;

use alnage_formats::{Analysis, Model, analyse, format, parse_as};
use alnage_scan::{Policy, judge};
use alnage_types::{ArtifactPath, Budget, Level, MemorySource, Source};

mod bom;
mod convert;
mod keyless;
mod targets;
mod xet;

pub use targets::{TARGETS, Target, Work};

/// Runs the target with this name.
///
/// # Panics
///
/// When there is no such target, or when the code under test has a defect.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("the target is in the table");
    match target.work {
        Work::Formats(formats) => {
            let Some((&selector, bytes)) = bytes.split_first() else { return };
            let (id, file) = formats[usize::from(selector) % formats.len()];
            let format = format(id).expect("the format is in the table");
            let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
            judged(parse_as(format, &ArtifactPath::file(file), &source, &budget()));
        }
        Work::Whole => {
            let source = Arc::new(MemorySource::new(bytes));
            judged(analyse(ArtifactPath::file("model.bin"), source, &budget()));
        }
        Work::Call(function) => function(bytes),
    }
}

fn judged(analysis: Analysis) {
    let model = Model { tree: Vec::new(), artifacts: analysis.artifacts, issues: analysis.issues };
    judge(&model, &Policy::default(), Level::Audit, |_| true);
}

/// Small limits: a target that needs seconds for an input finds nothing.
fn budget() -> Budget {
    Budget {
        max_steps: 1_000_000,
        max_entries: 2_000,
        max_expanded: 4 << 20,
        max_nodes: 200_000,
        ..Budget::default()
    }
}

#[cfg(test)]
mod tests;
