use crate::sandbox::Sandbox;

const PINNED: &str = "apiVersion: v1
kind: Pod
metadata: {name: good}
spec:
  containers:
  - name: main
    image: vllm/vllm-openai
    args: [--model, acme/tiny, --revision, 0123456789abcdef0123456789abcdef01234567]
";

#[test]
fn every_manifest_of_a_directory_is_checked() {
    let sandbox = Sandbox::new();
    sandbox.write("deploy/good.yaml", PINNED);
    let ran = sandbox.run("kube check deploy");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("deploy/good.yaml:1: Pod good"), "{}", ran.stdout);
    sandbox
        .write("deploy/overlays/bad.yml", PINNED.replace("0123456789abcdef0123456789abcdef01234567", "main"));
    sandbox.write("deploy/notes.md", "kind: Pod");
    sandbox.write("deploy/empty.json", "{}");
    let ran = sandbox.run("kube check deploy");
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("deploy/overlays/bad.yml:1: Pod good"), "{}", ran.stdout);
    assert!(ran.stdout.contains("3 objects, 2 models, 1 objects refused"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("notes.md"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_read_is_named_once() {
    let sandbox = Sandbox::new();
    sandbox.write("torn/a.yaml", "a: [");
    sandbox.write("bare/notes.md", "nothing");
    for (arguments, named) in [
        ("kube check nowhere.yaml", "nowhere.yaml"),
        ("kube check torn", "torn/a.yaml"),
        ("kube check bare", "bare"),
    ] {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stderr.matches(named).count(), 1, "{arguments}: {}", ran.stderr);
    }
}

#[test]
fn a_manifest_that_only_seems_to_be_there_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("deploy/good.yaml", PINNED);
    std::os::unix::fs::symlink("/nowhere/else.yaml", sandbox.path("deploy/link.yaml")).unwrap();
    let ran = sandbox.run("kube check deploy");
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("deploy/link.yaml"), "{}", ran.stderr);
}
