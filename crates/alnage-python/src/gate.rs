//! The gate, asked from inside the program that loads: each file is opened, judged, and handed over as it was judged.

use std::{
    ffi::OsString,
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
    sync::Arc,
};

use alnage_fs::{Handed, IN_MEMORY};
use alnage_sandbox::{
    Mode,
    admission::{self, FormatPolicy, Judgement, Places, open, open_again},
    sealed_copy,
};
use pyo3::{PyResult, Python, exceptions::PyOSError, pyclass, pymethods};

use crate::calls::{guarded, raised, without_interpreter};

/// A gate as `alnage run ARGUMENTS -- COMMAND` would put it around COMMAND.
#[pyclass(frozen, module = "alnage._alnage")]
pub(crate) struct Gate {
    gate: Arc<admission::Gate>,
    formats: FormatPolicy,
    exempt: Vec<PathBuf>,
    #[pyo3(get)]
    mode: &'static str,
    #[pyo3(get)]
    audit: Option<PathBuf>,
    #[pyo3(get)]
    command: Vec<OsString>,
}

/// A file that was judged, and that is still open.
#[pyclass(frozen, module = "alnage._alnage")]
pub(crate) struct Judged {
    held: Held,
    /// `admitted`, `refused`, `exempt` or `no-model`.
    #[pyo3(get)]
    decision: &'static str,
    #[pyo3(get)]
    formats: Vec<&'static str>,
    #[pyo3(get)]
    reason: Option<String>,
    #[pyo3(get)]
    model: Option<PathBuf>,
    #[pyo3(get)]
    digest: Option<String>,
    #[pyo3(get)]
    signer: Option<String>,
    #[pyo3(get)]
    path: PathBuf,
    #[pyo3(get)]
    size: u64,
}

/// What a loader is given.
enum Held {
    /// A copy of the bytes that were judged; nobody can write to it.
    Copy(OwnedFd),
    /// The file itself, which can change under its reader.
    File(Handed),
}

#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (arguments, /))]
    fn new(arguments: Vec<OsString>) -> PyResult<Self> {
        let gated = alnage::library::gate(arguments).map_err(|error| raised(&error))?;
        let mode = match gated.mode {
            Mode::Enforce => "enforce",
            Mode::Warn => "warn",
            Mode::Observe => "observe",
        };
        let (gate, formats, command) = (Arc::new(gated.gate), gated.formats, gated.command);
        let exempt = gated.exempt.into_iter().map(|place| place.canonicalize().unwrap_or(place)).collect();
        Ok(Self { gate, formats, exempt, mode, audit: gated.audit, command })
    }

    /// Opens the file at `path`, or what `descriptor` is open on and was called `path`, and judges it.
    #[pyo3(signature = (path, descriptor=None, /))]
    fn judge(&self, py: Python<'_>, path: PathBuf, descriptor: Option<i32>) -> PyResult<Judged> {
        let opened = py.detach(|| match descriptor {
            Some(descriptor) => open_again(descriptor, Some(&path)),
            None => open(&path),
        });
        let (file, places) = opened.map_err(|error| os_error(error, &path))?;
        let exempt = self.exempt.iter().any(|place| places.place.starts_with(place));
        if file.stamp().len <= IN_MEMORY {
            // Over before anybody could want to interrupt it, and a thread would take longer.
            return guarded(py, || {
                judged(&self.gate, file, &places, exempt).map_err(|error| os_error(error, &path))
            });
        }
        let gate = Arc::clone(&self.gate);
        without_interpreter(py, move || Ok(judged(&gate, file, &places, exempt)?))
    }

    /// The files that the seal of the model at `path` names, once the seal is verified; or why it does not count.
    #[pyo3(signature = (path, single_file, /))]
    fn sealed_files(
        &self,
        py: Python<'_>,
        path: PathBuf,
        single_file: bool,
    ) -> PyResult<(Option<Vec<String>>, Option<String>)> {
        let gate = Arc::clone(&self.gate);
        without_interpreter(py, move || {
            Ok(match gate.sealed_files(&path, single_file) {
                Ok(files) => (Some(files), None),
                Err(reason) => (None, Some(reason)),
            })
        })
    }

    /// Whether files of the format `format` are refused even when they are sealed.
    #[pyo3(signature = (format, /))]
    fn bans(&self, format: &str) -> bool {
        alnage_formats::format(format).is_some_and(|format| self.formats.banned(&[format.id]).is_some())
    }

    /// Writes down what was learnt of unchanged files.
    fn keep(&self, py: Python<'_>) {
        py.detach(|| self.gate.keep());
    }
}

fn judged(gate: &admission::Gate, file: Handed, places: &Places, exempt: bool) -> io::Result<Judged> {
    let path = places.shown().to_owned();
    let size = file.stamp().len;
    let plain = |file: Handed, decision| Judged {
        held: Held::File(file),
        decision,
        formats: Vec::new(),
        reason: None,
        model: None,
        digest: None,
        signer: None,
        path,
        size,
    };
    if exempt {
        return Ok(plain(file, "exempt"));
    }
    Ok(match gate.judge(&file, places, &|_| Ok(()))? {
        Judgement::NoModel => plain(file, "no-model"),
        Judgement::Refused(refusal) => {
            Judged { formats: refusal.formats, reason: Some(refusal.reason), ..plain(file, "refused") }
        }
        Judgement::Admitted(admission) => {
            let admitted = Judged {
                formats: admission.formats,
                model: Some(admission.model),
                digest: Some(admission.digest.to_string()),
                signer: Some(admission.signer),
                ..plain(file, "admitted")
            };
            match admission.bytes {
                Some(bytes) => {
                    let name = admitted.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    Judged { held: Held::Copy(sealed_copy(&name, &bytes)?), ..admitted }
                }
                None => admitted,
            }
        }
    })
}

#[pymethods]
impl Judged {
    /// The descriptor it is open on, for as long as this object lives.
    fn fileno(&self) -> i32 {
        match &self.held {
            Held::Copy(copy) => copy.as_raw_fd(),
            Held::File(file) => file.file().as_raw_fd(),
        }
    }

    /// Whether nobody can write to what `fileno` is open on.
    #[getter]
    fn is_copy(&self) -> bool {
        matches!(self.held, Held::Copy(_))
    }

    /// Whether somebody has written to it since it was judged.
    fn has_changed(&self) -> bool {
        match &self.held {
            Held::Copy(_) => false,
            Held::File(file) => file.has_changed(),
        }
    }
}

fn os_error(error: io::Error, path: &std::path::Path) -> pyo3::PyErr {
    match error.raw_os_error() {
        Some(code) => PyOSError::new_err((code, error.to_string(), path.display().to_string())),
        None => PyOSError::new_err(format!("`{}`: {error}", path.display())),
    }
}
