-- Xorbs that were sent, with the table of their chunks, and files that were put together of them.

CREATE TABLE xet_xorbs (
    hash BYTEA PRIMARY KEY,
    blob BYTEA NOT NULL,
    chunks BYTEA NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX xet_xorbs_used ON xet_xorbs (used);
CREATE INDEX xet_xorbs_blob ON xet_xorbs (blob);

CREATE TABLE xet_files (
    sha256 BYTEA PRIMARY KEY,
    hash BYTEA NOT NULL,
    size BIGINT NOT NULL,
    created BIGINT NOT NULL
) /* by key */;
CREATE INDEX xet_files_created ON xet_files (created);
