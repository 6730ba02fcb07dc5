//! `cargo xtask test`: every test there is; `cargo xtask ci`: the checks around them, cheap ones first.

use std::{
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{self, Command},
};

use anyhow::Result;

use crate::{
    generate, root,
    setup::{self, run},
    wheel,
};

/// Installs what the tests need and runs all of them.
pub(crate) fn test() -> Result<()> {
    let (peers, tools) = (setup::peers()?, setup::tools()?);
    setup::token_tools()?;
    setup::postgres()?;
    setup::programs(&[("skopeo", "skopeo"), ("chromium", "chromium")])?;
    setup::loaders(&peers)?;
    setup::hub_clients(&peers)?;
    setup::environment(&peers.join("contract"), &root().join("xtask/contract.txt"))?;
    generate::check()?;
    let nextest = tool(&tools, "cargo-nextest");
    let not_run = root().join("target/not-run.txt");
    // It is not there the first time.
    let _ = fs::remove_file(&not_run);
    run(cargo(nextest)
        .args(["nextest", "run", "--workspace", "--no-fail-fast"])
        .env("ALNAGE_PEERS", &peers)
        .env("ALNAGE_NOT_RUN", &not_run))?;
    if let Ok(list) = fs::read_to_string(&not_run) {
        eprintln!("NOT RUN, as this machine does not allow it: {} tests\n{list}", list.lines().count());
    }
    run(cargo("cargo".into()).args(["test", "--quiet", "--workspace", "--doc"]))?;
    deploy(&peers)?;
    wheel::test(&peers)
}

/// Checks the chart, the manifests and the storage initializer.
fn deploy(peers: &Path) -> Result<()> {
    let place = peers.join("deploy");
    setup::environment(&place, &root().join("xtask/deploy.txt"))?;
    let python = place.join("bin/python");
    for arguments in [["deploy/render.py", "--check"].as_slice(), &["deploy/check.py"]] {
        let mut script = Command::new(&python);
        run(script.args(arguments).current_dir(root()).env("PYTHONDONTWRITEBYTECODE", "1"))?;
    }
    Ok(())
}

/// What `.ci/run` runs.
pub(crate) fn ci() -> Result<()> {
    let tools = setup::tools()?;
    run(cargo("cargo".into()).args(["fmt", "--all", "--check"]))?;
    run(&mut cargo(tool(&tools, "typos")))?;
    run(&mut cargo(tool(&tools, "cargo-shear")))?;
    let mut deny = cargo(tool(&tools, "cargo-deny"));
    run(deny.args(["--log-level", "error", "--offline", "check", "licenses", "bans", "sources"]))?;
    run(cargo("cargo".into()).args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    test()?;
    let mut doc = cargo("cargo".into());
    run(doc.args(["doc", "--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn tool(tools: &Path, name: &str) -> OsString {
    tools.join(name).into()
}

/// A command in the workspace's root, without the environment that `cargo run` gave this process: it would make
/// build scripts run again.
pub(crate) fn cargo(program: OsString) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_")
            && !matches!(
                text.as_ref(),
                "CARGO_HOME" | "CARGO_TARGET_DIR" | "CARGO_BUILD_JOBS" | "CARGO_INCREMENTAL"
            )
        {
            command.env_remove(&name);
        }
    }
    command.stdin(process::Stdio::null());
    command
}
