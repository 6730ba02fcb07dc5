//! The Public Key Interoperability Test Suite of NIST: <https://csrc.nist.gov/projects/pki-testing>.
//!
//! Left out of the kept copy: certificate policies, delta lists and indirect lists, which are not supported. The names
//! of the suite's certificates say whether a path to them is valid.

use std::collections::BTreeMap;

use crate::x509::{Certificate, PathRules, Purpose, RevocationList, StaleLists, UnixTime, find_path};

const PACK: &[u8] = include_bytes!("../../../tests/fixtures/pkits.pack");

/// What the suite calls valid and we refuse, even without revocation lists.
const STRICTER: &[(&str, &str)] = &[
    ("ValidDSASignaturesTest4EE", "DSA is not accepted"),
    ("ValidDSAParameterInheritanceTest5EE", "DSA is not accepted"),
    ("Validpre2000UTCnotBeforeDateTest3EE", "it is valid from 1950 on, and time begins in 1970"),
];

/// What we refuse with revocation lists: they are accepted only whole, and from the key that signed the certificate.
const STRICTER_WITH_LISTS: &[&str] = &[
    "ValidBasicSelfIssuedCRLSigningKeyTest6EE",
    "ValidBasicSelfIssuedNewWithOldTest4EE",
    "ValidBasicSelfIssuedOldWithNewTest1EE",
    "ValidDNnameConstraintsTest19EE",
    "ValidSelfIssuedpathLenConstraintTest15EE",
    "ValidSelfIssuedpathLenConstraintTest17EE",
    "ValidSeparateCertificateandCRLKeysTest19EE",
    "ValiddistributionPointTest4EE",
    "ValiddistributionPointTest7EE",
    "ValidonlySomeReasonsTest18EE",
    "ValidonlySomeReasonsTest19EE",
];

fn files() -> BTreeMap<String, &'static [u8]> {
    let mut files = BTreeMap::new();
    let line = |bytes: &'static [u8]| {
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 1..])
    };
    let (_, mut rest) = line(PACK);
    while !rest.is_empty() {
        let (header, body) = line(rest);
        let (name, length) = header.split_once(' ').unwrap();
        let (content, behind) = body.split_at(length.parse().unwrap());
        files.insert(name.to_owned(), content);
        rest = behind;
    }
    files
}

#[test]
fn the_suite_of_nist_gets_its_verdicts() {
    let files = files();
    let of = |ending: &str| {
        let found: Vec<(String, &'static [u8])> = files
            .iter()
            .filter_map(|(name, bytes)| Some((name.strip_suffix(ending)?.to_owned(), *bytes)))
            .collect();
        found
    };
    let mut unreadable = Vec::new();
    let mut certificates = Vec::new();
    for (name, bytes) in of(".crt") {
        match Certificate::from_der(bytes) {
            Ok(certificate) => certificates.push((name, certificate)),
            Err(error) => unreadable.push(format!("{name}: {error}")),
        }
    }
    let lists: Vec<RevocationList> = of(".crl")
        .into_iter()
        .filter_map(|(name, bytes)| match RevocationList::from_der(bytes) {
            Ok(list) => Some(list),
            Err(error) => {
                unreadable.push(format!("{name}: {error}"));
                None
            }
        })
        .collect();
    let anchor =
        certificates.iter().find(|(name, _)| name == "TrustAnchorRootCertificate").unwrap().1.clone();
    let authorities: Vec<&Certificate> = certificates
        .iter()
        .filter(|(name, _)| !name.ends_with("EE") && !name.starts_with("TrustAnchor"))
        .map(|(_, certificate)| certificate)
        .collect();

    let mut wrong = Vec::new();
    let mut checked = 0;
    for (name, leaf) in certificates.iter().filter(|(name, _)| name.ends_with("EE")) {
        let mut intermediates: Vec<Certificate> = Vec::new();
        let mut wanted = vec![leaf.issuer().to_lowercase()];
        while let Some(subject) = wanted.pop() {
            for authority in &authorities {
                let normal = authority.subject().to_lowercase();
                let squeezed = |text: &str| text.replace('\\', "").split_whitespace().collect::<String>();
                if squeezed(&normal) == squeezed(&subject) && !intermediates.contains(authority) {
                    wanted.push(authority.issuer().to_lowercase());
                    intermediates.push((*authority).clone());
                }
            }
        }
        let rules = PathRules {
            anchors: std::slice::from_ref(&anchor),
            intermediates: &intermediates,
            at: UnixTime(1_790_000_000),
            now: UnixTime(1_790_000_000),
            purpose: Purpose::Signing,
            revocation_lists: &lists,
            stale_lists: StaleLists::Refused,
        };
        let is_valid = name.starts_with("Valid") && !STRICTER.iter().any(|(stricter, _)| stricter == name);
        let mut expect = |rules: &PathRules<'_>, should_hold: bool| {
            checked += 1;
            let outcome = find_path(leaf, rules);
            if outcome.is_ok() != should_hold {
                let said = outcome.map_or_else(|error| error.to_string(), |_| "accepted".into());
                wrong.push(format!("{name}: {said}"));
            }
        };
        expect(&rules, is_valid && !STRICTER_WITH_LISTS.contains(&name.as_str()));
        if is_valid {
            expect(&PathRules { revocation_lists: &[], ..rules }, true);
        }
    }
    unreadable.retain(|flaw| !STRICTER.iter().any(|(name, _)| flaw.starts_with(name)));
    assert!(
        wrong.is_empty() && unreadable.is_empty(),
        "of {checked}\n{}\nunreadable\n{}",
        wrong.join("\n"),
        unreadable.join("\n")
    );
    assert!(checked > 100, "{checked}");
}
