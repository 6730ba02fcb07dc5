//! The guard of a host, on a file system that is made for it.

pub(crate) mod host;

use std::{fs, os::unix::process::CommandExt, process::Stdio};

use alnage_registry::{Actor, Page, Stage};
use host::{Host, asked, until};

use crate::{
    run::{LOAD_MODELS, LOADED, MAKE_MODELS, NOT_LOADED, WITH_TRANSFORMERS, python, text, with_transformers},
    sandbox::safetensors,
    served::Served,
};

/// Ways that lead to a file's bytes, and whether a sealed model can be read by them.
const WAYS: &[(&str, bool)] = &[
    ("plain", true),
    ("openat", true),
    ("openat2", true),
    ("mapped", true),
    ("ring", true),
    ("by_place", true),
    ("by_dev_fd", true),
    ("by_thread_self", true),
    ("by_proc_root", true),
    ("by_proc_cwd", true),
    ("by_handle", true),
    ("in_child", true),
    ("in_thread", true),
    ("by_cat", true),
    ("by_cat_of_descriptor", true),
    ("sent", true),
    ("memfd", true),
    ("across_pages", true),
    ("bound", true),
    // New names, which nobody signed.
    ("linked", false),
    ("pointed", false),
    ("elsewhere", false),
    // Changes what is read.
    ("both", false),
];

#[test]
fn every_way_to_a_file_leads_through_the_guard() {
    let Some(host) = Host::new() else { return };
    let guard = host.guard("--mount fs");
    let expected = [b"GOT ", safetensors().as_slice()].concat();
    host.shell("mkdir fs/plain && cp text fs/plain/");
    for (way, opens) in WAYS {
        host.shell("rm -f fs/link-* fs/*/*.link fs/*/*.pointer");
        let sealed = host.read_by(way, "fs/good/model.safetensors");
        let read = expected.starts_with(&sealed.stdout) && sealed.stdout.len() > 4;
        assert_eq!(read, *opens, "{way}: {} {}", text(&sealed.stdout), guard.said());
        for file in ["fs/bare/model.safetensors", "fs/bad/model.safetensors"] {
            let unsealed = host.read_by(way, file);
            assert!(unsealed.stdout.starts_with(b"FAILED"), "{way} {file}: {}", text(&unsealed.stdout));
        }
        let plain = text(&host.read_by(way, "fs/plain/text").stdout);
        assert!(plain.starts_with("GOT plain text"), "{way}: {plain} {}", guard.said());
    }
    let said = guard.said();
    assert!(
        said.contains("alnage: refused `") && said.contains("(safetensors): no seal covers it"),
        "{said}"
    );
    assert!(said.contains("it is not what was signed with the key"), "{said}");
    // Through what another process sees: the shell is in the same mounts.
    let through = |file: &str| {
        text(&host.shell(&format!("{} ways.py by_others_root {file}; true", python().display())).stdout)
    };
    assert!(through("fs/good/model.safetensors").starts_with("GOT"), "{}", guard.said());
    assert_eq!(through("fs/bare/model.safetensors"), "FAILED EPERM\n");
    // Of programs with 32 bits, too.
    if cfg!(target_arch = "x86_64") {
        let ran = host.read_by("i386", "fs/bare/model.safetensors");
        assert!(!ran.stdout.starts_with(b"GOT"), "{}", text(&ran.stdout));
    }
}

#[test]
fn real_loaders_load_what_is_sealed_wherever_they_run() {
    let Some(host) = Host::new() else { return };
    let made = host.command(python()).args(["-c", MAKE_MODELS]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(host.sandbox.run("sign sealed --key keys/signing.pem").code, 0);
    host.shell("cp -a sealed loose fs/");
    let guard = host.guard("--dir fs");
    let load = |folder: &str| {
        let mut command = host.command(python());
        text(&command.args(["-c", LOAD_MODELS, folder]).output().unwrap().stdout)
    };
    assert_eq!(load("fs/sealed"), LOADED, "{}", guard.said());
    assert_eq!(load("fs/loose"), NOT_LOADED, "{}", guard.said());
    with_transformers(&host.sandbox);
    host.shell("cp -a pretrained fs/");
    let pretrained = |folder: &str| {
        let mut command = host.command(testkit::peers::transformers_python());
        text(&command.args(["-c", WITH_TRANSFORMERS, "load", folder]).output().unwrap().stdout)
    };
    assert_eq!(pretrained("fs/pretrained"), "loaded\n", "{}", guard.said());
    host.shell("rm fs/pretrained/model.sig");
    assert_eq!(pretrained("fs/pretrained"), "refused\n", "{}", guard.said());
    assert_eq!(load("loose"), LOADED, "what lies elsewhere is not judged");
    host.shell("cp fs/good/config.json fs/sealed/added.json");
    assert_eq!(host.read("fs/sealed/added.json"), "FAILED EPERM\n", "what was added since");
    // A name in a sealed model stands for what was signed under it, wherever it leads.
    host.shell("mv fs/sealed/a.npy fs/ && ln -s ../text fs/sealed/a.npy");
    assert_eq!(host.read("fs/sealed/a.npy"), "FAILED EPERM\n", "{}", guard.said());
    host.shell("rm fs/sealed/a.npy && ln -s ../a.npy fs/sealed/a.npy");
    assert!(host.read("fs/sealed/a.npy").starts_with("GOT"), "{}", guard.said());
    assert_eq!(host.read("fs/a.npy"), "FAILED EPERM\n", "{}", guard.said());
}

#[test]
fn a_verified_model_stays_as_it_is_while_it_is_in_use() {
    let Some(host) = Host::new() else { return };
    let guard = host.guard("--mount fs --audit audit.jsonl");
    let path = "fs/good/model.safetensors";
    let script = "
import mmap, sys, time
with open(sys.argv[1], 'rb') as file: map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
print('mapped', flush=True)
time.sleep(60)
";
    let mut reader = host.command(python());
    let mut reader = reader.args(["-c", script, path]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(reader.stdout.as_mut().unwrap(), &mut first).unwrap();
    for script in ["echo x >> F", "echo x > F", "exec 3<> F", "cp text F"] {
        let ran = host.shell(&script.replace('F', path));
        assert!(text(&ran.stderr).contains("Operation not permitted"), "{script}: {}", text(&ran.stderr));
    }
    assert!(guard.said().contains("it was verified, and is not written to while it is in use"));
    assert!(host.read(path).starts_with("GOT"), "and can still be read");
    // What does not touch its content disturbs nobody.
    let ran = host.shell(
        "ln F fs/other && chmod 640 F && mv F fs/moved && mv fs/moved F && rm fs/other"
            .replace('F', path)
            .as_str(),
    );
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    // Another way to write waits, and the reader is stopped before the first byte changes.
    assert!(reader.try_wait().unwrap().is_none());
    let cut =
        host.command(python()).args(["-c", "import os, sys; os.truncate(sys.argv[1], 9)", path]).output();
    assert!(cut.unwrap().status.success());
    let ended = std::os::unix::process::ExitStatusExt::signal(&reader.wait().unwrap());
    assert_eq!(ended, Some(9), "{}", guard.said());
    assert!(host.sandbox.read("audit.jsonl").contains("\"event\":\"changed\""));
    assert_eq!(host.read(path), "FAILED EPERM\n");
    // What nobody uses can be replaced, by what is signed as well.
    assert!(host.shell(&format!("cp good/model.safetensors {path}")).status.success(), "{}", guard.said());
    assert!(host.read(path).starts_with("GOT"), "{}", guard.said());
    assert!(
        host.shell("sleep 1.1; echo x >> fs/good/model.safetensors").status.success(),
        "{}",
        guard.said()
    );
    assert_eq!(host.read(path), "FAILED EPERM\n");
}

#[test]
fn a_file_that_changes_while_it_is_judged_is_never_read() {
    let Some(host) = Host::new() else { return };
    let _guard = host.guard("--mount fs");
    host.shell("cp -a good fs/moved");
    let swapping = "
while :; do
  ln -sfn good/model.safetensors fs/link; cp bad/model.safetensors fs/new; mv fs/new fs/moved/model.safetensors
  ln -sfn bare/model.safetensors fs/link; cp good/model.safetensors fs/new; mv fs/new fs/moved/model.safetensors
  cat bad/model.safetensors > fs/moved/model.safetensors
done";
    let mut swapping = host.command("sh").args(["-c", swapping]).process_group(0).spawn().unwrap();
    let script = "
import os
seen = set()
for _ in range(400):
    for path in ('fs/link', 'fs/moved/model.safetensors'):
        try: seen.add(os.pread(os.open(path, os.O_RDONLY), 1 << 16, 0))
        except OSError: pass
print(seen - {b''} <= {open('good/model.safetensors', 'rb').read()}, len(seen))
";
    let ran = host.command(python()).args(["-c", script]).output().unwrap();
    let group = format!("-{}", swapping.id());
    std::process::Command::new("kill").args(["-s", "KILL", "--", &group]).status().unwrap();
    swapping.wait().unwrap();
    assert!(text(&ran.stdout).starts_with("True"), "{ran:?}");
}

#[test]
fn overload_is_answered_as_was_chosen_and_judged_all_the_same() {
    let Some(host) = Host::new() else { return };
    long_to_hash(&host);
    host.shell("cp -a --sparse=always long fs/");
    for (choice, got) in [("deny", "FAILED EPERM\n"), ("allow", "GOT ")] {
        let port = free_port();
        let guard = host.guard(&format!(
            "--mount fs --on-overload {choice} --queue 1 --workers 1 --time-limit 1 --audit {choice}.jsonl --metrics {port}"
        ));
        asked(&port);
        let mut slow = host.command(python());
        slow.args(["ways.py", "plain", "fs/long/model.safetensors"]).stdout(Stdio::piped());
        let slow = slow.spawn().unwrap();
        until("the judgement begins", || asked(&port).contains("alnage_guard_waiting 1\n").then_some(()));
        // There is room for one.
        let second = host.shell("cat fs/text");
        assert_eq!(second.status.success(), choice == "allow", "{choice}: {second:?} {}", guard.said());
        let slow = slow.wait_with_output().unwrap();
        assert!(text(&slow.stdout).starts_with(got), "{choice}: {}", text(&slow.stdout));
        // What was begun goes on, and the next one finds it done.
        until("the judgement", || host.read("fs/long/model.safetensors").starts_with("GOT").then_some(()));
        let wanted = if choice == "deny" { "refused unseen" } else { "admitted unseen" };
        until(wanted, || guard.said().contains(wanted).then_some(()));
        assert!(host.sandbox.read(&format!("{choice}.jsonl")).contains("\"event\":\"overload\""));
    }
}

/// A sealed model `long` that takes some three seconds to hash, however fast that is here.
fn long_to_hash(host: &Host) {
    let make = |size: u64| {
        let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}"#);
        let head = testkit::tensor::safetensors(&header, b"");
        host.sandbox.write("long/model.safetensors", &head);
        let file = fs::File::options().write(true).open(host.sandbox.path("long/model.safetensors")).unwrap();
        file.set_len(head.len() as u64 + size).unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(host.sandbox.run("sign long --key keys/signing.pem").code, 0);
        begun.elapsed().as_millis() as u64
    };
    const PROBE: u64 = 128 << 20;
    make(PROBE * 3_000 / make(PROBE).max(20));
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn directories_are_guarded_by_where_a_file_really_is() {
    let Some(host) = Host::new() else { return };
    host.shell("mkdir fs/open fs/open/free && cp bare/model.safetensors fs/open/ && mkdir fs/models && mv fs/b* fs/good fs/models/");
    let guard = host.guard("--dir fs/models --exempt fs/models/incoming");
    assert!(host.read("fs/open/model.safetensors").starts_with("GOT"), "{}", guard.said());
    assert!(host.read("fs/models/good/model.safetensors").starts_with("GOT"), "{}", guard.said());
    host.shell(
        "mkdir -p fs/models/new/deep fs/models/incoming && cp bare/model.safetensors fs/models/new/deep/",
    );
    host.shell("cp bare/model.safetensors fs/models/incoming/");
    assert_eq!(host.read("fs/models/new/deep/model.safetensors"), "FAILED EPERM\n", "made since");
    assert!(host.read("fs/models/incoming/model.safetensors").starts_with("GOT"), "{}", guard.said());
    host.shell("mv fs/models/incoming fs/models/arrived");
    assert_eq!(host.read("fs/models/arrived/model.safetensors"), "FAILED EPERM\n", "moved since");
    // In mounts of its own, a process gives a file the path of what is not guarded.
    for place in ["fs/open", "fs/models/incoming"] {
        let script = format!(
            "mkdir -p {place}; unshare --mount sh -c 'mount --bind fs/models/bare {place} && cat {place}/model.safetensors'"
        );
        let ran = host.shell(&script);
        assert!(ran.stdout.is_empty() && text(&ran.stderr).contains("not permitted"), "{place}: {ran:?}");
    }
    // A container sees a sealed model elsewhere, and gets it.
    let script = "mkdir -p data; unshare --mount sh -c 'mount --bind fs/models/good data && cat data/model.safetensors'";
    assert_eq!(host.shell(script).stdout, safetensors(), "{}", guard.said());
}

#[test]
fn nothing_is_opened_unjudged_while_one_guard_follows_another() {
    let Some(host) = Host::new() else { return };
    let mut guard = host.guard("--mount fs");
    let script = "
import os
read = 0
while not os.path.exists('stop'):
    for path in ('bare', 'bad'):
        try: read += len(os.pread(os.open(f'fs/{path}/model.safetensors', os.O_RDONLY), 100, 0))
        except PermissionError: pass
    os.close(os.open('fs/good/model.safetensors', os.O_RDONLY))
print(read, 'bytes')
";
    let mut opening = host.command(python());
    let opening = opening.args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    for _ in 0..3 {
        let next = host.guard(&format!("--mount fs --take-over {}", guard.child.id()));
        let mut former = std::mem::replace(&mut guard, next);
        assert_eq!(former.child.wait().unwrap().code(), Some(0), "{}", former.said());
    }
    host.sandbox.write("stop", "");
    let ran = opening.wait_with_output().unwrap();
    assert_eq!(text(&ran.stdout), "0 bytes\n", "{ran:?}");
    assert_eq!(guard.end(), Some(0));
    assert!(host.read("fs/bare/model.safetensors").starts_with("GOT"), "no guard, no judgement");
}

#[test]
fn a_manager_that_keeps_the_group_leaves_no_hole_after_a_crash() {
    let Some(host) = Host::new() else { return };
    host.sandbox.write("manager.py", include_str!("guard/manager.py"));
    let ran = host.command(python()).args(["manager.py", env!("CARGO_BIN_EXE_alnage")]).output().unwrap();
    assert_eq!(text(&ran.stdout), "fine\n", "{}", text(&ran.stderr));
}

#[test]
fn trust_is_read_again_and_figures_are_given() {
    let Some(host) = Host::new() else { return };
    let port = free_port();
    let mut guard =
        host.guard(&format!("--mount fs --metrics {port} --audit audit.jsonl --revocations revoked.json"));
    // The list is missing, so nothing is guarded.
    assert_eq!(guard.child.wait().unwrap().code(), Some(2));
    let revoke = |what: &str| {
        let ran = host.sandbox.run(&format!(
            "revoke revoked.json --kind model --what {what} --key keys/signing.pem --log log --reason test"
        ));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    revoke("bad/model.sig");
    let mut guard =
        host.guard(&format!("--mount fs --metrics {port} --audit audit.jsonl --revocations revoked.json"));
    asked(&port);
    assert!(host.read("fs/good/model.safetensors").starts_with("GOT"), "{}", guard.said());
    assert_eq!(host.read("fs/bare/model.safetensors"), "FAILED EPERM\n");
    revoke("good/model.sig");
    fs::rename(host.sandbox.path("audit.jsonl"), host.sandbox.path("audit.old")).unwrap();
    guard.signal("HUP");
    until("the new trust", || (host.read("fs/good/model.safetensors") == "FAILED EPERM\n").then_some(()));
    assert!(guard.said().contains("revoked"), "{}", guard.said());
    assert!(host.sandbox.read("audit.old").contains("\"decision\":\"admitted\""));
    assert!(host.sandbox.read("audit.jsonl").contains("\"decision\":\"refused\""));
    // A list that cannot be read leaves things as they are.
    host.sandbox.write("revoked.json", "{}");
    guard.signal("HUP");
    until("the complaint", || guard.said().contains("trust stays as it was").then_some(()));
    let figures = asked(&port);
    for line in ["opens_total{outcome=\"admitted\"} 1", "reloads_total{result=\"failed\"} 1", "enforcing 1"] {
        assert!(figures.contains(&format!("alnage_guard_{line}\n")), "{line}: {figures}");
    }
    assert_eq!(guard.end(), Some(0), "{}", guard.said());
}

#[test]
fn what_becomes_a_model_while_it_is_open_is_judged_at_every_access() {
    let Some(host) = Host::new() else { return };
    let guard = host.guard("--mount fs --every-access");
    if guard.said().contains("reads are not judged") {
        return host::not_run("this kernel or file system asks at opens alone").unwrap_or_default();
    }
    // Opened when it was no model, and read when it is one.
    let script = "
import mmap, os, shutil, subprocess
file = os.open('fs/grows', os.O_RDONLY | os.O_CREAT)
plain = os.open('fs/text', os.O_RDONLY)
subprocess.run(['cp', 'bare/model.safetensors', 'fs/grows'], check=True)
def attempt(way):
    try: return bool(way())
    except PermissionError: return 'refused'
ways = {
    'read': lambda file: os.read(file, 9), 'pread': lambda file: os.pread(file, 9, 0),
    'map': lambda file: mmap.mmap(file, 9, access=mmap.ACCESS_READ),
    'sendfile': lambda file: os.sendfile(os.open('out', os.O_WRONLY | os.O_CREAT), file, 0, 9),
}
print([name for name, way in ways.items() if attempt(lambda: way(file)) != 'refused'],
      [name for name, way in ways.items() if attempt(lambda: way(plain)) is not True])
";
    let ran = host.command(python()).args(["-c", script]).output().unwrap();
    assert_eq!(text(&ran.stdout), "[] []\n", "{} {}", text(&ran.stderr), guard.said());
    assert!(host.read("fs/good/model.safetensors").starts_with("GOT"), "{}", guard.said());
    assert!(text(&host.read_by("mapped", "fs/good/model.safetensors").stdout).starts_with("GOT"));
}

#[test]
fn other_modes_tell_and_do_not_refuse() {
    let Some(host) = Host::new() else { return };
    let warning = host.guard("--mount fs --mode warn");
    assert!(host.read("fs/bare/model.safetensors").starts_with("GOT"));
    until("the warning", || warning.said().contains("would refuse `").then_some(()));
    drop(warning);
    let mut looking = host.guard_with("--mount fs --mode observe --audit seen.jsonl");
    assert!(host.read("fs/bare/model.safetensors").starts_with("GOT"));
    assert_eq!(looking.end(), Some(0));
    let seen = host.sandbox.read("seen.jsonl");
    assert!(seen.contains("\"decision\":\"not-refused\"") && seen.contains("\"event\":\"end\""), "{seen}");
    assert_eq!(looking.said(), "");
}

#[test]
fn what_is_written_is_not_judged_and_what_is_read_later_is() {
    let Some(host) = Host::new() else { return };
    let _guard = host.guard("--mount fs");
    // A download that is broken off and goes on.
    let script =
        "head -c 90 bare/model.safetensors > fs/part && tail -c +91 bare/model.safetensors >> fs/part";
    let ran = host.shell(script);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(host.read("fs/part"), "FAILED EPERM\n");
    assert!(host.shell("cp text fs/part").status.success(), "it can be replaced");
    assert!(host.read("fs/part").starts_with("GOT plain text"));
    assert_eq!(text(&host.read_by("scratch", "text").stdout), "GOT fine");
}

#[test]
fn only_root_can_guard() {
    let Some(host) = Host::new() else { return };
    host.shell("chmod -R a+rX .");
    let binary = host.sandbox.path("alnage");
    fs::copy(env!("CARGO_BIN_EXE_alnage"), &binary).unwrap();
    let mut command = std::process::Command::new(binary);
    command.args(["guard-host", "--key", "keys/signing.pub.pem", "--mount", "good"]).uid(65534).gid(65534);
    let ran = command.current_dir(host.sandbox.root()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("only root can (CAP_SYS_ADMIN"), "{}", text(&ran.stderr));
}

#[test]
fn what_a_registry_recalls_opens_no_more() {
    let Some(host) = Host::new() else { return };
    let served = Served::in_folder(host.sandbox.root());
    host.sandbox.write("token", &served.token);
    let version = served.take("acme/good", &host.sandbox.path("good"));
    let asking = format!("--registry {} --registry-token-file token --registry-age 0s", served.url);
    let mut guard = host.guard(&format!("--mount fs {asking}"));
    assert!(host.read("fs/good/model.safetensors").starts_with("GOT"), "{}", guard.said());
    let deployment = served.registry.deployments(Some("model/acme/good"), Page::first(1)).unwrap().remove(0);
    assert_eq!((deployment.kind.as_str(), deployment.commit), ("guard", version.commit));
    // What was admitted before is not remembered for longer than was asked for.
    served.registry.transition(version.id, Stage::Revoked, "poisoned", &Actor::system("test")).unwrap();
    assert_eq!(host.read("fs/good/model.safetensors"), "FAILED EPERM\n");
    assert!(guard.said().contains("has recalled it: poisoned"), "{}", guard.said());
    assert_eq!(guard.end(), Some(0));
}
