//! The binary: everything is in the library, so that the reference pages are made from the same definitions.

fn main() -> std::process::ExitCode {
    alnage::run(std::env::args_os())
}
