//! Everything about models that has a state: records, approvals, lineage, blobs, jobs, the hub proxy's domain.
