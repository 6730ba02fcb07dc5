//! Artifacts: what clients push becomes a judged version, and versions of other doors are pulled as artifacts.

use std::process::Command;

use alnage_types::Digest;
use serde_json::{Value, json};
use testkit::{pickle, tensor};

use super::doors::{Place, Reply, safetensors, said};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn named(content: &[u8]) -> String {
    format!("sha256:{}", Digest::of(content))
}

fn layer(media_type: &str, content: &[u8], annotations: Value) -> Value {
    json!({"mediaType": media_type, "digest": named(content), "size": content.len(), "annotations": annotations})
}

/// Sends a blob at once, as ORAS does.
fn send(place: &Place, name: &str, content: &[u8]) {
    let path = format!("/v2/{name}/blobs/uploads/?digest={}", named(content));
    let reply = place.ask_as_admin("POST", &path, &[], content);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Pushes a manifest of these layers, whose blobs are there.
fn push(
    place: &Place,
    name: &str,
    tag: &str,
    media_type: &str,
    layers: &[Value],
    subject: Option<Value>,
) -> (Reply, Vec<u8>) {
    send(place, name, b"{}");
    let config = layer("application/vnd.oci.empty.v1+json", b"{}", json!({}));
    let mut manifest =
        json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
    if let Some(subject) = subject {
        manifest["subject"] = subject;
    }
    let bytes = manifest.to_string().into_bytes();
    let path = format!("/v2/{name}/manifests/{tag}");
    (place.ask_as_admin("PUT", &path, &[("content-type", media_type)], &bytes), bytes)
}

fn titled(path: &str, content: &[u8]) -> Value {
    layer("application/octet-stream", content, json!({"org.opencontainers.image.title": path}))
}

/// Pushes files as one artifact.
fn push_files(place: &Place, name: &str, tag: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    files.iter().for_each(|(_, content)| send(place, name, content));
    let layers: Vec<Value> = files.iter().map(|(path, content)| titled(path, content)).collect();
    let (reply, bytes) = push(place, name, tag, OCI, &layers, None);
    assert_eq!(
        (reply.status, reply.header("docker-content-digest")),
        (201, &*named(&bytes)),
        "{}",
        reply.text()
    );
    bytes
}

#[test]
fn what_is_pushed_is_judged_like_any_other_model() {
    let place = Place::start();
    let weights = safetensors(4000);
    let manifest =
        push_files(&place, "acme/good", "v1", &[("config.json", b"{}"), ("model.safetensors", &weights)]);
    let pulled = place.ask("GET", "/v2/acme/good/manifests/v1", &[("accept", OCI)], b"");
    assert_eq!((pulled.status, pulled.header("content-type")), (200, OCI), "{}", pulled.text());
    assert_eq!(pulled.body, manifest);
    let again = place.ask("GET", &format!("/v2/acme/good/manifests/{}", named(&manifest)), &[], b"");
    assert_eq!(again.body, manifest);
    let commit = place.judged("acme/good", "v1").commit;
    let file = place.ask("GET", &format!("/acme/good/resolve/{commit}/model.safetensors"), &[], b"");
    assert!(file.body == weights, "the hub's door gives the same file");

    let weapon = pickle::call("os", "system", "id");
    let manifest = push_files(&place, "acme/bad", "latest", &[("pytorch_model.bin", &weapon)]);
    place.judged("acme/bad", "main");
    for path in
        ["manifests/latest", &format!("manifests/{}", named(&manifest)), &format!("blobs/{}", named(&weapon))]
    {
        let refused = place.ask("GET", &format!("/v2/acme/bad/{path}"), &[], b"");
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(refused.json()["errors"][0]["code"], "DENIED", "{path}");
        assert!(refused.text().contains("ALNAGE"), "{path}: {}", refused.text());
    }
    let tags =
        |name: &str| place.ask("GET", &format!("/v2/{name}/tags/list"), &[], b"").json()["tags"].clone();
    assert_eq!((tags("acme/good"), tags("acme/bad")), (json!(["v1"]), json!([])));
}

#[test]
fn parts_mounts_ranges_and_pages_are_as_the_protocol_has_them() {
    let place = Place::start();
    let (weights, name) = (safetensors(100_000), "acme/parts");
    let begun = place.ask_as_admin("POST", "/v2/acme/parts/blobs/uploads/", &[], b"");
    let upload = begun.header("location").to_owned();
    assert_eq!(begun.status, 202);
    let patch =
        |range: &str, part: &[u8]| place.ask_as_admin("PATCH", &upload, &[("content-range", range)], part);
    assert_eq!(patch("0-59999", &weights[..60_000]).status, 202);
    assert_eq!(patch("70000-79999", &weights[70_000..80_000]).status, 416);
    let part = patch("60000-99999", &weights[60_000..]);
    assert_eq!(part.header("range"), format!("0-{}", weights.len() - 1));
    assert_eq!(place.ask_as_admin("GET", &upload, &[], b"").status, 204);
    let wrong = place.ask_as_admin("PUT", &format!("{upload}?digest={}", named(b"other")), &[], b"");
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let finished = place.ask_as_admin("PUT", &format!("{upload}?digest={}", named(&weights)), &[], b"");
    assert_eq!(finished.status, 201, "{}", finished.text());

    let mounted = format!("/v2/acme/other/blobs/uploads/?mount={}&from={name}", named(&weights));
    assert_eq!(place.ask_as_admin("POST", &mounted, &[], b"").status, 201);
    assert_eq!(place.ask("POST", &mounted, &[], b"").status, 401);
    let (missing, _) = push(&place, "acme/third", "v1", OCI, &[titled("model.safetensors", &weights)], None);
    assert_eq!(
        (missing.status, missing.json()["errors"][0]["code"].clone()),
        (404, json!("MANIFEST_BLOB_UNKNOWN"))
    );

    for tag in ["a", "b", "latest"] {
        let (reply, _) = push(&place, name, tag, OCI, &[titled("model.safetensors", &weights)], None);
        assert_eq!(reply.status, 201, "{}", reply.text());
        place.judged(name, if tag == "latest" { "main" } else { tag });
    }
    let blob = format!("/v2/{name}/blobs/{}", named(&weights));
    let part = place.ask("GET", &blob, &[("range", "bytes=10-19")], b"");
    assert_eq!((part.status, &part.body[..]), (206, &weights[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", weights.len()));
    assert_eq!(place.ask("GET", &blob, &[("range", "bytes=900000-")], b"").status, 416);
    let page = place.ask("GET", "/v2/acme/parts/tags/list?n=2", &[], b"");
    assert_eq!(page.json()["tags"], json!(["a", "b"]));
    let next = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(place.ask("GET", &next, &[], b"").json()["tags"], json!(["latest"]));
}

#[test]
fn attachments_go_with_what_they_are_about_and_a_recall_takes_both() {
    let place = Place::start();
    let name = "acme/signed";
    let manifest = push_files(&place, name, "latest", &[("model.safetensors", &safetensors(4000))]);
    place.judged(name, "main");
    send(&place, name, b"signature");
    let subject = json!({"mediaType": OCI, "digest": named(&manifest), "size": manifest.len()});
    let (pushed, about) = push(&place, name, "sig", OCI, &[titled("sig", b"signature")], Some(subject));
    assert_eq!((pushed.status, pushed.header("oci-subject")), (201, &*named(&manifest)));
    let referrers = || place.ask("GET", &format!("/v2/{name}/referrers/{}", named(&manifest)), &[], b"");
    assert_eq!(referrers().json()["manifests"][0]["digest"], json!(named(&about)));
    let signature = || place.ask("GET", &format!("/v2/{name}/blobs/{}", named(b"signature")), &[], b"");
    assert_eq!(signature().body, b"signature");
    place.recall(name);
    assert_eq!(referrers().json()["manifests"], json!([]));
    assert_eq!(signature().status, 403);
    let recalled = place.ask("GET", &format!("/v2/{name}/manifests/{}", named(&manifest)), &[], b"");
    assert!(recalled.status == 404 && recalled.text().contains("recalled"), "{}", recalled.text());
}

#[test]
fn ollama_pushes_and_pulls() {
    let place = Place::start();
    let (name, gguf) = ("library/tiny", tensor::Gguf::model("{{ messages }}").build(96));
    let check = |reply: Reply, status: u16| {
        assert_eq!(reply.status, status, "{}", reply.text());
        reply
    };
    check(place.ask_as_admin("HEAD", &format!("/v2/{name}/blobs/{}", named(&gguf)), &[], b""), 404);
    let begun = check(place.ask_as_admin("POST", &format!("/v2/{name}/blobs/uploads/"), &[], b""), 202);
    let upload = begun.header("location").to_owned();
    let range = format!("0-{}", gguf.len() - 1);
    let sent = check(place.ask_as_admin("PATCH", &upload, &[("content-range", &range)], &gguf), 202);
    let end = format!("{}?digest={}", sent.header("location"), named(&gguf));
    check(place.ask_as_admin("PUT", &end, &[], b""), 201);
    send(&place, name, b"MIT");
    let layers = [
        layer("application/vnd.ollama.image.model", &gguf, json!({})),
        layer("application/vnd.ollama.image.license", b"MIT", json!({})),
    ];
    let (pushed, manifest) = push(&place, name, "latest", DOCKER, &layers, None);
    check(pushed, 201);
    let files = place.registry.files(place.judged("tiny", "main").id, "", "", 10).unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["license", "model.gguf"]);
    pulled_by_ollama(&place, name, &manifest, &gguf);

    // A model of the hub's door is one as well.
    let commit = json!({"key": "file", "value": {"path": "tiny-Q8_0.gguf", "content": tensor::base64(&gguf), "encoding": "base64"}});
    check(
        place.ask_as_admin("POST", "/api/repos/create", &[], br#"{"name":"hub","organization":"acme"}"#),
        200,
    );
    let commit = commit.to_string().into_bytes();
    check(place.ask_as_admin("POST", "/api/models/acme/hub/commit/main", &[], &commit), 200);
    place.judged("acme/hub", "main");
    let made = place.ask("GET", "/v2/acme/hub/manifests/q8_0", &[("accept", DOCKER)], b"");
    pulled_by_ollama(&place, "acme/hub", &made.body, &gguf);
}

/// As Ollama pulls: the manifest, where the blob is, and the blob in parts from there.
fn pulled_by_ollama(place: &Place, name: &str, manifest: &[u8], gguf: &[u8]) {
    let pulled = place.ask("GET", &format!("/v2/{name}/manifests/latest"), &[("accept", DOCKER)], b"");
    assert_eq!((pulled.status, pulled.header("content-type")), (200, DOCKER), "{}", pulled.text());
    assert_eq!(pulled.body, manifest);
    let layer = &pulled.json()["layers"][0];
    assert_eq!(layer["mediaType"], "application/vnd.ollama.image.model");
    let blob = format!("/v2/{name}/blobs/{}", layer["digest"].as_str().unwrap());
    let asked = place.ask("GET", &blob, &[], b"");
    assert_eq!(
        (asked.status, asked.header("location").is_empty()),
        (200, false),
        "without it Ollama goes no further"
    );
    let part = place.ask("GET", asked.header("location"), &[("range", "bytes=0-7")], b"");
    assert_eq!((part.status, &part.body[..]), (206, &gguf[..8]));
    let config = pulled.json()["config"]["digest"].as_str().unwrap().to_owned();
    assert_eq!(place.ask("GET", &format!("/v2/{name}/blobs/{config}"), &[], b"").status, 200);
}

#[test]
fn oras_and_skopeo_push_and_pull() {
    let place = Place::start();
    let weights = safetensors(300_000);
    let folder = place.folder_of("model", &[("config.json", b"{}"), ("model.safetensors", &weights)]);
    let pulled = said(&place.script("oras.py", None, &["acme/oras", folder.to_str().unwrap()]));
    assert_eq!(pulled, "config.json model.safetensors");
    let host = place.url.trim_start_matches("http://");
    let copied = place.folder.path().join("copied");
    let skopeo = |arguments: &[&str]| {
        let output = Command::new("skopeo")
            .args(arguments)
            .output()
            .expect("skopeo is missing\n\nhint: `cargo xtask test`");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
    };
    let (from, to) = (format!("docker://{host}/acme/oras:v1"), format!("dir:{}", copied.display()));
    skopeo(&["--insecure-policy", "copy", "--src-tls-verify=false", &from, &to]);
    let credentials = format!("robot:{}", place.token);
    let target = format!("docker://{host}/acme/skopeo:v1");
    skopeo(&[
        "--insecure-policy",
        "copy",
        "--dest-tls-verify=false",
        "--dest-creds",
        &credentials,
        &to,
        &target,
    ]);
    let version = place.judged("acme/skopeo", "v1");
    let file = place.registry.file(version.id, "model.safetensors").unwrap().unwrap();
    assert_eq!(file.sha256, Digest::of(&weights));
    assert!(place.has_blob(&weights));
}
