"""Keys, sealed models and stand-ins for packages that are too large to install for a test."""

import os
import subprocess
import sys
import textwrap

import pytest

import alnage


def cli(*arguments, code=0, folder=None):
    """Runs the command line of the wheel."""
    command = [sys.executable, "-m", "alnage", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert ran.returncode == code, f"{command}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
    return ran


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory):
    """Logs and memories of the tests stay theirs."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


class Keys:
    """A pair of keys, and what is done with it."""

    def __init__(self, folder):
        cli("keygen", "--out", folder)
        self.private = folder / "signing.pem"
        self.public = folder / "signing.pub.pem"

    def sign(self, path):
        """Signs without vetting: what these tests load is not what should pass."""
        cli("sign", path, "--key", self.private)

    def seal(self, path):
        """Vets and seals."""
        cli("vet", path, "--seal", "--key", self.private)

    def enforce(self, **options):
        """Enforcement by this key."""
        return alnage.enforce(keys=self.public, **options)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Writes modules that have the entry points of a large package, and forgets them after the test."""
    before = set(sys.modules)
    folder = tmp_path / "stand-ins"

    def write(modules):
        for name, text in modules.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]
