//! The routes as Kubernetes, Gatekeeper and Kyverno use them, over real connections.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use alnage_admission::{Known, Origin, Rules, Standing, Table};
use serde_json::{Value, json};

use super::{
    remote::Remote,
    reviewer::{Reviewer, Shelf, Sighting},
    webhook::router,
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const ENDPOINT: &str = "http://alnage.models.svc:8080";

/// Knows one model, and writes down what it is told.
#[derive(Default)]
struct Shelved(Mutex<Vec<String>>);

impl Known for Shelved {
    fn ask(&self, origin: &Origin) -> Standing {
        match origin {
            Origin::Hub { repo, .. } if repo == "good/one" => Standing::Approved {
                commit: Some(COMMIT.to_owned()),
                digest: Some("sha256:11".to_owned()),
                sealed: None,
                conditions: vec!["only for tests".to_owned()],
            },
            Origin::Hub { repo, .. } if repo == "recalled/one" => {
                Standing::Recalled { reason: "poisoned".to_owned() }
            }
            _ => Standing::Unknown,
        }
    }
}

impl Shelf for Shelved {
    fn seen(&self, sighting: &Sighting) {
        self.0.lock().unwrap().push(format!("{} {}", sighting.place, sighting.origin));
    }
}

/// Serves a router as long as the test runs.
fn served(shelf: Arc<dyn Shelf>) -> SocketAddr {
    let rules = Rules { endpoint: Some(ENDPOINT.to_owned()), ..Rules::enforcing() };
    let reviewer =
        Reviewer { table: Arc::new(Table::shipped().unwrap()), rules: Arc::new(rules), shelf, reports: true };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router(reviewer)).await.unwrap();
        });
    });
    address
}

fn post(address: SocketAddr, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn review(model: &str, rest: &Value) -> String {
    let container = json!({ "name": "s", "image": "vllm/vllm-openai", "args": [format!("--model={model}"), format!("--revision={COMMIT}")],
        "env": [{ "name": "HF_ENDPOINT", "value": ENDPOINT }] });
    let mut request = json!({
        "uid": "u-1", "operation": "CREATE", "namespace": "ml", "name": "p", "userInfo": { "username": "kim" },
        "kind": { "group": "", "version": "v1", "kind": "Pod" }, "object": { "spec": { "containers": [container] } },
    });
    for (key, value) in rest.as_object().unwrap() {
        request[key] = value.clone();
    }
    json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request }).to_string()
}

#[test]
fn reviews_are_decided_and_what_is_let_through_is_reported() {
    let shelf = Arc::new(Shelved::default());
    let address = served(Arc::clone(&shelf) as Arc<dyn Shelf>);
    let ask = |model: &str, rest: Value| {
        post(address, "/admission/validate", &review(model, &rest)).1["response"].clone()
    };
    let dry = ask("good/one", json!({ "dryRun": true }));
    assert_eq!((&dry["uid"], &dry["allowed"]), (&json!("u-1"), &json!(true)), "{dry}");
    assert!(dry["warnings"][0].as_str().unwrap().contains("only for tests"), "{dry}");
    assert!(shelf.0.lock().unwrap().is_empty());
    assert_eq!(ask("good/one", json!({}))["allowed"], true);
    let told = || shelf.0.lock().unwrap().clone();
    let began = std::time::Instant::now();
    while told().is_empty() && began.elapsed().as_secs() < 20 {
        thread::yield_now();
    }
    assert_eq!(told(), [format!("ml/Pod/p hf://good/one@{COMMIT}")]);
    let recalled = ask("recalled/one", json!({}));
    assert_eq!(
        (&recalled["allowed"], &recalled["status"]["code"]),
        (&json!(false), &json!(403)),
        "{recalled}"
    );
    assert!(recalled["status"]["message"].as_str().unwrap().contains("was recalled: poisoned"), "{recalled}");
    assert_eq!(ask("nobody/knows", json!({}))["allowed"], false);
    assert_eq!(ask("nobody/knows", json!({ "operation": "DELETE", "object": null }))["allowed"], true);
    assert_eq!(ask("nobody/knows", json!({ "object": null }))["allowed"], false);
    let same = serde_json::from_str::<Value>(&review("nobody/knows", &json!({}))).unwrap();
    let update = json!({ "operation": "UPDATE", "oldObject": same["request"]["object"] });
    assert_eq!(ask("nobody/knows", update)["allowed"], true);
    assert_eq!(post(address, "/admission/validate", "{}").0, 400);
}

#[test]
fn mutation_pins_and_never_refuses() {
    let address = served(Arc::new(Shelved::default()));
    let container = json!({ "name": "s", "image": "vllm/vllm-openai", "args": ["--model=good/one"] });
    let object = json!({ "object": { "spec": { "containers": [container] } } });
    let (_, answer) = post(address, "/admission/mutate", &review("x", &object));
    let response = &answer["response"];
    assert_eq!((&response["allowed"], &response["patchType"]), (&json!(true), &json!("JSONPatch")));
    let (_, answer) = post(address, "/admission/mutate", &review("recalled/one", &json!({})));
    assert_eq!((&answer["response"]["allowed"], answer["response"].get("patch")), (&json!(true), None));
}

#[test]
fn gatekeeper_and_kyverno_get_their_shapes() {
    let address = served(Arc::new(Shelved::default()));
    let keys = json!({ "apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderRequest",
        "request": { "keys": ["good/one", "recalled/one", "not a name"] } });
    let (_, answer) = post(address, "/v1/externaldata", &keys.to_string());
    assert_eq!(answer["kind"], "ProviderResponse");
    let items = &answer["response"]["items"];
    assert_eq!(items[0]["value"]["commit"], COMMIT);
    assert_eq!(items[1]["error"], "recalled: poisoned");
    assert_eq!(items[2]["error"], "not a reference to a model");
    let asked = json!({ "references": ["hf://good/one", "hf://nobody/knows"] });
    let (_, answer) = post(address, "/admission/check", &asked.to_string());
    assert_eq!((&answer["allowed"], &answer["references"][0]["allowed"]), (&json!(false), &json!(true)));
}

#[test]
fn a_registry_elsewhere_is_asked_and_one_that_is_gone_refuses() {
    let registry = served(Arc::new(Shelved::default()));
    let near = served(Arc::new(Remote::at(&format!("http://{registry}"), Some("hf_x".to_owned()))));
    let ask = |address, model: &str| {
        post(address, "/admission/validate", &review(model, &json!({ "dryRun": true }))).1["response"].clone()
    };
    assert_eq!(ask(near, "good/one")["allowed"], true);
    assert_eq!(ask(near, "recalled/one")["allowed"], false);
    // Nobody listens where a listener was closed.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let blind = served(Arc::new(Remote::at(&format!("http://{gone}"), None)));
    let answer = ask(blind, "good/one");
    assert_eq!(answer["allowed"], false);
    assert!(answer["status"]["message"].as_str().unwrap().contains("could not be asked"), "{answer}");
}
