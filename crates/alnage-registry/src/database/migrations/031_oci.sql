-- Artifacts that were pushed or made of versions, blobs that wait for a manifest, uploads that are under way.

CREATE TABLE oci_manifests (
    repo TEXT NOT NULL,
    digest BYTEA NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    subject BYTEA,
    bytes BYTEA NOT NULL,
    annotations TEXT NOT NULL,
    made BIGINT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (repo, digest)
);
CREATE INDEX oci_manifests_subject ON oci_manifests (repo, subject);
CREATE INDEX oci_manifests_commit ON oci_manifests (repo, commit_id);

CREATE TABLE oci_attached (
    repo TEXT NOT NULL,
    digest BYTEA NOT NULL,
    manifest BYTEA NOT NULL,
    PRIMARY KEY (repo, digest, manifest)
) /* by key */;
CREATE INDEX oci_attached_digest ON oci_attached (digest);

CREATE TABLE oci_blobs (
    repo TEXT NOT NULL,
    digest BYTEA NOT NULL,
    size BIGINT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (repo, digest)
) /* by key */;
CREATE INDEX oci_blobs_digest ON oci_blobs (digest);
CREATE INDEX oci_blobs_created ON oci_blobs (created);

CREATE TABLE oci_uploads (
    id TEXT PRIMARY KEY,
    repo TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX oci_uploads_created ON oci_uploads (created);

CREATE TABLE oci_upload_parts (
    upload TEXT NOT NULL,
    start BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (upload, start)
) /* by key */;
CREATE INDEX oci_upload_parts_digest ON oci_upload_parts (digest);
