"""Hooks of packages that are too large to install here, on stand-ins that have the same entry points.

What they cannot show is that the real package has those entry points; `test_torch_itself` shows it for Torch where Debian's
package of it is installed.
"""

import os
import pickle
import subprocess
import sys
import zipfile

import numpy
import pytest
from safetensors.numpy import save_file

import alnage

TORCH = {
    "torch/serialization.py": """
        import io, pickle, zipfile

        def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **options):
            module = pickle_module or pickle
            with zipfile.ZipFile(f) as archive:
                class Unpickler(module.Unpickler):
                    def find_class(self, module, name):
                        return super().find_class(module, name)
                with archive.open("archive/data.pkl") as data:
                    return Unpickler(io.BytesIO(data.read())).load()
    """,
    "torch/jit.py": """
        import zipfile

        def load(f, map_location=None):
            return zipfile.ZipFile(f).namelist()
    """,
    "torch/__init__.py": """
        from torch.serialization import load
        from torch import jit
    """,
}


class Settings:
    """A class that no table knows."""

    def __init__(self):
        self.a = 7


def checkpoint(path, value):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value, 2))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def through(keys, path, sealed, format, load):
    """Unsealed refused, sealed loaded, banned refused, allowed loaded, altered refused."""
    with keys.enforce(ban="none"):
        with pytest.raises(alnage.Refused, match="no seal covers it"):
            load()
        keys.sign(sealed)
        load()
    with keys.enforce(ban=format), pytest.raises(alnage.Refused, match="banned"):
        load()
    with keys.enforce(ban=format, allow_format=format):
        load()
    flip(path)
    with keys.enforce(ban="none"), pytest.raises(alnage.Refused, match="not what was signed"):
        load()


@pytest.mark.parametrize("imported", ["before", "after"])
def test_torch(imported, stand_in, tmp_path, keys):
    stand_in(TORCH)
    path = tmp_path / "m.pt"
    checkpoint(path, Settings())
    if imported == "before":
        import torch

    def load():
        import torch

        assert torch.load(path).a == torch.serialization.load(open(path, "rb")).a == 7
        assert "archive/data.pkl" in torch.jit.load(str(path))

    through(keys, path, path, "pytorch-zip", load)
    import torch

    assert not hasattr(torch.load, "__alnage__")


def test_torch_with_the_restricted_unpickler(stand_in, tmp_path):
    stand_in(TORCH)
    import torch

    path = tmp_path / "m.pt"
    checkpoint(path, {"w": numpy.arange(3)})
    assert torch.load(path, pickle_module=alnage.pickle)["w"].sum() == 3
    checkpoint(path, Settings())
    with pytest.raises(alnage.ForbiddenGlobal, match="Settings"):
        torch.load(path, pickle_module=alnage.pickle)


def test_torch_itself(tmp_path, keys):
    system = "/usr/bin/python3"
    if not os.path.exists("/usr/lib/python3/dist-packages/torch"):
        pytest.fail("`cargo xtask test` installs python3-torch")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, torch, alnage, alnage.pickle\n"
        "path, key, sealed = sys.argv[1:]\n"
        "torch.save({'w': torch.ones(3)}, path) if not sealed else None\n"
        "assert torch.load(path, pickle_module=alnage.pickle)['w'].sum() == 3\n"
        "options = {'allow_format': ['pickle']} if sealed != 'banned' else {}\n"
        "with alnage.enforce(keys=key, **options):\n"
        "    try:\n"
        "        print(torch.load(path)['w'].sum().item(), torch.load(open(path, 'rb'))['w'].sum().item())\n"
        "    except alnage.Refused as refused:\n"
        "        print(refused.reasons[0])\n"
    )
    package = os.path.dirname(os.path.dirname(alnage.__file__))
    place = tmp_path / "alone"
    place.mkdir()
    os.symlink(os.path.join(package, "alnage"), place / "alnage")

    def run(sealed):
        command = [system, str(program), str(tmp_path / "m.pt"), str(keys.public), sealed]
        ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(place)})
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "banned" in run("") or "no seal" in run("")
    keys.sign(tmp_path / "m.pt")
    assert run("yes") == "3.0 3.0\n"
    assert "banned" in run("banned")


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_keras(name, stand_in, tmp_path, keys):
    stand_in({
        "keras/__init__.py": "from keras import models\n",
        "keras/models.py": """
            def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
                assert str(filepath).endswith((".keras", ".h5")), filepath
                return open(filepath, "rb").read()
        """,
    })
    path = tmp_path / name
    if name == "m.keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
            archive.writestr("metadata.json", '{"keras_version": "3.9.0", "date_saved": "2026-01-01@00:00:00"}')
            archive.writestr("model.weights.h5", b"")
        format = "keras-config"
    else:
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(200)))
        format = "hdf5"
    content = path.read_bytes()

    def load():
        import keras

        assert keras.models.load_model(path) == content

    through(keys, path, path, format, load)


TRANSFORMERS = {
    "transformers/__init__.py": "",
    "transformers/dynamic_module_utils.py": """
        import importlib, os, shutil, sys

        CACHE = os.environ["STAND_IN_CACHE"]

        def get_class_from_dynamic_module(class_reference, pretrained_model_name_or_path, **options):
            repository, _, reference = class_reference.rpartition("--")
            file, _, name = reference.partition(".")
            folder = os.path.join(CACHE, "transformers_modules")
            os.makedirs(folder, exist_ok=True)
            source = os.path.join(repository or pretrained_model_name_or_path, file + ".py")
            shutil.copy(source, os.path.join(folder, file + ".py"))
            if os.environ.get("STAND_IN_MEDDLES"):
                with open(os.path.join(folder, file + ".py"), "a") as copy:
                    copy.write("meddled = 1\\n")
            if CACHE not in sys.path:
                sys.path.insert(0, CACHE)
            importlib.invalidate_caches()
            return getattr(importlib.import_module(f"transformers_modules.{file}"), name)
    """,
    "transformers/modeling_utils.py": """
        import json, os
        from safetensors.numpy import load_file

        class PreTrainedModel:
            @classmethod
            def from_pretrained(cls, pretrained_model_name_or_path, *arguments, trust_remote_code=False, **options):
                if trust_remote_code:
                    from transformers.dynamic_module_utils import get_class_from_dynamic_module
                    config = json.load(open(os.path.join(pretrained_model_name_or_path, "config.json")))
                    found = get_class_from_dynamic_module(config["auto_map"]["AutoModel"], pretrained_model_name_or_path)
                    assert found.answer == 42
                path = os.path.join(pretrained_model_name_or_path, "model.safetensors")
                return load_file(path)["w"].sum()
    """,
}


@pytest.fixture
def repository(stand_in, tmp_path, monkeypatch):
    stand_in(TRANSFORMERS)
    monkeypatch.setenv("STAND_IN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"w": numpy.arange(4.0)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "modeling_mine.Mine"}}')
    (folder / "modeling_mine.py").write_text("class Mine:\n    answer = 42\n")
    return folder


@pytest.mark.parametrize("trust_remote_code", [False, True])
def test_transformers(trust_remote_code, repository, keys):
    def load():
        from transformers.modeling_utils import PreTrainedModel

        assert PreTrainedModel.from_pretrained(str(repository), trust_remote_code=trust_remote_code) == 6

    with keys.enforce():
        with pytest.raises(alnage.Refused, match="seal"):
            load()
        keys.sign(repository)
        load()
    with keys.enforce(ban="safetensors"), pytest.raises(alnage.Refused, match="banned"):
        load()
    (repository / "modeling_mine.py").write_text("class Mine:\n    answer = 43\n")
    with keys.enforce(), pytest.raises(alnage.Refused, match="not what was signed") as refused:
        load()
    assert refused.value.path.endswith("modeling_mine.py")


def test_code_from_elsewhere_is_refused(repository, keys):
    from transformers.modeling_utils import PreTrainedModel

    keys.sign(repository)
    with keys.enforce():
        with pytest.raises(alnage.Refused, match="from a hub"):
            PreTrainedModel.from_pretrained("somebody/something", trust_remote_code=True)
    (repository / "config.json").write_text('{"auto_map": {"AutoModel": "somebody/something--modeling_mine.Mine"}}')
    keys.sign(repository)
    with keys.enforce():
        with pytest.raises(alnage.Refused, match="from a hub"):
            PreTrainedModel.from_pretrained(str(repository), trust_remote_code=True)


def test_a_copy_of_code_is_what_was_sealed(repository, keys, monkeypatch):
    from transformers.modeling_utils import PreTrainedModel

    keys.sign(repository)
    monkeypatch.setenv("STAND_IN_MEDDLES", "1")
    with keys.enforce():
        with pytest.raises(alnage.Refused, match="a copy of code"):
            PreTrainedModel.from_pretrained(str(repository), trust_remote_code=True)


def test_code_beside_a_model_is_imported_when_it_is_sealed(repository, keys, monkeypatch):
    monkeypatch.syspath_prepend(str(repository))

    def load():
        sys.modules.pop("modeling_mine", None)
        import modeling_mine

        return modeling_mine.Mine.answer

    with keys.enforce():
        with pytest.raises(alnage.Refused, match="beside a model"):
            load()
        keys.sign(repository)
        assert load() == 42
        # Compiled code that lies about is not believed.
        cache = repository / "__pycache__"
    (repository / "modeling_mine.py").write_text("class Mine:\n    answer = 43\n")
    with keys.enforce(), pytest.raises(alnage.Refused, match="not what was signed"):
        load()
    assert load() == 43


def test_planted_bytecode_is_not_believed(repository, keys, monkeypatch):
    import importlib.util
    import py_compile

    keys.sign(repository)
    source = repository / "modeling_mine.py"
    planted = repository.parent / "planted.py"
    planted.write_text("class Mine:\n    answer = 44\n")
    os.utime(planted, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    (repository / "__pycache__").mkdir()
    py_compile.compile(str(planted), cfile=importlib.util.cache_from_source(str(source)))
    monkeypatch.syspath_prepend(str(repository))
    import modeling_mine

    assert modeling_mine.Mine.answer == 44, "the bytecode is one that Python believes"
    del sys.modules["modeling_mine"]
    with keys.enforce(ignore_unsigned_files=True):
        import modeling_mine

        assert modeling_mine.Mine.answer == 42
    del sys.modules["modeling_mine"]
