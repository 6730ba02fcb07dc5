//! How values are written: numbers with suffixes, lists of codes, paths from home.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A number, with `_` between digits and a suffix: `k`, `M`, `G`, `T` and `KiB` … count in 1024, `kB` … in 1000.
pub(crate) fn number(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a number such as `5000`, `64MiB` or `2GB`";
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let digits = digits.replace('_', "");
    let number: u64 = digits.parse().map_err(|_| EXPECTED.to_owned())?;
    let suffix = suffix.trim().to_ascii_lowercase();
    let power = |letter| "kmgt".find(letter).map(|at| at as u32 + 1);
    let factor = match suffix.as_bytes() {
        [] | [b'b'] => 1,
        [letter] | [letter, b'i', b'b'] => 1024_u64.pow(power(char::from(*letter)).ok_or(EXPECTED)?),
        [letter, b'b'] => 1000_u64.pow(power(char::from(*letter)).ok_or(EXPECTED)?),
        _ => return Err(EXPECTED.to_owned()),
    };
    number.checked_mul(factor).ok_or_else(|| "the number is too large".to_owned())
}

/// One of `choices`, by name.
pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// `true` or `false`, also `1` and `0` as environment variables often say.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    one_of(text, &[("true", true), ("false", false), ("1", true), ("0", false)])
}

/// Codes or beginnings of codes, separated by commas. One that no rule begins with is an error: a typing mistake
/// would otherwise switch nothing on or off, silently.
pub(super) fn codes(text: &str) -> Result<Vec<String>, String> {
    let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
    codes.map(|code| known_code(code).map(|()| code.to_ascii_uppercase())).collect()
}

/// Whether some rule's code begins with `code`.
pub(super) fn known_code(code: &str) -> Result<(), String> {
    let upper = code.to_ascii_uppercase();
    let known = alnage_scan::rules::rules().any(|rule| rule.code.starts_with(&upper));
    if known { Ok(()) } else { Err(format!("no rule has a code that begins with `{code}`")) }
}

/// `path` with a leading `~` replaced by the home directory.
pub(super) fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME").filter(|home| !home.is_empty())) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

/// The name in `names` that `wrong` was probably meant to be.
pub(super) fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = wrong.len() / 4 + 1;
    let near = names.map(|name| (distance(wrong, name), name)).filter(|&(steps, _)| steps <= most);
    near.min().map(|(_, name)| name)
}

/// Edits (insert, remove, replace) that make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (row, left) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in b.iter().enumerate() {
            let replaced = previous[column] + usize::from(left != right);
            current.push(replaced.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(a.len())
}
