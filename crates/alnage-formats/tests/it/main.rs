//! Tests against the real tools.

mod differential;
