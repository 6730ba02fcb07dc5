//! A directory of its own for each test, and the binary run in it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A directory that vanishes; home, log and configuration of the user are out of sight.
pub(crate) struct Sandbox(tempfile::TempDir);

/// What a run of the binary gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A sandbox with the model `good`: a safetensors file and its configuration.
    pub(crate) fn with_good_model() -> Self {
        let sandbox = Self::new();
        sandbox.write("good/model.safetensors", safetensors());
        sandbox.write("good/config.json", r#"{"model_type": "bert", "hidden_size": 4}"#);
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `alnage` with the words of `arguments`.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments, &[], b"")
    }

    pub(crate) fn run_with(&self, arguments: &str, environment: &[(&str, &str)], input: &[u8]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alnage"));
        command.args(arguments.split_whitespace()).current_dir(self.root()).env_clear();
        command.env("HOME", self.path("home")).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input closes it; that is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The JSON record of a run, which must have exited with `code`.
    pub(crate) fn record(&self, arguments: &str, code: i32) -> serde_json::Value {
        let ran = self.run(&format!("vet {arguments} --format json"));
        assert_eq!(ran.code, code, "{arguments}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }
}

/// A valid safetensors file.
pub(crate) fn safetensors() -> Vec<u8> {
    testkit::tensor::safetensors(r#"{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, b"abcd")
}

/// A pickle that would run a command.
pub(crate) fn hostile() -> Vec<u8> {
    testkit::pickle::call("os", "system", "echo pwned")
}

/// A gzip stream that ends before its content does: no finding, but not understood.
pub(crate) fn cut_short() -> Vec<u8> {
    vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]
}
