//! `alnage convert`: what PyTorch, NumPy and h5py load is what is written, and nothing hostile is.

mod attestation;

use std::{fs, path::Path, process::Command};

use testkit::{
    archive::{Zip, ZipEntry, npy, torch_zip},
    peers,
    pickle::Pickle,
};

use super::sandbox::{Ran, Sandbox};

/// Runs one of the scripts beside this file; gives what it printed.
fn oracle(python: &Path, script: &str, word: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/convert").join(script);
    let output = Command::new(python).arg(script).arg(word).arg(folder).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Has the script write checkpoints, converts each, and has it compare; gives how many tensors are equal.
fn round(python: &Path, script: &str) -> u64 {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("checkpoints");
    fs::create_dir(&folder).unwrap();
    oracle(python, script, "write", &folder);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let name = name.to_str().unwrap();
        let arguments = format!("convert checkpoints/{name} -o checkpoints/out/{name}.safetensors --check");
        let ran = sandbox.run(&arguments);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("compared with the source"), "{}", ran.stdout);
    }
    oracle(python, script, "compare", &folder).parse().unwrap()
}

#[test]
fn what_torch_and_numpy_load_is_what_is_written() {
    let equal = round(&peers::torch_python(), "torch_oracle.py");
    assert!(equal > 450, "only {equal} tensors were compared");
}

#[test]
fn what_h5py_reads_is_what_is_written() {
    let equal = round(&peers::python(), "keras_oracle.py");
    assert!(equal > 20, "only {equal} tensors were compared");
}

/// What nobody wrote takes no room in the source: much of it is not made of little unless that is asked for.
#[test]
fn chunks_that_nobody_wrote_do_not_fill_the_disk() {
    let sandbox = Sandbox::new();
    oracle(&peers::python(), "keras_oracle.py", "expand", sandbox.root());
    for name in ["whole", "chunked", "growing", "deflated"] {
        let ran = sandbox.run(&format!("convert {name}.h5"));
        assert_eq!(ran.code, 3, "{name}: {}", ran.stdout);
        assert!(
            ran.stderr.contains("--allow-expansion") || ran.stderr.contains("too many"),
            "{name}: {}",
            ran.stderr
        );
    }
}

/// The pickle of a state dictionary with one tensor over the storage `0` of `numel` floats.
fn pickled(
    numel: i32,
    offset: i32,
    size: &[i64],
    stride: &[i64],
    more: impl FnOnce(Pickle) -> Pickle,
) -> Vec<u8> {
    let tuple = |pickle: Pickle, values: &[i64]| {
        values
            .iter()
            .fold(pickle.mark(), |pickle, value| pickle.raw([0x8a, 8]).raw(value.to_le_bytes()))
            .tuple()
    };
    let pickle =
        Pickle::protocol(2).raw(b"}").text("weight").global("torch._utils", "_rebuild_tensor_v2").mark();
    let pickle =
        pickle.mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").int(numel);
    let pickle = pickle.tuple().raw(b"Q").int(offset);
    let pickle = tuple(tuple(pickle, size), stride).raw([0x89]);
    let pickle = pickle.global("collections", "OrderedDict").raw(b")R").tuple().reduce().raw(b"s");
    more(pickle).stop()
}

/// A checkpoint with this pickle and a storage of 16 bytes.
fn checkpoint(pickle: &[u8]) -> Vec<u8> {
    let storage: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|number| number.to_le_bytes()).collect();
    torch_zip(pickle, &storage).build()
}

fn good() -> Vec<u8> {
    checkpoint(&pickled(4, 0, &[4], &[1], |pickle| pickle))
}

fn calling(module: &str, name: &str) -> Vec<u8> {
    pickled(4, 0, &[4], &[1], |pickle| {
        pickle.text("x").global(module, name).text("id").tuple1().reduce().raw(b"s")
    })
}

fn converted(bytes: &[u8], arguments: &str) -> (Sandbox, Ran) {
    let sandbox = Sandbox::new();
    sandbox.write("model.pt", bytes);
    let ran = sandbox.run(&format!("convert model.pt {arguments}"));
    (sandbox, ran)
}

#[test]
fn hostile_and_impossible_checkpoints_are_refused_and_leave_nothing() {
    let billion = (1..30_u8).fold(Pickle::protocol(2).raw(b"]q\x00"), |pickle, level| {
        pickle.raw([b']', b'(', b'h', level - 1, b'h', level - 1, b'e', b'q', level])
    });
    let mut renamed = pickled(4, 0, &[4], &[1], |pickle| pickle);
    let name = renamed.windows(6).position(|window| window == b"weight").unwrap();
    renamed[name..name + 6].copy_from_slice(b"../../");
    let cases: [(&str, Vec<u8>, i32, &str); 15] = [
        (
            "a command",
            checkpoint(&calling("os", "system")),
            1,
            "loading calls `os.system`, which starts a process",
        ),
        ("its line", checkpoint(&calling("os", "system")), 1, "of `archive/data.pkl`: os.system('id')"),
        ("code", checkpoint(&calling("builtins", "eval")), 1, "runs code given to it"),
        (
            "an unknown function",
            checkpoint(&calling("mystery", "thing")),
            1,
            "`mystery.thing`, which is more than data",
        ),
        ("a view past the end", checkpoint(&pickled(4, 1, &[4], &[1], |p| p)), 3, "reaches to byte 20"),
        ("a negative offset", checkpoint(&pickled(4, -1, &[4], &[1], |p| p)), 3, "impossible place"),
        ("a negative stride", checkpoint(&pickled(4, 3, &[4], &[-1], |p| p)), 3, "no sizes"),
        ("an overflow", checkpoint(&pickled(4, 0, &[1 << 62, 1 << 62], &[0, 0], |p| p)), 3, "overflow"),
        ("much of little", checkpoint(&pickled(4, 0, &[1 << 33], &[0], |p| p)), 3, "--allow-expansion"),
        (
            "a short storage",
            checkpoint(&pickled(5, 0, &[5], &[1], |p| p)),
            3,
            "the bytes end inside the storage",
        ),
        ("a name out of a folder", checkpoint(&renamed), 3, "a path out of a folder"),
        ("marks alone", [b"\x80\x02".as_slice(), &[b'('; 1 << 20]].concat(), 3, "max-nodes"),
        ("much ado", [b"\x80\x02".as_slice(), &b"N0".repeat(2 << 20)].concat(), 3, "max-steps"),
        ("references to references", billion.stop(), 3, "no tensors"),
        ("no end", Pickle::protocol(4).raw([0x8e]).raw((1_u64 << 60).to_le_bytes()).stop(), 3, "breaks off"),
    ];
    for (what, bytes, code, said) in cases {
        let (sandbox, ran) = converted(&bytes, "");
        assert_eq!(ran.code, code, "{what}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{what}: {}", ran.stderr);
        let left: Vec<_> =
            fs::read_dir(sandbox.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "model.pt" || name == "home"), "{what}: {left:?}");
    }
}

#[test]
fn two_members_of_one_name_are_refused() {
    let pickle = pickled(4, 0, &[4], &[1], |pickle| pickle);
    let twice = [("a/data.pkl", &pickle[..]), ("a/data/0", &[0; 16]), ("a/DATA.pkl", b"N.")];
    let twice = Zip::of(twice.map(|(name, content)| ZipEntry::stored(name, content)));
    let (_, ran) = converted(&twice.build(), "");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("two entries are called"), "{}", ran.stderr);
}

#[test]
fn a_checksum_that_does_not_fit_is_refused() {
    let mut bytes = good();
    let at = bytes.windows(4).rposition(|window| window == 4.0_f32.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    let (sandbox, ran) = converted(&bytes, "");
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("checksum of `archive/data/0`"), "{}", ran.stderr);
    assert!(!sandbox.path("model.safetensors").exists());
}

#[test]
fn unknown_calls_are_left_out_when_asked() {
    let (sandbox, ran) = converted(&checkpoint(&calling("mystery", "thing")), "--drop-unknown-calls");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.read("model.state.json").contains(r#""$object":"mystery.thing""#));
    let (_, ran) = converted(&checkpoint(&calling("os", "system")), "--drop-unknown-calls");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn nothing_is_replaced_without_force() {
    let (sandbox, ran) = converted(&good(), "");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = sandbox.run("convert model.pt");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("is there already") && ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(sandbox.run("convert model.pt --force").code, 0);
}

#[test]
fn the_attestation_names_source_outputs_and_tensors() {
    let (sandbox, ran) = converted(&good(), "--format json --check");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let file = &report["files"][0];
    assert_eq!(file["checked"]["bytes"], 16);
    let statement: serde_json::Value =
        serde_json::from_str(&sandbox.read("model.conversion.intoto.json")).unwrap();
    assert_eq!(statement["subject"][0]["name"], "model.safetensors");
    assert_eq!(statement["subject"][0]["digest"]["sha256"], file["outputs"][0]["sha256"]);
    assert_eq!(statement["predicate"]["source"]["digest"]["sha256"], file["sha256"]);
    let tensor = &statement["predicate"]["conversion"]["tensors"][0];
    assert_eq!((tensor["name"].as_str(), tensor["storage"].as_str()), (Some("weight"), Some("0")));

    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let ran = sandbox.run("convert model.pt --force --key keys/signing.pem");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let envelope: serde_json::Value =
        serde_json::from_str(&sandbox.read("model.conversion.intoto.json")).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
}

#[test]
fn the_bill_of_materials_names_what_a_model_was_converted_from() {
    for key in ["", " --key keys/signing.pem"] {
        let (sandbox, _) = converted(&good(), "");
        assert_eq!(sandbox.run("keygen --out keys").code, 0);
        let ran = sandbox.run(&format!("convert model.pt -o out/model.safetensors{key} --format json"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        sandbox.write("out/config.json", r#"{"model_type": "bert", "hidden_size": 4}"#);
        assert_eq!(sandbox.run("vet out --seal --key keys/signing.pem --log log").code, 0);
        let bom: serde_json::Value = serde_json::from_str(&sandbox.read("out/bom.cdx.json")).unwrap();
        let ancestor = &bom["components"][0]["pedigree"]["ancestors"][0];
        assert_eq!(ancestor["name"], "model.pt", "{bom:#}");
        assert_eq!(ancestor["hashes"][0]["content"], report["files"][0]["sha256"]);
        // A statement about other bytes says nothing of this model.
        sandbox.write(
            "other/model.safetensors",
            sandbox.read_bytes("out/model.safetensors").split_last().unwrap().1,
        );
        sandbox.write("other/model.conversion.intoto.json", sandbox.read("out/model.conversion.intoto.json"));
        assert_eq!(sandbox.run("bom generate other -o other.json").code, 0);
        let other: serde_json::Value = serde_json::from_str(&sandbox.read("other.json")).unwrap();
        assert!(other["components"][0]["pedigree"].is_null(), "{other:#}");
    }
}

/// The subjects of the statement stand before its source: many of them must not hide it.
#[test]
fn the_bill_of_materials_names_the_source_of_many_files() {
    let sandbox = Sandbox::new();
    let arrays: Vec<_> = (0..300)
        .map(|at| {
            (
                format!("a{at}.npy"),
                npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", &[at as u8; 8]),
            )
        })
        .collect();
    let entries = arrays.iter().map(|(name, bytes)| ZipEntry::stored(name.as_str(), bytes));
    sandbox.write("model.npz", Zip::of(entries.collect::<Vec<_>>()).build());
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let ran = sandbox.run(
        "convert model.npz -o out/model.safetensors --max-shard-size 8 --key keys/signing.pem --format json",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["files"][0]["outputs"].as_array().unwrap().len(), 301);
    sandbox.write("out/config.json", r#"{"model_type": "bert", "hidden_size": 4}"#);
    assert_eq!(sandbox.run("bom generate out -o bom.json").code, 0);
    let bom: serde_json::Value = serde_json::from_str(&sandbox.read("bom.json")).unwrap();
    let ancestor = &bom["components"][0]["pedigree"]["ancestors"][0];
    assert_eq!(ancestor["hashes"][0]["content"], report["files"][0]["sha256"], "{bom:#}");
}

#[test]
fn a_directory_is_converted_and_its_other_files_are_copied() {
    let sandbox = Sandbox::new();
    sandbox.write("hub/pytorch_model-00001-of-00002.bin", good());
    sandbox.write("hub/pytorch_model-00002-of-00002.bin", good());
    let index = r#"{"weight_map": {"weight": "pytorch_model-00001-of-00002.bin"}}"#;
    sandbox.write("hub/pytorch_model.bin.index.json", index);
    sandbox.write("hub/config.json", r#"{"model_type": "bert"}"#);
    sandbox.write("hub/training_args.bin", Pickle::protocol(2).raw(b"N").stop());
    sandbox.write("hub/modeling.py", "import os\n");
    let ran = sandbox.run("convert hub -o out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.path("out/model-00001-of-00002.safetensors").exists(), "{}", ran.stdout);
    assert!(sandbox.read("out/model.safetensors.index.json").contains("model-00001-of-00002.safetensors"));
    assert_eq!(sandbox.read("out/config.json"), r#"{"model_type": "bert"}"#);
    assert!(!sandbox.path("out/modeling.py").exists() && !sandbox.path("out/training_args.bin").exists());
    assert!(ran.stdout.contains("left behind modeling.py"), "{}", ran.stdout);
}

#[test]
fn shards_are_filled_in_order_and_indexed() {
    let three = |pickle: Pickle| {
        ["b", "c"].into_iter().fold(pickle, |pickle, name| {
            let one = pickled(4, 0, &[2], &[if name == "b" { 1 } else { 2 }], |pickle| pickle);
            // Everything between the dictionary and the first name, and STOP, is left off.
            let start = 3 + 5 + "weight".len();
            pickle.text(name).raw(&one[start..one.len() - 1])
        })
    };
    let (sandbox, ran) =
        converted(&checkpoint(&pickled(4, 0, &[4], &[1], three)), "--max-shard-size 16B --check");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let index: serde_json::Value =
        serde_json::from_str(&sandbox.read("model.safetensors.index.json")).unwrap();
    assert_eq!(index["metadata"]["total_size"], 32);
    assert_eq!(index["weight_map"]["weight"], "model-00001-of-00002.safetensors");
    assert_eq!(index["weight_map"]["c"], "model-00002-of-00002.safetensors");
}
