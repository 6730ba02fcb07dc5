//! Whom `alnage verify` trusts, out of its arguments.

use alnage_pipeline::{
    KeyHint, all_certificates, keyless_trust, revocation_lists, revocations, trust_file,
    trusted::{CertificateTrust, Identity, TimestampTrust, TrustPolicy, TrustedCredential, TrustedSigner},
    trusted_root, verifying_key,
    x509::{StaleLists, UnixTime},
};

use crate::{args::TrustArgs, output::hinted};

/// The policy that the arguments ask for.
pub(crate) fn policy(arguments: &TrustArgs, hint: KeyHint, now: UnixTime) -> anyhow::Result<TrustPolicy> {
    let mut policy = match &arguments.trust {
        Some(path) => trust_file(path, now)?,
        None => TrustPolicy::new(signers(arguments)?, now),
    };
    let named = [&arguments.identity, &arguments.issuer, &arguments.identity_provider];
    if arguments.trust.is_some() && named.iter().any(|names| !names.is_empty()) {
        return Err(hinted(
            "`--identity`, `--issuer` and `--identity-provider` have no place beside `--trust`",
            "name them in the trust file: `identities = [\"email:…\"]`",
        ));
    }
    if let Some(root) = &arguments.trusted_root {
        policy.trusted_root = Some(trusted_root(root)?);
    }
    policy.hint = hint;
    if let Some(threshold) = arguments.threshold {
        policy.threshold = threshold;
    }
    if !arguments.tsa.is_empty() {
        policy.timestamps =
            TimestampTrust { anchors: all_certificates(&arguments.tsa)?, intermediates: Vec::new() };
    }
    policy.revocation_lists.extend(revocation_lists(&arguments.crl)?);
    if arguments.allow_stale_crl {
        policy.stale_lists = StaleLists::Allowed;
    }
    policy.at = arguments.at.as_deref().map(str::parse).transpose()?;
    let places = if arguments.revocation_key.is_empty() { &arguments.key } else { &arguments.revocation_key };
    let keys = places.iter().map(|place| verifying_key(place)).collect::<Result<Vec<_>, _>>()?;
    for list in &arguments.revocations {
        policy.revoked.add(revocations(list, &keys, None, now)?);
    }
    Ok(policy)
}

fn signers(arguments: &TrustArgs) -> anyhow::Result<Vec<TrustedSigner>> {
    let mut signers = Vec::new();
    for place in &arguments.key {
        let key = verifying_key(place)?;
        signers.push(TrustedSigner::new(place.display().to_string(), TrustedCredential::Key(key)));
    }
    let parse =
        |texts: &[String]| texts.iter().map(|text| text.parse()).collect::<Result<Vec<Identity>, _>>();
    if !arguments.ca.is_empty() {
        let trust = CertificateTrust {
            anchors: all_certificates(&arguments.ca)?,
            intermediates: all_certificates(&arguments.cert_chain)?,
            identities: parse(&arguments.identity)?,
            issuers: parse(&arguments.issuer)?,
        };
        signers.push(TrustedSigner::new("certificate", TrustedCredential::Certificate(trust)));
    } else if !arguments.identity_provider.is_empty() {
        let trust = keyless_trust(&arguments.identity, &arguments.identity_provider)?;
        signers.push(TrustedSigner::new("keyless", TrustedCredential::Keyless(trust)));
    } else if !(arguments.identity.is_empty() && arguments.issuer.is_empty()) {
        return Err(hinted(
            "an identity is asked for, and nobody is named who could vouch for it",
            "name an authority, `--ca FILE`, or for keyless signatures the provider, `--identity-provider URL`",
        ));
    }
    if signers.is_empty() {
        return Err(hinted(
            "nobody is named whose signature would count",
            "a key (`--key FILE`), a certificate authority (`--ca FILE`), an identity (`--identity NAME` with \
             `--identity-provider URL`) or a trust file (`--trust FILE`)",
        ));
    }
    Ok(signers)
}
