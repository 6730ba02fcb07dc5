//! Whether a path or URL that a file names leads out of the model's directory.

/// A URL, an absolute path of any system, a home directory, or a path with `..`.
pub(super) fn leaves_the_model(path: &str) -> bool {
    path.contains("://")
        || path.starts_with(['/', '\\', '~', '$', '%'])
        || path.get(1..2) == Some(":")
        || path.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::leaves_the_model;

    #[test]
    fn paths_that_leave() {
        for path in
            ["/etc/passwd", "../x", "a/../../x", "C:\\x", "\\\\host\\x", "http://h/x", "~/x", "$HOME/x"]
        {
            assert!(leaves_the_model(path), "{path}");
        }
        for path in ["x.h5", "a/b.bin", "./x", "..x/y"] {
            assert!(!leaves_the_model(path), "{path}");
        }
    }
}
