"""Writes checkpoints with PyTorch, and compares what became of them with what PyTorch and NumPy load.

    torch_oracle.py write DIR      every data type, stride and kind of alias, in every container
    torch_oracle.py compare DIR    each file of DIR with DIR/out/<file>.safetensors; prints how many tensors are equal
"""

import collections, json, os, pickle, struct, sys, warnings

warnings.simplefilter("ignore")
import numpy as np
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.first = torch.nn.Linear(4, 4)
        self.second = torch.nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.rest = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU())

    def forward(self, x):
        return self.rest(self.second(self.first(self.norm(self.conv(x)).mean((2, 3)))))


DTYPES = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128".split()


def tensors():
    torch.manual_seed(0)
    found = collections.OrderedDict()
    for name in DTYPES:
        dtype = getattr(torch, name)
        base = torch.randn(5, 7, 3) * 50
        base = (torch.complex(base, base.flip(0)) if dtype.is_complex else base).to(dtype)
        found["plain." + name] = base
        found["permuted." + name] = base.permute(2, 0, 1)
        found["sliced." + name] = base[1:4, ::2, 1:]
        found["expanded." + name] = base[:, :1, :].expand(5, 4, 3)
        found["scalar." + name] = base[2, 3, 1]
        found["empty." + name] = base[:0]
    line = torch.arange(1000).float()
    found["view"] = line[10:110].view(10, 10)
    found["overlapping"] = line[50:150].view(10, 10).t()
    found["tied"] = found["view"]
    found["tied_again"] = line[10:110].view(10, 10)
    found["strided"] = torch.as_strided(line, (5, 6, 2), (3, 50, 7), 4)
    found["wide"] = torch.randn(300, 700).t()
    numbers = torch.complex(torch.randn(4, 5), torch.randn(4, 5))
    found["conjugate"] = numbers.conj()
    found["conjugate_transposed"] = numbers.conj().t()
    found["negative"] = torch.complex(torch.randn(3), torch.randn(3)).conj().imag
    found["parameter"] = torch.nn.Parameter(torch.randn(3, 3))
    return found


def write(folder):
    state = {"state_dict": tensors(), "epoch": 3, "loss": float("nan"), "options": {"betas": (0.9, 0.999), 3: b"x"}}
    for protocol in (2, 3, 4, 5):
        torch.save(state, f"{folder}/zip{protocol}.pt", pickle_protocol=protocol)
    torch.save(state, f"{folder}/stream.pt", _use_new_zipfile_serialization=False)
    net = Net()
    torch.save(net, f"{folder}/module.pt")
    torch.save(net.state_dict(), f"{folder}/state.pt")
    torch.jit.script(net).save(f"{folder}/script.pt")
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict()}, f"{folder}/training.pt")
    torch.save(special(), f"{folder}/special.pt")
    with open(f"{folder}/plain.pkl", "wb") as file:
        pickle.dump({"torch": torch.randn(3, 4), "numpy": np.arange(12).reshape(3, 4)}, file)
    for protocol in range(6):
        with open(f"{folder}/numpy{protocol}.pkl", "wb") as file:
            pickle.dump([np.random.randn(7, 3), np.asfortranarray(np.arange(12.0).reshape(3, 4))], file, protocol)
    np.save(f"{folder}/big_endian.npy", np.arange(24, dtype=">f4").reshape(2, 3, 4))
    np.save(f"{folder}/fortran.npy", np.asfortranarray(np.arange(24).reshape(2, 3, 4)))
    np.savez_compressed(f"{folder}/packed.npz", a=np.arange(1000), b=np.ones((20, 2), "f2"), c=np.array(["a", "b"]))
    np.savez(f"{folder}/stored.npz", a=np.arange(3), b=np.ones((2, 2), ">i2"))


def special():
    one = torch.quantize_per_tensor(torch.randn(4, 6), 0.1, 3, torch.qint8)
    many = torch.quantize_per_channel(
        torch.randn(4, 6), torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([0, 1, 2, 3]), 0, torch.quint8
    )
    rows = torch.tensor([[0, 1, 1], [2, 0, 2]])
    return {
        "quantized": one,
        "channels": many,
        "quantized_transposed": one.t(),
        "coo": torch.sparse_coo_tensor(rows, torch.tensor([3.0, 4.0, 5.0]), (2, 3)),
        "csr": torch.tensor([[1.0, 0, 2], [0, 3, 0]]).to_sparse_csr(),
    }


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    cut = lambda entry: data[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]]
    return {name: (entry["shape"], cut(entry)) for name, entry in header.items()}, metadata


def flat(value, name=""):
    """Every tensor with its name, tensors that are written as several as these."""
    below = lambda key: f"{name}.{key}" if name else str(key)
    if isinstance(value, torch.nn.Module):
        value = value.state_dict()
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flat(part, below(key))
    elif isinstance(value, (list, tuple)):
        for key, part in enumerate(value):
            yield from flat(part, below(key))
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "fiubc":
            yield name or "tensor", torch.from_numpy(np.ascontiguousarray(value).astype(value.dtype.newbyteorder("=")))
    elif isinstance(value, torch.Tensor):
        value = value.detach()
        if value.layout == torch.sparse_coo:
            yield from [(below("indices"), value._indices()), (below("values"), value._values())]
        elif value.layout == torch.sparse_csr:
            yield from [(below("crow_indices"), value.crow_indices()), (below("col_indices"), value.col_indices())]
            yield below("values"), value.values()
        elif value.is_quantized:
            yield name, value.int_repr()
            if value.qscheme() == torch.per_tensor_affine:
                yield below("scale"), torch.tensor(value.q_scale(), dtype=torch.float64)
                yield below("zero_point"), torch.tensor(value.q_zero_point())
            else:
                yield below("scale"), value.q_per_channel_scales()
                yield below("zero_point"), value.q_per_channel_zero_points()
        else:
            yield name, value.resolve_conj().resolve_neg()


def load(path):
    if path.endswith(".npy"):
        return np.load(path)
    if path.endswith(".npz"):
        return dict(np.load(path))
    if path.endswith(".pkl"):
        with open(path, "rb") as file:
            return pickle.load(file)
    if "script" in path:
        return torch.jit.load(path).state_dict()
    return torch.load(path)


def compare(folder):
    equal = 0
    for file in sorted(os.listdir(folder)):
        if not os.path.isfile(f"{folder}/{file}"):
            continue
        written, metadata = read(f"{folder}/out/{file}.safetensors")
        unwrapped = metadata.get("alnage.unwrapped")
        expected = set()
        for name, tensor in flat(load(f"{folder}/{file}")):
            name = name[len(unwrapped) + 1 :] if unwrapped else name
            alias = metadata.get("alnage.alias." + name)
            assert (alias is None) == (name in written), f"{file}: {name} is neither written nor an alias"
            expected.add(alias or name)
            shape, data = written[alias or name]
            tensor = tensor.contiguous()
            pair = [2] if tensor.dtype == torch.complex128 else []
            assert shape == list(tensor.shape) + pair, f"{file}: the shape of {name} is {shape}"
            bits = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
            assert data == bits.numpy().tobytes(), f"{file}: {name} differs"
            equal += 1
        assert expected == set(written), f"{file}: {set(written) - expected} is nowhere in it"
    print(equal)


{"write": write, "compare": compare}[sys.argv[1]](sys.argv[2])
