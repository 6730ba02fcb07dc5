use testkit::pki::{
    Made, authority, leaf,
    rcgen::{
        BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DistinguishedName, DnType,
        ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod, KeyUsagePurpose, NameConstraints,
        SanType, date_time_ymd,
    },
};

use super::{Rules, certificate, check, check_with};
use crate::x509::{Certificate, Purpose, UnixTime};

fn same(_: &mut CertificateParams) {}

/// A leaf below an authority below a root, each altered; `refusal` is empty where a path must be found.
#[track_caller]
fn chain(
    change_root: impl FnOnce(&mut CertificateParams),
    change_authority: impl FnOnce(&mut CertificateParams),
    change_leaf: impl FnOnce(&mut CertificateParams),
    refusal: &str,
) {
    let root = authority("root", 1, None, change_root);
    let middle = authority("middle", 2, Some(&root), change_authority);
    check(&leaf("signer", 3, Some(&middle), change_leaf), &[&middle], &[&root], refusal);
}

#[test]
fn a_plain_chain_holds_and_an_anchor_anywhere_in_it_is_enough() {
    chain(same, same, same, "");
    let root = authority("root", 1, None, same);
    let middle = authority("middle", 2, Some(&root), same);
    let signer = leaf("signer", 3, Some(&middle), same);
    check(&signer, &[&root, &middle], &[&root], "");
    check(&signer, &[], &[&middle], "");
    check(&signer, &[], &[&signer], "");
    check(&signer, &[], &[&root], "no trusted authority vouches");
    check(&signer, &[&middle], &[&authority("other", 9, None, same)], "no trusted authority vouches");
    check(&signer, &[&middle], &[], "no certificate authority is named");
}

#[test]
fn a_namesake_with_another_key_vouches_for_nothing() {
    let root = authority("root", 1, None, same);
    let impostor = authority("root", 9, None, same);
    let signer = leaf("signer", 3, Some(&root), same);
    check(&signer, &[], &[&impostor], "is not signed by its issuer");
    check(&signer, &[&impostor], &[&impostor, &root], "");
    // Without key identifiers, the signature alone decides.
    let bare = leaf("signer", 3, Some(&root), |params| params.use_authority_key_identifier_extension = false);
    check(&bare, &[], &[&impostor, &root], "");
}

/// Authorities exist that give their leaves their own name, and the bit of an authority too.
#[test]
fn leaves_that_look_like_authorities_work_below_an_anchor_or_as_one() {
    let root = authority("root", 1, None, same);
    let middle = authority("intermediate-ca", 2, Some(&root), same);
    let signer = authority("intermediate-ca", 3, Some(&middle), |params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    check(&signer, &[&middle], &[&root], "");
    let own =
        authority("self", 4, None, |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]);
    check(&own, &[], &[&own], "");
    check(&own, &[&own], &[&root], "no trusted authority vouches");
    let plain = leaf("self", 4, None, same);
    check(&plain, &[], &[&plain], "");
}

#[test]
fn certificates_without_an_end_and_with_little_else_hold() {
    let forever = |params: &mut CertificateParams| params.not_after = date_time_ymd(9999, 12, 31);
    chain(forever, forever, forever, "");
    chain(same, same, |params| params.key_usages.clear(), "");
}

#[test]
fn time_is_checked_on_every_certificate() {
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2025, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = date_time_ymd(2027, 1, 1);
    chain(past, same, same, "the certificate of `CN=root` expired at 2025-01-01T00:00:00Z");
    chain(same, past, same, "the certificate of `CN=middle` expired");
    chain(same, same, past, "the certificate of `CN=signer` expired");
    chain(same, same, future, "is valid from 2027-01-01T00:00:00Z");
    let root = authority("root", 1, None, same);
    let expired = leaf("signer", 3, Some(&root), past);
    check_with(&expired, &[], &[&root], Rules { at: "2024-06-01", ..Rules::default() }, "");
    check_with(&expired, &[], &[&expired], Rules::default(), "expired");
}

#[test]
fn an_issuer_must_be_an_authority_for_this() {
    chain(same, |params| params.is_ca = IsCa::NoCa, same, "is not that of an authority");
    chain(same, |params| params.is_ca = IsCa::ExplicitNoCa, same, "is not that of an authority");
    chain(|params| params.is_ca = IsCa::ExplicitNoCa, same, same, "is not that of an authority");
    let no_signing = |params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::CrlSign];
    chain(same, no_signing, same, "is not for signing certificates");
    let for_servers = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    chain(same, for_servers, same, "for something else than signing code");
}

#[test]
fn a_path_is_no_longer_than_its_authorities_allow() {
    let at_most = |length| {
        move |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
    };
    chain(at_most(1), at_most(0), same, "");
    chain(at_most(0), same, same, "allows 0 authorities below it, and there are 1");
}

#[test]
fn a_leaf_must_be_for_signing() {
    let purposes = |purposes: &[ExtendedKeyUsagePurpose]| {
        let purposes = purposes.to_vec();
        move |params: &mut CertificateParams| params.extended_key_usages = purposes
    };
    use ExtendedKeyUsagePurpose::{Any, CodeSigning, EmailProtection, ServerAuth, TimeStamping};
    chain(same, same, purposes(&[CodeSigning]), "");
    chain(same, same, purposes(&[ServerAuth, CodeSigning]), "");
    chain(same, same, purposes(&[Any]), "");
    for other in [ServerAuth, EmailProtection, TimeStamping] {
        chain(same, same, purposes(&[other]), "is not for signing code");
    }
    let agreement = |params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    chain(same, same, agreement, "is not for digital signatures");
}

#[test]
fn a_timestamp_key_serves_nothing_else() {
    use ExtendedKeyUsagePurpose::{CodeSigning, TimeStamping};
    let root = authority("root", 1, None, same);
    for (purposes, refusal) in [
        (vec![TimeStamping], ""),
        (vec![TimeStamping, CodeSigning], "is not for timestamps"),
        (vec![CodeSigning], "is not for timestamps"),
        (vec![], "is not for timestamps"),
    ] {
        let stamper = leaf("stamper", 3, Some(&root), |params| params.extended_key_usages = purposes);
        let rules = Rules { purpose: Purpose::TimeStamping, ..Rules::default() };
        check_with(&stamper, &[], &[&root], rules, refusal);
    }
}

#[test]
fn what_is_critical_must_be_known() {
    let odd = |critical| {
        move |params: &mut CertificateParams| {
            let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
            extension.set_criticality(critical);
            params.custom_extensions = vec![extension];
        }
    };
    chain(odd(false), odd(false), odd(false), "");
    for refused in [0, 1, 2] {
        let at = |place| move |params: &mut CertificateParams| odd(place == refused)(params);
        chain(at(0), at(1), at(2), "has the critical extension 1.3.6.1.4.1.99999.1");
    }
    // requireExplicitPolicy: 0
    let policy = |params: &mut CertificateParams| {
        let content = vec![0x30, 3, 0x80, 1, 0];
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 36], content)];
    };
    chain(same, policy, same, "asks for a certificate policy");
}

#[test]
fn an_authority_speaks_only_for_its_names() {
    let name = |organization: &str| {
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, organization);
        name
    };
    let email = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
    let dns = |text: &str| SanType::DnsName(text.try_into().unwrap());
    let address = |text: &str| SanType::IpAddress(text.parse().unwrap());
    let network = |text: &str| GeneralSubtree::IpAddress(text.parse::<CidrSubnet>().unwrap());
    let mail_base = |text: &str| GeneralSubtree::Rfc822Name(text.to_owned());
    let dns_base = |text: &str| GeneralSubtree::DnsName(text.to_owned());
    let outside = "lies outside the names";
    let forbidden = "may not speak for";
    // (permitted, excluded, names of the leaf, refusal)
    let cases = [
        (vec![mail_base("example.com")], vec![], vec![email("a@example.com")], ""),
        (vec![mail_base("example.com")], vec![], vec![email("a@Example.COM"), dns("b")], ""),
        (vec![mail_base("example.com")], vec![], vec![email("a@evil.example.com")], outside),
        (vec![mail_base(".example.com")], vec![], vec![email("a@sub.example.com")], ""),
        (vec![mail_base("a@example.com")], vec![], vec![email("b@example.com")], outside),
        (vec![dns_base("example.com")], vec![], vec![dns("x.example.com")], ""),
        (vec![dns_base("example.com")], vec![], vec![dns("notexample.com")], outside),
        (vec![dns_base("example.com")], vec![], vec![dns("example.com.evil.org")], outside),
        (
            vec![dns_base("example.com"), dns_base("b.org")],
            vec![],
            vec![dns("b.org"), dns("x.c.org")],
            outside,
        ),
        (vec![], vec![dns_base("bad.example.com")], vec![dns("x.bad.example.com")], forbidden),
        (vec![], vec![dns_base("bad.example.com")], vec![dns("*.example.com")], forbidden),
        (vec![dns_base("example.com")], vec![dns_base("bad.example.com")], vec![dns("ok.example.com")], ""),
        (vec![network("10.0.0.0/8")], vec![], vec![address("10.1.2.3")], ""),
        (vec![network("10.0.0.0/8")], vec![], vec![address("11.1.2.3")], outside),
        (vec![network("10.0.0.0/8")], vec![], vec![address("::1")], outside),
        (vec![GeneralSubtree::DirectoryName(name("Example"))], vec![], vec![], outside),
    ];
    for (permitted, excluded, names, refusal) in cases {
        let constrain = |params: &mut CertificateParams| {
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
        };
        chain(same, constrain, |params| params.subject_alt_names = names, refusal);
    }
    let within = |params: &mut CertificateParams| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DirectoryName(name("Example"))],
            excluded_subtrees: vec![],
        });
    };
    // Case and blanks make no other name.
    chain(same, within, |params| params.distinguished_name = name("eXample "), "");
}

#[test]
fn many_ways_to_chain_cost_little() {
    // Thirty namesakes that all signed each other, and no way out.
    let loops: Vec<Made> = (10..40)
        .map(|seed| {
            let issuer = authority("loop", if seed == 10 { 39 } else { seed - 1 }, None, same);
            authority("loop", seed, Some(&issuer), |params| {
                params.use_authority_key_identifier_extension = false;
                params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
            })
        })
        .collect();
    let between: Vec<&Made> = loops.iter().collect();
    let issuer = authority("loop", 20, None, same);
    let signer =
        leaf("signer", 3, Some(&issuer), |params| params.use_authority_key_identifier_extension = false);
    let root = authority("root", 1, None, same);
    check(&signer, &between, &[&root], "in too many ways");
    let many = between.iter().copied().cycle().take(65).collect::<Vec<_>>();
    check(&signer, &many, &[&root], "65 certificates come with it");
}

#[test]
fn a_changed_certificate_is_refused() {
    let root = authority("root", 1, None, same);
    let signer = leaf("signer", 3, Some(&root), same);
    let mut accepted = 0;
    for at in 0..signer.der.len() {
        let mut changed = signer.der.clone();
        changed[at] ^= 1;
        let Ok(parsed) = Certificate::from_der(&changed) else { continue };
        let anchors = [certificate(&root)];
        let rules = crate::x509::PathRules {
            anchors: &anchors,
            intermediates: &[],
            at: UnixTime(1_790_000_000),
            now: UnixTime(1_790_000_000),
            purpose: Purpose::Signing,
            revocation_lists: &[],
            stale_lists: crate::x509::StaleLists::Refused,
        };
        accepted += usize::from(crate::x509::find_path(&parsed, &rules).is_ok());
    }
    assert_eq!(accepted, 0);
}

#[test]
fn times_are_read_and_written() {
    for (text, second) in [
        ("1970-01-01", 0),
        ("2026-11-22T08:00:00Z", 1_795_334_400),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ] {
        assert_eq!(text.parse(), Ok(UnixTime(second)));
    }
    assert_eq!(UnixTime(1_795_334_400).to_string(), "2026-11-22T08:00:00Z");
    for wrong in
        ["", "tomorrow", "2026-13-01", "2026-11-22T08:00:00+01:00", "2026-11-22 08:00:00", "ü026-11-2"]
    {
        assert!(wrong.parse::<UnixTime>().is_err(), "{wrong}");
    }
}

#[test]
fn files_of_certificates_are_read() {
    let made = leaf("signer", 3, None, same);
    let text = format!("subject=signer\n{}junk\n{}", made.to_pem(), made.to_pem());
    assert_eq!(Certificate::all_from_file(text.as_bytes()).unwrap().len(), 2);
    assert_eq!(Certificate::all_from_file(&made.der).unwrap(), [certificate(&made)]);
    for wrong in
        [&b""[..], b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN CERTIFICATE-----\nAAAA", b"\x30\x80\0\0"]
    {
        assert!(Certificate::all_from_file(wrong).is_err());
    }
    let read = certificate(&made);
    assert_eq!((read.subject(), read.serial()), ("CN=signer".to_owned(), "0301".to_owned()));
}
