//! The log as its keeper, its witnesses, its auditors and a crash meet it.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use alnage_log::{LogVerifier, audit};
use alnage_types::Digest;

use crate::sandbox::Sandbox;

fn entries(numbers: std::ops::Range<u64>) -> String {
    numbers.fold(String::new(), |mut lines, number| {
        let statement = Digest::of(&number.to_be_bytes());
        let subject = Digest::of(b"model");
        let _ = writeln!(
            lines,
            r#"{{"statement":"{statement}","subject":"{subject}","predicateType":"p","time":"2026-11-22T00:00:00Z"}}"#
        );
        lines
    })
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &str, code: i32, says: &str) {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains(says), "{arguments}: {ran:?}");
}

#[test]
fn a_stranger_verifies_with_the_public_key_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("entries", entries(0..300));
    check(&sandbox, "log key --new --log log --origin example.org/log", 0, "example.org/log+");
    check(&sandbox, "log append --log log --entries entries", 0, "300 entries from 0 on");
    fs::copy(sandbox.path("log/checkpoint"), sandbox.path("old")).unwrap();
    check(&sandbox, "log append --log log --entries entries", 0, "300 entries from 300 on");
    check(&sandbox, "log prove --log log --index 7 -o seven.tlog-proof", 0, "");
    check(&sandbox, "log prove --log log --since old -o continuation", 0, "");
    check(&sandbox, "log export --log log -o export.jsonl", 0, "600 entries");
    check(&sandbox, "log list --log log --json", 0, r#"{"index":599,"#);
    fs::rename(sandbox.path("log/log.vkey"), sandbox.path("key")).unwrap();
    fs::rename(sandbox.path("log"), sandbox.path("gone")).unwrap();
    check(&sandbox, "log verify seven.tlog-proof --log-key key", 0, "verified: entry 7 of `example.org/log`");
    check(&sandbox, "log verify continuation --since old --log-key key", 0, "grew from 300 to 600");
    check(&sandbox, "log verify export.jsonl --log-key key", 0, "all 600 entries");

    check(&sandbox, "log key --new --log other", 0, "alnage.local/");
    check(&sandbox, "log verify seven.tlog-proof --log other", 1, "not verified");
    check(&sandbox, "log verify export.jsonl --log other", 1, "not verified");
    for (file, from, to) in [
        ("seven.tlog-proof", "index 7", "index 8"),
        ("continuation", "\n600\n", "\n601\n"),
        ("export.jsonl", r#""subject":"f"#, r#""subject":"e"#),
    ] {
        let text = sandbox.read(file);
        let subject = format!(r#""subject":"{:.1}"#, Digest::of(b"model").to_string());
        let from = if file == "export.jsonl" { subject.as_str() } else { from };
        sandbox.write("changed", text.replacen(from, to, 1));
        assert_ne!(text, sandbox.read("changed"), "{file}");
        check(&sandbox, "log verify changed --since old --log-key key", 1, "not verified");
    }
    check(&sandbox, "log verify nothing --log-key key", 2, "nothing");
}

#[test]
fn a_signed_statement_is_appended_with_a_receipt_beside_it() {
    let sandbox = Sandbox::with_good_model();
    check(&sandbox, "keygen --out keys", 0, "");
    check(&sandbox, "vet good --seal --key keys/signing.pem --log first", 0, "");
    fs::copy(sandbox.path("good/verdict.intoto.json"), sandbox.path("verdict.intoto.json")).unwrap();
    check(
        &sandbox,
        "log append verdict.intoto.json --key keys/signing.pub.pem --log second",
        0,
        "0 verdict.tlog-proof",
    );
    check(
        &sandbox,
        "log verify verdict.tlog-proof --statement verdict.intoto.json --log second",
        0,
        "verified",
    );
    check(&sandbox, "log prove --statement verdict.intoto.json --log second", 0, "c2sp.org/tlog-proof@v1");
    check(&sandbox, "log verify good/verdict.tlog-proof --log second", 1, "not verified");
    check(&sandbox, "keygen --out strange", 0, "");
    check(&sandbox, "log append verdict.intoto.json --key strange/signing.pub.pem --log second", 2, "error");
    check(&sandbox, "log append verdict.intoto.json --log second", 2, "--key");
}

#[test]
fn fsck_tells_damage_from_leftovers() {
    let sandbox = Sandbox::new();
    sandbox.write("entries", entries(0..300));
    check(&sandbox, "log append --log log --entries entries", 0, "");
    sandbox.write("log/unfinished", "half of something");
    sandbox.write("log/tile/0/001.p/99", "x");
    check(&sandbox, "log fsck --log log", 0, "leftover: `tile/0/001.p/99`");
    sandbox.write("log/tile/0/000", "x");
    check(&sandbox, "log fsck --log log --json", 1, r#""place":"tile/0/000""#);
    check(&sandbox, "log append --log log --entries entries", 0, "");
    sandbox.write("log/checkpoint", "x");
    check(&sandbox, "log append --log log --entries entries", 2, "not a signed note");
}

/// What a hostile directory may hold in place of a log's objects: nothing of it may hang or be followed.
#[test]
fn a_hostile_directory_is_an_error_and_no_more() {
    let sandbox = Sandbox::new();
    sandbox.write("entries", entries(0..3));
    check(&sandbox, "log append --log log --entries entries", 0, "");
    let object = sandbox.path("log/tile/0/000.p/3");
    let replace = |with: &dyn Fn()| {
        fs::remove_file(&object).or_else(|_| fs::remove_dir(&object)).unwrap();
        with();
        for command in ["verify", "fsck", "list", "prove --index 0", "append --entries entries"] {
            let ran = sandbox.run(&format!("log {command} --log log"));
            assert!([1, 2].contains(&ran.code) && !ran.stderr.contains("panic"), "{command}: {ran:?}");
        }
    };
    replace(&|| std::os::unix::fs::symlink("/dev/zero", &object).unwrap());
    replace(&|| fs::create_dir(&object).unwrap());
    replace(&|| assert!(Command::new("mkfifo").arg(&object).status().unwrap().success()));
    replace(&|| fs::write(&object, vec![0; 20 << 20]).unwrap());
}

#[test]
fn a_hundred_thousand_entries() {
    let sandbox = Sandbox::new();
    sandbox.write("entries", entries(0..50_000));
    check(&sandbox, "log append --log log --entries entries", 0, "50000 entries from 0 on");
    sandbox.write("entries", entries(50_000..100_000));
    check(&sandbox, "log append --log log --entries entries", 0, "50000 entries from 50000 on");
    check(&sandbox, "log verify --log log", 0, "all 100000 entries");
    for index in [0, 255, 256, 65_535, 65_536, 99_999] {
        check(&sandbox, &format!("log prove --log log --index {index} -o proof"), 0, "");
        let statement = Digest::of(&u64::to_be_bytes(index));
        check(&sandbox, "log verify proof --log log", 0, &format!("statement {statement}"));
    }
}

/// Appends entry after entry until it is killed, `after` it has acknowledged `some`; gives how many it acknowledged.
fn append_until_killed(sandbox: &Sandbox, first: u64, some: u64, after: Duration) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alnage"))
        .args(["log", "append", "--log", "log", "--entries", "-", "--each"])
        .current_dir(sandbox.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    // A pipe that breaks in the middle is the point of the exercise.
    let feeding = thread::spawn(move || drop(input.write_all(entries(first..first + 400).as_bytes())));
    let (acknowledge, acknowledged) = mpsc::channel();
    let reading = thread::spawn(move || {
        for index in output.lines().map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()) {
            acknowledge.send(index).unwrap();
        }
    });
    let seen = acknowledged.iter().take(some as usize).last();
    thread::sleep(after);
    kill(&mut child);
    feeding.join().unwrap();
    reading.join().unwrap();
    acknowledged.iter().last().or(seen).map_or(first, |last| last + 1)
}

fn kill(child: &mut Child) {
    // On Unix this is SIGKILL: nothing of the process runs after it.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_at_two_hundred_points_nothing_acknowledged_is_lost() {
    let sandbox = Sandbox::new();
    check(&sandbox, "log key --new --log log --algorithm ed25519", 0, "");
    let verifier = LogVerifier::from_text(&sandbox.read("log/log.vkey")).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let (mut size, mut grew) = (0, 0);
    for round in 0..200 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let acknowledged =
            append_until_killed(&sandbox, size, random % 4, Duration::from_micros((random >> 8) % 20_000));
        let mut seen = Vec::new();
        let store = alnage_fs::LogDir::open(&sandbox.path("log"));
        let state = audit(&store, &verifier, &mut |_, entry| seen.push(entry.statement));
        let state = state.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(
            state.size >= acknowledged,
            "round {round}: {acknowledged} were acknowledged, {} are there",
            state.size
        );
        let expected: Vec<Digest> = (0..state.size).map(|number| Digest::of(&number.to_be_bytes())).collect();
        assert!(seen == expected, "round {round}");
        grew += u64::from(state.size > size);
        size = state.size;
    }
    assert!(grew > 100, "it was killed before it did anything: {grew} of 200");
}

/// A witness that serves until it is dropped.
struct Served {
    child: Child,
    url: String,
    keys: Vec<String>,
}

impl Served {
    fn start(sandbox: &Sandbox, directory: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alnage"))
            .args(["log", "witness", "--dir", directory, "--listen", "127.0.0.1:0"])
            .current_dir(sandbox.root())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
        let keys = lines.by_ref().take(2).collect();
        Self { child, url, keys }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

#[test]
fn witnesses_cosign_what_grows_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("entries", entries(0..5));
    check(&sandbox, "log append --log log --entries entries", 0, "");
    let first = Served::start(&sandbox, "one");
    let second = Served::start(&sandbox, "two");
    // One by Ed25519, the other by ML-DSA-44, both of which every witness has.
    sandbox.write(
        "log/policy",
        format!(
            "witness one {} {}\nwitness two {} {}\ngroup both all one two\nquorum both\n",
            first.keys[0], first.url, second.keys[1], second.url
        ),
    );
    check(&sandbox, "log cosign --log log", 1, "answered 404");
    for witness in ["one", "two"] {
        fs::copy(sandbox.path("log/log.vkey"), sandbox.path(&format!("{witness}/logs"))).unwrap();
    }
    check(&sandbox, "log cosign --log log", 0, "two 2026-");
    check(&sandbox, "log append --log log --entries entries", 0, "5 entries from 5 on");
    check(&sandbox, "log prove --log log --index 9 -o receipt", 0, "");
    check(&sandbox, "log verify receipt --log log --policy log/policy", 0, "cosigned by one 2026-");

    // The log goes back to what it was before and grows differently, under the same key.
    drop(second);
    let split = sandbox.path("split");
    fs::create_dir(&split).unwrap();
    for file in ["signing.key", "log.vkey", "policy"] {
        fs::copy(sandbox.path("log").join(file), split.join(file)).unwrap();
    }
    sandbox.write("entries", entries(100..120));
    check(&sandbox, "log append --log split --entries entries", 1, "answered 422");
    check(&sandbox, "log prove --log split --index 9 -o receipt", 0, "");
    check(&sandbox, "log verify receipt --log log --policy log/policy", 1, "cosigned by nobody");
    // A witness that is away is a complaint, and too few; what it has seen outlives it.
    check(&sandbox, "log append --log log --entries entries", 1, "the witness `two` at");
    let again = Served::start(&sandbox, "two");
    let policy = sandbox.read("log/policy");
    let url = policy.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
    sandbox.write("log/policy", policy.replace(url, &again.url));
    check(&sandbox, "log cosign --log log", 0, "two 2026-");
    assert_eq!(sandbox.read("two/witness.vkey").lines().collect::<Vec<_>>(), again.keys);
}
