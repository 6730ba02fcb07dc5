"""`admit`: verified files, held as they were verified."""

import os
import pickle

import numpy
import pytest
from safetensors.numpy import load_file, save_file

import alnage


@pytest.fixture
def model(tmp_path, keys):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    save_file({"w": numpy.arange(4.0)}, folder / "model.safetensors")
    save_file({"w": numpy.zeros(3 << 20)}, folder / "sub" / "long.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    keys.sign(folder)
    return folder


def test_files_are_given_as_they_were_verified(model, keys):
    with alnage.admit(model, keys=keys.public) as admitted:
        assert set(admitted.names) == {"config.json", "model.safetensors", "sub/long.safetensors"}
        assert admitted.signer and len(admitted.digest) == 64
        (model / "config.json").write_text("{}")
        os.replace(model / "config.json", model / "model.safetensors")
        assert admitted.read("config.json") == b'{"model_type": "bert"}'
        assert load_file(admitted.file_path("model.safetensors"))["w"].sum() == 6
        named = admitted.file_path("model.safetensors", ending=True)
        assert named.endswith("/model.safetensors") and load_file(named)["w"].sum() == 6
        with pytest.raises(OSError):
            with open(admitted.file_path("model.safetensors"), "r+b", buffering=0) as file:
                file.write(b"x")
        with pytest.raises(KeyError):
            admitted.open("elsewhere.json")
        with pytest.raises(KeyError):
            admitted.open()
    assert not os.path.exists(named)


def test_a_long_file_that_changes_meanwhile_is_told(model, keys):
    with pytest.raises(alnage.NotVerified, match="somebody wrote to `sub/long.safetensors`"):
        with alnage.admit(model, keys=keys.public) as admitted:
            admitted.open("sub/long.safetensors").close()
            with open(model / "sub" / "long.safetensors", "r+b") as file:
                file.seek(-1, 2)
                file.write(b"x")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda model: (model / "config.json").write_text("{}"), "it is not what was signed"),
        (lambda model: (model / "config.json").unlink(), "is missing"),
        (lambda model: (model / "model.sig").unlink(), "No such file|not found|no"),
    ],
)
def test_what_is_not_as_it_was_signed_is_refused(model, keys, change, reason):
    change(model)
    with pytest.raises(alnage.NotVerified, match=reason):
        alnage.admit(model, keys=keys.public)


def test_lazily_only_what_is_asked_for_is_verified(model, keys):
    (model / "sub" / "long.safetensors").write_bytes(b"other")
    with alnage.admit(model, keys=keys.public, lazy=True) as admitted:
        assert admitted.read("config.json")
        with pytest.raises(alnage.NotVerified):
            admitted.open("sub/long.safetensors")


def test_a_file_by_itself(tmp_path, keys, stranger):
    path = tmp_path / "array.npy"
    numpy.save(path, numpy.arange(3))
    with pytest.raises(alnage.NotVerified, match="no seal covers it"):
        alnage.admit(path, keys=keys.public)
    keys.sign(path)
    with alnage.admit(path, keys=keys.public) as admitted:
        assert numpy.load(os.fspath(admitted)).sum() == 3
        assert numpy.load(admitted.open()).sum() == 3
    with pytest.raises(alnage.NotVerified, match="seal"):
        alnage.admit(path, keys=stranger.public)
    with pytest.raises(FileNotFoundError):
        alnage.admit(tmp_path / "nothing", keys=keys.public)


def test_pickles_are_banned_until_they_are_allowed(tmp_path, keys):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": [1, 2]}))
    keys.sign(path)
    with pytest.raises(alnage.NotVerified, match="banned"):
        alnage.admit(path, keys=keys.public)
    with alnage.admit(path, keys=keys.public, allow_format="pickle") as admitted:
        assert pickle.load(admitted.open()) == {"a": [1, 2]}
    with pytest.raises(alnage.NotVerified, match="verdict"):
        alnage.admit(path, keys=keys.public, allow_format="pickle", require_verdict=True)
