//! The console: pages for the people who answer for models. A page asks the registry, puts what it says into the values of
//! `pages`, and a template writes them down; it works without a script.

mod address;
mod assets;
mod desk;
mod pages;
mod parts;
mod respond;

#[cfg(test)]
mod tests;

pub(crate) use desk::routes;
pub(crate) use respond::Asked;
