//! Builds hostile and benign sample files in code, for tests only.
