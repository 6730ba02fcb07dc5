//! Calls that leave the interpreter free while they work, can be interrupted, and turn a panic into an exception.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use pyo3::{PyErr, PyResult, Python, create_exception, exceptions::PyException, exceptions::PyOSError};

create_exception!(
    alnage._alnage,
    Failure,
    PyException,
    "Something could not be done: arguments that contradict each other, keys that are none, or a defect."
);

/// How often a waiting call looks whether somebody wants to interrupt it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Parsers give deep values back without recursion, with this much room.
const STACK: usize = 8 << 20;

/// Does `work` while other threads of Python run. An interrupt is raised at once; what was begun then ends unheard.
pub(crate) fn without_interpreter<R: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> anyhow::Result<R> + Send + 'static,
) -> PyResult<R> {
    let (sender, receiver) = channel();
    let worker = thread::Builder::new().stack_size(STACK).spawn(move || {
        // Whoever was interrupted has stopped listening.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    });
    worker.map_err(|error| PyOSError::new_err(error.to_string()))?;
    let mut receiver = receiver;
    loop {
        let heard;
        (receiver, heard) = py.detach(move || {
            let heard = receiver.recv_timeout(PATIENCE);
            (receiver, heard)
        });
        match heard {
            Ok(Ok(result)) => return result.map_err(|error| raised(&error)),
            Ok(Err(panic)) => return Err(defect(&*panic)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Err(defect(&"the work ended")),
        }
    }
}

/// Does short `work` at once; a panic becomes an exception.
pub(crate) fn guarded<R>(py: Python<'_>, work: impl FnOnce() -> PyResult<R> + Send) -> PyResult<R>
where
    R: Send,
{
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    done.unwrap_or_else(|panic| Err(defect(&*panic)))
}

/// The exception for an error: that of the operating system where there is one.
pub(crate) fn raised(error: &anyhow::Error) -> PyErr {
    let text = alnage::library::explain(error);
    let code = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())
        .and_then(std::io::Error::raw_os_error);
    match code {
        Some(code) => PyOSError::new_err((code, text)),
        None if is_missing(error) => PyOSError::new_err((no_entry(), text)),
        None => Failure::new_err(text),
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    let not_found = |error: &alnage_fs::Error| matches!(error, alnage_fs::Error::NotFound(_));
    error.chain().any(|cause| {
        cause.downcast_ref::<alnage_fs::Error>().is_some_and(not_found)
            || matches!(
                cause.downcast_ref::<alnage_pipeline::Error>(),
                Some(alnage_pipeline::Error::Files(error)) if not_found(error)
            )
    })
}

/// ENOENT, which makes Python choose `FileNotFoundError`.
const fn no_entry() -> i32 {
    2
}

fn defect(panic: &(dyn Any + Send)) -> PyErr {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Failure::new_err(format!("a defect in Alnage: {said}"))
}
