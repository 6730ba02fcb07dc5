"""Writes HDF5 weights and compares what became of them with what h5py reads: keras_oracle.py write|compare DIR"""

import io, json, os, struct, sys, zipfile

import h5py
import numpy as np


def fill(file, chunked=True):
    random = np.random.default_rng(0)
    file["layers/dense/vars/0"] = random.normal(size=(30, 20)).astype("f4")
    file["layers/dense/vars/1"] = random.normal(size=20).astype("f2")
    file["layers/norm/vars/0"] = np.arange(7, dtype=">i4")
    file["layers/mask"] = np.array([True, False])
    file["scalar"] = np.float64(2.5)
    file["empty"] = np.zeros((0, 3), "f4")
    for at, options in enumerate([{"compression": "gzip"}, {"compression": "gzip", "shuffle": True, "fletcher32": True}, {}]):
        if not chunked:
            break
        file.create_dataset(f"chunked/{at}", data=random.normal(size=(37, 23, 5)), chunks=(8, 10, 5), **options)
    file["text"] = "no numbers"
    file.attrs["model_config"] = "{}"


def write(folder):
    for name, options in [("old.h5", {}), ("latest.weights.h5", {"libver": "v110"})]:
        with h5py.File(f"{folder}/{name}", "w", **options) as file:
            # Chunks of the newest versions have indices of other kinds, which nobody writes weights with.
            fill(file, chunked=not options)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    with zipfile.ZipFile(f"{folder}/model.keras", "w") as archive:
        archive.writestr("config.json", '{"class_name": "Functional"}')
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", buffer.getvalue())


def compare(folder):
    equal = 0
    for name in sorted(os.listdir(folder)):
        path = f"{folder}/{name}"
        if not os.path.isfile(path):
            continue
        with open(f"{folder}/out/{name}.safetensors", "rb") as file:
            data = file.read()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        del header["__metadata__"]
        if name.endswith(".keras"):
            path = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
        expected = {}
        with h5py.File(path) as file:
            see = lambda name, part: expected.__setitem__(name.replace("/", "."), part[()]) if hasattr(part, "shape") else None
            file.visititems(see)
        expected = {key: np.asarray(value) for key, value in expected.items() if not isinstance(value, bytes)}
        assert set(expected) == set(header), (name, set(expected) ^ set(header))
        for key, value in expected.items():
            entry = header[key]
            start, end = entry["data_offsets"]
            little = value.astype(value.dtype.newbyteorder("<"))
            assert entry["shape"] == list(value.shape), (name, key)
            assert data[8 + length + start : 8 + length + end] == little.tobytes(), f"{name}: {key} differs"
            equal += 1
    print(equal)


{"write": write, "compare": compare}[sys.argv[1]](sys.argv[2])
