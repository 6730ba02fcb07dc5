//! `vet` and `verify`: arguments as on the command line in, JSON out.

use std::{ffi::OsString, path::PathBuf};

use alnage::library::NoSignature;
use alnage_pipeline::{Input, Outcome, Silent, Verification, Vetted};
use alnage_scan::report;
use anyhow::anyhow;
use pyo3::{PyResult, Python, pyfunction};
use serde_json::{Value, json};

use crate::calls::without_interpreter;

/// The record of `alnage vet ARGUMENTS PATH` as JSON.
#[pyfunction]
#[pyo3(signature = (path, arguments, /))]
pub(crate) fn vet(py: Python<'_>, path: PathBuf, arguments: Vec<OsString>) -> PyResult<String> {
    without_interpreter(py, move || record(Input::Path(path), arguments))
}

/// The same of bytes that are called `name`.
#[pyfunction]
#[pyo3(signature = (name, data, arguments, /))]
pub(crate) fn vet_bytes(
    py: Python<'_>,
    name: String,
    data: Vec<u8>,
    arguments: Vec<OsString>,
) -> PyResult<String> {
    without_interpreter(py, move || record(Input::Bytes { name, bytes: data }, arguments))
}

fn record(input: Input, mut arguments: Vec<OsString>) -> anyhow::Result<String> {
    // The grammar wants a path; what is vetted is named here.
    arguments.extend(["--".into(), "-".into()]);
    let options = alnage::library::vetting(arguments)?;
    let Vetted { record, failures, .. } = alnage_pipeline::vet(vec![input], &options, &Silent);
    if let Some(failure) = failures.into_iter().next() {
        return Err(failure.error.into());
    }
    let mut text = Vec::new();
    report::json(&record, &mut text)?;
    Ok(String::from_utf8(text)?)
}

/// What `alnage verify ARGUMENTS` finds, as JSON.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn verify(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<String> {
    without_interpreter(py, move || {
        let found = alnage::library::verify(arguments);
        let none = found.as_ref().err().and_then(|error| error.downcast_ref::<NoSignature>());
        let shape = match none {
            Some(none) => unsigned(&none.to_string()),
            None => found.map(|(verification, verified)| shape(&verification, verified))?,
        };
        serde_json::to_string(&shape).map_err(|error| anyhow!(error))
    })
}

/// A model without a signature is not verified, which is no failure of verifying.
fn unsigned(message: &str) -> Value {
    json!({
        "verified": false,
        "checks": [{"part": "signature", "outcome": "refused", "message": message}],
        "differences": [],
    })
}

fn shape(verification: &Verification, verified: bool) -> Value {
    let checks = verification.checks.iter().map(|check| {
        let outcome = match check.outcome {
            Outcome::Holds => "holds",
            Outcome::Refused => "refused",
            Outcome::NotChecked => "not checked",
            Outcome::Noted => "noted",
        };
        json!({"part": check.part, "outcome": outcome, "message": check.message})
    });
    let uncovered = verification.uncovered.iter();
    json!({
        "verified": verified,
        "has_verdict": verification.has_verdict(),
        "is_complete": verification.is_complete(),
        "checks": checks.collect::<Vec<_>>(),
        "differences": verification.differences.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "uncovered": uncovered.map(|(path, files)| json!([path, files])).collect::<Vec<_>>(),
        "notes": verification.notes,
    })
}
