//! JSON and YAML as events.

use alnage_types::{ArtifactPath, Budget, MemorySource, Meter};

use super::{Path, Receiver, Scalar, read_json, read_yaml};
use crate::Context;

#[derive(Default)]
struct Lines(Vec<String>);

impl Receiver for Lines {
    fn open(&mut self, path: &Path) {
        self.0.push(format!("{} …", path.pointer()));
    }

    fn scalar(&mut self, path: &Path, value: Scalar<'_>, offset: u64) {
        self.0.push(format!("{}={}@{offset}", path.pointer(), value.shown()));
    }

    fn duplicate(&mut self, path: &Path, _offset: u64) {
        self.0.push(format!("{} twice", path.pointer()));
    }

    fn tag(&mut self, path: &Path, tag: &str, _offset: u64) {
        self.0.push(format!("{} tagged {tag}", path.pointer()));
    }
}

/// Checks the events of `text` and how many issues it raises.
fn check(kind: &str, text: &str, expected: &[&str], issues: usize) {
    let path = ArtifactPath::file("x");
    let mut meter = Meter::new(Budget::default());
    let mut context = Context::new(&path, &mut meter);
    let mut lines = Lines::default();
    let source = MemorySource::new(text.as_bytes());
    match kind {
        "json" => {
            read_json(&source, &mut context, &mut lines);
        }
        _ => read_yaml(&source, &mut context, &mut lines),
    }
    assert_eq!(lines.0, expected, "{text}");
    assert_eq!(context.issues.len(), issues, "{text}: {:?}", context.issues);
}

#[test]
fn json() {
    let text = r#"{"a": [1, -2.5e3, {"b": null}], "c": "x\u00e9\n\ud83d\ude00", "a": NaN}"#;
    let events = [
        " …",
        "/a …",
        "/a/0=1@7",
        "/a/1=-2.5e3@10",
        "/a/2 …",
        "/a/2/b=null@24",
        "/c=xé\n😀@37",
        "/a twice",
        "/a=NaN@67",
    ];
    check("json", text, &events, 0);
    check("json", "\u{feff}[true,\n[],{}]\n", &[" …", "/0=true@4", "/1 …", "/2 …"], 0);
    check("json", "{\"a\": 1}\n{\"a\": 2}\n", &[" …", "/a=1@6", " …", "/a=2@15"], 0);
    check("json", "{\"a/b~c\": 1}", &[" …", "/a~1b~0c=1@10"], 0);
}

#[test]
fn malformed_json() {
    for text in [
        "{\"a\" 1}",
        "{\"a\": 1,}",
        "[1 2]",
        "[,1]",
        "{1: 2}",
        "[\"\\x\"]",
        "[tru]",
        "[\"\n\"]",
        "[1",
        "{\"a",
    ] {
        let path = ArtifactPath::file("x");
        let mut meter = Meter::new(Budget::default());
        let mut context = Context::new(&path, &mut meter);
        read_json(&MemorySource::new(text.as_bytes()), &mut context, &mut Lines::default());
        assert_eq!(context.issues.len(), 1, "{text}");
    }
}

#[test]
fn deep_json_costs_no_stack() {
    let text = "[".repeat(1 << 20);
    let path = ArtifactPath::file("x");
    let mut meter = Meter::new(Budget::default());
    let mut context = Context::new(&path, &mut meter);
    struct Nothing;
    impl Receiver for Nothing {
        fn open(&mut self, _: &Path) {}
        fn scalar(&mut self, _: &Path, _: Scalar<'_>, _: u64) {}
        fn duplicate(&mut self, _: &Path, _: u64) {}
        fn tag(&mut self, _: &Path, _: &str, _: u64) {}
    }
    read_json(&MemorySource::new(text.into_bytes()), &mut context, &mut Nothing);
    assert_eq!(context.issues.len(), 1);
}

#[test]
fn yaml() {
    let text = "a: &x [1, yes]\nb: *x\nc:\n  - d: 'yes'\n    e: !!python/name:os.system\n  - f\n";
    let events = [
        " …",
        "/a …",
        "/a/0=1@7",
        "/a/1=true@10",
        "/b=null@18",
        "/c …",
        "/c/0 …",
        "/c/0/d=yes@31",
        "/c/0/e tagged tag:yaml.org,2002:python/name:os.system",
        "/c/0/e=null@44",
        "/c/1=f@72",
    ];
    check("yaml", text, &events, 0);
    check("yaml", "a: {b: 1\n", &[" …", "/a …", "/a/b=1@7"], 1);
}

#[test]
fn billion_laughs_stay_small() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        let row = vec![format!("*a{before}"); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{row}]\n"));
    }
    let path = ArtifactPath::file("x");
    let mut meter = Meter::new(Budget::default());
    let mut context = Context::new(&path, &mut meter);
    let mut lines = Lines::default();
    read_yaml(&MemorySource::new(text.into_bytes()), &mut context, &mut lines);
    assert_eq!(lines.0.len(), 1 + 40 + 400);
    assert_eq!(context.issues.len(), 1, "{:?}", context.issues);
    check("yaml", "a: &a {x: 1}\nb: *a\n", &[" …", "/a …", "/a/x=1@10", "/b=null@16"], 0);
}

#[test]
fn endless_nesting_is_no_document() {
    let path = ArtifactPath::file("config.json");
    let mut meter = Meter::new(Budget::default());
    let mut context = Context::new(&path, &mut meter);
    read_json(&MemorySource::new(vec![b'['; 200_000]), &mut context, &mut Lines::default());
    assert_eq!(context.issues.len(), 1, "{:?}", context.issues);
    assert!(context.issues[0].message.contains("deeper"));
}
