mod algorithms;
mod paths;
mod pkits;
mod revoked;

use testkit::pki::Made;

use crate::x509::{
    Certificate, PathRules, Purpose, RevocationList, StaleLists, TrustedPath, UnixTime, find_path,
};

const NOW: &str = "2026-11-22T08:00:00Z";

fn certificate(made: &Made) -> Certificate {
    Certificate::from_der(&made.der).unwrap()
}

/// Finds a path; an empty `refusal` wants one, anything else is what the error must say.
#[track_caller]
fn check(leaf: &Made, between: &[&Made], anchors: &[&Made], refusal: &str) {
    check_with(leaf, between, anchors, Rules::default(), refusal);
}

struct Rules {
    at: &'static str,
    purpose: Purpose,
    lists: Vec<RevocationList>,
    stale: StaleLists,
}

impl Default for Rules {
    fn default() -> Self {
        Self { at: NOW, purpose: Purpose::Signing, lists: Vec::new(), stale: StaleLists::Refused }
    }
}

#[track_caller]
fn check_with(leaf: &Made, between: &[&Made], anchors: &[&Made], rules: Rules, refusal: &str) {
    let all = |made: &[&Made]| made.iter().map(|made| certificate(made)).collect::<Vec<_>>();
    let (anchors, intermediates) = (all(anchors), all(between));
    let rules = PathRules {
        anchors: &anchors,
        intermediates: &intermediates,
        at: rules.at.parse::<UnixTime>().unwrap(),
        now: NOW.parse::<UnixTime>().unwrap(),
        purpose: rules.purpose,
        revocation_lists: &rules.lists,
        stale_lists: rules.stale,
    };
    match find_path(&certificate(leaf), &rules) {
        Ok(path) => {
            assert!(refusal.is_empty() && is_whole(&path, &anchors), "accepted, not refused by {refusal:?}")
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{refusal:?} is not in {said:?}");
        }
    }
}

fn is_whole(path: &TrustedPath, anchors: &[Certificate]) -> bool {
    anchors.contains(path.anchor()) && path.certificates().first() == Some(path.leaf())
}
