CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT UNIQUE,
    display TEXT NOT NULL,
    email TEXT NOT NULL,
    created BIGINT NOT NULL,
    disabled BIGINT NOT NULL
);
CREATE TABLE grants (
    account TEXT NOT NULL,
    project TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (account, project, role)
);
CREATE TABLE tokens (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    ceiling TEXT NOT NULL,
    projects TEXT NOT NULL,
    grants TEXT,
    created BIGINT NOT NULL,
    expires BIGINT,
    used BIGINT
);
CREATE INDEX tokens_of_account ON tokens (account);
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    grants TEXT,
    csrf TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE TABLE attempts (
    subject TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    count BIGINT NOT NULL
);
CREATE TABLE logins (
    hash TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    content TEXT NOT NULL,
    expires BIGINT NOT NULL
);
