//! `/api/v1`: the registry for programs.

mod common;
mod decisions;
#[cfg(feature = "schema")]
pub(crate) mod described;
mod evidence;
mod models;
mod openapi;
mod people;
mod policies;
mod running;
mod standings;
#[cfg(test)]
mod tests;

use crate::core::Route;

/// A path below a version.
macro_rules! version_path {
    ($rest:literal) => {
        concat!("/api/v1/models/{project}/{name}/versions/{revision}", $rest)
    };
}
use version_path;

pub(crate) fn routes() -> Vec<Route> {
    let rooms = [
        models::routes(),
        evidence::routes(),
        decisions::routes(),
        running::routes(),
        policies::routes(),
        standings::routes(),
        people::routes(),
        openapi::routes(),
    ];
    rooms.into_iter().flatten().collect()
}
