//! The command line, as the script of the wheel starts it.

use std::{ffi::OsString, process::ExitCode};

use pyo3::{PyResult, Python, pyfunction};

use crate::calls::guarded;

/// Runs the command line `arguments`, the program's own name first, and gives the exit code.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let code = guarded(py, || Ok(alnage::run(arguments)))?;
    // An exit code does not tell its number.
    Ok((0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(2))
}
