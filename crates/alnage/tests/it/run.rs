use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use crate::sandbox::{Sandbox, hostile, safetensors};

/// The content of an unsealed model; nothing else in these tests begins like it.
const BEGINNING: &[u8] = b"GOT ";

/// A sandbox with a sealed model `good`, the same unsealed in `bare`, and one that was changed since in `bad`.
pub(crate) fn models() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    for name in ["bare", "bad"] {
        sandbox.write(&format!("{name}/model.safetensors"), safetensors());
        sandbox.write(&format!("{name}/config.json"), r#"{"model_type": "bert"}"#);
    }
    for name in ["good", "bad"] {
        let ran = sandbox.run(&format!("vet {name} --seal --key keys/signing.pem --log log"));
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    sandbox.write("bad/model.safetensors", altered());
    sandbox.write("ways.py", include_str!("ways.py"));
    sandbox.write("text", "plain text\n");
    sandbox
}

/// A model of the same length with other weights.
pub(crate) fn altered() -> Vec<u8> {
    let mut bytes = safetensors();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

/// `alnage run`, with the key of `models`.
fn gate(sandbox: &Sandbox, options: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alnage"));
    command.args(["run", "--key", "keys/signing.pub.pem", "--log", "log"]).args(options.split_whitespace());
    command.arg("--").current_dir(sandbox.root());
    plain_environment(sandbox, &mut command);
    command.stdin(Stdio::null());
    command
}

/// Nothing of the environment but where programs are.
pub(crate) fn plain_environment(sandbox: &Sandbox, command: &mut Command) {
    let path = std::env::var_os("PATH").unwrap();
    command.env_clear().env("PATH", path).env("HOME", sandbox.path("home"));
}

pub(crate) fn python() -> PathBuf {
    testkit::peers::python()
}

/// Reads `file` by `way` behind the gate; gives standard output.
fn read_by(sandbox: &Sandbox, options: &str, way: &str, file: &str) -> Output {
    gate(sandbox, options).arg(python()).args(["ways.py", way, file]).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ways that lead to a file's bytes without the gate.
const WAYS: &[&str] = &[
    "plain",
    "openat",
    "openat2",
    "mapped",
    "by_place",
    "by_dev_fd",
    "by_thread_self",
    "by_proc_root",
    "by_proc_cwd",
    "linked",
    "pointed",
    "in_child",
    "in_thread",
    "by_cat",
    "by_cat_of_descriptor",
    "sent",
    "memfd",
    "across_pages",
];

/// Ways that are closed whatever the file is, and how.
const CLOSED: &[(&str, &str)] = &[
    ("io_uring", "EPERM"),
    ("by_handle", "EPERM"),
    ("by_others_root", "EACCES"),
    ("to_programs", "E"),
    ("new_root", "EPERM"),
    ("unshared", "EPERM"),
    ("mounted", "EPERM"),
];

#[test]
fn a_sealed_model_is_read_in_every_way_and_no_other_is() {
    let sandbox = models();
    for way in WAYS {
        for model in ["good", "bad", "bare"] {
            for left in ["link", "pointer"] {
                let _ = fs::remove_file(sandbox.path(&format!("{model}/model.safetensors.{left}")));
            }
        }
        let expected = [BEGINNING, &safetensors()].concat();
        let sealed = read_by(&sandbox, "", way, "good/model.safetensors");
        // A new link has a name that was not signed, and a file in memory has none.
        let seals_hold = !["linked", "pointed", "memfd"].contains(way);
        assert_eq!(
            expected.starts_with(&sealed.stdout) && sealed.stdout.len() > BEGINNING.len(),
            seals_hold,
            "{way}: {} {}",
            text(&sealed.stdout),
            text(&sealed.stderr)
        );
        for file in ["bare/model.safetensors", "bad/model.safetensors"] {
            let unsealed = read_by(&sandbox, "", way, file);
            assert!(
                unsealed.stdout.starts_with(b"FAILED"),
                "{way} {file}: {} {}",
                text(&unsealed.stdout),
                text(&unsealed.stderr)
            );
            assert!(
                text(&unsealed.stderr).contains("alnage: refused `"),
                "{way}: {}",
                text(&unsealed.stderr)
            );
        }
    }
}

#[test]
fn what_is_no_model_is_read_in_every_way() {
    let sandbox = models();
    for way in WAYS.iter().chain(&["both", "made", "renamed"]) {
        sandbox.write("text", "plain text\n");
        for left in ["text.link", "text.pointer", "text.renamed"] {
            let _ = fs::remove_file(sandbox.path(left));
        }
        let ran = read_by(&sandbox, "", way, "text");
        assert_eq!(text(&ran.stdout), "GOT plain text\n", "{way}: {}", text(&ran.stderr));
    }
    let ran = read_by(&sandbox, "", "scratch", "text");
    assert_eq!(text(&ran.stdout), "GOT fine", "{}", text(&ran.stderr));
    for way in ["long_path", "unmapped"] {
        let ran = read_by(&sandbox, "", way, "text");
        assert!(
            ["FAILED ENAMETOOLONG\n", "FAILED EFAULT\n"].contains(&&*text(&ran.stdout)),
            "{way}: {ran:?}"
        );
    }
}

#[test]
fn ways_around_the_gate_are_closed() {
    let sandbox = models();
    for (way, errno) in CLOSED {
        for file in ["bare/model.safetensors", "good/model.safetensors"] {
            let ran = read_by(&sandbox, "", way, file);
            let expected = format!("FAILED {errno}");
            assert!(
                text(&ran.stdout).starts_with(&expected),
                "{way}: {} {}",
                text(&ran.stdout),
                text(&ran.stderr)
            );
        }
    }
    if cfg!(target_arch = "x86_64") {
        for way in ["x32", "i386"] {
            // SIGSYS
            let ran = read_by(&sandbox, "", way, "bare/model.safetensors");
            assert_eq!((ran.status.code(), ran.stdout.len()), (Some(128 + 31), 0), "{way}: {ran:?}");
        }
    }
    let ran = read_by(&sandbox, "", "privileges", "text");
    assert_eq!(text(&ran.stdout), "GOT 1", "a program that would get rights by being started gets none");
    // Root's rights are the supervisor's, so they are not given up and then used all the same.
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        assert_eq!(text(&read_by(&sandbox, "", "setuid", "text").stdout), "FAILED EPERM\n");
    }
}

#[test]
fn nothing_comes_from_processes_outside() {
    let sandbox = models();
    let mut outside = Command::new("sleep").arg("60").spawn().unwrap();
    for way in ["traced", "memory_of_other", "descriptor_of_other", "signalled"] {
        let mut command = gate(&sandbox, "");
        let ran =
            command.arg(python()).args(["ways.py", way, "text"]).env("OUTSIDE", outside.id().to_string());
        let ran = ran.output().unwrap();
        assert!(text(&ran.stdout).starts_with("FAILED E"), "{way}: {ran:?}");
    }
    outside.kill().unwrap();
    outside.wait().unwrap();
}

#[test]
fn files_that_are_inherited_are_looked_at_or_closed() {
    let sandbox = models();
    let model = |name: &str| File::open(sandbox.path(name)).unwrap();
    let mut command = gate(&sandbox, "");
    let ran = command.args(["cat"]).stdin(model("bare/model.safetensors")).output().unwrap();
    assert_eq!(ran.status.code(), Some(2), "{}", text(&ran.stderr));
    assert!(
        ran.stdout.is_empty() && text(&ran.stderr).contains("no seal covers it"),
        "{}",
        text(&ran.stderr)
    );
    let ran = gate(&sandbox, "").arg("cat").stdin(model("good/model.safetensors")).output().unwrap();
    assert_eq!(ran.stdout, safetensors(), "{}", text(&ran.stderr));

    // A shell passes descriptor 7 on.
    let script =
        "exec 7< bare/model.safetensors; exec \"$0\" run --key keys/signing.pub.pem -- cat /dev/fd/7";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_alnage")]).current_dir(sandbox.root());
    let ran = shell.output().unwrap();
    assert!(!ran.status.success() && ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn what_surrounds_a_sealed_model_is_part_of_it() {
    let sandbox = models();
    let read = |options, file| text(&read_by(&sandbox, options, "plain", file).stdout);
    assert!(read("", "good/config.json").starts_with("GOT {"));
    sandbox.write("good/code.py", "print('hello')\n");
    assert_eq!(read("", "good/code.py"), "FAILED EACCES\n");
    assert_eq!(read("--ignore-unsigned-files", "good/code.py"), "GOT print('hello')\n");
    sandbox.write("good/config.json", r#"{"model_type": "evil"}"#);
    assert_eq!(read("", "good/config.json"), "FAILED EACCES\n");
    assert_eq!(read("--ignore-unsigned-files", "good/config.json"), "FAILED EACCES\n");
    // The seal itself can be read, and what lies in a model that nobody sealed.
    assert!(read("", "good/model.sig").starts_with("GOT {"));
    assert!(read("", "bare/config.json").starts_with("GOT {"));
    // One signed file in another's place is not what was signed under that name.
    fs::remove_file(sandbox.path("good/config.json")).unwrap();
    std::os::unix::fs::symlink("model.safetensors", sandbox.path("good/config.json")).unwrap();
    assert_eq!(read("", "good/config.json"), "FAILED EACCES\n");
}

#[test]
fn a_model_is_not_opened_for_writing_too() {
    let sandbox = models();
    for file in ["good/model.safetensors", "bare/model.safetensors", "good/config.json"] {
        let ran = read_by(&sandbox, "", "both", file);
        assert_eq!(text(&ran.stdout), "FAILED EACCES\n", "{file}");
    }
}

#[test]
fn pickles_are_banned_until_they_are_allowed() {
    let sandbox = models();
    let pickle = testkit::pickle::call("collections", "OrderedDict", "");
    sandbox.write("pickled/weights.pkl", pickle);
    assert_eq!(sandbox.run("sign pickled --key keys/signing.pem").code, 0);
    sandbox.write("hostile.pkl", hostile());
    let read = |options, file| read_by(&sandbox, options, "plain", file);
    let banned = read("", "pickled/weights.pkl");
    assert_eq!(text(&banned.stdout), "FAILED EACCES\n");
    assert!(text(&banned.stderr).contains("`--allow-format pickle` lifts that"), "{}", text(&banned.stderr));
    assert!(read("--allow-format pickle", "pickled/weights.pkl").stdout.starts_with(b"GOT"));
    assert!(read("--allow-format pickle", "hostile.pkl").stdout.starts_with(b"FAILED"));
    let banned = read("--ban safetensors", "good/model.safetensors");
    assert_eq!(text(&banned.stdout), "FAILED EACCES\n");
    let unknown = read("--ban pickel", "text");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("`pickel` is no format of a model"));
}

#[test]
fn the_rest_of_the_seal_can_be_asked_for() {
    let sandbox = models();
    sandbox.write("signed/model.safetensors", safetensors());
    assert_eq!(sandbox.run("sign signed --key keys/signing.pem").code, 0);
    let check = |options: &str, model: &str, read: bool, said: &str| {
        let ran = read_by(&sandbox, options, "plain", &format!("{model}/model.safetensors"));
        assert_eq!(ran.stdout.starts_with(b"GOT"), read, "{options} {model}: {}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains(said), "{options} {model}: {}", text(&ran.stderr));
    };
    check("", "signed", true, "");
    check("--require-verdict", "signed", false, "no signed verdict");
    check("--require-verdict --max-age 1h --require-receipt", "good", true, "");
    check("--require-verdict --max-age 0m", "good", false, "too old");
    fs::remove_file(sandbox.path("good/verdict.tlog-proof")).unwrap();
    check("--require-receipt", "good", false, "no receipt of the log");

    let revoked = sandbox.run(
        "revoke revoked.json --kind model --what signed/model.sig --key keys/signing.pem --log log --reason test",
    );
    assert_eq!(revoked.code, 0, "{}", revoked.stderr);
    check("--revocations revoked.json", "signed", false, "revoked");
    assert_eq!(sandbox.run("keygen --out other").code, 0);
    let mut other = Command::new(env!("CARGO_BIN_EXE_alnage"));
    other.args(["run", "--key", "other/signing.pub.pem", "--", "cat", "good/model.safetensors"]);
    let ran = other.current_dir(sandbox.root()).output().unwrap();
    assert!(!ran.status.success() && ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn several_signers_can_be_asked_for() {
    let sandbox = models();
    for name in ["second", "third"] {
        assert_eq!(sandbox.run(&format!("keygen --out {name}")).code, 0);
    }
    let signer =
        |name: &str, key: &str| format!("[[signer]]\nname = '{name}'\nkey = '{key}/signing.pub.pem'\n");
    let signers = [signer("a", "keys"), signer("b", "second"), signer("b", "third")].concat();
    sandbox.write("trust.toml", format!("version = 1\nthreshold = 2\n{signers}"));
    let check = |what: &str, read: bool, verified: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alnage"));
        command.args(["run", "--trust", "trust.toml", "--log", "log", "--", "cat", "good/model.safetensors"]);
        command.current_dir(sandbox.root());
        plain_environment(&sandbox, &mut command);
        let ran = command.output().unwrap();
        assert_eq!(ran.stdout == safetensors(), read, "{what}: {}", text(&ran.stderr));
        assert!(read || text(&ran.stderr).contains(" of at least 2 have signed it"), "{}", text(&ran.stderr));
        // `alnage verify` finds the same signatures.
        let ran = sandbox.run("verify good --trust trust.toml --log log");
        assert_eq!(ran.code == 0, verified, "{what}: {}{}", ran.stdout, ran.stderr);
    };
    let sign = |key: &str, to: &str| {
        let ran = sandbox.run(&format!("sign good --key {key}/signing.pem --signature {to}"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    check("one", false, false);
    sign("second", "second.sig");
    fs::copy(sandbox.path("second.sig"), sandbox.path("good/model.second.sig")).unwrap();
    check("two", true, true);
    fs::write(sandbox.path("good/model.broken.sig"), "none").unwrap();
    check("one that is none does no harm", true, true);
    fs::remove_file(sandbox.path("good/model.broken.sig")).unwrap();
    // The verdict is the first signer's, and goes with its signature.
    for name in ["verdict.intoto.json", "verdict.tlog-proof"] {
        fs::remove_file(sandbox.path(&format!("good/{name}"))).unwrap();
    }
    fs::rename(sandbox.path("good/model.sig"), sandbox.path("first.sig")).unwrap();
    fs::rename(sandbox.path("good/model.second.sig"), sandbox.path("good/model.sig")).unwrap();
    sign("third", "third.sig");
    fs::copy(sandbox.path("third.sig"), sandbox.path("good/model.third.sig")).unwrap();
    check("one signer with two keys", false, false);
    fs::copy(sandbox.path("bad/model.sig"), sandbox.path("good/model.first.sig")).unwrap();
    check("a signature over something else", false, false);
    fs::copy(sandbox.path("first.sig"), sandbox.path("good/model.first.sig")).unwrap();
    check("both", true, true);
}

#[test]
fn other_modes_tell_and_do_not_refuse() {
    let sandbox = models();
    let warned = read_by(&sandbox, "--mode warn", "plain", "bare/model.safetensors");
    assert!(warned.stdout.starts_with(b"GOT"), "{warned:?}");
    assert!(
        text(&warned.stderr).contains("would refuse `") && text(&warned.stderr).contains("(safetensors)")
    );
    let mut observed = Command::new(env!("CARGO_BIN_EXE_alnage"));
    observed.args(["run", "--mode", "observe", "--audit", "audit.jsonl", "--"]).arg(python());
    observed.args(["ways.py", "plain", "bare/model.safetensors"]).current_dir(sandbox.root());
    plain_environment(&sandbox, &mut observed);
    let observed = observed.output().unwrap();
    assert!(observed.stdout.starts_with(b"GOT") && observed.stderr.is_empty(), "{observed:?}");
    let audit = sandbox.read("audit.jsonl");
    let lines: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened: Vec<_> = lines.iter().filter(|line| line["event"] == "open").collect();
    assert_eq!(opened.len(), 1, "{audit}");
    assert_eq!(opened[0]["decision"], "not-refused");
    assert_eq!(opened[0]["formats"], serde_json::json!(["safetensors"]));
    assert_eq!((&lines[0]["event"], &lines[lines.len() - 1]["code"]), (&"start".into(), &0.into()));
}

#[test]
fn decisions_are_written_down_and_logged() {
    let sandbox = models();
    let ran = read_by(&sandbox, "--audit audit.jsonl --log-audit", "plain", "good/model.safetensors");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let audit = sandbox.read("audit.jsonl");
    assert!(
        audit.contains("\"decision\":\"admitted\"") && audit.contains("\"signer\":\"the key "),
        "{audit}"
    );
    let verified = sandbox.run("log verify --log log");
    assert!(verified.stdout.contains("all 3 entries"), "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn the_exit_code_is_the_programs() {
    let sandbox = models();
    let code = |words: &[&str]| gate(&sandbox, "").args(words).output().unwrap().status.code();
    assert_eq!(code(&["true"]), Some(0));
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(code(&["no-such-program"]), Some(2));
    assert_eq!(code(&["./text"]), Some(2));
    // What goes on in the background is still served, and waited for.
    assert_eq!(code(&["sh", "-c", "(sleep 0.3; cat text > late) & exit 3"]), Some(3));
    assert_eq!(sandbox.read("late"), "plain text\n");
}

#[test]
fn a_signal_is_passed_on() {
    let sandbox = models();
    let script = "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut running = gate(&sandbox, "").args(["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = running.stdout.take().unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(&mut output, &mut first).unwrap();
    let told = Command::new("kill").arg(running.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(running.wait().unwrap().code(), Some(5));
}

#[test]
fn confinement_keeps_off_network_and_files() {
    let sandbox = models();
    assert_eq!(text(&read_by(&sandbox, "--no-network", "network", "text").stdout), "FAILED EACCES\n");
    assert!(read_by(&sandbox, "", "network", "text").stdout.starts_with(b"GOT"));
    sandbox.write("out/x", "");
    let write = |options: &str, to: &str| {
        gate(&sandbox, options).args(["sh", "-c", "echo hello > $0 && cat $0", to]).output().unwrap()
    };
    assert!(!write("--read-only", "new").status.success());
    assert!(!write("--read-only", "text").status.success());
    assert_eq!(sandbox.read("text"), "plain text\n");
    let out = sandbox.path("out");
    let allowed = write(&format!("--read-only --writable {}", out.display()), "out/new");
    assert_eq!(text(&allowed.stdout), "hello\n", "{}", text(&allowed.stderr));
    for way in ["both", "made"] {
        let ran = read_by(&sandbox, "--read-only", way, "text");
        assert!(text(&ran.stdout).starts_with("FAILED E"), "{way}: {ran:?}");
    }
}

#[test]
fn a_llamafile_is_not_started_unsealed() {
    let sandbox = models();
    sandbox.write("model.llamafile", b"MZqFpD='\n#!/bin/sh\nexit 0\n");
    let path = sandbox.path("model.llamafile");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = gate(&sandbox, "").arg("./model.llamafile").output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("no seal covers it"), "{}", text(&ran.stderr));
    // Nor by another program.
    let ran = read_by(&sandbox, "", "executed", path.to_str().unwrap());
    assert_eq!(text(&ran.stdout), "FAILED EACCES\n");
    let hint = format!("`--exec {}` lifts that", sandbox.root().display());
    assert!(text(&ran.stderr).contains(&hint), "{}", text(&ran.stderr));
    sandbox.write("script", "#!/bin/sh\necho started\n");
    let script = sandbox.path("script");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = read_by(&sandbox, &hint.replace('`', "").replace(" lifts that", ""), "executed", "./script");
    assert_eq!(text(&ran.stdout), "started\n", "{}", text(&ran.stderr));
}

/// A model of `size` bytes that is longer than what is copied, sealed in `big`.
fn big(sandbox: &Sandbox, size: usize) -> PathBuf {
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}"#);
    sandbox.write("big/model.safetensors", testkit::tensor::safetensors(&header, &vec![7; size]));
    assert_eq!(sandbox.run("sign big --key keys/signing.pem").code, 0);
    sandbox.path("big/model.safetensors")
}

const LONG: usize = 10 << 20;

#[test]
fn a_long_model_is_held_while_it_is_in_use() {
    let sandbox = models();
    let path = big(&sandbox, LONG);
    let script = "
import os, sys, time
fd = os.open('big/model.safetensors', os.O_RDONLY)
print(len(os.pread(fd, 100, 0)), flush=True)
for how in (os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_TRUNC):
    try: os.open('big/model.safetensors', how); print('written')
    except PermissionError: print('kept', flush=True)
os.open('big/model.safetensors', os.O_RDONLY)
time.sleep(30)
print('unharmed', flush=True)
";
    let mut command = gate(&sandbox, "");
    command.arg(python()).args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut output = std::io::BufReader::new(running.stdout.take().unwrap());
    let mut told = String::new();
    for _ in 0..4 {
        std::io::BufRead::read_line(&mut output, &mut told).unwrap();
    }
    assert_eq!(told, "100\nkept\nkept\nkept\n");
    // Somebody outside writes to it: the program is stopped before the first byte changes.
    let begun = SystemTime::now();
    let mut written = File::options().write(true).open(&path).unwrap();
    written.write_all(b"x").unwrap();
    let status = running.wait_with_output().unwrap();
    assert_eq!(status.status.code(), Some(128 + 9), "{status:?}");
    assert!(begun.elapsed().unwrap() < Duration::from_secs(20));
    assert!(text(&status.stderr).contains("somebody is writing to it"), "{}", text(&status.stderr));
    // Now it is another file, and while somebody has it open for writing it is not even looked at.
    let ran = read_by(&sandbox, "", "plain", "big/model.safetensors");
    assert_eq!(text(&ran.stdout), "FAILED EACCES\n");
    assert!(text(&ran.stderr).contains("open for writing"), "{}", text(&ran.stderr));
    drop(written);
    let ran = read_by(&sandbox, "", "plain", "big/model.safetensors");
    assert!(text(&ran.stderr).contains("not what was signed"), "{}", text(&ran.stderr));
}

#[test]
fn a_model_that_changes_behind_a_link_is_never_read() {
    // Somebody outside swaps a link and renames over, all the time; the program only ever sees what was signed.
    let sandbox = models();
    let script = "
import os, sys
seen = set()
for _ in range(400):
    for path in ('link', 'moved/model.safetensors'):
        try: seen.add(os.pread(os.open(path, os.O_RDONLY), 1 << 16, 0))
        except OSError: pass
expected = open('good/model.safetensors', 'rb').read()
print(seen <= {expected}, flush=True)
";
    sandbox.write("moved/model.safetensors", safetensors());
    assert_eq!(sandbox.run("sign moved --key keys/signing.pem").code, 0);
    let mut running =
        gate(&sandbox, "").arg(python()).args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let swap = |target: &str| {
        let new = sandbox.path("link.new");
        let _ = fs::remove_file(&new);
        std::os::unix::fs::symlink(target, &new).unwrap();
        fs::rename(&new, sandbox.path("link")).unwrap();
    };
    let over = |bytes: Vec<u8>| {
        sandbox.write("moved.new", bytes);
        fs::rename(sandbox.path("moved.new"), sandbox.path("moved/model.safetensors")).unwrap();
    };
    while running.try_wait().unwrap().is_none() {
        swap("good/model.safetensors");
        over(altered());
        swap("bare/../bad/model.safetensors");
        over(safetensors());
    }
    let output = running.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "True\n");
}

/// Makes the models `sealed` and `loose` with the libraries that load them.
pub(crate) const MAKE_MODELS: &str = "
import numpy, safetensors.numpy, os
def field(number, content): return bytes([number << 3 | 2, len(content)]) + content
def number(number, value): return bytes([number << 3, value])
shape = field(1, number(1, 1))
value = lambda name: field(1, name) + field(2, field(1, number(1, 1) + field(2, shape)))
node = field(1, b'x') + field(2, b'y') + field(4, b'Identity')
graph = field(1, node) + field(2, b'g') + field(11, value(b'x')) + field(12, value(b'y'))
onnx = number(1, 8) + field(7, graph) + field(8, field(1, b'') + number(2, 13))
for name in ('sealed', 'loose'):
    os.makedirs(name)
    safetensors.numpy.save_file({'w': numpy.arange(4.0)}, f'{name}/w.safetensors')
    numpy.save(f'{name}/a.npy', numpy.arange(4.0))
    numpy.savez(f'{name}/z.npz', a=numpy.arange(4.0))
    open(f'{name}/m.onnx', 'wb').write(onnx)
";

/// Loads the models of the folder that is named.
pub(crate) const LOAD_MODELS: &str = "
import sys, numpy, safetensors.numpy, onnxruntime
folder, got = sys.argv[1], []
def attempt(what, load):
    try: got.append(f'{what} {load()}')
    except Exception as error: got.append(f'{what} refused')
attempt('safetensors', lambda: safetensors.numpy.load_file(f'{folder}/w.safetensors')['w'].sum())
attempt('numpy', lambda: numpy.load(f'{folder}/a.npy').sum())
attempt('mapped', lambda: numpy.load(f'{folder}/a.npy', mmap_mode='r').sum())
attempt('archive', lambda: numpy.load(f'{folder}/z.npz')['a'].sum())
session = lambda: onnxruntime.InferenceSession(f'{folder}/m.onnx', providers=['CPUExecutionProvider'])
attempt('onnx', lambda: session().run(None, {'x': numpy.ones(1, numpy.float32)})[0][0])
print(', '.join(got))
";

pub(crate) const LOADED: &str = "safetensors 6.0, numpy 6.0, mapped 6.0, archive 6.0, onnx 1.0\n";
pub(crate) const NOT_LOADED: &str =
    "safetensors refused, numpy refused, mapped refused, archive refused, onnx refused\n";

/// Makes (`make`) or loads (`load`) a small model with `transformers`.
pub(crate) const WITH_TRANSFORMERS: &str = "
import sys, transformers
if sys.argv[1] == 'make':
    sizes = dict(vocab_size=16, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(sys.argv[2])
    sys.exit()
try: model = transformers.AutoModel.from_pretrained(sys.argv[2], local_files_only=True)
except Exception as error: print('refused', error, file=sys.stderr); print('refused')
else: print('loaded' if sum(p.numel() for p in model.parameters()) > 100 else 'empty')
";

/// A sealed model `pretrained`, made by `transformers`.
pub(crate) fn with_transformers(sandbox: &Sandbox) {
    let mut make = Command::new(testkit::peers::transformers_python());
    make.args(["-c", WITH_TRANSFORMERS, "make", "pretrained"]).current_dir(sandbox.root());
    let made = make.output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(sandbox.run("sign pretrained --key keys/signing.pem").code, 0);
}

#[test]
fn transformers_loads_what_is_sealed_and_nothing_else() {
    let sandbox = models();
    with_transformers(&sandbox);
    let load = || {
        let mut command = gate(&sandbox, "");
        command.arg(testkit::peers::transformers_python());
        let ran = command.args(["-c", WITH_TRANSFORMERS, "load", "pretrained"]).output().unwrap();
        (text(&ran.stdout), text(&ran.stderr))
    };
    let (loaded, said) = load();
    assert_eq!(loaded, "loaded\n", "{said}");
    let mut bytes = sandbox.read_bytes("pretrained/model.safetensors");
    *bytes.last_mut().unwrap() ^= 1;
    sandbox.write("pretrained/model.safetensors", bytes);
    let (loaded, said) = load();
    assert_eq!(loaded, "refused\n", "{said}");
    assert!(said.contains("it is not what was signed"), "{said}");
}

#[test]
fn without_a_lease_a_change_ends_the_program_a_moment_later() {
    let own = fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return crate::guard::host::not_run("only root can make files of somebody else").unwrap_or_default();
    }
    let sandbox = models();
    let path = big(&sandbox, LONG);
    let opened = Command::new("chmod").args(["-R", "a+rX"]).arg(sandbox.root()).status().unwrap();
    assert!(opened.success());
    let binary = sandbox.path("alnage");
    fs::copy(env!("CARGO_BIN_EXE_alnage"), &binary).unwrap();
    // Somebody who does not own the file gets no lease on it.
    let mut command = Command::new(&binary);
    let script = "exec 3< big/model.safetensors; echo ready; sleep 30; echo unharmed";
    command.args(["run", "--key", "keys/signing.pub.pem", "--no-cache", "--", "sh", "-c", script]);
    plain_environment(&sandbox, &mut command);
    command.current_dir(sandbox.root()).uid(65534).gid(65534).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(running.stdout.as_mut().unwrap(), &mut first).unwrap();
    let begun = SystemTime::now();
    // No lease keeps the writer waiting.
    File::options().write(true).open(&path).unwrap().write_all(b"x").unwrap();
    assert!(begun.elapsed().unwrap() < Duration::from_secs(5));
    let ran = running.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(128 + 9), "{ran:?}");
    assert!(begun.elapsed().unwrap() < Duration::from_secs(20) && ran.stdout.is_empty(), "{ran:?}");
    assert!(text(&ran.stderr).contains("somebody is writing to it"), "{}", text(&ran.stderr));
}

#[test]
fn real_loaders_load_what_is_sealed_and_nothing_else() {
    let sandbox = models();
    let made = Command::new(python()).args(["-c", MAKE_MODELS]).current_dir(sandbox.root()).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(sandbox.run("sign sealed --key keys/signing.pem").code, 0);
    let ran = |folder| gate(&sandbox, "").arg(python()).args(["-c", LOAD_MODELS, folder]).output().unwrap();
    let sealed = ran("sealed");
    assert_eq!(text(&sealed.stdout), LOADED, "{}", text(&sealed.stderr));
    let loose = ran("loose");
    assert_eq!(text(&loose.stdout), NOT_LOADED, "{}", text(&loose.stderr));
    // An altered file among sealed ones.
    fs::copy(sandbox.path("good/model.safetensors"), sandbox.path("sealed/w.safetensors")).unwrap();
    assert!(text(&ran("sealed").stdout).starts_with("safetensors refused, numpy 6.0,"));
}

#[test]
fn root_is_not_needed() {
    let own = fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return; // All the other tests show it.
    }
    let sandbox = models();
    let opened = Command::new("chmod").args(["-R", "a+rX"]).arg(sandbox.root()).status().unwrap();
    assert!(opened.success());
    let binary = sandbox.path("alnage");
    fs::copy(env!("CARGO_BIN_EXE_alnage"), &binary).unwrap();
    let run = |file: &str| {
        let mut command = Command::new(&binary);
        command.args(["run", "--key", "keys/signing.pub.pem", "--", "cat", file]).current_dir(sandbox.root());
        plain_environment(&sandbox, &mut command);
        command.uid(65534).gid(65534).output().unwrap()
    };
    let sealed = run("good/model.safetensors");
    assert_eq!(sealed.stdout, safetensors(), "{}", text(&sealed.stderr));
    let bare = run("bare/model.safetensors");
    assert!(bare.stdout.is_empty() && text(&bare.stderr).contains("alnage: refused"), "{bare:?}");
}
