-- What is on its way from the upstream hub, and where files are sent.

CREATE TABLE pulls (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    revision TEXT NOT NULL,
    refname TEXT NOT NULL,
    state TEXT NOT NULL,
    commit_id TEXT,
    upstream TEXT NOT NULL,
    message TEXT NOT NULL,
    asked BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX pulls_asked ON pulls (kind, name, revision);

CREATE TABLE pull_files (
    pull BIGINT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    expected TEXT,
    sha256 BYTEA,
    git_oid TEXT,
    PRIMARY KEY (pull, path)
) /* by key */;

CREATE TABLE uploads (
    secret BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    size BIGINT NOT NULL,
    author TEXT NOT NULL,
    done BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX uploads_content ON uploads (kind, name, sha256);
CREATE INDEX uploads_expires ON uploads (expires);
