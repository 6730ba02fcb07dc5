//! Pickle: a program for a stack machine, run symbolically and never for real.
//!
//! `tape` reads bytes as unpicklers do, `machine` runs opcodes over `heap` values, `effect` and `evaluate` say what
//! calls would do, `record` keeps it, and `read` drives all of it over a file. `facts` is what the rules see.

mod carried;
mod compat;
mod effect;
mod evaluate;
mod facts;
mod heap;
mod identify;
mod instruction;
mod joblib;
mod known;
mod literal;
mod machine;
pub mod opcode;
mod read;
mod readings;
mod record;
mod run;
mod show;
mod tape;
mod text;
mod torch;
mod weights_only;

use alnage_types::{ArtifactPath, Source};

use crate::{Format, LoadEffect};

pub use facts::{
    Anomaly, AnomalyKind, Argument, Call, Callee, Global, Import, Layout, MAX_LISTED, MAX_STREAMS,
    MAX_TENSORS, Nested, PickleFacts, Reference, Role, Storage, Stream, Tensor, Tensors, WeightsOnly,
};
pub use instruction::{Broken, Instruction, Instructions, Operand, Text};
pub use torch::MAGIC as PYTORCH_LEGACY_MAGIC;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[&PICKLE];

static PICKLE: Format = Format {
    id: "pickle",
    title: "Python pickle",
    extensions: &[
        "pkl",
        "pickle",
        "p",
        "joblib",
        "dill",
        "cloudpickle",
        "pt",
        "pth",
        "ckpt",
        "bin",
        "dat",
        "data",
    ],
    load_effect: LoadEffect::Executes,
    reads: "every opcode of protocols 0 to 5 run symbolically: each import and call that loading would make, with \
            names and nested programs computed; joblib arrays and legacy PyTorch storages",
    cannot: "what an imported class of an unknown module does when it is instantiated or given its state",
    identify: |probe| identify::is_pickle(probe.source, 0, place(probe.path)),
    parse: read::parse,
};

/// What an artifact's name says about its start.
fn place(path: &ArtifactPath) -> identify::Place {
    match path.extension() {
        Some(extension) if !PICKLE.extensions.contains(&extension.as_str()) => identify::Place::Start,
        Some(extension) if matches!(extension.as_str(), "bin" | "dat" | "data" | "pth") => {
            identify::Place::Hinted
        }
        Some(_) => identify::Place::Named,
        None => identify::Place::Start,
    }
}

/// Whether a pickle starts at `offset`, where a loader expects one: even the shortest counts.
pub(crate) fn is_expected_pickle(source: &dyn Source, offset: u64) -> bool {
    identify::is_pickle(source, offset, identify::Place::Start)
}

/// Whether a pickle that does something (resolves a plausible global, or ends properly after more than a few
/// opcodes) starts at `offset`. Cheap on bytes that are no pickle: used to look for hidden ones.
pub fn is_pickle_at(source: &dyn Source, offset: u64) -> bool {
    identify::is_pickle(source, offset, identify::Place::Anywhere)
}
