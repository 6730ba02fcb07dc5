"""Writes HDF5 weights and compares what became of them with what h5py reads: keras_oracle.py write|expand|compare DIR"""

import io, json, os, struct, sys, zipfile

import h5py
import numpy as np


def fill(file):
    random = np.random.default_rng(0)
    file["layers/dense/vars/0"] = random.normal(size=(30, 20)).astype("f4")
    file["layers/dense/vars/1"] = random.normal(size=20).astype("f2")
    file["layers/norm/vars/0"] = np.arange(7, dtype=">i4")
    file["layers/mask"] = np.array([True, False])
    file["scalar"] = np.float64(2.5)
    file["empty"] = np.zeros((0, 3), "f4")
    for at, options in enumerate([{"compression": "gzip"}, {"compression": "gzip", "shuffle": True, "fletcher32": True}, {}]):
        file.create_dataset(f"chunked/{at}", data=random.normal(size=(37, 23, 5)), chunks=(8, 10, 5), **options)
    file["text"] = "no numbers"
    file.attrs["model_config"] = "{}"


def index(file, paged):
    """Chunks behind every kind of index, each with and without filters, and elements that were never written."""
    random = np.random.default_rng(1)
    for packed, options in [("plain", {}), ("packed", {"compression": "gzip", "shuffle": True})]:
        create = lambda name, data, **more: file.create_dataset(f"{packed}/{name}", data=data, **options, **more)
        create("single", random.normal(size=(3, 4)), chunks=(3, 4))
        create("fixed", random.normal(size=(9, 10)), chunks=(2, 3))
        create("fixed-larger", random.normal(size=(9, 10)), chunks=(2, 3), maxshape=(11, 33))
        create("fixed-pages", np.arange(5000, dtype="i2"), chunks=(2,))
        create("growing", random.normal(size=(20, 3)), chunks=(1, 2), maxshape=(None, 5))
        create("growing-inside", np.arange(3 * 40 * 5, dtype="i4").reshape(3, 40, 5), chunks=(2, 3, 2), maxshape=(4, None, 9))
        if paged and packed == "plain":
            create("growing-pages", np.arange(135_000, dtype="u1"), chunks=(1,), maxshape=(None,))
        create("tree", random.normal(size=(5, 7)), chunks=(2, 2), maxshape=(None, None))
        create("tree-deep", np.arange(90 * 100, dtype="i4").reshape(90, 100), chunks=(1, 1), maxshape=(None, None))
        sparse = file.create_dataset(f"{packed}/sparse", (4000,), "f4", chunks=(3,), fillvalue=2.5, **options)
        sparse[1500:1510] = 1
        sparse = file.create_dataset(f"{packed}/sparse-growing", (9000, 2), "i2", chunks=(2, 2), maxshape=(None, 2), **options)
        sparse[7000:7003] = 1
    file.create_dataset("never/chunked", (5, 3), ">f4", chunks=(2, 2), fillvalue=-1)
    file.create_dataset("never/whole", (5, 3), "f8", fillvalue=7)
    file.create_dataset("never/zeros", (5000, 3), "u1")
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((2, 3))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((5, 7), (8, 9))
    made = h5py.h5d.create(file.id, b"early", h5py.h5t.IEEE_F32LE, space, early)
    h5py.Dataset(made)[...] = random.normal(size=(5, 7))


def write(folder):
    for name, options in [
        ("old.h5", {}),
        ("v110.weights.h5", {"libver": "v110"}),
        ("latest.weights.h5", {"libver": "latest"}),
    ]:
        with h5py.File(f"{folder}/{name}", "w", **options) as file:
            fill(file)
            index(file, paged=name.startswith("v110"))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    with zipfile.ZipFile(f"{folder}/model.keras", "w") as archive:
        archive.writestr("config.json", '{"class_name": "Functional"}')
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", buffer.getvalue())


def expand(folder):
    """Files of a few kilobytes that say they hold a terabyte, or as good as one."""
    size = 1 << 40
    zeros = lambda file, length: file.create_dataset("x", data=np.zeros(length, "u1"), chunks=(1 << 20,), compression="gzip")
    for name, fill in [
        ("whole.h5", lambda file: file.create_dataset("x", (size,), "u1")),
        ("chunked.h5", lambda file: file.create_dataset("x", (size,), "u1", chunks=(1 << 20,), fillvalue=3)),
        ("growing.h5", lambda file: file.create_dataset("x", (size,), "u1", chunks=(1 << 20,), maxshape=(None,))),
        ("deflated.h5", lambda file: zeros(file, 64 << 20)),
    ]:
        with h5py.File(f"{folder}/{name}", "w", libver="v110") as file:
            fill(file)


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


{"write": write, "expand": expand, "compare": compare}[sys.argv[1]](sys.argv[2])
