use testkit::pki::{
    Made, authority, leaf,
    rcgen::{
        CertificateParams, CertificateRevocationListParams, KeyIdMethod, KeyUsagePurpose, RevocationReason,
        RevokedCertParams, SerialNumber, date_time_ymd,
    },
};

use super::{Rules, check_with};
use crate::x509::{RevocationList, StaleLists};

fn same(_: &mut CertificateParams) {}

/// A list of 2026, for `change` to alter, that names the certificates with these seeds.
fn list(
    issuer: &Made,
    revoked: &[(u8, Option<RevocationReason>)],
    change: impl FnOnce(&mut CertificateRevocationListParams),
) -> RevocationList {
    let mut params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2027, 1, 1),
        crl_number: SerialNumber::from(7_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .iter()
            .map(|&(seed, reason_code)| RevokedCertParams {
                serial_number: SerialNumber::from(vec![seed, 1]),
                revocation_time: date_time_ymd(2025, 6, 1),
                reason_code,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(vec![7; 20]),
    };
    change(&mut params);
    RevocationList::from_der(params.signed_by(&issuer.issuer()).unwrap().der()).unwrap()
}

struct Chain {
    root: Made,
    middle: Made,
    signer: Made,
}

impl Chain {
    fn new() -> Self {
        let root = authority("root", 1, None, same);
        let middle = authority("middle", 2, Some(&root), same);
        let signer = leaf("signer", 3, Some(&middle), same);
        Self { root, middle, signer }
    }

    #[track_caller]
    fn check(&self, rules: Rules, refusal: &str) {
        check_with(&self.signer, &[&self.middle], &[&self.root], rules, refusal);
    }

    #[track_caller]
    fn check_lists(&self, lists: Vec<RevocationList>, refusal: &str) {
        self.check(Rules { lists, ..Rules::default() }, refusal);
    }
}

#[test]
fn what_is_on_a_list_is_refused() {
    let chain = Chain::new();
    chain.check_lists(vec![list(&chain.middle, &[(9, None)], |_| {})], "");
    chain.check_lists(
        vec![list(&chain.middle, &[(9, None), (3, None)], |_| {})],
        "`CN=signer` was revoked at 2025",
    );
    let stolen = Some(RevocationReason::KeyCompromise);
    chain.check_lists(vec![list(&chain.middle, &[(3, stolen)], |_| {})], "because its key was stolen");
    let lists = vec![list(&chain.middle, &[], |_| {}), list(&chain.root, &[(2, None)], |_| {})];
    chain.check_lists(lists, "`CN=middle` was revoked");
    let restored = Some(RevocationReason::RemoveFromCrl);
    chain.check_lists(vec![list(&chain.middle, &[(3, restored)], |_| {})], "");
}

#[test]
fn a_list_counts_only_from_the_issuer_itself() {
    let chain = Chain::new();
    let impostor = authority("middle", 9, None, same);
    chain.check_lists(vec![list(&impostor, &[(3, None)], |_| {})], "the signature does not match");
    chain.check_lists(vec![list(&chain.root, &[], |_| {})], "there is none of its issuer");
    let powerless = authority("middle", 2, Some(&chain.root), |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    });
    let rules = Rules { lists: vec![list(&chain.middle, &[], |_| {})], ..Rules::default() };
    check_with(&chain.signer, &[&powerless], &[&chain.root], rules, "not for signing revocation lists");
}

#[test]
fn an_old_list_shows_nothing_unless_allowed() {
    let chain = Chain::new();
    let overdue = |revoked: &[(u8, Option<RevocationReason>)]| {
        list(&chain.middle, revoked, |params| params.next_update = date_time_ymd(2026, 6, 1))
    };
    chain.check_lists(vec![overdue(&[])], "its successor was due at 2026-06-01");
    chain.check_lists(vec![overdue(&[(3, None)])], "was revoked");
    chain.check(Rules { lists: vec![overdue(&[])], stale: StaleLists::Allowed, ..Rules::default() }, "");
    let tomorrow = list(&chain.middle, &[], |params| params.this_update = date_time_ymd(2026, 12, 1));
    chain.check_lists(vec![tomorrow], "made later than now");
}

/// A key that was only replaced was honest before; a stolen one may have been stolen long ago.
#[test]
fn what_was_signed_before_an_honest_end_stays_signed() {
    let chain = Chain::new();
    use RevocationReason::{CessationOfOperation, KeyCompromise, Superseded};
    for (reason, at, refusal) in [
        (Some(Superseded), "2025-01-01", ""),
        (Some(CessationOfOperation), "2025-01-01", ""),
        (Some(Superseded), "2025-06-02", "because another replaced it"),
        (Some(KeyCompromise), "2025-01-01", "because its key was stolen"),
        (None, "2025-01-01", "without a reason"),
    ] {
        let lists = vec![list(&chain.middle, &[(3, reason)], |_| {})];
        chain.check(Rules { at, lists, ..Rules::default() }, refusal);
    }
}
