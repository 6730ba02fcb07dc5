//! What belongs to git in a cloned model repository, and so to no loader.

use std::path::Path;

/// Names of `.git` that git itself writes and only git reads.
const FILES: &[&str] = &[
    "COMMIT_EDITMSG",
    "FETCH_HEAD",
    "HEAD",
    "ORIG_HEAD",
    "config",
    "description",
    "index",
    "packed-refs",
    "shallow",
];
const DIRECTORIES: &[&str] = &["branches", "info", "lfs", "logs", "modules", "objects", "refs"];

/// Whether `relative` is one of git's own files in the `.git` of the root. A file that git would not have put
/// there, or a hook that is no sample, is read like any other.
pub(crate) fn is_internal(relative: &Path) -> bool {
    if !relative.as_os_str().as_encoded_bytes().starts_with(b".git/") {
        return false;
    }
    let Ok(inside) = relative.strip_prefix(".git") else { return false };
    let mut names = inside.iter().map(|name| name.to_str().unwrap_or_default());
    let (Some(first), rest) = (names.next(), names.collect::<Vec<_>>()) else { return false };
    match rest.as_slice() {
        [] => FILES.contains(&first),
        [hook] if first == "hooks" => hook.ends_with(".sample"),
        names => DIRECTORIES.contains(&first) && is_object_or_text(first, names),
    }
}

/// Objects are named by their hash, so a file of another name among them is not git's.
fn is_object_or_text(directory: &str, names: &[&str]) -> bool {
    if directory != "objects" && directory != "lfs" {
        return names.last().is_some_and(|name| !name.contains('.') || name.ends_with(".lock"));
    }
    match names {
        [.., "pack", name] => {
            ["pack-", "multi-pack-index", "tmp_pack"].iter().any(|stem| name.starts_with(stem))
        }
        [.., "info", name] => !name.contains('.'),
        [.., name] => name.len() >= 38 && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(relative: &str, internal: bool) {
        assert_eq!(is_internal(Path::new(relative)), internal, "{relative}");
    }

    #[test]
    fn only_what_git_writes_is_left_out() {
        check(".git/HEAD", true);
        check(".git/refs/heads/main", true);
        check(".git/objects/ab/cdef0123456789cdef0123456789cdef012345", true);
        check(
            ".git/lfs/objects/ab/cd/abcdef0123456789cdef0123456789cdef0123456789cdef0123456789cdef0123",
            true,
        );
        check(".git/hooks/pre-commit.sample", true);
        check(".git/hooks/post-checkout", false);
        check(".git/weights.bin", false);
        check(".git/objects/weights.pkl", false);
        check(".git/logs/weights.pkl", false);
        check("sub/.git/HEAD", false);
        check(".gitattributes", false);
    }
}
