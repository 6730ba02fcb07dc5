//! Addresses: indexes without protection, and packages from places that may change.

use super::{Report, confusion, shown};
use crate::{DependencyFile, Source};

pub(super) fn check(file: &DependencyFile, report: &mut Report) {
    for index in file.indexes.iter().filter(|index| is_open(&index.url)) {
        let message = format!("packages are fetched from `{}`", confusion::shown(&index.url));
        report.add("DEP010", &file.path, index.span, message);
    }
    for (host, span) in &file.trusted_hosts {
        let message = format!("the certificate of `{}` is not checked", confusion::shown(host));
        report.add("DEP010", &file.path, *span, message);
    }
    for dependency in &file.dependencies {
        let why = match &dependency.source {
            Source::Repository { revision: Some(revision), .. } if is_commit(revision) => continue,
            Source::Repository { url, revision } => format!(
                "`{}` is whatever `{}` of `{}` is on the day",
                shown(dependency),
                revision.as_deref().unwrap_or("the default branch").escape_debug(),
                confusion::shown(url)
            ),
            Source::Address(url) if dependency.hashes.is_empty() => {
                format!("`{}` is whatever `{}` gives on the day", shown(dependency), confusion::shown(url))
            }
            Source::Address(_) | Source::Unstated | Source::Index(_) | Source::Path(_) => continue,
        };
        report.add("DEP011", &file.path, dependency.span, why);
    }
}

/// Whether the connection to another machine is unprotected.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    !["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

fn is_commit(revision: &str) -> bool {
    [40, 64].contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}
