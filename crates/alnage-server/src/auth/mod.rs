//! Who asks, and whether they may.

mod caller;
mod exchange;
mod jwt;
pub(crate) mod login;
mod recognise;
#[cfg(test)]
mod tests;
mod trust;

pub(crate) use caller::{Caller, CallerKind};
pub(crate) use exchange::{allow_device, projects_of};
pub use login::Oidc;
pub(crate) use recognise::{recognise, shown};
pub use trust::Trust;

use crate::core::Route;

pub(crate) fn routes() -> Vec<Route> {
    login::routes().into_iter().chain(exchange::routes()).collect()
}
