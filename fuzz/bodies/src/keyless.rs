//! Keyless signatures: the bytes as a bundle under roots that are known, and as the root of a bundle that is known.

use std::sync::LazyLock;

use alnage_sign::{Bundle, keyless::TrustedRoot, x509::UnixTime};

/// After everything that the seeds hold was signed.
const NOW: UnixTime = UnixTime(1_795_000_000);

/// The first seed is a root of our own, the second that of Sigstore's staging, the third a bundle with a timestamp that
/// holds under the second.
static BUNDLE: LazyLock<Option<Bundle>> =
    LazyLock::new(|| Bundle::parse(include_bytes!("../../corpus/keyless/seed-002")).ok());
static ROOTS: LazyLock<Vec<TrustedRoot>> = LazyLock::new(|| {
    let own = TrustedRoot::parse(include_bytes!("../../corpus/keyless/seed-000"));
    let staging = TrustedRoot::parse(include_bytes!("../../corpus/keyless/seed-001"));
    [own, staging, TrustedRoot::public_good()].into_iter().flatten().collect()
});

pub(crate) fn keyless(bytes: &[u8]) {
    if let (Ok(root), Some(bundle)) = (TrustedRoot::parse(bytes), &*BUNDLE) {
        let _ = bundle.verify_keyless(&root, NOW);
    }
    if let Ok(bundle) = Bundle::parse(bytes) {
        for root in &*ROOTS {
            if let Ok(signer) = bundle.verify_keyless(root, NOW) {
                let _ = (signer.names(), signer.repository(), signer.workflow(), signer.provider().len());
            }
        }
    }
}
