//! Findings a person has looked at and lets pass, for a reason and for a time.

use alnage_types::{Digest, Finding, Manifest};
use serde::Serialize;

use crate::Date;

/// Lets findings of one rule in certain artifacts pass until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The rule's code.
    pub code: String,
    /// The artifacts: a path with `*` for any characters and `?` for one.
    pub artifact: String,
    /// Only in a file with this digest.
    pub sha256: Option<Digest>,
    /// Why, for whoever reads the record.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// A finding that a suppression let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Suppressed {
    /// What was found all the same.
    pub finding: Finding,
    /// Why it was let pass.
    pub reason: String,
    /// The last day on which it is.
    pub expires: Date,
}

impl Suppression {
    /// Whether `finding` is one this is about, whatever the day.
    pub fn covers(&self, finding: &Finding, manifest: &Manifest) -> bool {
        self.code.eq_ignore_ascii_case(&finding.code)
            && matches(self.artifact.as_bytes(), finding.artifact.as_str().as_bytes())
            && self.sha256.is_none_or(|wanted| digest_of(finding, manifest) == Some(wanted))
    }
}

fn digest_of(finding: &Finding, manifest: &Manifest) -> Option<Digest> {
    let file = finding.artifact.outer_file();
    manifest.files.iter().find(|candidate| candidate.path == file)?.sha256
}

/// Whether `text` has the form `pattern`, in which `*` stands for any bytes and `?` for one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match &mut star {
                Some((after, start)) => {
                    *start += 1;
                    (at, from) = (*after, *start);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "a/b.bin!/x", true),
            ("a/*.bin!/*", "a/b.bin!/x", true),
            ("*.bin", "a/b.bin!/x", false),
            ("a/?.bin*", "a/b.bin!/x", true),
            ("**x", "xx", true),
            ("", "x", false),
            ("x", "x", true),
            ("a*b*c", "a1b2b3", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
