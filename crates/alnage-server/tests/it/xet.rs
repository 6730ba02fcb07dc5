//! Uploads by Xet: the stock client's become models, and whatever was changed on the way becomes nothing.

use alnage_registry::{Kind, database::Row};
use alnage_types::Digest;
use serde_json::json;

use super::doors::{Place, Reply, safetensors, said};

const XORB: &[u8] = include_bytes!("../../../alnage-xet/src/samples/three-files.xorb");
const SHARD: &[u8] = include_bytes!("../../../alnage-xet/src/samples/three-files.shard");
const XORB_PATH: &str = "/v1/xorbs/default/23c6c148f18695395d943549bf1764e41fefe2d5a356676803089c86fa2727b0";

#[test]
fn the_stock_client_uploads_by_xet_and_sends_only_what_changed() {
    let place = Place::start();
    let mut weights = safetensors(6_000_000);
    for (round, wanted) in [(1, 1), (2, 2)] {
        let files: [(&str, &[u8]); 2] = [("config.json", b"{}"), ("model.safetensors", &weights)];
        let folder = place.folder_of(&format!("model{round}"), &files);
        let output =
            place.script("xet.py", Some("hub/2.4.0"), &["upload", "acme/tiny", folder.to_str().unwrap()]);
        let commit = said(&output);
        assert_eq!(place.judged("acme/tiny", &commit).stage.as_str(), "approved");
        let reply = place.ask("GET", "/acme/tiny/resolve/main/model.safetensors", &[], b"");
        assert!(reply.body == weights, "round {round}: {}", reply.status);
        let xorbs =
            place.registry.database().read(|connection| connection.query("SELECT blob FROM xet_xorbs", &[]));
        let xorbs: Vec<Row> = xorbs.unwrap();
        assert_eq!(xorbs.len(), wanted, "round {round}");
        let size = |row: &Row| {
            let digest = Digest::from_bytes(row.bytes(0).unwrap().try_into().unwrap());
            place.registry.blobs().open(digest).unwrap().unwrap().size()
        };
        let smallest = xorbs.iter().map(size).min().unwrap();
        // The second time one or two chunks are new, not six megabytes.
        assert_eq!(smallest < 1_000_000, round == 2, "round {round}: {smallest} bytes");
        weights[3_000_000..3_000_100].fill(round);
    }
}

fn grant(place: &Place) -> String {
    let reply = place.ask_as_admin("GET", "/api/models/acme/raw/xet-write-token/main", &[], b"");
    assert_eq!((reply.status, reply.header("x-xet-cas-url")), (200, place.url.as_str()), "{}", reply.text());
    assert_eq!(reply.json()["casUrl"], json!(place.url));
    assert_eq!(reply.json()["accessToken"], json!(reply.header("x-xet-access-token")));
    format!("Bearer {}", reply.header("x-xet-access-token"))
}

#[test]
fn what_was_changed_on_the_way_is_refused_and_is_no_file() {
    let place = Place::start();
    let made =
        place.ask_as_admin("POST", "/api/repos/create", &[], br#"{"name":"raw","organization":"acme"}"#);
    assert_eq!(made.status, 200, "{}", made.text());
    let bearer = grant(&place);
    let send = |path: &str, body: &[u8]| place.ask("POST", path, &[("authorization", &bearer)], body);
    let check = |reply: Reply, wanted: &str| {
        assert!(reply.status == 400 && reply.text().contains(wanted), "{} {}", reply.status, reply.text());
    };
    let mut changed = XORB.to_vec();
    changed[500] ^= 1;
    check(send(XORB_PATH, &changed), "hash of the xorb");
    check(send(XORB_PATH, &XORB[..20_000]), "ends too early");
    check(send("/v1/xorbs/default/nothing", XORB), "no hash");
    check(send("/v1/shards", SHARD), "not known here");
    assert_eq!(send(XORB_PATH, XORB).json(), json!({"was_inserted": true}));
    assert_eq!(send(XORB_PATH, XORB).json(), json!({"was_inserted": false}));
    check(send("/v1/shards", &SHARD[..100]), "ends too early");
    let digest = SHARD.windows(32).position(|window| window == [0xff; 32]).unwrap() - 48;
    let mut changed = SHARD.to_vec();
    changed[digest] ^= 1;
    check(send("/v1/shards", &changed), "");
    for path in ["/v2/shards", "/v1/xorb-grants/default/00"] {
        assert_eq!(send(path, b"{}").status, 404, "{path}");
    }
    let lie = format!(
        r#"{{"key":"lfsFile","value":{{"path":"a","algo":"sha256","oid":"{}","size":3}}}}"#,
        "a".repeat(64)
    );
    let commit = place.ask_as_admin("POST", "/api/models/acme/raw/commit/main", &[], lie.as_bytes());
    assert_eq!(commit.status, 400, "{}", commit.text());
    assert!(place.registry.version(Kind::Model, "acme/raw", "main").unwrap().is_none());
    assert_eq!(send("/v1/shards", SHARD).json(), json!({"result": 1}));
}

#[test]
fn nobody_sends_without_a_token_of_ours() {
    let place = Place::start();
    assert_eq!(place.ask("GET", "/api/models/acme/raw/xet-write-token/main", &[], b"").status, 401);
    let admin = format!("Bearer {}", place.token);
    let mut forged = grant(&place);
    let last = if forged.pop() == Some('0') { '1' } else { '0' };
    forged.push(last);
    for bearer in ["Bearer nothing", "Basic eDp5", &admin, &forged] {
        for path in [XORB_PATH, "/v1/shards"] {
            // More than fits between the two ends: it is still being sent when the answer comes.
            let reply = place.ask("POST", path, &[("authorization", bearer)], &vec![7; 32 << 20]);
            assert_eq!(reply.status, 401, "{bearer} {path}");
        }
    }
    assert!(place.registry.blobs().list().unwrap().is_empty());
}
