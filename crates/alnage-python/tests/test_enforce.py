"""`enforce`: every hook refuses what is not sealed, and loads what is."""

import io
import json
import os
import pickle
import subprocess
import sys
import threading
import zipfile

import joblib
import numpy
import onnxruntime
import pytest
import safetensors
import safetensors.numpy

import alnage
from onnx_graph import identity_graph

#: Taken hold of before any enforcement.
EARLY_LOAD, EARLY_LOADS, EARLY_UNPICKLER = pickle.load, pickle.loads, pickle.Unpickler


class Thing:
    """A class that no table knows."""


class Evil:
    def __reduce__(self):
        return os.system, ("echo owned",)


def write(path, data):
    path.write_bytes(data)


def read_pickle(path):
    with open(path, "rb") as file:
        return pickle.load(file)["a"]


def read_unpickler(path):
    with open(path, "rb") as file:
        return pickle.Unpickler(file).load()["a"]


def read_python_unpickler(path):
    with open(path, "rb") as file:
        return pickle._Unpickler(file).load()["a"]


def safe_open(path):
    with safetensors.safe_open(path, framework="np") as file:
        return int(file.get_tensor("a"))


def session(path):
    return int(onnxruntime.InferenceSession(path).run(None, {"x": numpy.full(1, 7, numpy.float32)})[0][0])


def dump_keras(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
        archive.writestr("metadata.json", '{"keras_version": "3.9.0"}')


# Name, file, format, writing, loading what gives 7.
LOADERS = [
    ("pickle.load", "m.pkl", "pickle", lambda p: write(p, pickle.dumps({"a": 7})), read_pickle),
    ("pickle.Unpickler", "m.pkl", "pickle", lambda p: write(p, pickle.dumps({"a": 7})), read_unpickler),
    ("pickle.Unpickler", "m.bin", "pickle", lambda p: write(p, pickle.dumps({"a": 7}, 0)), read_python_unpickler),
    ("joblib.load", "m.joblib", "pickle", lambda p: joblib.dump({"a": 7}, p), lambda p: joblib.load(p)["a"]),
    ("joblib.load", "z.joblib", "pickle", lambda p: joblib.dump({"a": 7}, p, compress=3), lambda p: joblib.load(p)["a"]),
    ("numpy.load", "m.npy", "numpy-array", lambda p: numpy.save(p, numpy.array(7)), lambda p: int(numpy.load(p))),
    (
        "numpy.load",
        "mapped.npy",
        "numpy-array",
        lambda p: numpy.save(p, numpy.array([7])),
        lambda p: int(numpy.load(p, mmap_mode="r")[0]),
    ),
    ("numpy.load", "m.npz", "numpy-archive", lambda p: numpy.savez(p, a=7), lambda p: int(numpy.load(p)["a"])),
    (
        "numpy.load",
        "o.npz",
        "pickle",
        lambda p: numpy.savez(p, a=numpy.array([Thing, 7], object)),
        lambda p: numpy.load(p, allow_pickle=True)["a"][1],
    ),
    (
        "numpy.load",
        "f.npz",
        "pickle",
        lambda p: numpy.savez(p, a=numpy.array([Thing, 7], object)),
        lambda p: numpy.load(open(p, "rb"), allow_pickle=True)["a"][1],
    ),
    (
        "numpy.load",
        "o.npy",
        "pickle",
        lambda p: numpy.save(p, numpy.array([Thing, 7], object)),
        lambda p: numpy.load(open(p, "rb"), allow_pickle=True)[1],
    ),
    (
        "safetensors.load_file",
        "m.safetensors",
        "safetensors",
        lambda p: safetensors.numpy.save_file({"a": numpy.array(7)}, p),
        lambda p: int(safetensors.numpy.load_file(p)["a"]),
    ),
    (
        "safetensors.safe_open",
        "m.safetensors",
        "safetensors",
        lambda p: safetensors.numpy.save_file({"a": numpy.array(7)}, p),
        safe_open,
    ),
    ("onnxruntime.InferenceSession", "m.onnx", "onnx", lambda p: write(p, identity_graph()), session),
]


@pytest.mark.parametrize("loader, name, format, make, load", LOADERS, ids=[f"{row[0]}-{row[1]}" for row in LOADERS])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_loaded_is_sealed(loader, name, format, make, load, kind, tmp_path, keys):
    folder = tmp_path / "model"
    folder.mkdir()
    path = folder / name
    make(path)
    sealed = path if kind == "file" else folder
    assert load(path) == 7
    with keys.enforce(ban="none") as enforcement:
        with pytest.raises(alnage.Refused, match="no seal covers it") as refused:
            load(path)
        assert refused.value.loader == loader
        keys.sign(sealed)
        assert load(path) == 7
        assert [decision.decision for decision in enforcement.decisions] == ["refused", "admitted"] or (
            loader == "onnxruntime.InferenceSession"
        )
    with keys.enforce(ban=format):
        with pytest.raises(alnage.Refused, match="banned"):
            load(path)
    with keys.enforce(ban=format, allow_format=format):
        assert load(path) == 7
    with keys.enforce(ban="none"):
        content = bytearray(path.read_bytes())
        if format == "onnx":
            content += b"\x00"
        else:
            content[-1] ^= 1
        path.write_bytes(content)
        with pytest.raises(alnage.Refused, match="not what was signed"):
            load(path)


@pytest.mark.parametrize("name", ["long.npy", "long.safetensors", "long.joblib"])
def test_what_is_too_long_to_copy_is_held(name, tmp_path, keys):
    path = tmp_path / name
    array = numpy.arange(2 << 20, dtype=numpy.float64)
    save, load = {
        "long.npy": (lambda: numpy.save(path, array), lambda: numpy.load(path)[-1]),
        "long.safetensors": (
            lambda: safetensors.numpy.save_file({"a": array}, path),
            lambda: safetensors.numpy.load_file(path)["a"][-1],
        ),
        "long.joblib": (lambda: joblib.dump(array, path), lambda: joblib.load(path)[-1]),
    }[name]
    save()
    keys.sign(path)
    with keys.enforce(ban="none"):
        assert load() == array[-1]
        with open(path, "r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x01")
        with pytest.raises(alnage.Refused, match="not what was signed"):
            load()


def test_by_default_sealed_pickles_stay_out(tmp_path, keys):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps({"a": 7}))
    keys.sign(path)
    with keys.enforce():
        with pytest.raises(alnage.Refused, match='allow_format="pickle"'):
            read_pickle(path)
    with keys.enforce(allow_format="pickle"):
        assert read_pickle(path) == 7


def test_a_signature_of_a_stranger_is_none(tmp_path, keys, stranger):
    path = tmp_path / "m.npy"
    numpy.save(path, numpy.array(7))
    stranger.sign(path)
    with keys.enforce():
        with pytest.raises(alnage.Refused, match="seal .* does not hold"):
            numpy.load(path)


def test_what_no_file_holds_builds_plain_data_alone(keys, capfd):
    plain, thing, evil = pickle.dumps({"a": [1]}), pickle.dumps(Thing()), pickle.dumps(Evil())
    ways = [pickle.loads, EARLY_LOADS, lambda data: pickle.load(io.BytesIO(data)), lambda data: EARLY_LOAD(io.BytesIO(data))]
    ways += [lambda data: EARLY_UNPICKLER(io.BytesIO(data)).load(), lambda data: pickle._loads(data)]
    ways += [lambda data: numpy.load(io.BytesIO(array(data)), allow_pickle=True)]
    for way in ways:
        with keys.enforce():
            way(plain)
            for data in (thing, evil):
                with pytest.raises(alnage.ForbiddenGlobal):
                    way(data)
        with keys.enforce(memory="allow"):
            way(thing)
        way(thing)
    with keys.enforce(memory="refuse"):
        with pytest.raises(alnage.Refused, match="bytes that are in no file"):
            pickle.loads(plain)
    with keys.enforce():
        with pytest.raises(alnage.Refused, match="bytes that are in no file"):
            onnxruntime.InferenceSession(identity_graph())
    assert "owned" not in capfd.readouterr().out


def array(data):
    """An array of objects whose pickle is `data`."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header += b" " * (64 - (10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def test_what_was_taken_hold_of_before_is_held_to_names_too(tmp_path, keys):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(Thing()))
    with keys.enforce():
        with open(path, "rb") as file, pytest.raises(alnage.ForbiddenGlobal):
            EARLY_LOAD(file)


def test_processes_of_one_program_still_speak_to_each_other(keys):
    import concurrent.futures
    import multiprocessing

    with keys.enforce():
        context = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            assert isinstance(pool.submit(Thing).result(), Thing)
        ours, theirs = multiprocessing.Pipe()
        theirs.send(Thing())
        assert isinstance(ours.recv(), Thing)


def test_a_file_changed_while_it_is_loaded_is_refused(tmp_path, keys):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps([1, "x" * (9 << 20)]))
    keys.sign(path)

    def meddle():
        with open(path, "r+b") as writer:
            writer.write(b"\x80")

    with keys.enforce(allow_format="pickle"):
        with open(path, "rb") as file, pytest.raises(alnage.Refused, match="wrote to it"):
            Meddled(file, meddle).load()


class Meddled(pickle._Unpickler):
    """Somebody writes to the file while it is loaded."""

    def __init__(self, file, meddle):
        super().__init__(file)
        self.meddle = meddle
        self.dispatch = {**self.dispatch, pickle.STOP[0]: Meddled.stop}

    def stop(self):
        self.meddle()
        raise pickle._Stop(self.stack.pop())


def test_modes(tmp_path, keys):
    path = tmp_path / "m.npy"
    numpy.save(path, numpy.array(7))
    heard = []
    with keys.enforce(mode="warn", heard=heard.append):
        with pytest.warns(alnage.AdmissionWarning, match="no seal covers it"):
            assert numpy.load(path) == 7
    assert [(decision.loader, decision.decision) for decision in heard] == [("numpy.load", "not-refused")]
    audit = tmp_path / "audit.jsonl"
    with alnage.enforce(mode="observe", audit=audit) as enforcement:
        assert enforcement.mode == "observe"
        assert numpy.load(path) == 7
        assert isinstance(EARLY_LOADS(pickle.dumps(Thing())), Thing)
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(line["loader"], line["decision"]) for line in lines] == [("numpy.load", "not-refused"), ("pickle", "not-refused")]
    assert lines[0]["formats"] == ["numpy-array"] and lines[0]["path"] == str(path)
    with pytest.raises(alnage.AlnageError, match="nobody is named"):
        alnage.enforce()
    with pytest.raises(alnage.AlnageError, match="`memory`"):
        keys.enforce(memory="sometimes")
    with pytest.raises(alnage.AlnageError, match="no format of a model"):
        keys.enforce(ban="pickel")


def test_what_cannot_be_judged_is_not_waved_through(tmp_path, keys, monkeypatch):
    path = tmp_path / "m.npy"
    numpy.save(path, numpy.array(7))
    keys.sign(path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with keys.enforce():
        guard = alnage._enforcing.current()

        class Failing:
            mode, audit = "enforce", None

            def judge(self, *arguments):
                raise OSError("written to while it was looked at")

            def keep(self):
                pass

        monkeypatch.setattr(guard, "gate", Failing())
        with pytest.raises(alnage.Refused, match="written to while"):
            numpy.load(path)
        with pytest.raises(alnage.Refused, match="in no file"):
            safetensors.numpy.load_file(pipe)
        with pytest.raises(FileNotFoundError):
            monkeypatch.setattr(Failing, "judge", lambda *arguments: open(tmp_path / "nothing"))
            numpy.load(tmp_path / "nothing")


def test_exempt_places_are_not_looked_at(tmp_path, keys):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps({"a": 7}))
    with keys.enforce(exempt=tmp_path):
        assert read_pickle(path) == 7


def test_undone_is_as_before(tmp_path, keys):
    before = [
        pickle.load, pickle.loads, pickle.Unpickler, pickle._Unpickler.load, numpy.load, joblib.load, safetensors.safe_open,
        safetensors.numpy.load_file, vars(onnxruntime.InferenceSession)["__init__"], list(sys.meta_path),
    ]  # fmt: skip

    def now():
        return [
            pickle.load, pickle.loads, pickle.Unpickler, pickle._Unpickler.load, numpy.load, joblib.load,
            safetensors.safe_open, safetensors.numpy.load_file, vars(onnxruntime.InferenceSession)["__init__"],
            list(sys.meta_path),
        ]  # fmt: skip

    path = tmp_path / "m.npy"
    numpy.save(path, numpy.array(7))
    outer = keys.enforce()
    assert now() != before
    hooked = now()
    inner = keys.enforce(exempt=tmp_path)
    assert now() == hooked
    assert numpy.load(path) == 7
    inner.undo()
    inner.undo()
    with pytest.raises(alnage.Refused):
        numpy.load(path)
    kept = numpy.load
    outer.undo()
    assert now() == before
    assert kept(path) == 7 and numpy.load(path) == 7


def test_many_threads_ask_at_once(tmp_path, keys):
    good, bad = tmp_path / "good.npy", tmp_path / "bad.npy"
    for path in (good, bad):
        numpy.save(path, numpy.array(7))
    keys.sign(good)
    outcomes = []

    def load():
        for _ in range(20):
            outcomes.append(int(numpy.load(good)))
            try:
                numpy.load(bad)
                outcomes.append("loaded")
            except alnage.Refused:
                outcomes.append("refused")

    with keys.enforce():
        threads = [threading.Thread(target=load) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert outcomes.count(7) == outcomes.count("refused") == 160


def test_nothing_is_imported_for_it(keys):
    program = (
        "import sys, alnage; alnage.enforce(keys=sys.argv[1]); "
        "print([name for name in ('numpy', 'torch', 'joblib', 'safetensors', 'keras') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(keys.public)], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_a_program_is_run_behind_it(tmp_path, keys):
    numpy.save(tmp_path / "m.npy", numpy.array(7))
    (tmp_path / "program.py").write_text(
        "import sys, numpy, helper\nprint(sys.argv[1:], __name__, helper.x, int(numpy.load('m.npy')))\n"
    )
    (tmp_path / "helper.py").write_text("x = 1\n")

    def run(*options):
        command = [sys.executable, "-m", "alnage", "run", "--key", str(keys.public), *options]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    refused = run("--", "program.py", "a", "-b")
    assert refused.returncode == 1 and "numpy.load refused `m.npy`: no seal covers it" in refused.stderr
    keys.sign(tmp_path / "m.npy")
    ran = run("--", "program.py", "a", "-b")
    assert (ran.stdout, ran.returncode) == ("['a', '-b'] __main__ 1 7\n", 0), ran.stderr
    assert run("--", "-m", "program", "c").stdout == "['c'] __main__ 1 7\n"
    assert run("--", "-c", "import sys; print(sys.argv)", "d").stdout == "['-c', 'd']\n"
    assert run("--", "-c", "raise SystemExit(5)").returncode == 5
    wall = run("--no-network", "--", "program.py")
    assert wall.returncode == 2 and "`alnage run` is the wall" in wall.stderr
