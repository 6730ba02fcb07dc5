use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};

use super::{Trust, jwt};
use crate::{
    Settings,
    testing::{NOW, Server},
};

const ISSUER: &str = "https://ci.example";

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn published() -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let part = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let bytes = point.as_bytes();
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "x": part(&bytes[1..33]), "y": part(&bytes[33..65]) }] })
}

fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature: Signature = key().sign(signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "repo:acme/train:ref:refs/heads/main", "aud": "http://registry.example", "exp": NOW + 300, "repository": "acme/train" })
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "one" })
}

#[test]
fn an_identity_is_believed_only_as_it_was_signed() {
    let keys = jwt::keys(&published());
    let check = |token: &str, audience: &str, now: u64, expected: bool| {
        let verified = jwt::read(token).and_then(|read| read.verify(&keys, &[audience], now));
        assert_eq!(verified.is_ok(), expected, "{token}: {verified:?}");
    };
    let ours = "http://registry.example";
    let good = token(&header(), &claims());
    check(&good, ours, NOW, true);
    check(&good, "http://other.example", NOW, false);
    check(&good, ours, NOW + 1000, false);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    check(&format!("{signed}."), ours, NOW, false);
    check(&format!("{}.{signature}", signed.replace('.', "A.")), ours, NOW, false);
    for algorithm in ["none", "HS256", "RS256", "ES384", "es256"] {
        check(&token(&json!({ "alg": algorithm, "kid": "one" }), &claims()), ours, NOW, false);
    }
    check(&token(&json!({ "alg": "ES256", "kid": "two" }), &claims()), ours, NOW, false);
    check(&token(&json!({ "alg": "ES256", "crit": ["b64"] }), &claims()), ours, NOW, false);
    let mut endless = claims();
    endless.as_object_mut().unwrap().remove("exp");
    check(&token(&header(), &endless), ours, NOW, false);
    let mut early = claims();
    early["nbf"] = json!(NOW + 1000);
    check(&token(&header(), &early), ours, NOW, false);
    let mut several = claims();
    several["aud"] = json!(["http://other.example", ours]);
    check(&token(&header(), &several), ours, NOW, true);
}

/// The example of RFC 7515, A.2: a signature that fits is known by what is said after it was checked.
#[test]
fn rs256_is_verified_by_the_key_that_is_published() {
    const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let check = |modulus: &[u8], exponent: &[u8], token: &str, expected: bool| {
        let part = Base64UrlUnpadded::encode_string;
        let set = json!({ "keys": [{ "kty": "RSA", "n": part(modulus), "e": part(exponent) }] });
        let verified = jwt::read(token).and_then(|read| read.verify(&jwt::keys(&set), &[], 1_300_819_000));
        let said =
            if expected { "it is meant for somebody else" } else { "none of its issuer's keys signed it" };
        assert_eq!(verified, Err(said), "{token}");
    };
    let modulus = Base64UrlUnpadded::decode_vec(MODULUS).unwrap();
    let good = format!("{SIGNED}.{SIGNATURE}");
    check(&modulus, &[1, 0, 1], &good, true);
    check(&[&[0], modulus.as_slice()].concat(), &[0, 1, 0, 1], &good, true);
    check(&modulus, &[3], &good, false);
    check(&modulus, &[], &good, false);
    check(&[], &[1, 0, 1], &good, false);
    check(&modulus[1..], &[1, 0, 1], &good, false);
    check(&[&[1], [0xff; 1024].as_slice()].concat(), &[1, 0, 1], &good, false);
    check(&modulus, &[1, 0, 1], &format!("{SIGNED}."), false);
    check(&modulus, &[1, 0, 1], &format!("{SIGNED}.{}", &SIGNATURE[..340]), false);
    let other_claims = SIGNED.replace("eyJpc3MiOiJqb2UiLA0K", "eyJpc3MiOiJqb2EiLA0K");
    check(&modulus, &[1, 0, 1], &format!("{other_claims}.{SIGNATURE}"), false);
}

fn trusting(when: &[(&str, &str)]) -> (tempfile::NamedTempFile, Server) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), published().to_string()).unwrap();
    let trust = Trust {
        name: "ci".into(),
        issuer: ISSUER.into(),
        audience: Vec::new(),
        keys: Some(file.path().to_string_lossy().into_owned()),
        when: when.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        roles: vec!["acme:publisher".into()],
    };
    let settings =
        Settings { public_url: "http://registry.example".into(), trust: vec![trust], ..Settings::default() };
    (file, Server::start(settings))
}

#[test]
fn a_trusted_pipeline_exchanges_its_identity_and_no_other() {
    let exchange = |server: &Server, identity: &str, resource: &str| {
        let body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "subject_token": identity,
            "resource": resource,
        });
        server.ask(&Method::POST, "/oauth/token", "", Some(body))
    };
    let (_keys, server) = trusting(&[("repository", "acme/*")]);
    let answer = exchange(&server, &token(&header(), &claims()), "acme/model");
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
    let given = answer.json()["access_token"].as_str().unwrap().to_owned();
    let me = server.ask(&Method::GET, "/api/v1/whoami", &given, None).json();
    assert_eq!(me["name"], "ci:repo:acme/train:ref:refs/heads/main");
    assert_eq!(me["roles"], json!(["acme:publisher"]));
    // For a repository of somebody else it carries nothing.
    let elsewhere = exchange(&server, &token(&header(), &claims()), "other/model").json();
    let me =
        server.ask(&Method::GET, "/api/v1/whoami", elsewhere["access_token"].as_str().unwrap(), None).json();
    assert_eq!(me["roles"], json!([]));
    // Without an exchange, too: workloads send what their cluster signed.
    let me = server.ask(&Method::GET, "/api/v1/whoami", &token(&header(), &claims()), None).json();
    assert_eq!(me["roles"], json!(["acme:publisher"]));

    let mut foreign = claims();
    foreign["repository"] = json!("evil/train");
    assert_eq!(exchange(&server, &token(&header(), &foreign), "acme/model").status, StatusCode::BAD_REQUEST);
    let mut unknown = claims();
    unknown["iss"] = json!("https://other.example");
    assert_eq!(exchange(&server, &token(&header(), &unknown), "acme/model").status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_cookie_changes_nothing_without_the_forms_word() {
    let server = Server::start(Settings::default());
    let token = server.token("admin", &["security-admin"]);
    let opened = server.ask(&Method::POST, "/auth/session", "", Some(json!({ "token": token })));
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let (cookie, csrf) =
        (cookie.split(';').next().unwrap().to_owned(), opened.json()["csrf"].as_str().unwrap().to_owned());
    let send = |headers: &[(&str, &str)], body: &str| {
        let mut request = Request::builder().method("POST").uri("/api/v1/tokens").header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.send(request.body(Body::from(body.to_owned())).unwrap()).status
    };
    let json = ("content-type", "application/json");
    let new = r#"{"name":"mine"}"#;
    assert_eq!(send(&[json], new), StatusCode::FORBIDDEN);
    assert_eq!(send(&[json, ("x-csrf-token", "wrong")], new), StatusCode::FORBIDDEN);
    assert_eq!(
        send(&[json, ("x-csrf-token", &csrf), ("sec-fetch-site", "cross-site")], new),
        StatusCode::FORBIDDEN
    );
    assert_eq!(send(&[json, ("x-csrf-token", &csrf)], new), StatusCode::CREATED);
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(send(&[form], "csrf=wrong"), StatusCode::FORBIDDEN);
    // The form's word is right; that this page takes JSON alone is another matter.
    assert_eq!(send(&[form], &format!("a=b&csrf={csrf}")), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn whoever_guesses_waits() {
    let server = Server::start(Settings::default());
    let guess =
        || server.ask(&Method::POST, "/auth/session", "", Some(json!({ "token": "hf_wrong" }))).status;
    for _ in 0..alnage_registry::people::ATTEMPTS {
        assert_eq!(guess(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(guess(), StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn a_terminal_signs_in_when_somebody_says_yes() {
    let server = Server::start(Settings::default());
    let token = server.token("ada", &["acme:publisher"]);
    let device = server.ask(&Method::POST, "/oauth/device", "", None).json();
    let poll = || {
        let body = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"] });
        server.ask(&Method::POST, "/oauth/token", "", Some(body)).json()
    };
    assert_eq!(poll()["error"], "authorization_pending");
    let wrong = server.ask(&Method::POST, "/auth/device", &token, Some(json!({ "code": "AAAA-AAAA" })));
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    let yes = server.ask(&Method::POST, "/auth/device", &token, Some(json!({ "code": device["user_code"] })));
    assert_eq!(yes.status, StatusCode::NO_CONTENT);
    let given = poll()["access_token"].as_str().unwrap().to_owned();
    let me = server.ask(&Method::GET, "/api/v1/whoami", &given, None).json();
    assert_eq!((&me["name"], &me["roles"]), (&json!("ada"), &json!(["acme:publisher"])));
    assert_eq!(poll()["error"], "expired_token");
}

#[test]
fn a_terminal_gets_no_more_than_was_shown() {
    let server = Server::start(Settings::default());
    let check = |roles: &[&str], project: &str, expected: Value| {
        let token =
            server.limited_token(&format!("ada-{project}-{}", roles.len()), roles, vec![project.into()]);
        let device = server.ask(&Method::POST, "/oauth/device", "", None).json();
        let yes = json!({ "code": device["user_code"] });
        let yes = server.ask(&Method::POST, "/auth/device", &token, Some(yes)).status;
        let body = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"] });
        let given = server.ask(&Method::POST, "/oauth/token", "", Some(body)).json();
        let given = given["access_token"].as_str().unwrap_or_default();
        let me = server.ask(&Method::GET, "/api/v1/whoami", given, None).json();
        assert_eq!(me["roles"], expected, "{roles:?} {project}: {yes}");
        let made =
            server.ask(&Method::POST, "/api/v1/tokens", &token, Some(json!({ "name": "more" }))).json();
        let made = made["token"].as_str().unwrap_or_default();
        let me = server.ask(&Method::GET, "/api/v1/whoami", made, None).json();
        assert_eq!(me["roles"], expected, "{roles:?} {project}");
    };
    check(&["reviewer"], "acme", json!(["acme:reviewer"]));
    check(&["acme:publisher", "other:reviewer"], "acme", json!(["acme:publisher"]));
    check(&["acme:publisher"], "other", Value::Null);
}

#[test]
fn a_token_from_the_console_does_no_more_than_its_account_may_now() {
    let server = Server::start(Settings::default());
    server.token("grace", &["security-admin"]);
    let token = server.token("ada", &["reviewer"]);
    let request = axum::http::Request::post("/console/people/tokens")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("name=laptop&scope=all&days=90"));
    let page = server.send(request.unwrap());
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let start = text.find("hf_").expect("the page shows the token once");
    let made: String = text[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let roles = || server.ask(&Method::GET, "/api/v1/whoami", &made, None).json()["roles"].clone();
    assert_eq!(roles(), json!(["reviewer"]));
    let mut account = server.state.people.account("ada").unwrap().unwrap();
    account.roles = alnage_registry::people::Roles(vec!["acme:viewer".parse().unwrap()]);
    server.state.people.change_account(&account).unwrap();
    assert_eq!(roles(), json!(["acme:viewer"]));
    account.disabled = true;
    server.state.people.change_account(&account).unwrap();
    assert_eq!(roles(), Value::Null);
}

#[test]
fn nobody_makes_a_token_that_does_more() {
    let server = Server::start(Settings::default());
    let check = |roles: &[&str], body: Value, expected: StatusCode| {
        let token = server
            .token(&format!("somebody-{body}").replace(|c: char| !c.is_ascii_alphanumeric(), "-"), roles);
        let answer = server.ask(&Method::POST, "/api/v1/tokens", &token, Some(body.clone()));
        assert_eq!(answer.status, expected, "{roles:?} {body}");
        if expected == StatusCode::CREATED {
            let given = answer.json()["token"].as_str().unwrap().to_owned();
            let may = server.ask(&Method::GET, "/api/v1/users", &given, None).status;
            assert_eq!(may == StatusCode::OK, roles == ["security-admin"], "{roles:?} {body}");
        }
    };
    check(&["acme:publisher"], json!({ "name": "a" }), StatusCode::CREATED);
    check(&["acme:publisher"], json!({ "name": "b", "role": "reviewer" }), StatusCode::FORBIDDEN);
    check(
        &["acme:publisher"],
        json!({ "name": "c", "role": "publisher", "projects": ["other"] }),
        StatusCode::FORBIDDEN,
    );
    check(&["acme:publisher"], json!({ "name": "d", "account": "admin" }), StatusCode::FORBIDDEN);
    check(&["auditor"], json!({ "name": "e" }), StatusCode::CREATED);
    check(&["security-admin"], json!({ "name": "f" }), StatusCode::CREATED);
}
