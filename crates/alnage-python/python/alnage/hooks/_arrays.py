"""`numpy.load`, whose arrays may hold pickles, and `joblib.load`, which is one."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from alnage._context import inside, is_inside
from alnage._patches import Patches
from alnage.hooks._common import by_path_or_file

_numpy_load = by_path_or_file("numpy.load", "file", inner="pickle")
_joblib_load = by_path_or_file("joblib.load", "filename", takes="pickle")


def numpy(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `numpy`: members of an archive are read later, and belong to what was admitted then."""

    def make(original: Any) -> Any:
        def load(*arguments: Any, **options: Any) -> Any:
            loaded = original(*arguments, **options)
            if is_inside() and getattr(loaded, "allow_pickle", False):
                loaded.__class__ = _belonging(type(loaded))
            return loaded

        return _numpy_load(current)(load)

    patches.replace(module, "load", make)


def _belonging(archive: Any) -> Any:
    """The class of an archive, less the questions about its members."""

    class Archive(archive):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            with inside():
                return super().__getitem__(key)

    Archive.__name__ = archive.__name__
    Archive.__qualname__ = archive.__qualname__
    Archive.__module__ = archive.__module__
    return Archive


def joblib(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `joblib` or `joblib.numpy_pickle`."""
    patches.replace(module, "load", _joblib_load(current))


#: Where `numpy` itself has it from, in its versions.
_INNER = ("numpy.lib._npyio_impl", "numpy.lib.npyio")

HOOKS = {"numpy": numpy, **{name: numpy for name in _INNER}, "joblib": joblib, "joblib.numpy_pickle": joblib}
