//! The console: pages for the people who answer for models. A page asks the registry, puts what it says into the values of
//! `pages`, and a template writes them down; it works without a script.

mod assets;
mod pages;
mod parts;

#[cfg(test)]
mod tests;
