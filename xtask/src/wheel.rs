//! The Python package: its wheel, built in the dev profile, and its tests in an environment that holds nothing else.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{
    root,
    setup::{self, run},
    test::cargo,
};

/// Builds the wheel, installs it into a new environment without the network, and runs its tests there.
pub(crate) fn test(peers: &Path) -> Result<()> {
    let peers = peers.with_file_name("wheel-peers");
    setup::environment(&peers, &root().join("xtask/wheel.txt"))?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let wheel = build(&peers, &target.join("wheel"))?;
    let python = install(&wheel, &peers, &target.join("wheel-environment"))?;
    let mut types = Command::new(&python);
    types.args(["-m", "mypy", "--strict", "--no-incremental", "--package", "alnage"]);
    run(types.current_dir(&target))?;
    let tests = root().join("crates/alnage-python/tests");
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]).arg(tests);
    // Only the installed package is to be found.
    pytest.current_dir(&target).env_remove("PYTHONPATH").env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut pytest)
}

/// The wheel, alone in `folder`.
fn build(peers: &Path, folder: &Path) -> Result<PathBuf> {
    remove(folder)?;
    let mut maturin = cargo(peers.join("bin/maturin").into());
    maturin.args(["build", "--quiet", "--auditwheel", "skip", "--manifest-path"]);
    maturin.arg("crates/alnage-python/Cargo.toml");
    maturin.arg("--interpreter").arg(peers.join("bin/python")).arg("--out").arg(folder);
    run(&mut maturin)?;
    let mut built = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    built.find(|path| path.extension().is_some_and(|end| end == "whl")).context("maturin built no wheel")
}

/// A new environment in `place` with `wheel`, which finds the packages of `peers` behind its own; gives its interpreter.
fn install(wheel: &Path, peers: &Path, place: &Path) -> Result<PathBuf> {
    remove(place)?;
    run(Command::new(peers.join("bin/python")).args(["-m", "venv"]).arg(place))?;
    let python = place.join("bin/python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]).arg(wheel);
    run(&mut pip)?;
    let packages = |place: &Path| -> Result<PathBuf> {
        let mut versions = fs::read_dir(place.join("lib"))?.filter_map(|entry| Some(entry.ok()?.path()));
        let versions = versions.find(|path| path.join("site-packages").is_dir());
        Ok(versions.with_context(|| format!("no packages in `{}`", place.display()))?.join("site-packages"))
    };
    let line = packages(peers)?.canonicalize()?.display().to_string();
    fs::write(packages(place)?.join("peers.pth"), line)?;
    Ok(python)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}
