//! Installs what tests and checks need and the machine does not have: Python environments under `target/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::root;

/// Where the tools that tests compare with are installed. A cache outside the checkout may be named by
/// `ALNAGE_PEERS`.
pub(crate) fn peers() -> Result<PathBuf> {
    let place = peers_place();
    environment(&place, &root().join("xtask/peers.txt"))?;
    Ok(place)
}

/// Where that is, installed or not.
pub(crate) fn peers_place() -> PathBuf {
    env::var_os("ALNAGE_PEERS").map_or_else(|| root().join("target/peers"), PathBuf::from)
}

/// Where the development tools are installed; their programs are in `bin`.
pub(crate) fn tools() -> Result<PathBuf> {
    let place = env::var_os("ALNAGE_TOOLS").map_or_else(|| root().join("target/tools"), PathBuf::from);
    environment(&place, &root().join("xtask/tools.txt"))?;
    Ok(place.join("bin"))
}

/// Installs what loads models through Debian's PyTorch, into `loaders` below the `peers`. Its packages stay apart: they
/// ask for other versions.
pub(crate) fn loaders(peers: &Path) -> Result<()> {
    torch()?;
    let place = peers.join("loaders");
    if !place.join("bin/python").exists() {
        let venv = ["-m", "venv", "--system-site-packages"];
        run(Command::new("/usr/bin/python3").args(venv).arg(&place))?;
    }
    environment(&place, &root().join("xtask/loaders.txt"))
}

/// Installs clients of model hubs into `hub` below the `peers`, each version in a directory of its own: they do not live
/// together.
pub(crate) fn hub_clients(peers: &Path) -> Result<()> {
    let list = root().join("xtask/hub.txt");
    let list = fs::read_to_string(&list).with_context(|| format!("cannot read `{}`", list.display()))?;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let package = line.split('#').next().unwrap_or_default().trim();
        let packages: Vec<&str> = package.split_whitespace().collect();
        let Some((_, version)) = packages.first().and_then(|first| first.split_once("==")) else { continue };
        let place = peers.join("hub").join(version);
        let stamp = place.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == package) {
            continue;
        }
        eprintln!("installing {package} into {}", place.display());
        let mut pip = Command::new(peers.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
        run(pip.arg(&place).args(&packages))?;
        fs::write(&stamp, package).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    }
    Ok(())
}

/// Makes or updates a Python environment; nothing is done when it already holds what the list asks for.
pub(crate) fn environment(place: &Path, list: &Path) -> Result<()> {
    let wanted = fs::read_to_string(list).with_context(|| format!("cannot read `{}`", list.display()))?;
    let stamp = place.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("installing {} into {}", list.display(), place.display());
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !place.join("bin/python").exists() {
        let mut venv = Command::new(&python);
        if run(venv.args(["-m", "venv"]).arg(place)).is_err() {
            debian_packages(&["python3", "python3-venv"])?;
            run(Command::new(&python).args(["-m", "venv"]).arg(place))?;
        }
    }
    let mut pip = Command::new(place.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(list);
    run(&mut pip)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))
}

/// Installs the software token that stands for a hardware module in tests, and the tools that make keys in it.
pub(crate) fn token_tools() -> Result<()> {
    let modules = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/lib/pkcs11/libsofthsm2.so",
    ];
    let has_module = modules.iter().any(|path| Path::new(path).exists());
    let programs = ["softhsm2-util", "pkcs11-tool", "openssl"];
    if has_module && programs.iter().all(|program| is_there(program)) {
        return Ok(());
    }
    debian_packages(&["softhsm2", "opensc", "openssl"])
}

/// Installs the packages of those programs that are not there.
pub(crate) fn programs(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { debian_packages(&missing) }
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// Installs PyTorch, which writes and loads the checkpoints that conversions are compared with. The packages of PyPI are
/// ten times as large.
pub(crate) fn torch() -> Result<()> {
    if Path::new("/usr/lib/python3/dist-packages/torch").exists() {
        return Ok(());
    }
    debian_packages(&["python3-torch"])
}

/// Installs the PostgreSQL server that tests start for themselves. Debian would start one of its own; it is told not to.
pub(crate) fn postgres() -> Result<()> {
    if Path::new("/usr/lib/postgresql").exists() {
        return Ok(());
    }
    let settings = Path::new("/etc/postgresql-common");
    if !settings.exists() {
        fs::create_dir_all(settings)?;
        fs::write(settings.join("createcluster.conf"), "create_main_cluster = false\n")?;
    }
    debian_packages(&["postgresql"])
}

/// Installs Debian packages, which takes root.
pub(crate) fn debian_packages(packages: &[&str]) -> Result<()> {
    eprintln!("installing {} with apt-get", packages.join(" "));
    run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    run(Command::new("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages))
}

/// Runs a command with its output shown; an exit code other than 0 is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
