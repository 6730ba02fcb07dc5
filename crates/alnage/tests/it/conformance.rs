//! The adapter of the OpenSSF Model Signing conformance suite, driven as the suite drives it: absolute paths, exit codes.

use std::{path::Path, process::Command};

use crate::sandbox::Sandbox;

struct Suite {
    sandbox: Sandbox,
}

impl Suite {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for (path, content) in [
            ("signme-1", "1"),
            ("sub dir/signme-2", "2"),
            ("ignore-me", "3"),
            (".git/HEAD", "ref"),
            (".env", "4"),
        ] {
            sandbox.write(&format!("a model/{path}"), content);
        }
        assert_eq!(sandbox.run("keygen --out keys --curve p384").code, 0);
        assert_eq!(sandbox.run("keygen --out others --curve p384").code, 0);
        Self { sandbox }
    }

    /// The adapter's exit code. `arguments` are separated by ` | `; a leading `@` makes one an absolute path.
    fn run(&self, arguments: &str) -> i32 {
        let adapter =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations/oms-conformance/adapter");
        let absolute = |argument: &str| match argument.strip_prefix('@') {
            Some(path) => self.sandbox.path(path).display().to_string(),
            None => argument.to_owned(),
        };
        let output = Command::new(adapter)
            .args(arguments.split(" | ").map(absolute))
            .env("ALNAGE", env!("CARGO_BIN_EXE_alnage"))
            .env("HOME", self.sandbox.path("home"))
            .current_dir("/")
            .output()
            .unwrap();
        output.status.code().unwrap_or(-1)
    }
}

const SIGN: &str = "sign-model | --method | key | --model-path | @a model | --output-bundle | @model.sig \
                    | --private-key | @keys/signing.pem | --ignore-paths | @a model/ignore-me";
const VERIFY: &str = "verify-model | --method | key | --model-path | @a model | --bundle | @model.sig \
                      | --ignore-paths | @a model/ignore-me | --public-key";

#[test]
fn models_are_signed_and_verified_by_key() {
    let suite = Suite::new();
    assert_eq!(suite.run(SIGN), 0);
    let verify = format!("{VERIFY} | @keys/signing.pub.pem");
    assert_eq!(suite.run(&verify), 0);
    assert_eq!(suite.run(&verify.replace("--method | key", "--method=key")), 0);
    assert_eq!(suite.run(&format!("{VERIFY} | @others/signing.pub.pem")), 1);
    suite.sandbox.write("a model/extra", "x");
    assert_eq!(suite.run(&verify), 1);
    assert_eq!(suite.run(&format!("{verify} | --ignore-unsigned-files")), 0);
    std::fs::remove_file(suite.sandbox.path("a model/signme-1")).unwrap();
    assert_eq!(suite.run(&format!("{verify} | --ignore-unsigned-files")), 1);
    suite.sandbox.write("model.sig", "");
    assert_eq!(suite.run(&verify), 1);
}

#[test]
fn what_makes_no_sense_fails() {
    let suite = Suite::new();
    for arguments in [
        "sign-model",
        "sign-model | --method | key | --model-path",
        "sign-model | --method | telepathy | --model-path | @a model | --output-bundle | @model.sig",
        "sign-model | --method | sigstore | --model-path | @a model | --output-bundle | @model.sig",
        "verify-model | --method | key | --model-path | @a model | --bundle | @none.sig | --public-key | @none.pem",
        "benchmark-model | --method | key",
    ] {
        assert_ne!(suite.run(arguments), 0, "{arguments}");
    }
    std::os::unix::fs::symlink("signme-1", suite.sandbox.path("a model/link")).unwrap();
    assert_ne!(suite.run(SIGN), 0, "links are refused by default");
}
