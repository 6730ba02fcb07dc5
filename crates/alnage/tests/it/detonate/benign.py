"""Writes files as numpy, scikit-learn, joblib and PyTorch write them; only numpy need be there."""

import collections, gzip, io, pickle, sys, types, zipfile, zlib

import numpy

folder = sys.argv[1]


def module(name, **members):
    made = types.ModuleType(name)
    for key, value in members.items():
        value.__module__ = name
        setattr(made, key, value)
    sys.modules[name] = made
    return made


class Tree:
    def __init__(self, *sizes):
        self.sizes = sizes

    def __reduce__(self):
        return Tree, (4, numpy.array([2]), 1), {"nodes": numpy.zeros(3, [("left", "<i8"), ("value", "<f8")])}

    def __setstate__(self, state):
        self.__dict__.update(state)


class RandomForestClassifier:
    pass


def _rebuild_tensor_v2(*arguments):
    pass


class FloatStorage:
    pass


class Linear:
    pass


module("sklearn")
module("sklearn.tree")
module("sklearn.tree._tree", Tree=Tree)
module("sklearn.ensemble")
module("sklearn.ensemble._forest", RandomForestClassifier=RandomForestClassifier)
module("torch", FloatStorage=FloatStorage)
module("torch._utils", _rebuild_tensor_v2=_rebuild_tensor_v2)
module("torch.nn")
module("torch.nn.modules")
module("torch.nn.modules.linear", Linear=Linear)


class NumpyArrayWrapper:
    pass


module("joblib")
module("joblib.numpy_pickle", NumpyArrayWrapper=NumpyArrayWrapper)


def path(name):
    return f"{folder}/{name}"


array = numpy.arange(1000, dtype="<f4").reshape(10, 100)
numpy.save(path("plain.npy"), array)
numpy.save(path("objects.npy"), numpy.array([{"a": 1}, "text", None], dtype=object), allow_pickle=True)
numpy.savez_compressed(path("archive.npz"), first=array, second=numpy.arange(3))

forest = RandomForestClassifier()
forest.trees, forest.classes, forest.names = [Tree(), Tree()], numpy.array(["a", "b"]), collections.OrderedDict(a=1)
Point = collections.namedtuple("Point", "x y")
module("project", Point=Point)
for protocol in range(2, 6):
    with open(path(f"forest-{protocol}.pkl"), "wb") as file:
        pickle.dump({"forest": forest, "scalar": numpy.float64(2), "point": Point(1, 2)}, file, protocol)


class JoblibPickler(pickle._Pickler):
    """Writes arrays as joblib does: a wrapper, then the bytes between the opcodes."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_array(self, array):
        wrapper = NumpyArrayWrapper()
        wrapper.__dict__.update(
            subclass=numpy.ndarray, shape=array.shape, order="C", dtype=array.dtype, allow_mmap=True,
            numpy_array_alignment_bytes=16,
        )
        self.save_reduce(object.__reduce_ex__(wrapper, 2)[0], object.__reduce_ex__(wrapper, 2)[1], wrapper.__dict__)
        self.framer.commit_frame(force=True)
        self.raw.write(b"\x03abc" + array.tobytes())

    dispatch[numpy.ndarray] = save_array


stream = io.BytesIO()
pickler = JoblibPickler(stream, protocol=3)
pickler.raw = stream
pickler.dump({"weights": array, "labels": numpy.array([1, 2, 3])})
joblib = stream.getvalue()
for name, data in [("model.joblib", joblib), ("zlib.joblib", zlib.compress(joblib)), ("gzip.joblib", gzip.compress(joblib))]:
    with open(path(name), "wb") as file:
        file.write(data)


class Storage:
    def __init__(self, key):
        self.key = key


class Tensor:
    def __init__(self, key):
        self.key = key

    def __reduce__(self):
        return _rebuild_tensor_v2, (Storage(self.key), 0, (2, 2), (2, 1), False, collections.OrderedDict())


class TorchPickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", FloatStorage, value.key, "cpu", 4) if isinstance(value, Storage) else None


def torch_pickle(value):
    stream = io.BytesIO()
    TorchPickler(stream, 2).dump(value)
    return stream.getvalue()


layer = Linear()
layer.weight, layer.training = Tensor("1"), True
state = collections.OrderedDict([("layer.weight", Tensor("0")), ("layer.bias", Tensor("1"))])
for name, value in [("state.pt", state), ("module.pt", layer)]:
    with zipfile.ZipFile(path(name), "w") as archive:
        archive.writestr("archive/data.pkl", torch_pickle(value))
        archive.writestr("archive/version", "3\n")
        for key in "01":
            # Weights may begin like a pickle.
            archive.writestr(f"archive/data/{key}", b"\x80\x02" + bytes(14))
with open(path("legacy.bin"), "wb") as file:
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, file, 2)
    file.write(torch_pickle(state))
    pickle.dump(["0", "1"], file, 2)
    file.write((4).to_bytes(8, "little") + bytes(16) + (4).to_bytes(8, "little") + bytes(16))
