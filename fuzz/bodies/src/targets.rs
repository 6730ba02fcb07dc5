//! The table of all fuzz targets.

use alnage_discover::{Advisories, Asked};
use alnage_log::{
    Checkpoint, Entry, ExportHead, LogKey, LogVerifier, MemoryStore, Policy, Receipt, Update, append,
    append_all, fsck, prove_consistency, receipt_for,
};
use alnage_sign::{
    Bundle, Curve, KeyHint, KnownKey, Signer as _, SignerPolicy as _, SigningKey, VerifyingKey,
    timestamp::{TimestampAuthorities, verify_timestamp},
    trust::RevocationStatement,
    verify_attestation,
    x509::{Certificate, PathRules, Purpose, RevocationList, StaleLists, UnixTime, find_path},
};

use crate::{bom::bom, convert::convert, keyless::keyless, xet::xet};

/// One fuzz target; `fuzz_targets/NAME.rs` is its entrance.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub work: Work,
}

/// What a target does with its bytes.
pub enum Work {
    /// The first byte selects a format and the name of the file, the rest is parsed as that format and judged.
    Formats(&'static [(&'static str, &'static str)]),
    /// The bytes are analysed as a file: identified, parsed, carved, members and all.
    Whole,
    /// The bytes are handed to a function.
    Call(fn(&[u8])),
}

/// Every target.
pub static TARGETS: &[Target] = &[
    Target { name: "pickle", work: Work::Formats(PICKLE) },
    Target { name: "archives", work: Work::Formats(ARCHIVES) },
    Target { name: "sevenz", work: Work::Formats(SEVENZ) },
    Target { name: "streams", work: Work::Formats(STREAMS) },
    Target { name: "tensors", work: Work::Formats(TENSORS) },
    Target { name: "graphs", work: Work::Formats(GRAPHS) },
    Target { name: "hdf5", work: Work::Formats(HDF5) },
    Target { name: "documents", work: Work::Formats(DOCUMENTS) },
    Target { name: "texts", work: Work::Formats(TEXTS) },
    Target { name: "code", work: Work::Formats(CODE) },
    Target { name: "frameworks", work: Work::Formats(FRAMEWORKS) },
    Target { name: "recognised", work: Work::Formats(RECOGNISED) },
    Target { name: "whole", work: Work::Whole },
    Target { name: "signature", work: Work::Call(signature) },
    Target { name: "certificates", work: Work::Call(certificates) },
    Target { name: "log", work: Work::Call(log) },
    Target { name: "dependencies", work: Work::Call(dependencies) },
    Target { name: "keyless", work: Work::Call(keyless) },
    Target { name: "convert", work: Work::Call(convert) },
    Target { name: "bom", work: Work::Call(bom) },
    Target { name: "xet", work: Work::Call(xet) },
];

// A target's formats stay in their order: the kept corpus selects by position.

const PICKLE: &[(&str, &str)] =
    &[("pickle", "model.pkl"), ("pickle", "model.pt"), ("pickle", "model.joblib")];

const ARCHIVES: &[(&str, &str)] = &[
    ("zip", "model.zip"),
    ("numpy-archive", "arrays.npz"),
    ("rar", "model.rar"),
    ("pytorch-zip", "model.pt"),
    ("torch-package", "package.pt"),
    ("torchserve-mar", "model.mar"),
    ("pytorch-export", "model.pt2"),
    ("torchscript-code", "code.py"),
];

const SEVENZ: &[(&str, &str)] = &[("7z", "model.7z")];

const STREAMS: &[(&str, &str)] = &[
    ("gzip", "model.pkl.gz"),
    ("bzip2", "model.bz2"),
    ("xz", "model.xz"),
    ("lzma", "model.lzma"),
    ("zlib", "model.z"),
    ("zstd", "model.zst"),
    ("lz4", "model.lz4"),
    ("joblib-zfile", "model.z"),
    ("tar", "model.tar"),
    ("pytorch-tar", "model.pt"),
    ("nemo", "model.nemo"),
];

const TENSORS: &[(&str, &str)] = &[
    ("safetensors", "model.safetensors"),
    ("gguf", "model.gguf"),
    ("ggml", "model.bin"),
    ("numpy-array", "array.npy"),
];

const GRAPHS: &[(&str, &str)] = &[
    ("onnx", "model.onnx"),
    ("ort", "model.ort"),
    ("tensorflow-graph", "saved_model.pb"),
    ("tensorflow-graph-text", "graph.pbtxt"),
    ("keras-metadata", "keras_metadata.pb"),
    ("tensorflow-fingerprint", "fingerprint.pb"),
    ("tensorflow-checkpoint-index", "variables.index"),
    ("core-ml", "model.mlmodel"),
    ("paddle-program", "inference.pdmodel"),
    ("executorch", "model.pte"),
    ("sentencepiece", "tokenizer.model"),
    ("paddle-parameters", "inference.pdiparams"),
];

const HDF5: &[(&str, &str)] = &[("hdf5", "model.h5")];

const DOCUMENTS: &[(&str, &str)] = &[
    ("json", "config.json"),
    ("json", "tokenizer_config.json"),
    ("json", "tokenizer.json"),
    ("json", "model.safetensors.index.json"),
    ("keras-config", "config.json"),
    ("skops-schema", "schema.json"),
    ("xgboost-json", "model.json"),
    ("notebook", "model.ipynb"),
];

const TEXTS: &[(&str, &str)] = &[
    ("yaml", "config.yaml"),
    ("yaml", "conda.yaml"),
    ("markdown", "README.md"),
    ("shell-script", "run.sh"),
    ("requirements", "requirements.txt"),
    ("python-lock", "uv.lock"),
    ("licence-text", "LICENSE"),
    ("python-path-file", "site.pth"),
    ("git-lfs-pointer", "model.bin"),
    ("pmml", "model.pmml"),
    ("openvino", "model.xml"),
    ("xml", "feed.xml"),
];

const CODE: &[(&str, &str)] =
    &[("jinja", "chat_template.jinja"), ("python", "modeling.py"), ("python", "setup.py")];

const FRAMEWORKS: &[(&str, &str)] = &[
    ("flax-msgpack", "flax_model.msgpack"),
    ("torch7", "model.t7"),
    ("xgboost-ubjson", "model.ubj"),
    ("xgboost-binary", "model.bst"),
    ("elf", "lib.so"),
    ("pe", "lib.dll"),
    ("mach-o", "lib.dylib"),
    ("java-class", "Layer.class"),
    ("wasm", "operator.wasm"),
    ("r-serialized", "model.rds"),
    ("fasttext", "model.ftz"),
    ("python-bytecode", "module.pyc"),
];

const RECOGNISED: &[(&str, &str)] = &[
    ("tflite", "model.bin"),
    ("llamafile", "model.bin"),
    ("core-ml-weights", "model.bin"),
    ("catboost", "model.bin"),
    ("tensorrt", "model.bin"),
    ("rknn", "model.bin"),
    ("ncnn-param", "model.bin"),
    ("cntk", "model.bin"),
    ("mxnet-params", "model.bin"),
    ("lightgbm", "model.bin"),
    ("parquet", "model.bin"),
    ("arrow", "model.bin"),
    ("avro", "model.bin"),
    ("sqlite", "model.bin"),
    ("png", "model.bin"),
    ("jpeg", "model.bin"),
    ("gif", "model.bin"),
    ("webp", "model.bin"),
    ("wav", "model.bin"),
    ("flac", "model.bin"),
    ("ogg", "model.bin"),
    ("mp3", "model.bin"),
    ("mp4", "model.bin"),
    ("pdf", "model.bin"),
    ("font", "model.bin"),
];

fn signature(bytes: &[u8]) {
    let Ok(key) = SigningKey::from_seed(Curve::P256, &[7; 32]) else { return };
    let known = KnownKey { key: key.verifying_key().clone(), hint: KeyHint::Ignored };
    if let Ok(bundle) = Bundle::parse(bytes) {
        let _ = known.accept(&bundle);
        let _ = bundle.verify_legacy(&known.key);
    }
    let _ = verify_attestation(bytes, &known.key);
    let _ = RevocationStatement::verify(bytes, &known.key);
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = VerifyingKey::from_pem(text);
        let _ = SigningKey::from_pem(text);
    }
}

/// What comes with a signature: certificates, revocation lists, timestamps. The first seed is the anchor of the others.
fn certificates(bytes: &[u8]) {
    let now = UnixTime(1_795_334_400);
    let Ok(anchor) = Certificate::from_der(include_bytes!("../../corpus/certificates/seed-000")) else {
        return;
    };
    let anchors = [anchor];
    let authorities = TimestampAuthorities { anchors: &anchors, intermediates: &[] };
    let _ = verify_timestamp(bytes, b"x", authorities, now);
    let lists = RevocationList::all_from_file(bytes).unwrap_or_default();
    let certificates = Certificate::all_from_file(bytes).unwrap_or_default();
    for leaf in certificates.iter().chain(&anchors) {
        let rules = PathRules {
            anchors: &anchors,
            intermediates: &certificates,
            at: now,
            now,
            purpose: Purpose::Signing,
            revocation_lists: &lists,
            stale_lists: StaleLists::Refused,
        };
        let _ = find_path(leaf, &rules);
        let _ = (leaf.subject(), leaf.issuer(), leaf.alternative_names(), leaf.verifying_key());
    }
}

fn log(bytes: &[u8]) {
    log_directory(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = LogVerifier::from_text(text);
    let _ = LogKey::from_text(text);
    let policy = Policy::parse(text);
    let _ = Update::parse(text);
    let _ = ExportHead::parse(text);
    let Ok(key) = log_key() else { return };
    let _ = Checkpoint::open(text, key.verifier());
    if let Ok(receipt) = Receipt::parse(text) {
        let _ = receipt.verify(key.verifier());
        if let Ok(policy) = &policy {
            let _ = receipt.witnessed(policy);
        }
    }
}

fn log_key() -> Result<LogKey, alnage_log::Error> {
    LogKey::from_seed("fuzz.example/log", &[7; 32])
}

/// The bytes as the objects of a log whose checkpoint is as it should be: the first says which object it is, the
/// second how many entries the log had.
fn log_directory(bytes: &[u8]) {
    let [which, size, bytes @ ..] = bytes else { return };
    let Ok(key) = log_key() else { return };
    let mut store = MemoryStore::default();
    let entry = |number: u64| Entry {
        statement: alnage_types::Digest::of(&number.to_be_bytes()),
        subject: alnage_types::Digest::of(b"model"),
        predicate_type: "p".into(),
        time: "t".into(),
    };
    let size = u64::from(*size) + 200;
    if append_all(&mut store, &key, &mut (0..size).map(|number| Ok(entry(number)))).is_err() {
        return;
    }
    let names: Vec<String> = store.objects.keys().cloned().collect();
    let name = &names[usize::from(*which) % names.len()];
    store.objects.insert(name.clone(), bytes.to_vec());
    let _ = fsck(&store, key.verifier(), &mut |_, _| {}, &mut |_| {});
    let _ = receipt_for(&store, key.verifier(), u64::from(*which));
    let _ = prove_consistency(&store, u64::from(*which), size);
    let _ = append(&mut store, &key, &entry(0));
}

/// The first byte selects the kind of file.
fn dependencies(bytes: &[u8]) {
    const NAMES: [&str; 8] = [
        "requirements.txt",
        "pyproject.toml",
        "uv.lock",
        "poetry.lock",
        "pylock.toml",
        "Pipfile.lock",
        "environment.yml",
        "pip-report.json",
    ];
    let Some((&selector, bytes)) = bytes.split_first() else { return };
    let mut advisories = Advisories::built_in();
    if let Some(file) = alnage_discover::read(NAMES[usize::from(selector) % NAMES.len()], bytes) {
        let wanted = file.dependencies.iter().map(|found| found.name.clone()).collect();
        let _ = advisories.add(bytes, &wanted);
        let _ = alnage_discover::check(&[file], &advisories, &Asked::default());
    }
    let _ = alnage_discover::members(bytes, &mut |_, _| {});
    let _ = alnage_discover::parse_attestations(bytes);
}
