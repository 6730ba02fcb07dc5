//! What R's functions may do to the machine.

use alnage_types::Severity;

/// Functions that run programs, load native code, or run text or files as code.
const RUN: &[&str] = &[
    "system",
    "system2",
    "shell",
    "shell.exec",
    "pipe",
    "dyn.load",
    "library.dynam",
    "download.file",
    "download.packages",
    "source",
    "sys.source",
    "install.packages",
    "socketConnection",
    "make.socket",
    "serverSocket",
    "sourceCpp",
    "cppFunction",
    "cfunction",
    "source_url",
    "source_gist",
    "install_github",
    "install_url",
    "install_git",
    "install_local",
    "py_run_string",
    "py_run_file",
    "source_python",
    "curl_download",
    "curl_fetch_memory",
    "exec_wait",
    "exec_background",
    "exec_internal",
    "getURL",
    "getURLContent",
];

/// Functions whose names mean much else without their package.
const RUN_IN_PACKAGE: &[(&str, &[&str])] = &[
    ("processx", &["run", "process"]),
    ("callr", &["r", "rcmd", "rscript", "r_bg"]),
    ("sys", &["exec_wait", "exec_background", "exec_internal"]),
    ("httr", &["GET", "POST", "PUT"]),
    ("httr2", &["req_perform"]),
    ("curl", &["curl", "curl_download", "curl_fetch_memory"]),
    ("inline", &["cfunction", "cxxfunction"]),
    ("remotes", &["install_github", "install_url", "install_git"]),
    ("devtools", &["install_github", "install_url", "source_url"]),
    ("reticulate", &["py_run_string", "py_run_file", "source_python", "import"]),
    ("rJava", &[".jinit", ".jcall"]),
];

/// Functions that change files or fetch from the network, which models rarely need.
const TOUCH: &[&str] = &["unlink", "file.remove", "file.rename", "Sys.chmod", "fifo", "Sys.setenv", "setwd"];

/// How bad calling the function is; `None` for what is ordinary.
pub(super) fn severity(name: &str, package: Option<&str>) -> Option<Severity> {
    let in_package = |package: &str| {
        RUN_IN_PACKAGE.iter().any(|(known, names)| *known == package && names.contains(&name))
    };
    if RUN.contains(&name) || package.is_some_and(in_package) {
        Some(Severity::High)
    } else {
        TOUCH.contains(&name).then_some(Severity::Medium)
    }
}

/// Whether text that is to be parsed calls such a function.
pub(super) fn text_calls(text: &str) -> bool {
    RUN.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
            !before.is_some_and(is_name) && text[at + name.len()..].trim_start().starts_with('(')
        })
    })
}
