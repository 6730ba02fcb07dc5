//! The packages that PyPI serves most.

use std::{collections::HashMap, sync::LazyLock};

static LIST: &str = include_str!("../data/top-packages.txt");

/// How many of them others are likely to imitate.
const IMITATED: usize = 3000;

static RANKS: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| names().enumerate().map(|(rank, name)| (name, rank)).collect());

fn names() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether the package is widely used, so that its name on the public index belongs to who it should.
pub(crate) fn is_well_known(name: &str) -> bool {
    RANKS.contains_key(name)
}

/// The much used package that `name` is one slip of the keyboard away from.
pub(crate) fn imitated(name: &str) -> Option<&'static str> {
    if name.len() < 5 || is_well_known(name) {
        return None;
    }
    names().take(IMITATED).find(|known| known.len() >= 5 && one_slip(name.as_bytes(), known.as_bytes()))
}

/// Whether one letter more, less, changed or two swapped make `a` of `b`; a digit is a version more often than a slip.
fn one_slip(a: &[u8], b: &[u8]) -> bool {
    if a.len().abs_diff(b.len()) > 1 || a == b {
        return false;
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    let letters = |rest: &[u8]| rest.first().is_none_or(u8::is_ascii_alphabetic);
    if !letters(rest_a) || !letters(rest_b) {
        return false;
    }
    match (rest_a, rest_b) {
        ([x, y, after_a @ ..], [p, q, after_b @ ..]) if x == q && y == p && after_a == after_b => true,
        ([_, after_a @ ..], [_, after_b @ ..]) if after_a == after_b => true,
        ([_, after_a @ ..], rest) if after_a == rest => true,
        (rest, [_, after_b @ ..]) => rest == after_b,
        _ => false,
    }
}
