"""`pickle` and its C half: `load`, `loads` and `Unpickler`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from alnage._patches import Patches
from alnage.hooks._common import by_path_or_file

_load = by_path_or_file("pickle.load", "file", takes="pickle")


def hook(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `pickle` or `_pickle`."""
    for name in ("load", "_load"):
        patches.replace(module, name, _load(current))
    for name in ("loads", "_loads"):
        patches.replace(module, name, lambda original: _loads(original, current))
    patches.replace(module, "Unpickler", lambda original: _unpickler(original, current))
    if hasattr(module, "_Unpickler"):
        # The one in Python can be hooked for those who have derived from it already.
        patches.replace(module._Unpickler, "load", lambda original: _python_load(original, current))


def _loads(original: Any, current: Any) -> Any:
    def loads(*arguments: Any, **options: Any) -> Any:
        guard = current()
        if guard is None:
            return original(*arguments, **options)
        with guard.memory("pickle.loads", "pickle"):
            return original(*arguments, **options)

    return loads


def _unpickler(original: Any, current: Any) -> Any:
    class Unpickler(original):  # type: ignore[misc]
        __alnage__ = True

        def __init__(self, file: Any, **options: Any) -> None:
            super().__init__(file, **options)
            self._alnage_file = file

        def load(self) -> Any:
            guard = current()
            if guard is None:
                return super().load()
            with guard.stream("pickle.Unpickler", getattr(self, "_alnage_file", None), "pickle"):
                return super().load()

    Unpickler.__name__ = original.__name__
    Unpickler.__qualname__ = original.__qualname__
    Unpickler.__module__ = original.__module__
    Unpickler.__doc__ = original.__doc__
    return Unpickler


def _python_load(original: Any, current: Any) -> Any:
    def load(self: Any) -> Any:
        guard = current()
        if guard is None:
            return original(self)
        file = getattr(getattr(self, "_file_read", None), "__self__", None)
        with guard.stream("pickle.Unpickler", file, "pickle"):
            return original(self)

    return load


HOOKS = {"_pickle": hook, "pickle": hook}
