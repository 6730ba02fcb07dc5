//! `/api/v1`: the registry for programs.

use crate::core::Route;

pub(crate) fn routes() -> Vec<Route> {
    Vec::new()
}
