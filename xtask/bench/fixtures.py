"""Writes the files that `cargo xtask bench` times scanners on.

usage: fixtures.py DIRECTORY
"""

import collections
import json
import os
import pathlib
import pickle
import sys
import types
import zipfile

out = pathlib.Path(sys.argv[1])
GIB = 1 << 30
TENSORS = 64
BYTES = GIB // TENSORS


def stand_in_torch():
    """Modules with the names that a checkpoint refers to: the pickle is the one torch.save writes."""
    for name in ("torch", "torch._utils", "torch.storage"):
        sys.modules[name] = types.ModuleType(name)

    def _rebuild_tensor_v2(*arguments):
        raise NotImplementedError

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    sys.modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    storage = type("FloatStorage", (), {"__module__": "torch"})
    sys.modules["torch"].FloatStorage = storage
    return _rebuild_tensor_v2, storage


def torch_checkpoint(path):
    rebuild, storage_class = stand_in_torch()

    class Storage:
        def __init__(self, key):
            self.key = key

    class Tensor:
        def __init__(self, key):
            self.storage = Storage(key)

        def __reduce__(self):
            return rebuild, (self.storage, 0, (BYTES // 4,), (1,), False, collections.OrderedDict())

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return "storage", storage_class, value.key, "cpu", BYTES // 4
            return None

    block = os.urandom(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("archive/data.pkl", "w") as member:
            state = collections.OrderedDict((f"layer.{i}.weight", Tensor(str(i))) for i in range(TENSORS))
            Pickler(member, 2).dump(state)
        archive.writestr("archive/byteorder", "little")
        for i in range(TENSORS):
            with archive.open(f"archive/data/{i}", "w") as member:
                for _ in range(BYTES >> 20):
                    member.write(block)
        archive.writestr("archive/version", "3\n")


def safetensors(path):
    header = {
        f"layer.{i}.weight": {"dtype": "F32", "shape": [BYTES // 4], "data_offsets": [i * BYTES, (i + 1) * BYTES]}
        for i in range(TENSORS)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(GIB >> 20):
            file.write(block)


def small_pickles(directory):
    directory.mkdir()
    for i in range(2000):
        state = collections.OrderedDict(step=i, loss=i / 7, name=f"run-{i}", history=[float(k) for k in range(20)])
        (directory / f"{i:04}.pkl").write_bytes(pickle.dumps({"state": state, "tags": ["a", "b"]}, 2 + i % 4))


def some_bytes(path, size):
    """A file of `size` bytes, no two the same."""
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(block)
        file.write(os.urandom(size & ((1 << 20) - 1)))


def long_files(directory):
    """What a model often is: few long files, and short ones around them."""
    directory.mkdir()
    for name, size in (("model-1", 700), ("model-2", 700), ("model-3", 400), ("tokenizer", 9)):
        some_bytes(directory / f"{name}.bin", size * 1_000_000)
    for i in range(8):
        some_bytes(directory / f"part-{i}.bin", 24_000_000)
    (directory / "notes").mkdir()
    for i in range(300):
        some_bytes(directory / "notes" / f"{i:03}.txt", 40 * i)


def even_files(directory):
    directory.mkdir()
    for i in range(20):
        some_bytes(directory / f"model-{i:02}.bin", 100_000_000)


def many_files(directory):
    for i in range(20_000):
        folder = directory / f"{i // 1000:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:05}.txt").write_bytes(os.urandom(1000))


out.mkdir(parents=True, exist_ok=True)
for write, name in (
    (small_pickles, "small"),
    (torch_checkpoint, "checkpoint.pt"),
    (safetensors, "model.safetensors"),
    (long_files, "long"),
    (even_files, "even"),
    (many_files, "many"),
):
    place = out / name
    if not place.exists():
        # A fixture that is only half written is not there.
        write(out / "unfinished")
        (out / "unfinished").rename(place)
