//! What a file holds, told by its bytes: the formats of models that some loader would take it for.

use std::{io, sync::Arc};

use alnage_formats::{Format, LoadEffect, Probe, analyse, formats};
use alnage_fs::{Handed, MemoryBytes};
use alnage_types::{ArtifactPath, Budget, Reader, Source};

use super::formats::models;

/// Files up to this length are read at once.
const SHORT: u64 = 128 << 10;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Formats of models; none when it is no model. First what the file is itself, then what lies in it.
    pub formats: Vec<&'static str>,
}

impl Content {
    /// Looks at the bytes of `file`, called `name`.
    pub fn of(file: &Handed, name: &str) -> io::Result<Self> {
        let len = file.stamp().len;
        let source = match len {
            0..=SHORT => short(file)?,
            _ => file.source()?,
        };
        let path = ArtifactPath::file(name);
        let mut reader = Reader::new(source.as_ref());
        let unreadable = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = reader.take(source.len().min(Probe::HEAD as u64)).map_err(unreadable)?;
        let tail_len = source.len().min(Probe::TAIL as u64);
        reader.seek(source.len().saturating_sub(tail_len));
        let tail = reader.take(tail_len).map_err(unreadable)?;
        let probe = Probe::new(source.as_ref(), &path, &head, &tail);
        let mut found: Vec<&'static str> = Vec::new();
        for format in models() {
            if (format.identify)(&probe) {
                found.push(format.id);
            }
        }
        if looks_inside(&found, &probe) {
            let analysis = analyse(path.clone(), Arc::clone(&source), &budget());
            for artifact in &analysis.artifacts {
                if !found.contains(&artifact.format)
                    && models().iter().any(|model| model.id == artifact.format)
                {
                    found.push(artifact.format);
                }
            }
        }
        Ok(Self { formats: found })
    }

    /// Whether it is a model.
    pub fn is_model(&self) -> bool {
        !self.formats.is_empty()
    }
}

/// Whether what lies in the file decides what it is: archives and compressed streams, and arrays, which may hold pickles.
fn looks_inside(found: &[&'static str], probe: &Probe<'_>) -> bool {
    const MAY_HOLD_PICKLES: &[&str] = &["numpy-array", "numpy-archive"];
    match found {
        [] => {
            let mut containers = formats().filter(|format| format.load_effect == LoadEffect::Container);
            containers.any(|format: &Format| (format.identify)(probe))
        }
        found => found.iter().any(|format| MAY_HOLD_PICKLES.contains(format)),
    }
}

/// A look inside, not a vetting: whether there is a model shows soon.
fn budget() -> Budget {
    Budget {
        max_depth: 3,
        max_entries: 2_000,
        max_expanded: 8 << 20,
        max_steps: 2_000_000,
        max_member_memory: 4 << 20,
        ..Budget::default()
    }
}

fn short(file: &Handed) -> io::Result<Arc<dyn Source>> {
    let bytes = whole(file)?;
    Ok(Arc::new(MemoryBytes(bytes)))
}

/// All bytes of `file`, which is short.
pub(super) fn whole(file: &Handed) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; usize::try_from(file.stamp().len).unwrap_or(0)];
    file.file().read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
