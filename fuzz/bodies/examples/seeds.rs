//! `cargo run -p fuzz-bodies --example seeds`: writes the first inputs of every target into its corpus.

use std::{fs, io, path::Path, sync::Arc};

use alnage_bom::{Declared, Format, Options, compose, write};
use alnage_formats::{Model, analyse};
use alnage_scan::{Policy, judge};
use alnage_types::{ArtifactPath, Budget, Digest, Level, Manifest, ManifestFile, MemorySource, Source};
use fuzz_bodies::{TARGETS, Work};
use testkit::{
    archive, framework, pickle, repository,
    sigstore::{Envelope, SIGNED, Sigstore},
    tensor,
};

/// A format and what is to be read as it, under every file name the targets have for it.
type Seed = (&'static str, Vec<u8>);

fn main() -> io::Result<()> {
    let seeds =
        [pickles(), archives(), tensors(), graphs(), frameworks(), documents(), texts(), programs()].concat();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for target in TARGETS {
        let directory = corpus.join(target.name);
        fs::create_dir_all(&directory)?;
        let mut inputs: Vec<Vec<u8>> = Vec::new();
        match target.work {
            Work::Formats(formats) => {
                for (selector, (id, _)) in formats.iter().enumerate() {
                    let of_format = seeds.iter().filter(|(format, _)| format == id);
                    inputs.extend(of_format.map(|(_, bytes)| [&[selector as u8], bytes.as_slice()].concat()));
                }
            }
            Work::Whole => inputs.extend(seeds.iter().map(|(_, bytes)| bytes.clone())),
            // Those of certificates were made with OpenSSL, those of conversion with PyTorch and h5py, others by hand.
            Work::Call(_) if matches!(target.name, "certificates" | "dependencies" | "convert") => continue,
            Work::Call(_) if target.name == "keyless" => inputs.extend(keyless()?),
            Work::Call(_) if target.name == "bom" => inputs.extend(boms()),
            Work::Call(_) if target.name == "xet" => inputs.extend(xet()),
            Work::Call(_) => inputs.extend(texts_of(target.name)),
        }
        for (number, input) in inputs.iter().enumerate() {
            fs::write(directory.join(format!("seed-{number:03}")), input)?;
        }
    }
    Ok(())
}

/// A shard and a xorb as the stock client sends them, and a small xorb that a fuzzer gets through faster.
fn xet() -> Vec<Vec<u8>> {
    let shard = include_bytes!("../../../crates/alnage-xet/src/samples/three-files.shard");
    let xorb = include_bytes!("../../../crates/alnage-xet/src/samples/three-files.xorb");
    let chunk = |stored: &[u8]| {
        let size = stored.len() as u8;
        [&[0, size, 0, 0, 0, size, 0, 0][..], stored].concat()
    };
    let small = [chunk(b"one"), chunk(b"another"), b"XETBLOB".to_vec()].concat();
    let hash = "23c6c148f18695395d943549bf1764e41fefe2d5a356676803089c86fa2727b0";
    vec![
        [&[0][..], shard].concat(),
        [&[1][..], xorb].concat(),
        [&[1][..], &small].concat(),
        [&[2][..], hash.as_bytes()].concat(),
        [&[2][..], &small].concat(),
    ]
}

fn pickles() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = (0..24).map(|seed| ("pickle", pickle::generate(seed))).collect();
    seeds.push(("pickle", pickle::call("posix", "system", "id")));
    seeds
}

fn archives() -> Vec<Seed> {
    let program = pickle::call("os", "system", "id");
    let array = archive::npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", &[0; 8]);
    let text = archive::STREAM_CONTENT.as_bytes();
    let member =
        |name: &str, bytes: &[u8]| archive::Zip::of([archive::ZipEntry::deflated(name, bytes)]).build();
    let tar = archive::tar(&[
        archive::TarEntry::file("model_config.yaml", b"a: 1\n"),
        archive::TarEntry::symlink("../x", "/etc/passwd"),
        archive::TarEntry::file("data.pkl", &program),
    ]);
    let checkpoint = archive::torch_zip(&program, &[0; 16]).build();
    let mut seeds = vec![
        ("zip", member("a/b.txt", text)),
        ("zip", archive::Zip { zip64: true, ..archive::torch_zip(&program, &[0; 4]) }.build()),
        ("numpy-array", array.clone()),
        ("numpy-array", archive::npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", &program)),
        ("numpy-archive", member("x.npy", &array)),
        ("pytorch-zip", checkpoint.clone()),
        ("pytorch-export", checkpoint),
        ("torch-package", member("archive/.data/extern_modules", b"numpy\n")),
        ("torchserve-mar", member("MAR-INF/MANIFEST.json", br#"{"model": {"handler": "handler.py"}}"#)),
        (
            "torchscript-code",
            b"class M(Module):\n  def forward(self) -> Tensor:\n    return ops.aten.save(x)\n".to_vec(),
        ),
        ("rar", b"Rar!\x1a\x07\x01\x00\x33\x92\xb5\xe5\x0a\x01\x05\x06\x00\x05\x01\x01\x80\x80\x00".to_vec()),
        ("rar", b"Rar!\x1a\x07\x00\xcf\x90\x73\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00".to_vec()),
        ("gzip", archive::gzip(text)),
        ("zlib", archive::zlib(text)),
        ("joblib-zfile", [b"ZF0x68               ".as_slice(), &archive::zlib(text)].concat()),
        ("tar", tar.clone()),
        ("pytorch-tar", tar.clone()),
        ("nemo", tar),
    ];
    seeds.extend(archive::STREAMS.iter().map(|(format, digits)| (*format, archive::hex(digits))));
    seeds.extend(archive::PACKED_ZIPS.iter().map(|(_, digits)| ("zip", archive::hex(digits))));
    seeds.extend(archive::SEVENZ.iter().map(|(_, digits)| ("7z", archive::hex(digits))));
    seeds
}

fn tensors() -> Vec<Seed> {
    let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    vec![
        ("safetensors", tensor::safetensors(header, &[0; 8])),
        ("safetensors", tensor::safetensors_with_metadata("key", "value")),
        ("gguf", tensor::Gguf::model("{{ messages }}").build(64)),
        ("gguf", tensor::Gguf::new(3, true).number("a", 1).texts("b", &["c", "d"]).build(0)),
        ("ggml", [b"tjgg".as_slice(), &[1, 0, 0, 0], &[1, 0, 0, 0].repeat(12)].concat()),
        ("ggml", [b"lmgg".as_slice(), &[1, 0, 0, 0].repeat(12)].concat()),
    ]
}

fn graphs() -> Vec<Seed> {
    let inner = tensor::onnx_graph(&[tensor::onnx_node("", "Add")], &[]);
    let outer = tensor::onnx_graph(
        &[
            tensor::onnx_node("ai.onnx.contrib", "PyOp")
                .message(5, &tensor::onnx_text_attribute("module", "os")),
            tensor::onnx_node("", "If").message(5, &tensor::onnx_graph_attribute("then_branch", &inner)),
        ],
        &[
            tensor::onnx_tensor("w", &[2], 1, &[0; 8]),
            tensor::onnx_external_tensor("x", &[2], &[("location", "../../etc/passwd"), ("offset", "0")]),
        ],
    );
    let nodes: [framework::TensorFlowNode<'_>; 2] =
        [("name", "Const", &[], "/etc/passwd"), ("read", "ReadFile", &["name"], "")];
    vec![
        ("onnx", tensor::onnx_model(&outer).0),
        ("ort", b"\x18\0\0\0ORTM\0\0\0\0\x0e\0\x18\0\x04\0".to_vec()),
        ("tensorflow-graph", framework::tensorflow_graph(&nodes)),
        ("tensorflow-graph", framework::saved_model(&nodes, true)),
        ("tensorflow-graph-text", b"node {\n  name: \"a\"\n  op: 'ReadFile'\n  input: \"b\"\n  attr { key: \"T\" value { type: DT_STRING } }\n}\n".to_vec()),
        ("keras-metadata", framework::keras_metadata(KERAS)),
        ("tensorflow-fingerprint", framework::protobuf_number(1, u64::MAX)),
        ("tensorflow-checkpoint-index", vec![0; 96]),
        ("core-ml", [framework::protobuf_number(1, 8), framework::protobuf_bytes(2, b"\x0a\x01a"), framework::protobuf_bytes(555, b"\x0a\x01a")].concat()),
        ("paddle-program", framework::protobuf_bytes(1, &[framework::protobuf_number(1, 0), framework::protobuf_bytes(4, b"\x1a\x06py_func")].concat())),
        ("executorch", b"\x1c\0\0\0ET12\0\0\0\0".to_vec()),
    ]
}

fn frameworks() -> Vec<Seed> {
    use framework::Hdf5Link;
    vec![
        (
            "hdf5",
            framework::hdf5(
                &[
                    Hdf5Link::Soft("a", "/b"),
                    Hdf5Link::External("c", "/etc/passwd", "/d"),
                    Hdf5Link::Dataset("e", &[1.0, 2.0]),
                    Hdf5Link::ExternalStorage("f", "/etc/passwd"),
                    Hdf5Link::Virtual("g", "other.h5", "/h"),
                    Hdf5Link::UserDefined("i", 70),
                ],
                &[("model_config", KERAS.as_bytes()), ("keras_version", b"2.15.0")],
            ),
        ),
        ("flax-msgpack", b"\x82\xa6params\x81\xa1w\xc7\x0a\x01\x93\x91\x02\xa4int8\xc4\x02\0\0\xa1x\x93\x01\xcb\0\0\0\0\0\0\0\0\xc0".to_vec()),
        ("torch7", [1, 0, 0, 0].repeat(16)),
        ("xgboost-ubjson", framework::xgboost_ubjson("reg:squarederror")),
        ("xgboost-binary", [b"binf".as_slice(), &[0; 160]].concat()),
        ("xgboost-json", framework::xgboost_json("binary:logistic").into_bytes()),
        ("skops-schema", framework::SKOPS_METHOD.as_bytes().to_vec()),
        ("keras-config", KERAS.as_bytes().to_vec()),
        ("fasttext", framework::FastText::classifier().build()),
        ("fasttext", framework::FastText::quantised().build()),
    ]
}

fn documents() -> Vec<Seed> {
    let samples = repository::samples().into_iter();
    samples
        .filter_map(|(name, bytes)| {
            let format = match name.rsplit_once('.')?.1 {
                "json" => "json",
                "yaml" => "yaml",
                "md" => "markdown",
                "sh" => "shell-script",
                "txt" => "requirements",
                "jinja" => "jinja",
                "py" => "python",
                "so" => "elf",
                _ => return None,
            };
            Some((format, bytes))
        })
        .collect()
}

fn texts() -> Vec<Seed> {
    vec![
        ("json", br#"{"weight_map": {"a": "../x.bin", "b": "model-00001.safetensors"}, "metadata": {"total_size": 1e9}}"#.to_vec()),
        ("python-path-file", b"# comment\nimport os; os.system('id')\n../x\n".to_vec()),
        ("git-lfs-pointer", format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n", "ab".repeat(32)).into_bytes()),
        ("pmml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><PMML version='4.4'><Extension name='x'>&b;</Extension></PMML>".to_vec()),
        ("openvino", b"<?xml version=\"1.0\"?><net name=\"n\" version=\"11\"><layers><layer id=\"0\" name=\"a\" type=\"Custom\" version=\"extension\"/></layers></net>".to_vec()),
        ("xml", b"<a b='c'><![CDATA[d]]><!-- e -->&#x41;&lt;<f/></a>".to_vec()),
    ]
}

fn programs() -> Vec<Seed> {
    let head = |magic: &[u8], size: usize| {
        let mut bytes = magic.to_vec();
        bytes.resize(size, 0);
        bytes
    };
    let mut pe = head(b"MZ", 256);
    pe[0x3c] = 0x80;
    pe[0x80..0x84].copy_from_slice(b"PE\0\0");
    vec![
        ("pe", pe),
        ("mach-o", head(b"\xcf\xfa\xed\xfe\x07\0\0\x01", 64)),
        ("java-class", head(b"\xca\xfe\xba\xbe\0\0\0\x37", 32)),
        ("wasm", head(b"\0asm\x01\0\0\0", 16)),
        ("tflite", b"\x1c\0\0\0TFL3".to_vec()),
        ("python-bytecode", testkit::bytecode::compiled(testkit::bytecode::ORDINARY)),
    ]
}

fn keyless() -> io::Result<Vec<Vec<u8>>> {
    let fixtures =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/alnage-sign/tests/fixtures/sigstore");
    let own = Sigstore::default();
    let envelope = own.envelope(own.certificate(|_| {}), br#"{"_type": "https://in-toto.io/Statement/v1"}"#);
    let mut inputs = vec![own.trusted_root(&[]).to_string().into_bytes()];
    for name in ["staging.root", "hashedrekord-0.0.2", "dsse-0.0.1", "intoto-0.0.2", "before-checkpoints"] {
        inputs.push(fs::read(fixtures.join(format!("{name}.json")))?);
    }
    for kind in
        [Envelope::dsse, Envelope::dsse_2, Envelope::hashedrekord, Envelope::hashedrekord_2, Envelope::intoto]
    {
        let body = kind(&envelope);
        let bundle = envelope.bundle(&[own.entry(&body, SIGNED), own.timeless_entry(&body)], &[]);
        inputs.push(bundle.to_string().into_bytes());
    }
    Ok(inputs)
}

/// What is said of a small repository, in every format.
fn boms() -> Vec<Vec<u8>> {
    let options = Options {
        name: "model",
        version: Some("1"),
        tool_version: "0",
        timestamp: "2026-01-01T00:00:00Z",
        author: Some("me"),
        signature: Some("model.sig"),
        attestation: None,
    };
    let samples = || {
        let samples = repository::samples().into_iter();
        samples.filter(|(name, _)| matches!(*name, "README.md" | "requirements.txt"))
    };
    let mut model = Model { tree: Vec::new(), artifacts: Vec::new(), issues: Vec::new() };
    for (name, bytes) in samples() {
        let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
        model.artifacts.extend(analyse(ArtifactPath::file(name), source, &Budget::default()).artifacts);
    }
    let judged = judge(&model, &Policy::default(), Level::Audit, |_| true);
    let files = samples().map(|(name, bytes)| ManifestFile {
        path: name.to_owned(),
        size: bytes.len() as u64,
        sha256: Some(Digest::of(&bytes)),
    });
    let manifest = Manifest::new(files.collect());
    let bom = compose(&model, &manifest, judged.verdict, &judged.findings, &options, &Declared::default());
    [Format::CycloneDx17, Format::CycloneDx16, Format::Spdx]
        .map(|format| write(&bom, format).into_bytes())
        .into()
}

fn texts_of(target: &str) -> Vec<Vec<u8>> {
    let texts: &[&str] = match target {
        "signature" => {
            &[BUNDLE, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAAA\n-----END PUBLIC KEY-----\n"]
        }
        _ => &[
            "example.org/log+01234567+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh\n",
            "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nexample.org/log\n2\nAAAA\n\n\u{2014} example.org/log AAAA\n",
        ],
    };
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const BUNDLE: &str = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":
{"hint":"a"},"tlogEntries":[]},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json",
"signatures":[{"sig":"AAAA","keyid":""}]}}"#;

const KERAS: &str = r#"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "module": "keras.layers",
"config": {"function": ["4wEAAAA=", null, null], "name": "a"}, "registered_name": "x>y"}]}, "keras_version": "3.0.0"}"#;
