"""`alnage.Unpickler`: builds what policy allows and nothing else."""

import collections
import fractions
import functools
import io
import os
import pickle
import subprocess

import numpy
import pytest

import alnage
import alnage.pickle


class Thing:
    """A class that no table knows."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return vars(self) == vars(other)


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HARMLESS = [
    None,
    {"a": [1, 2.5, "text", b"bytes", (True, {3})]},
    collections.OrderedDict(a=1),
    fractions.Fraction(1, 3),
    numpy.arange(6.0).reshape(2, 3),
    numpy.float32(1.5),
    numpy.dtype("<f4"),
    range(3),
    complex(1, 2),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", HARMLESS, ids=repr)
def test_plain_data_is_built(value, protocol):
    data = pickle.dumps(value, protocol)
    assert numpy.array_equal(alnage.pickle.loads(data), value) or alnage.pickle.loads(data) == value


HOSTILE = [
    (Call(os.system, "echo owned"), "system"),
    (Call(subprocess.getoutput, "echo owned"), "getoutput"),
    (Call(eval, "1 + 1"), "eval"),
    (Call(functools.partial, os.system, "x"), "system"),
    (Call(getattr, Call(__import__, "os"), "system"), "__import__"),
    (Call(getattr, Call(getattr, collections.OrderedDict, "__init__"), "__globals__"), "OrderedDict.__init__"),
    (os.system, "system"),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value, name", HOSTILE)
def test_what_reaches_the_system_is_not_built(value, name, protocol, capfd):
    data = pickle.dumps([1, value], protocol)
    with pytest.raises(alnage.ForbiddenGlobal) as forbidden:
        alnage.pickle.loads(data)
    assert isinstance(forbidden.value, pickle.UnpicklingError)
    assert name in str(forbidden.value) and "offset 0x" in str(forbidden.value)
    assert "owned" not in capfd.readouterr().out


def test_the_unknown_is_named_with_its_offset_and_can_be_allowed():
    data = pickle.dumps([1, Thing(2)], 2)
    with pytest.raises(alnage.ForbiddenGlobal) as forbidden:
        alnage.pickle.loads(data)
    assert (forbidden.value.module, forbidden.value.name) == (__name__, "Thing")
    assert data[forbidden.value.offset :].startswith(b"c" + __name__.encode())
    for allow in (f"{__name__}.Thing", [f"{__name__}.*"]):
        assert alnage.pickle.loads(data, allow=allow) == [1, Thing(2)]
    with pytest.raises(alnage.ForbiddenGlobal):
        alnage.pickle.loads(data, allow=f"{__name__}.Other")
    with pytest.raises(alnage.ForbiddenGlobal):
        alnage.pickle.loads(pickle.dumps(Call(os.system, "true")), allow=["os.*", "posix.*"])


def test_several_pickles_of_a_file_are_read_one_by_one():
    file = io.BytesIO(pickle.dumps(1) + pickle.dumps([2]) + b"raw")
    assert [alnage.pickle.load(file), alnage.pickle.load(file)] == [1, [2]]
    assert file.read() == b"raw"


def test_a_stream_that_cannot_go_back_is_judged_name_by_name():
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    assert alnage.Unpickler(Pipe(pickle.dumps(numpy.arange(3)))).load().sum() == 3
    for value in (Thing(1), Call(os.system, "true"), Call(functools.partial, print)):
        with pytest.raises(alnage.ForbiddenGlobal) as forbidden:
            alnage.Unpickler(Pipe(pickle.dumps(value))).load()
        assert forbidden.value.offset is None


def test_it_can_be_derived_from():
    class Mine(alnage.Unpickler):
        def persistent_load(self, number):
            return f"storage {number}"

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return 7 if value == "seven" else None

    file = io.BytesIO()
    Pickler(file, 2).dump(["seven", 8])
    file.seek(0)
    assert Mine(file).load() == ["storage 7", 8]
