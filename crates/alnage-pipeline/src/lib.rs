//! The façade: one function from a path to a record, with seal and log.
