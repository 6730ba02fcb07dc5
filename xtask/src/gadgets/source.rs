//! The Python sources that are read: the standard library of this machine and the wheels of the listed packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

const LIST: &str = include_str!("../../gadgets/packages.txt");
const EXTRACT: &str = "
import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for member in wheel.infolist():
    if member.filename.endswith('.py') and not re.search(r'(^|/)tests?/|/testing/_internal/', member.filename):
        wheel.extract(member, sys.argv[2])
";

/// One line of the list.
pub(super) struct Package {
    /// What pip is asked for: `numpy==2.4.6`.
    pub(super) requirement: &'static str,
    /// Whether models are made of its classes.
    pub(super) safe: bool,
    platform: Option<&'static str>,
}

/// One folder of sources.
pub(super) struct Tree {
    /// Package and version, as written into the tables: `pandas-3.1.1`, `Python-3.11`.
    pub(super) label: String,
    pub(super) safe: bool,
    pub(super) files: Vec<PathBuf>,
    pub(super) root: PathBuf,
}

pub(super) fn packages() -> Vec<Package> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            let requirement = words.next().filter(|word| !word.is_empty())?;
            Some(Package { requirement, safe: words.next() == Some("safe"), platform: words.next() })
        })
        .collect()
}

/// Fetches what is missing below `work` and lists all sources.
pub(super) fn trees(work: &Path) -> Result<Vec<Tree>> {
    let mut trees = vec![standard_library()?];
    for package in packages() {
        let label = package.requirement.replace("==", "-");
        let root = work.join("sources").join(&label);
        if !root.is_dir() {
            fetch(&package, work, &root).with_context(|| format!("fetching {}", package.requirement))?;
        }
        let files = python_files(&root, |_| true)?;
        trees.push(Tree { label, safe: package.safe, files, root });
    }
    Ok(trees)
}

fn standard_library() -> Result<Tree> {
    let script =
        "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print('%d.%d' % sys.version_info[:2])";
    let output = Command::new("python3").args(["-c", script]).output().context("running python3")?;
    let text = String::from_utf8(output.stdout)?;
    let Some((root, version)) = text.trim().split_once('\n') else {
        bail!("python3 did not say where it lives")
    };
    let skipped =
        ["test", "tests", "idlelib", "lib2to3", "site-packages", "turtledemo", "_bundled", "idle_test"];
    let root = PathBuf::from(root);
    let files = python_files(&root, |folder| !skipped.contains(&folder) && !folder.starts_with("config-"))?;
    Ok(Tree { label: format!("Python-{version}"), safe: false, files, root })
}

fn fetch(package: &Package, work: &Path, root: &Path) -> Result<()> {
    let wheels = work.join("wheels").join(package.requirement);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]).arg(&wheels);
    if let Some(platform) = package.platform {
        pip.args(["--platform", platform, "--python-version", "3.11"]);
    }
    ensure!(pip.arg(package.requirement).status()?.success(), "pip download failed");
    for wheel in fs::read_dir(&wheels)? {
        let status = Command::new("python3").args(["-c", EXTRACT]).arg(wheel?.path()).arg(root).status()?;
        ensure!(status.success(), "the wheel cannot be unpacked");
    }
    Ok(fs::remove_dir_all(&wheels)?)
}

fn python_files(root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if wanted(&name) {
                    folders.push(path);
                }
            } else if name.ends_with(".py") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
