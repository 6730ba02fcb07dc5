//! Builds the frameworks' files.
