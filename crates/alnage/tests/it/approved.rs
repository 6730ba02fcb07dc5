//! Programs that may open only what a registry has approved.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use alnage_registry::{Actor, Page, Stage};

use crate::{
    run::{models, plain_environment, python, text},
    sandbox::{Sandbox, safetensors},
    served::Served,
};

const MODEL: &str = "good/model.safetensors";

/// Reads `file` behind a gate that asks the registry at `url`.
fn read_by(sandbox: &Sandbox, url: &str, options: &str, file: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alnage"));
    command.args(["run", "--registry", url, "--registry-token-file", "token", "--log", "log"]);
    command.args(options.split_whitespace()).arg("--").arg(python()).args(["ways.py", "plain", file]);
    command.current_dir(sandbox.root()).stdin(Stdio::null());
    plain_environment(sandbox, &mut command);
    command.output().unwrap()
}

#[track_caller]
fn admitted(output: &Output) -> String {
    let said = text(&output.stderr);
    assert!(output.stdout.starts_with(b"GOT "), "{} {said}", text(&output.stdout));
    said
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let said = text(&output.stderr);
    assert!(output.stdout.starts_with(b"FAILED"), "{} {said}", text(&output.stdout));
    assert!(said.contains("alnage: refused `") && said.contains(why), "{said}");
}

/// A sandbox with models, a registry that knows one of them, and the token for it in a file.
fn set_up() -> (Sandbox, Served) {
    let sandbox = models();
    let served = Served::in_folder(sandbox.root());
    sandbox.write("token", &served.token);
    let version = served.take("acme/good", &sandbox.path("good"));
    assert_eq!(version.stage, Stage::Approved, "{}", version.reason);
    (sandbox, served)
}

#[test]
fn a_sealed_model_is_read_once_the_registry_has_approved_it() {
    let (sandbox, served) = set_up();
    let with_key = "--key keys/signing.pub.pem --environment production";
    admitted(&read_by(&sandbox, &served.url, with_key, MODEL));

    // It is known where it ran, who answers for what was made from it is told, and a blast radius reaches it.
    let deployment = served.registry.deployments(None, Page::first(5)).unwrap().remove(0);
    let place = sandbox.path("good").canonicalize().unwrap();
    assert!(deployment.place.ends_with(&format!(":{}", place.display())), "{}", deployment.place);
    let said = (deployment.kind.as_str(), deployment.model.as_str(), deployment.state.as_str());
    assert_eq!(said, ("run", "model/acme/good", "stopped"));
    assert_eq!((deployment.environment.as_str(), deployment.reporter.as_str()), ("production", "admin"));
    let version =
        served.registry.version(alnage_registry::Kind::Model, "acme/good", "main").unwrap().unwrap();
    assert_eq!((deployment.commit, deployment.manifest), (version.commit.clone(), version.manifest));

    // What is sealed by the same key and not in the registry is not enough, nor is what is not sealed.
    sandbox.write("other/model.safetensors", safetensors());
    sandbox.write("other/config.json", r#"{"model_type": "gpt2"}"#);
    assert_eq!(sandbox.run("vet other --seal --key keys/signing.pem --log log").code, 0);
    let other = "other/model.safetensors";
    refused(&read_by(&sandbox, &served.url, with_key, other), "does not know it");
    refused(&read_by(&sandbox, &served.url, with_key, "bare/model.safetensors"), "no seal covers it");
    let watched = read_by(&sandbox, &served.url, &format!("{with_key} --mode warn"), other);
    assert!(admitted(&watched).contains("would refuse"));

    served.registry.transition(version.id, Stage::Revoked, "it steals keys", &Actor::system("test")).unwrap();
    refused(&read_by(&sandbox, &served.url, with_key, MODEL), "has recalled it: it steals keys");
}

#[test]
fn without_a_seal_each_file_is_one_of_an_approved_version() {
    let (sandbox, served) = set_up();
    // The same content under another name; nobody looks for a seal.
    admitted(&read_by(&sandbox, &served.url, "", "bare/model.safetensors"));
    refused(&read_by(&sandbox, &served.url, "", "bad/model.safetensors"), "does not know it");
    admitted(&read_by(&sandbox, &served.url, "", "text"));
    let long = testkit::tensor::safetensors(
        r#"{"w":{"dtype":"U8","shape":[9000000],"data_offsets":[0,9000000]}}"#,
        &vec![7; 9_000_000],
    );
    sandbox.write("long/model.safetensors", &long);
    refused(&read_by(&sandbox, &served.url, "", "long/model.safetensors"), "does not know it");
    served.take("acme/long", &sandbox.path("long"));
    admitted(&read_by(&sandbox, &served.url, "", "long/model.safetensors"));

    sandbox.write("token", format!("hf_{}", "x".repeat(40)));
    refused(&read_by(&sandbox, &served.url, "", "bare/model.safetensors"), "does not say whether");
    let asks_for_a_seal = read_by(&sandbox, &served.url, "--require-verdict", "text");
    assert_eq!(asks_for_a_seal.status.code(), Some(2), "{}", text(&asks_for_a_seal.stderr));
}

/// A way to a registry that can be closed.
struct Way {
    url: String,
    open: Arc<AtomicBool>,
}

impl Way {
    fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            open: Arc::new(AtomicBool::new(true)),
        };
        let (target, open) = (url.strip_prefix("http://").unwrap().to_owned(), Arc::clone(&way.open));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let near = stream.unwrap();
                if open.load(Ordering::Relaxed) {
                    let far = TcpStream::connect(&target).unwrap();
                    let (answer, back) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                    thread::spawn(move || pass(near, far));
                    thread::spawn(move || pass(answer, back));
                }
            }
        });
        way
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn a_registry_that_cannot_be_asked_admits_nothing_unless_that_is_allowed_for_a_while() {
    let (sandbox, served) = set_up();
    let way = Way::to(&served.url);
    let key = "--key keys/signing.pub.pem";
    let (strict, lenient) =
        (format!("{key} --registry-age 0s"), format!("{key} --registry-age 0s --registry-stale 1h"));
    let away = "cannot be asked whether it is approved";

    way.open.store(false, Ordering::Relaxed);
    refused(&read_by(&sandbox, &way.url, &lenient, MODEL), away);
    way.open.store(true, Ordering::Relaxed);
    admitted(&read_by(&sandbox, &way.url, &lenient, MODEL));
    way.open.store(false, Ordering::Relaxed);
    refused(&read_by(&sandbox, &way.url, &strict, MODEL), away);
    refused(
        &read_by(&sandbox, &way.url, &format!("{key} --registry-age 0s --registry-stale 0s"), MODEL),
        away,
    );
    let said = admitted(&read_by(&sandbox, &way.url, &lenient, MODEL));
    assert!(said.contains("what it approved before counts"), "{said}");

    // What was recalled is not remembered as approved.
    way.open.store(true, Ordering::Relaxed);
    let version =
        served.registry.version(alnage_registry::Kind::Model, "acme/good", "main").unwrap().unwrap();
    served.registry.transition(version.id, Stage::Revoked, "it steals keys", &Actor::system("test")).unwrap();
    refused(&read_by(&sandbox, &way.url, &lenient, MODEL), "has recalled it");
    way.open.store(false, Ordering::Relaxed);
    refused(&read_by(&sandbox, &way.url, &lenient, MODEL), away);
}
