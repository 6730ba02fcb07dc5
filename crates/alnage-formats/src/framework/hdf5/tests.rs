use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::{Hdf5Link, hdf5};

use super::*;
use crate::{Analysis, analyse};

fn check(bytes: &[u8]) -> (Hdf5Facts, Analysis) {
    let analysis =
        analyse(ArtifactPath::file("m.h5"), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("not HDF5") };
    let FrameworkFacts::Hdf5(facts) = facts.as_ref() else { panic!("not HDF5") };
    (facts.clone(), analysis)
}

const LINKS: &[Hdf5Link<'_>] = &[
    Hdf5Link::Dataset("kernel", &[1.0, 2.0, 3.0]),
    Hdf5Link::Soft("s", "/kernel"),
    Hdf5Link::External("e", "/etc/passwd", "/x"),
    Hdf5Link::UserDefined("u", 187),
    Hdf5Link::ExternalStorage("x", "/etc/shadow"),
    Hdf5Link::Virtual("v", "../a.h5", "data"),
];

#[test]
fn every_way_out_is_a_reference() {
    let (facts, analysis) = check(&hdf5(LINKS, &[("keras_version", b"3.8.0")]));
    let mut kinds: Vec<_> =
        facts.references.iter().map(|one| format!("{:?} {:?}", one.kind, one.file)).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "ExternalLink Some(\"/etc/passwd\")",
            "ExternalStorage Some(\"/etc/shadow\")",
            "SoftLink None",
            "UserDefinedLink None",
            "VirtualDataset Some(\"../a.h5\")",
        ]
    );
    assert_eq!(facts.elements["float32"], 13);
    assert_eq!(facts.properties["keras_version"], "3.8.0");
    assert_eq!(analysis.issues, []);
    assert_eq!(analysis.artifacts[0].unclaimed.len(), 0, "{:?}", analysis.artifacts[0].unclaimed);
}

#[test]
fn a_user_block_is_unclaimed() {
    let mut bytes = vec![b'x'; 512];
    bytes.extend(hdf5(&[Hdf5Link::Dataset("k", &[1.0])], &[]));
    let (facts, analysis) = check(&bytes);
    assert_eq!((facts.user_block, facts.datasets), (512, 1));
    assert_eq!(analysis.artifacts[0].unclaimed[0].end, 512);
}

#[test]
fn a_cut_file_is_an_issue() {
    let bytes = hdf5(LINKS, &[]);
    for length in [20, 60, bytes.len() - 10] {
        assert!(!check(&bytes[..length]).1.issues.is_empty(), "{length}");
    }
}

#[test]
fn damage_does_not_panic() {
    let sample = hdf5(LINKS, &[("model_config", b"{\"class_name\":\"a\",\"config\":{}}")]);
    super::super::mutation::survive("m.h5", &sample, 4000);
}

#[test]
fn what_h5py_writes_is_read_in_full() {
    let script = r#"
import h5py, json, sys
import numpy as np
for version in ("earliest", "latest"):
    with h5py.File(f"{sys.argv[1]}/{version}.h5", "w", libver=version) as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {}})
        for i in range(40): f.attrs[f"a{i}"] = f"v{i}"
        g = f.create_group("many")
        for i in range(600): g.create_dataset(f"d{i:04}", data=np.zeros(3, "f4"))
        g["far"] = h5py.ExternalLink("/etc/passwd", "/x")
        f.create_dataset("chunked", data=np.zeros((50, 50)), chunks=(5, 5), compression="gzip")
        f.create_dataset("storage", (10,), dtype="u1", external=[("/etc/shadow", 0, 10)])
        f["cycle"] = f["/"]
"#;
    let folder = std::env::temp_dir().join(format!("alnage-h5py-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for samples");
    let made =
        std::process::Command::new(testkit::peers::python()).args(["-c", script]).arg(&folder).status();
    assert!(made.is_ok_and(|status| status.success()), "h5py failed");
    for version in ["earliest", "latest"] {
        let bytes = std::fs::read(folder.join(format!("{version}.h5"))).expect("the sample");
        let (facts, analysis) = check(&bytes);
        assert_eq!(analysis.issues, [], "{version}");
        assert_eq!((facts.datasets, facts.groups, facts.attributes), (602, 2, 41), "{version}");
        assert_eq!(facts.elements["float32"], 1800, "{version}");
        assert_eq!(facts.references.len(), 2, "{version}");
        assert!(analysis.artifacts.iter().any(|artifact| artifact.format == "keras-config"), "{version}");
    }
    std::fs::remove_dir_all(folder).expect("the folder can go");
}
