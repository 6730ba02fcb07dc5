//! What the hub's routes are asked for, and by whom: consumers of a repository's project download, publishers upload;
//! downloads are open to everybody where the server says so.

use alnage_registry::people::Role;

use crate::core::{Ask, Needs};

const fn known(path: &'static str) -> Ask {
    Ask::of(Needs::Known, path)
}

/// What everybody may, because there is nothing to be had or the path has a secret in it.
const fn open(path: &'static str) -> Ask {
    Ask::of(Needs::Nothing, path)
}

const fn rows(path: &'static str) -> Ask {
    Ask::of(Needs::Rows(Role::Consumer), path)
}

const fn read(path: &'static str) -> Ask {
    Ask::role(Role::Consumer, path)
}

const fn write(path: &'static str) -> Ask {
    Ask::role(Role::Publisher, path)
}

pub(super) const GET: &[Ask] = &[
    known("/api/whoami-v2"),
    rows("/api/models"),
    rows("/api/datasets"),
    read("/acme/tiny/resolve/main/config.json"),
    read("/datasets/acme/data/resolve/{dataset}/README.md"),
    read("/api/models/acme/tiny"),
    read("/api/models/acme/tiny/revision/{commit}"),
    read("/api/models/acme/tiny/tree/main"),
    read("/api/models/acme/tiny/refs"),
    read("/api/models/acme/tiny/commits/main"),
    read("/api/models/acme/tiny/discussions"),
    read("/api/models/acme/tiny/auth-check"),
    write("/api/models/acme/tiny/auth-check/write"),
    write("/api/models/acme/tiny/xet-write-token/main"),
    open("/api/models/acme/tiny/xet-read-token/main").empty(),
];

pub(super) const HEAD: &[Ask] = &[
    known("/api/whoami-v2"),
    rows("/api/models"),
    rows("/api/datasets"),
    read("/acme/tiny/resolve/main/config.json"),
    read("/api/models/acme/tiny"),
    read("/api/models/acme/tiny/tree/main"),
    read("/api/models/acme/tiny/refs"),
    read("/api/models/acme/tiny/commits/main"),
    read("/api/models/acme/tiny/discussions"),
    read("/api/models/acme/tiny/auth-check"),
    write("/api/models/acme/tiny/auth-check/write"),
    write("/api/models/acme/tiny/xet-write-token/main"),
    open("/api/models/acme/tiny/xet-read-token/main").empty(),
];

pub(super) const POST: &[Ask] = &[
    open("/api/validate-yaml"),
    open("/-/upload/no-such-secret/done").empty(),
    open("/api/models/acme/tiny/xet-read-token/main").empty(),
    open("/api/models/acme/tiny/discussions").empty(),
    write("/api/repos/create").body(r#"{"name": "made", "organization": "acme", "type": "model"}"#),
    read("/api/models/acme/tiny/paths-info/main").body(r#"{"paths": ["config.json"], "expand": false}"#),
    write("/api/models/acme/tiny/preupload/main").body(r#"{"files": []}"#),
    write("/acme/tiny.git/info/lfs/objects/batch").body(r#"{"operation": "upload", "objects": []}"#),
    write("/api/models/acme/inbox/commit/main").body(
        "{\"key\": \"header\", \"value\": {\"summary\": \"one\"}}\n\
         {\"key\": \"file\", \"value\": {\"path\": \"README.md\", \"content\": \"b25l\", \"encoding\": \"base64\"}}",
    ),
    write("/api/models/acme/tiny/branch/next").body(r#"{"startingPoint": "main"}"#),
    write("/api/models/acme/tiny/tag/main").body(r#"{"tag": "v1"}"#),
];

pub(super) const PUT: &[Ask] = &[
    open("/-/upload/no-such-secret").empty(),
    open("/api/models/acme/tiny/xet-read-token/main").empty(),
    open("/api/models/acme/tiny/discussions").empty(),
    write("/api/models/acme/tiny/settings").body(r#"{"private": true}"#),
];

pub(super) const DELETE: &[Ask] = &[
    open("/api/models/acme/tiny/xet-read-token/main").empty(),
    open("/api/models/acme/tiny/discussions").empty(),
    write("/api/repos/delete").body(r#"{"name": "spare", "organization": "acme", "type": "model"}"#),
    // What others load already is not for who brought it to take away.
    Ask::role(Role::Reviewer, "/api/repos/delete")
        .body(r#"{"name": "lent", "organization": "acme", "type": "model"}"#),
    write("/api/models/acme/tiny/branch/next"),
    write("/api/models/acme/tiny/tag/v1"),
];
