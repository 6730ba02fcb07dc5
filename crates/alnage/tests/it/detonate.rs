use std::{fs, io::ErrorKind, net::TcpListener, process::Command};

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox, safetensors};

/// Runs `alnage detonate` with a Python that is surely there.
fn detonate(sandbox: &Sandbox, arguments: &str) -> Ran {
    let python = testkit::peers::python();
    sandbox.run(&format!("detonate --python {} {arguments}", python.display()))
}

/// The report on one file, which something runs in.
fn report(sandbox: &Sandbox, arguments: &str) -> Value {
    let ran = detonate(sandbox, &format!("{arguments} --format json"));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let file = report["models"][0]["files"][0].clone();
    assert!(file.is_object(), "{report:#}");
    file
}

/// A pickle that runs `code` as a module of its own.
fn running(code: &str) -> Vec<u8> {
    testkit::pickle::call("builtins", "exec", &format!("exec({code:?}, {{}})"))
}

/// A file's name, its content, and what is to be seen of it.
type Case<'a> = (&'a str, Vec<u8>, &'a [(&'a str, &'a str)]);

#[track_caller]
fn shows(sandbox: &Sandbox, name: &str, bytes: impl AsRef<[u8]>, expected: &[(&str, &str)]) -> Value {
    sandbox.write(name, bytes);
    let file = report(sandbox, name);
    for (kind, subject) in expected {
        let events = file["events"].as_array().unwrap();
        let is = |event: &Value| {
            event["kind"] == *kind
                && (event["subject"].as_str().unwrap().contains(subject)
                    || event["detail"].as_str().is_some_and(|detail| detail.contains(subject)))
        };
        assert!(events.iter().any(is), "{name}: no {kind} {subject} in {file:#}");
    }
    file
}

#[test]
fn what_a_model_does_is_seen() {
    let sandbox = Sandbox::new();
    let call = testkit::pickle::call;
    let through = testkit::pickle::Pickle::protocol(4).stack_global("torch.serialization", "os.system");
    let through = through.text("echo pwned").tuple1().reduce().stop();
    let cases: &[Case<'_>] = &[
        ("system.pkl", call("os", "system", "echo pwned"), &[("process", "echo pwned")]),
        ("renamed.txt", call("posix", "system", "echo pwned"), &[("process", "echo pwned")]),
        (
            "later-stages.pkl",
            call("os", "system", "echo x > /tmp/stage; sh /tmp/stage; rm /tmp/stage"),
            &[("written", "/tmp/stage"), ("process", "sh /tmp/stage"), ("removed", "/tmp/stage")],
        ),
        ("eval.pkl", call("builtins", "eval", "1 + 1"), &[("code", "1 + 1")]),
        ("exec.pkl", running("x = 1"), &[("code", "x = 1")]),
        (
            "write.pkl",
            running("import pathlib; pathlib.Path('/opt/dropped').write_text('x')"),
            &[("written", "/opt/dropped")],
        ),
        (
            "connection.pkl",
            running(
                "import socket\ntry: socket.create_connection(('198.51.100.7', 4444))\nexcept OSError: pass",
            ),
            &[("connection", "198.51.100.7:4444")],
        ),
        (
            "lookup.pkl",
            running(
                "import socket\ntry: socket.create_connection(('c2.example.org', 443))\nexcept OSError: pass",
            ),
            &[("lookup", "c2.example.org"), ("connection", "c2.example.org")],
        ),
        (
            "datagram.pkl",
            running(
                "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ntry: s.sendto(b'x', ('203.0.113.9', 53))\nexcept OSError: pass",
            ),
            &[("connection", "203.0.113.9:53")],
        ),
        (
            "listening.pkl",
            running("import socket; s = socket.socket(); s.bind(('0.0.0.0', 31337)); s.listen()"),
            &[("listening", "0.0.0.0:31337")],
        ),
        (
            "shell.pkl",
            running("import os; open(os.path.expanduser('~/.bashrc'), 'a').write('evil')"),
            &[("persistence", "/.bashrc")],
        ),
        ("cron.pkl", running("open('/etc/cron.d/x', 'w').write('x')"), &[("persistence", "/etc/cron.d/x")]),
        (
            "keys.pkl",
            running("import os; open(os.path.expanduser('~/.ssh/authorized_keys'), 'a').write('x')"),
            &[("persistence", "authorized_keys")],
        ),
        (
            "unit.pkl",
            running(
                "import os; open(os.path.expanduser('~/.config/systemd/user/x.service'), 'w').write('x')",
            ),
            &[("persistence", "x.service")],
        ),
        (
            "customize.pkl",
            running(
                "import os; os.makedirs('/home/user/.local/lib/site-packages'); open('/home/user/.local/lib/site-packages/usercustomize.py', 'w')",
            ),
            &[("persistence", "usercustomize.py")],
        ),
        (
            "secret.pkl",
            running("import os; open(os.path.expanduser('~/.ssh/id_ed25519')).read()"),
            &[("secret", "id_ed25519")],
        ),
        (
            "environment.pkl",
            running("import os; os.environ['AWS_SECRET_ACCESS_KEY']"),
            &[("environment", "AWS_SECRET_ACCESS_KEY")],
        ),
        (
            "native.pkl",
            running("import ctypes\ntry: ctypes.CDLL('/model/evil.so')\nexcept OSError: pass"),
            &[("code", "/model/evil.so")],
        ),
        ("missing.pkl", call("pandas", "eval", "@x"), &[("call", "pandas.eval")]),
        ("through.pkl", through, &[("process", "echo pwned")]),
        (
            "memory.pkl",
            running("import os\ntry: os.memfd_create('payload')\nexcept OSError: pass"),
            &[("written", "memory:payload")],
        ),
        ("setup.py", b"import os\nos.system('echo pwned')\n".to_vec(), &[("process", "echo pwned")]),
        ("evil.pth", b"import os; os.system('echo pwned')\n".to_vec(), &[("process", "echo pwned")]),
    ];
    for (name, bytes, expected) in cases {
        shows(&sandbox, name, bytes, expected);
    }
}

#[test]
fn what_surrounds_a_pickle_does_not_hide_it() {
    let sandbox = Sandbox::new();
    let script = r#"
import bz2, gzip, io, lzma, pickle, struct, sys, zipfile, zlib
class Evil:
    def __reduce__(self):
        return __import__("os").system, ("echo pwned",)
evil = pickle.dumps({"a": Evil()}, 2)
def write(name, data):
    open(name, "wb").write(data)
write("zlib.joblib", zlib.compress(evil)); write("gzip.joblib", gzip.compress(evil))
write("bz2.joblib", bz2.compress(evil)); write("xz.joblib", lzma.compress(evil))
write("two.pkl", pickle.dumps(1) + evil)
write("cut.pkl", evil[:-1]); write("broken.pkl", evil[:-1] + b"\xff")
header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
write("object.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + evil)
with zipfile.ZipFile("torch.pt", "w") as archive:
    archive.writestr("archive/data.pkl", evil); archive.writestr("archive/version", "3\n")
damaged = open("torch.pt", "rb").read().replace(b"archive/data.pkl", b"archive/dat0.pkl", 1)
write("renamed.pt", damaged)
write("legacy.bin", b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {})) + evil + pickle.dumps([], 2))
"#;
    let made =
        Command::new(testkit::peers::python()).args(["-c", script]).current_dir(sandbox.root()).status();
    assert!(made.unwrap().success());
    let names = [
        "zlib.joblib",
        "gzip.joblib",
        "bz2.joblib",
        "xz.joblib",
        "two.pkl",
        "cut.pkl",
        "broken.pkl",
        "object.npy",
        "torch.pt",
        "renamed.pt",
        "legacy.bin",
    ];
    for name in names {
        let bytes = sandbox.read_bytes(name);
        shows(&sandbox, name, bytes, &[("process", "echo pwned")]);
    }
}

#[test]
fn nothing_leaves_the_jail() {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    sandbox.write("canary", "alive");
    let root = sandbox.root().display().to_string();
    let mark = format!("86{:05}", std::process::id() % 100_000);
    let code = format!(
        "import os, socket, subprocess\n\
         def attempt(what):\n    try: what()\n    except Exception: pass\n\
         os.makedirs({root:?}, exist_ok=True)\n\
         attempt(lambda: open({root:?} + '/canary', 'w').write('dead'))\n\
         attempt(lambda: os.remove({root:?} + '/canary'))\n\
         attempt(lambda: open({root:?} + '/new', 'w').write('x'))\n\
         attempt(lambda: socket.create_connection(('127.0.0.1', {port}), 1))\n\
         subprocess.Popen(['sleep', {mark:?}], start_new_session=True)\n\
         if os.fork() == 0:\n    os.setsid(); os.execvp('sleep', ['sleep', {mark:?}])\n"
    );
    let expected =
        [("written", "/canary"), ("removed", "/canary"), ("connection", "127.0.0.1"), ("process", "sleep")];
    shows(&sandbox, "model.pkl", running(&code), &expected);
    assert_eq!(sandbox.read("canary"), "alive");
    assert!(!sandbox.path("new").exists());
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|line| line.contains(&mark))
    });
    assert_eq!(left.count(), 0, "processes went on outside");
}

/// Code that fails unless the call of this number fails with `EPERM`.
fn refused(number: i64, arguments: &str) -> String {
    format!(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         assert libc.syscall({number}, {arguments}) == -1 and ctypes.get_errno() == 1"
    )
}

#[test]
fn ways_out_of_the_jail_are_closed() {
    let sandbox = Sandbox::new();
    #[cfg(target_arch = "x86_64")]
    for (name, number, arguments) in [
        ("io_uring_setup", 425, "8, 0"),
        ("ptrace", 101, "16, 1, 0, 0"),
        ("mount", 165, "0, 0, 0, 0, 0"),
        ("unshare", 272, "0x10000000"),
        ("setns", 308, "0, 0"),
        ("chroot", 161, "0"),
        ("bpf", 321, "0, 0, 0"),
        ("keyctl", 250, "0, 0"),
        ("userfaultfd", 323, "0"),
        ("perf_event_open", 298, "0, 0, 0, 0, 0"),
        ("process_vm_readv", 310, "1, 0, 0, 0, 0, 0"),
        ("init_module", 175, "0, 0, 0"),
        ("kexec_load", 246, "0, 0, 0, 0"),
        ("setuid", 105, "0"),
        ("open_by_handle_at", 304, "0, 0, 0"),
        ("socket of a family that leads out", 41, "40, 1, 0"),
        ("clone with new name spaces", 56, "0x10000000, 0, 0, 0, 0"),
    ] {
        let file = shows(&sandbox, "model.pkl", running(&refused(number, arguments)), &[("escape", name)]);
        assert_eq!(file["loaded"], true, "{name}: {file:#}");
    }
    let model = "import os\nfor mode in ('r+b', 'wb', 'ab'):\n    try: open('/model/model.pkl', mode)\n    except OSError: continue\n    raise SystemExit('it was opened')\n\
        for act in (os.remove, lambda p: os.rename(p, p + 'x'), lambda p: os.chmod(p, 0o777), lambda p: os.truncate(p, 0)):\n    try: act('/model/model.pkl')\n    except OSError: continue\n    raise SystemExit('it was changed')\n";
    let bytes = running(model);
    let file = shows(&sandbox, "model.pkl", &bytes, &[("written", "/model/model.pkl")]);
    assert_eq!(file["loaded"], true, "{file:#}");
    assert_eq!(sandbox.read_bytes("model.pkl"), bytes);
    let others = "import os\nfor path in ('/proc/1/environ', '/proc/1/mem', '/proc/1/root/etc', '/proc/1/cwd/x'):\n    try: open(path, 'rb').read(1)\n    except OSError: continue\n    raise SystemExit(path)\n\
        assert all(int(name) < 10 for name in os.listdir('/proc') if name.isdigit())\n";
    let file = shows(&sandbox, "model.pkl", running(others), &[("secret", "/proc/1/environ")]);
    assert_eq!(file["loaded"], true, "{file:#}");
    let rights = "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n\
        rights = [status[name] for name in status if name.startswith('Cap')]\n\
        assert len(rights) == 5 and all(int(right, 16) == 0 for right in rights)\n\
        assert status['NoNewPrivs'].strip() == '1' and status['Seccomp'].strip() == '2'\n\
        assert status['Uid'].split() == ['65534'] * 4\n\
        import os\nassert not os.path.exists('/work') and os.listdir('/model') == ['model.pkl']\n\
        for path in ('/proc/sys/kernel/core_pattern', '/usr/x', '/alnage/importer.py', '/x'):\n    try: open(path, 'w')\n    except OSError: continue\n    raise SystemExit(path)\n";
    let file = shows(&sandbox, "model.pkl", running(rights), &[("written", "core_pattern")]);
    assert_eq!(file["loaded"], true, "{file:#}");
}

#[test]
fn what_would_take_the_machine_down_is_stopped() {
    let sandbox = Sandbox::new();
    let check = |code: &str, options: &str| {
        sandbox.write("model.pkl", running(code));
        report(&sandbox, &format!("model.pkl {options}"))
    };
    let bomb =
        check("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "--time-limit 4s");
    let events = bomb["events"].to_string();
    assert!(events.contains("exhaustion") && events.contains("processes"), "{bomb:#}");
    let endless = check("while True: pass", "--time-limit 1s");
    assert_eq!(endless["outcome"], "killed when its time was over");
    let huge = check("x = bytearray(8 << 30)", "--memory 512MB");
    assert_eq!(
        (huge["loaded"].as_bool(), huge["outcome"].to_string().contains("MemoryError")),
        (Some(false), true)
    );
    // Each process for itself stays below the limit; all of them together do not.
    let shared = "import os, time\nfor _ in range(8): os.fork() and None\nx = bytearray(b'x') * (96 << 20)\ntime.sleep(9)";
    let shared = check(shared, "--memory 256MB --time-limit 15s");
    assert_eq!(shared["outcome"], "killed when it used more memory than it may", "{shared:#}");
    let disk = check("open('/tmp/x', 'wb').write(b'x' * (300 << 20))", "--memory 1GB");
    assert_eq!(disk["loaded"], false, "{disk:#}");
    let orphan = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)";
    let started = std::time::Instant::now();
    assert_eq!(check(orphan, "")["loaded"], true);
    assert!(started.elapsed().as_secs() < 30, "what is left running is ended");
}

#[test]
fn ordinary_models_do_nothing() {
    let sandbox = Sandbox::new();
    let made = Command::new(testkit::peers::python())
        .args(["-c", include_str!("detonate/benign.py"), "."])
        .current_dir(sandbox.root())
        .status();
    assert!(made.unwrap().success());
    sandbox.write("model.safetensors", safetensors());
    let ran = detonate(&sandbox, ". --format json");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let files = report["models"][0]["files"].as_array().unwrap();
    assert_eq!(files.len(), 13, "{report:#}");
    for file in files {
        assert_eq!(
            (file["events"].as_array().unwrap().len(), &file["loaded"]),
            (0, &true.into()),
            "{file:#}"
        );
        assert_eq!(file["behaviour"], "no behaviour observed");
    }
    assert_eq!(report["models"][0]["data"].as_array().unwrap().len(), 1);
    let text = detonate(&sandbox, "forest-4.pkl").stdout;
    assert!(text.contains("forest-4.pkl: no behaviour observed") && !text.contains("safe"), "{text}");
    // The same with numpy itself.
    let real = detonate(&sandbox, "--profile real plain.npy objects.npy archive.npz");
    assert_eq!((real.code, real.stdout.matches("no behaviour observed\n").count()), (0, 3), "{real:?}");
}

#[test]
fn code_runs_when_something_imports_it() {
    let sandbox = Sandbox::new();
    let evil = "import os\nfrom . import helper\nexec('y = 1')\nos.system('echo pwned')\n";
    sandbox.write("model/config.json", r#"{"auto_map": {"AutoModel": "own--net.Model"}}"#);
    for name in ["net.py", "modeling_own.py", "package/__init__.py"] {
        sandbox.write(&format!("model/{name}"), evil);
    }
    for name in ["helper.py", "package/helper.py"] {
        sandbox.write(&format!("model/{name}"), "import numpy, torch.nn as nn\nclass Own(nn.Module): pass\n");
    }
    // Nobody imports it.
    sandbox.write("model/train.py", "import os\nos.system('echo train')\n");
    let ran = detonate(&sandbox, "model --format json");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let files = report["models"][0]["files"].as_array().unwrap();
    let shown = |file: &Value| {
        let events = file["events"].to_string();
        (file["loaded"] == true, events.contains("echo pwned"), events.contains("y = 1"))
    };
    assert_eq!(files.iter().map(shown).collect::<Vec<_>>(), [(true, true, true); 3], "{report:#}");
    assert!(!ran.stdout.contains("echo train"));
    // What the user names is loaded, whoever imports it.
    shows(&sandbox, "train.py", "import os\nos.system('echo train')\n", &[("process", "echo train")]);
}

#[test]
fn code_of_a_lambda_layer_runs() {
    let sandbox = Sandbox::new();
    let script = r#"
import base64, json, marshal, zipfile
code = compile("lambda x: __import__('os').system('echo pwned') or x", "<lambda>", "eval").co_consts[0]
text = base64.b64encode(marshal.dumps(code)).decode()
layer = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": text}}}}
with zipfile.ZipFile("model.keras", "w") as archive:
    archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
    archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": [layer]}}))
"#;
    let made =
        Command::new(testkit::peers::python()).args(["-c", script]).current_dir(sandbox.root()).status();
    assert!(made.unwrap().success());
    shows(&sandbox, "model.keras", sandbox.read_bytes("model.keras"), &[("process", "echo pwned")]);
}

#[test]
fn a_jail_ends_with_its_guard() {
    let sandbox = Sandbox::new();
    let mark = format!("87{:05}", std::process::id() % 100_000);
    sandbox.write("model.pkl", testkit::pickle::call("os", "system", &format!("sleep {mark}")));
    let running = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
        lines.filter(|line| line.starts_with("sleep") && line.contains(&mark)).count()
    };
    let wait_for = |count: usize| {
        let started = std::time::Instant::now();
        while running() != count && started.elapsed().as_secs() < 30 {
            std::thread::yield_now();
        }
        assert_eq!(running(), count);
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_alnage"));
    command.args(["detonate", "model.pkl", "--time-limit", "5m", "--python"]).arg(testkit::peers::python());
    let mut guard = command.current_dir(sandbox.root()).stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_for(1);
    guard.kill().unwrap();
    guard.wait().unwrap();
    wait_for(0);
}

#[test]
fn a_verdict_counts_what_was_seen() {
    let sandbox = Sandbox::new();
    let python = testkit::peers::python();
    sandbox.write("model.pkl", testkit::pickle::call("os", "system", "echo pwned"));
    sandbox.write("good.safetensors", safetensors());
    sandbox.write("good.pkl", b"\x80\x04}\x94.");
    let vet = format!("--detonate --python {}", python.display());
    let record = sandbox.record(&format!("model.pkl {vet}"), 1);
    let model = &record["models"][0];
    let codes: Vec<&str> = model["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"DET001") && codes.contains(&"PKL001"), "{codes:?}");
    assert!(model["decided_by"].to_string().contains("DET001"));
    for name in ["good.safetensors", "good.pkl"] {
        assert_eq!(sandbox.record(&format!("{name} {vet}"), 0)["verdict"], "pass");
    }
    // Where nothing can be loaded, nobody knows.
    let record = sandbox.record("good.pkl --detonate --python /no/python", 3);
    assert!(record["models"][0]["issues"].to_string().contains("detonation:"), "{record:#}");
    let ran = sandbox.run("detonate good.pkl --python /no/python");
    assert_eq!((ran.code, ran.stdout.is_empty()), (2, true), "{}", ran.stderr);
}

#[test]
fn what_was_seen_is_attested() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    sandbox.write("model.pkl", testkit::pickle::call("os", "system", "echo pwned"));
    let ran = detonate(&sandbox, "model.pkl --attestation plain.json");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let statement: Value = serde_json::from_str(&sandbox.read("plain.json")).unwrap();
    assert!(statement["predicateType"].as_str().unwrap().ends_with("detonate.md#attestation-v1"));
    let digest = alnage_types::Digest::of(&sandbox.read_bytes("model.pkl")).to_string();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], digest.trim_start_matches("sha256:"));
    assert!(statement["predicate"]["detonation"].to_string().contains("echo pwned"));
    let ran = detonate(&sandbox, "model.pkl --attestation signed.json --key keys/signing.pem --log log");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let envelope: Value = serde_json::from_str(&sandbox.read("signed.json")).unwrap();
    assert_eq!(envelope["signatures"].as_array().unwrap().len(), 1);
    assert!(sandbox.path("log").is_dir());
}

#[test]
fn it_needs_no_rights() {
    let sandbox = Sandbox::new();
    let own = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own));
    if own.unwrap_or(1) != 0 {
        // Every other test here ran without rights already.
        return;
    }
    let program = sandbox.path("alnage");
    fs::copy(env!("CARGO_BIN_EXE_alnage"), &program).unwrap();
    sandbox.write("model.pkl", testkit::pickle::call("os", "system", "echo pwned"));
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    open(sandbox.root(), 0o755);
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "64321", "--regid", "64321", "--clear-groups"]).arg(&program);
    command.args(["detonate", "model.pkl", "--python", "/usr/bin/python3"]).current_dir(sandbox.root());
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.code() == Some(1) && said.contains("starts sh -c echo pwned"), "{ran:?}");
    // What only root may read is detonated as nobody all the same.
    open(&sandbox.path("model.pkl"), 0o600);
    shows(&sandbox, "model.pkl", sandbox.read_bytes("model.pkl"), &[("process", "echo pwned")]);
}
