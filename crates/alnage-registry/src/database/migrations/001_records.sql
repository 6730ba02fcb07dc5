-- Models, what was found in them, who decided what about them, and what has to be done.
-- `/* by key */` after a table keeps its rows in the order of its key where the engine can.

CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

CREATE TABLE secrets (name TEXT PRIMARY KEY, value BYTEA NOT NULL);

CREATE TABLE repos (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    owner TEXT NOT NULL,
    origin TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    head BIGINT,
    served BIGINT,
    pulls BIGINT NOT NULL
);
CREATE UNIQUE INDEX repos_name ON repos (kind, name);
CREATE INDEX repos_order ON repos (name, kind);
CREATE INDEX repos_project ON repos (project, name);
CREATE INDEX repos_updated ON repos (updated, id);

CREATE TABLE versions (
    id BIGINT PRIMARY KEY,
    repo BIGINT NOT NULL,
    commit_id TEXT NOT NULL,
    refname TEXT NOT NULL,
    manifest TEXT NOT NULL,
    message TEXT NOT NULL,
    author TEXT NOT NULL,
    parent TEXT,
    created BIGINT NOT NULL,
    size BIGINT NOT NULL,
    files BIGINT NOT NULL,
    stage TEXT NOT NULL,
    staged BIGINT NOT NULL,
    staged_by TEXT NOT NULL,
    expires BIGINT,
    conditions TEXT NOT NULL,
    verdict TEXT,
    effect TEXT,
    reason TEXT NOT NULL,
    scan BIGINT,
    released BIGINT
);
CREATE UNIQUE INDEX versions_commit ON versions (repo, commit_id);
CREATE INDEX versions_repo ON versions (repo, id);
CREATE INDEX versions_ref ON versions (repo, refname, id);
CREATE INDEX versions_stage ON versions (stage, id);
CREATE INDEX versions_verdict ON versions (verdict, id);
CREATE INDEX versions_manifest ON versions (manifest);
CREATE INDEX versions_expires ON versions (expires);

CREATE TABLE refs (
    repo BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    PRIMARY KEY (repo, name)
) /* by key */;

CREATE TABLE files (
    version BIGINT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    git_oid BYTEA NOT NULL,
    lfs BIGINT NOT NULL,
    verdict TEXT,
    format TEXT,
    served BIGINT NOT NULL,
    reason TEXT,
    PRIMARY KEY (version, path)
) /* by key */;
CREATE INDEX files_sha256 ON files (sha256);

CREATE TABLE scans (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    started BIGINT NOT NULL,
    finished BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    effect TEXT NOT NULL,
    rules TEXT NOT NULL,
    policy TEXT NOT NULL,
    decision TEXT NOT NULL,
    input TEXT NOT NULL,
    record TEXT NOT NULL,
    bom TEXT NOT NULL,
    seals TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX scans_version ON scans (version, id);

CREATE TABLE findings (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    scan BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    severity BIGINT NOT NULL,
    confidence TEXT NOT NULL,
    artifact TEXT NOT NULL,
    message TEXT NOT NULL,
    evidence TEXT,
    remediation TEXT NOT NULL,
    suppressed BIGINT NOT NULL
);
CREATE INDEX findings_version ON findings (version, id);
CREATE INDEX findings_code ON findings (code, id);
CREATE INDEX findings_severity ON findings (severity, id);

CREATE TABLE documents (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body BYTEA NOT NULL,
    author TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX documents_name ON documents (version, kind, name);

CREATE TABLE requests (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    stage TEXT NOT NULL,
    requester TEXT NOT NULL,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    needed BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided BIGINT,
    expires BIGINT,
    conditions TEXT NOT NULL
);
CREATE INDEX requests_version ON requests (version, id);
CREATE INDEX requests_state ON requests (state, id);

CREATE TABLE votes (
    request BIGINT NOT NULL,
    voter TEXT NOT NULL,
    vote TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires BIGINT,
    conditions TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (request, voter)
) /* by key */;

CREATE TABLE exceptions (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    rule TEXT NOT NULL,
    file TEXT,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ended BIGINT
);
CREATE INDEX exceptions_version ON exceptions (version, id);
CREATE INDEX exceptions_expires ON exceptions (expires);

CREATE TABLE transitions (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    created BIGINT NOT NULL,
    entry BIGINT NOT NULL
);
CREATE INDEX transitions_version ON transitions (version, id);

CREATE TABLE edges (
    version BIGINT NOT NULL,
    relation TEXT NOT NULL,
    subject TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (version, relation, subject)
) /* by key */;
CREATE INDEX edges_subject ON edges (subject);

CREATE TABLE revocations (
    subject TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE deployments (
    id BIGINT PRIMARY KEY,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    manifest TEXT NOT NULL,
    environment TEXT NOT NULL,
    owner TEXT NOT NULL,
    reporter TEXT NOT NULL,
    state TEXT NOT NULL,
    details TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);
CREATE UNIQUE INDEX deployments_place ON deployments (place, model);
CREATE INDEX deployments_model ON deployments (model, id);
CREATE INDEX deployments_seen ON deployments (last_seen, id);

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    created BIGINT NOT NULL,
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    payload TEXT NOT NULL
);

CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    created BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, id);

CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    due BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    worker TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    message TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_live ON jobs (kind, name) WHERE state IN ('ready', 'running');
CREATE INDEX jobs_due ON jobs (state, due, id);

CREATE TABLE log_objects (name TEXT PRIMARY KEY, bytes BYTEA NOT NULL);

CREATE TABLE log_statements (
    entry BIGINT PRIMARY KEY,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    predicate_type TEXT NOT NULL,
    created BIGINT NOT NULL,
    envelope TEXT NOT NULL
);
CREATE INDEX log_statements_subject ON log_statements (subject);

CREATE TABLE webhooks (
    id BIGINT PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    kinds TEXT NOT NULL,
    author TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_status TEXT NOT NULL
);
