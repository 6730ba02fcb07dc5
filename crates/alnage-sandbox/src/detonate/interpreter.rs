//! The Python that loads models in the jail: which one, and what of the machine it needs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::Error;

/// A Python interpreter.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// How it is started.
    pub(super) program: PathBuf,
    /// Its files.
    pub(super) places: Vec<PathBuf>,
    /// Its version, as `3.11.7`.
    pub version: String,
}

/// What takes the place of a model's frameworks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Python and its own library alone; every other module is made up, so none need be installed.
    Stub,
    /// The packages of the environment that the interpreter belongs to, with their own loaders.
    Real,
}

impl Profile {
    /// `stub` or `real`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stub => "stub",
            Self::Real => "real",
        }
    }
}

/// Asks for everything that has to be there for it to start.
const ASK: &str = "import json, os, sys
base = getattr(sys, '_base_executable', None) or sys.executable
paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sys.path]
paths += [os.path.dirname(os.path.realpath(base)), os.path.dirname(os.path.realpath(sys.executable))]
print(json.dumps([list(sys.version_info[:3]), sys.executable, os.path.realpath(base), paths]))";

impl Interpreter {
    /// Finds out about the interpreter `named`, which is run for it: outside, without the model.
    pub fn find(named: &Path, profile: Profile) -> Result<Self, Error> {
        let mut command = Command::new(named);
        command.arg("-I").args((profile == Profile::Stub).then_some("-S")).args(["-c", ASK]);
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
        let output = output.map_err(Error::at(format!("`{}` could not be started", named.display())))?;
        let no_python = || Error::NoInterpreter(named.to_owned());
        let told: Value = serde_json::from_slice(&output.stdout).map_err(|_| no_python())?;
        let version: Vec<u64> =
            told.get(0).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect();
        let text = |value: &Value| value.as_str().filter(|text| text.starts_with('/')).map(PathBuf::from);
        let (own, base) = (told.get(1).and_then(text), told.get(2).and_then(text));
        let program = match profile {
            Profile::Stub => base,
            // An environment is known by the name its interpreter is started under.
            Profile::Real => own,
        };
        // `sys.stdlib_module_names` came with 3.10.
        if version < vec![3, 10] {
            return Err(no_python());
        }
        let paths = told.get(3).and_then(Value::as_array).into_iter().flatten().filter_map(text);
        let mut places: Vec<PathBuf> = paths
            .filter_map(|path| path.canonicalize().ok())
            .filter(|path| path.components().count() > 1)
            .collect();
        places.sort();
        places.dedup();
        let version: Vec<String> = version.iter().map(u64::to_string).collect();
        Ok(Self { program: program.ok_or_else(no_python)?, places, version: version.join(".") })
    }
}
