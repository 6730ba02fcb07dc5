//! What Alnage serves over HTTP. A handler translates; what it decides is in the crates below.

mod witness;

pub use witness::serve_witness;
