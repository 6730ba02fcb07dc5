"""What watches imports: hooks loaders as they are imported, and judges code that lies in a model's folder."""

from __future__ import annotations

import importlib.machinery
import os
import sys
import sysconfig
from importlib.abc import Loader, MetaPathFinder
from types import CodeType, ModuleType
from typing import Any, Callable, Optional, Sequence

from alnage import _alnage
from alnage._guard import Guard
from alnage._held import Held
from alnage._patches import Patches
from alnage.hooks import HOOKS

Current = Callable[[], Optional[Guard]]


class Finder(MetaPathFinder):
    """First in `sys.meta_path`: asks the others, and looks at what they found."""

    def __init__(self, patches: Patches, current: Current) -> None:
        self._patches = patches
        self._current = current
        names = ("stdlib", "platstdlib", "purelib", "platlib")
        places = {sysconfig.get_path(name) for name in names} | {os.path.dirname(os.path.dirname(__file__))}
        self._installed = tuple(os.path.realpath(place) + os.sep for place in places if place)

    def install(self) -> None:
        """Begins, with the modules that are there already."""
        sys.meta_path.insert(0, self)
        for name, hook in HOOKS.items():
            module = sys.modules.get(name)
            if module is not None:
                hook(module, self._patches, self._current)

    def remove(self) -> None:
        """Ends."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """What the other finders find, with a loader that does a little more where there is something to do."""
        spec: Optional[importlib.machinery.ModuleSpec] = None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is not self and find is not None:
                spec = find(fullname, path, target)
            if spec is not None:
                break
        if spec is None or spec.loader is None:
            return spec
        if fullname in HOOKS:
            spec.loader = _Hooking(spec.loader, HOOKS[fullname], self._patches, self._current)
        elif spec.has_location and spec.origin:
            self._look_at(spec, spec.origin)
        return spec

    def _look_at(self, spec: importlib.machinery.ModuleSpec, origin: str) -> None:
        guard = self._current()
        if guard is None or os.path.realpath(origin).startswith(self._installed):
            return
        judged = guard.source(spec.name, origin)
        if judged is None:
            return
        if origin.endswith(".py"):
            spec.loader = _Verified(spec.name, origin, judged)
            spec.cached = None
        elif isinstance(spec.loader, importlib.machinery.ExtensionFileLoader):
            spec.loader = _VerifiedExtension(spec.name, judged)


class _Verified(importlib.machinery.SourceFileLoader):
    """Compiles the bytes that were verified; compiled files that lie about are nobody's word."""

    def __init__(self, name: str, path: str, judged: _alnage.Judged) -> None:
        super().__init__(name, path)
        with Held(judged).open() as file:
            self._source = file.read()

    def get_code(self, fullname: str) -> Optional[CodeType]:
        return compile(self._source, self.path, "exec", dont_inherit=True)

    def get_data(self, path: Any) -> bytes:
        return self._source if path == self.path else super().get_data(path)


class _VerifiedExtension(importlib.machinery.ExtensionFileLoader):
    """Loads the native code that was verified."""

    def __init__(self, name: str, judged: _alnage.Judged) -> None:
        self._held = Held(judged)
        super().__init__(name, self._held.path)


class _Hooking(Loader):
    """Loads a module as its own loader does, then hooks it."""

    def __init__(self, loader: Any, hook: Any, patches: Patches, current: Current) -> None:
        self._loader = loader
        self._hook = hook
        self._patches = patches
        self._current = current

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        create = getattr(self._loader, "create_module", None)
        return create(spec) if create else None

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        if self._current() is not None:
            self._hook(module, self._patches, self._current)
