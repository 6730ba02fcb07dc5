//! Builds model repositories: configuration, templates, code.
