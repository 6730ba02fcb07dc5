//! The real tools that tests compare with: a Python environment that `cargo xtask test` makes.

use std::path::{Path, PathBuf};

/// The Python of the peers' environment, with everything in `xtask/peers.txt` installed.
///
/// # Panics
///
/// When the environment is not there; the message says how to make it.
pub fn python() -> PathBuf {
    python_in("bin/python")
}

/// The Python that has `transformers`, over Debian's PyTorch, with everything in `xtask/loaders.txt` installed.
///
/// # Panics
///
/// When the environment is not there; the message says how to make it.
pub fn transformers_python() -> PathBuf {
    python_in("loaders/bin/python")
}

/// The Python that has Schemathesis, with everything in `xtask/contract.txt` installed.
///
/// # Panics
///
/// When the environment is not there; the message says how to make it.
pub fn contract_python() -> PathBuf {
    python_in("contract/bin/python")
}

fn python_in(place: &str) -> PathBuf {
    let root = std::env::var_os("ALNAGE_PEERS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers"), PathBuf::from);
    let python = root.join(place);
    assert!(
        python.exists(),
        "`{}` is missing\n\nhint: `cargo xtask test` installs the tools that tests compare with",
        python.display()
    );
    python
}

/// A Python that has PyTorch, which writes and loads the checkpoints that conversions are compared with.
///
/// # Panics
///
/// When there is none; the message says how to get it.
pub fn torch_python() -> PathBuf {
    let python = PathBuf::from("/usr/bin/python3");
    assert!(
        Path::new("/usr/lib/python3/dist-packages/torch").exists(),
        "PyTorch is missing\n\nhint: `cargo xtask test` installs Debian's package `python3-torch`"
    );
    python
}
