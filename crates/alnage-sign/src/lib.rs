//! OpenSSF Model Signing bundles and DSSE attestations: make and verify.
