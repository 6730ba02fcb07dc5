//! Builds archives and compressed streams.
