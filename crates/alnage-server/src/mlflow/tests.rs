//! Names go to MLflow and back.

use super::{named, shown};

#[test]
fn a_name_without_slash_is_the_same_model() {
    for name in ["acme/tiny", "gpt2", "acme/tiny-1.5_b"] {
        assert_eq!(named(&shown(name)), name);
        assert!(!shown(name).contains('/'));
    }
    assert_eq!(named("acme/tiny"), "acme/tiny");
}
