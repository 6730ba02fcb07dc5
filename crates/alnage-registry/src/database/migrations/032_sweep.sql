-- Content that was forgotten of late because nothing named it, and what is found by its content for that.

CREATE TABLE swept (
    digest BYTEA PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX swept_at ON swept (at);

CREATE INDEX pull_files_content ON pull_files (sha256);
CREATE INDEX uploads_sha256 ON uploads (sha256);
