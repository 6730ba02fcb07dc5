//! Project tasks: `cargo xtask test` and its relatives.

use std::{path::PathBuf, process::ExitCode};

mod bench;
mod corpus;
mod fuzz;
mod gadgets;
mod generate;
mod setup;
mod test;
#[cfg(test)]
mod tidy;
mod wheel;

const USAGE: &str = "\
usage: cargo xtask TASK

  test              install what the tests need, then run every test
  wheel             build the Python package and run its tests in a new environment; a part of `test`
  ci                the cheap checks (format, spelling, dependencies, lints), then `test`, then the docs build
  gen [--check]     write the generated documents, or say which are stale
  corpus            vet real models from PyPI and models trained here; none may be blocked or unknown
  gadgets [--check | --harvest]   derive the tables of dangerous and safe Python callables
  bench             time against other scanners and write docs/benchmarks.md
  fuzz [SECONDS] [TARGET]   fuzz every target, or one, for SECONDS each (default 300)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["test"] => test::test(),
        ["wheel"] => wheel::test(&setup::peers_place()),
        ["ci"] => test::ci(),
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        ["corpus"] => corpus::corpus(),
        ["gadgets"] => gadgets::write(),
        ["gadgets", "--check"] => gadgets::check(),
        ["gadgets", "--harvest"] => gadgets::harvest(),
        ["bench"] => bench::bench(),
        ["fuzz", ref rest @ ..] => fuzz::fuzz(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the product and gives its path.
fn release_binary() -> anyhow::Result<PathBuf> {
    setup::run(test::cargo("cargo".into()).args(["build", "--quiet", "--release", "--package", "alnage"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release/alnage"))
}

/// The workspace's root directory.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
