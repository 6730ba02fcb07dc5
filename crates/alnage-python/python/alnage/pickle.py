"""Pickles that build only what policy allows: `Unpickler`, `load` and `loads`, in place of those of `pickle`.

This module can stand for `pickle` where one is asked for: `torch.load(file, pickle_module=alnage.pickle)`.
"""

from __future__ import annotations

import io
import json
import pickle as _standard
from typing import Any, Iterable, List, Optional, Tuple

from alnage import _alnage
from alnage._context import inside
from alnage._errors import ForbiddenGlobal

__all__ = ["Unpickler", "UnpicklingError", "dump", "dumps", "load", "loads"]

UnpicklingError = _standard.UnpicklingError
dump, dumps = _standard.dump, _standard.dumps

#: Longer pickles are not read ahead: each name is then judged by itself as it comes.
READ_AHEAD = 256 << 20

#: What rebuilds objects of classes that are judged by themselves, though in other hands its arguments matter.
REBUILDERS = frozenset({
    ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__"),
    ("copy_reg", "_reconstructor"), ("_codecs", "encode"), ("codecs", "encode"),
})  # fmt: skip


def objection(module: str, name: str, *, arguments_were_judged: bool = False) -> Optional[str]:
    """Why `module.name` is not built, one sentence; None when it may be."""
    kind, why = _alnage.classify(module, name)
    if kind in ("constructor", "class", "reference") or (module, name) in REBUILDERS:
        return None
    if kind in ("by-arguments", "uncalled") and arguments_were_judged:
        return None
    return why


class Unpickler(_standard.Unpickler):
    """A `pickle.Unpickler` that builds what Alnage's tables know to be harmless, and what `allow` adds.

    Before anything is built, the pickle is run symbolically (where the stream can be read ahead): what its calls are
    given is judged, not only what they are called. Then each name is judged once more as it is resolved.

    Args:
        file: a binary file, as for `pickle.Unpickler`.
        allow: names that are unknown to the tables and built all the same: `"package.module.Class"`, or `"package.*"`
            for everything below. What is known to be dangerous cannot be allowed.
        fix_imports, encoding, errors, buffers: as for `pickle.Unpickler`.

    `load` raises ForbiddenGlobal, a `pickle.UnpicklingError`, with the name and its offset.
    """

    def __init__(
        self,
        file: Any,
        *,
        allow: Iterable[str] = (),
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Optional[Iterable[Any]] = (),
    ) -> None:
        self._source = _Source(file)
        self._allowed = (allow,) if isinstance(allow, str) else tuple(allow)
        self._globals: List[Tuple[str, str, int]] = []
        self._was_judged = False
        super().__init__(self._source, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers)

    def load(self) -> Any:
        """Builds the next object of the stream."""
        file = self._source.file
        ahead = _read_ahead(file)
        self._was_judged = False
        if ahead is None:
            with inside():
                return super().load()
        position, data = ahead
        end = _alnage.pickle_end(data)
        if end is not None:
            self._judge(data[:end])
        self._source.current = window = io.BytesIO(data)
        try:
            with inside():
                return super().load()
        finally:
            self._source.current = file
            file.seek(position + window.tell())

    def find_class(self, module: str, name: str) -> Any:
        """Resolves `module.name` when policy allows it."""
        why = self._objection(module, name)
        if why is not None:
            raise self._forbidden(module, name, why)
        return super().find_class(module, name)

    def _objection(self, module: str, name: str) -> Optional[str]:
        why = objection(module, name, arguments_were_judged=self._was_judged)
        if why is None:
            return None
        unknown = _alnage.classify(module, name)[0] == "unknown"
        return None if unknown and self._is_allowed(f"{module}.{name}") else why

    def _is_allowed(self, path: str) -> bool:
        return any(
            path == known or known.endswith(".*") and path.startswith(known[:-1]) for known in self._allowed
        )

    def _judge(self, data: bytes) -> None:
        arguments = ["--select=PKL", "--no-hash", "--no-config", "--jobs=1"]
        [model] = json.loads(_alnage.vet_bytes("stream.pkl", data, arguments))["models"]
        readings = [item for item in model["artifacts"] if item["path"] == "stream.pkl" and item["format"] == "pickle"]
        if not readings:
            return
        self._globals = [
            (entry["module"], entry["name"], entry["offset"])
            for reading in readings
            for entry in reading["facts"].get("globals", [])
        ]
        self._was_judged = True
        for module, name, _ in self._globals:
            why = self._objection(module, name)
            if why is not None:
                raise self._forbidden(module, name, why)
        for finding in model["findings"]:
            # Unknown names were judged above, with what the caller allows.
            if finding["severity"] in ("info", "low") or finding["code"] in ("PKL003", "PKL004", "PKL005"):
                continue
            span = finding.get("span")
            evidence = f": {finding['evidence']}" if finding.get("evidence") else ""
            offset = span["start"] if span else None
            raise ForbiddenGlobal(
                self._source.name, [_placed(f"{finding['message']}{evidence}", offset)], "alnage.Unpickler", offset=offset
            )
        if model["issues"]:
            issue = model["issues"][0]
            raise ForbiddenGlobal(
                self._source.name,
                [_placed(f"it is not fully understood: {issue['message']}", issue.get("offset"))],
                "alnage.Unpickler",
                offset=issue.get("offset"),
            )

    def _forbidden(self, module: str, name: str, why: str) -> ForbiddenGlobal:
        offset = next((at for known, called, at in self._globals if (known, called) == (module, name)), None)
        reason = _placed(f"`{module}.{name}` is not built: {why}", offset)
        return ForbiddenGlobal(self._source.name, [reason], "alnage.Unpickler", module, name, offset)


def load(file: Any, **options: Any) -> Any:
    """The next object of `file`, as `Unpickler(file, **options).load()`."""
    return Unpickler(file, **options).load()


def loads(data: bytes, **options: Any) -> Any:
    """The object in `data`."""
    return Unpickler(io.BytesIO(data), **options).load()


class _Source:
    """What the unpickler reads from: the file, or the bytes of it that were judged."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.current = file
        name = getattr(file, "name", None)
        self.name = name if isinstance(name, str) else "<pickle>"

    def read(self, *size: int) -> Any:
        return self.current.read(*size)

    def readline(self) -> Any:
        return self.current.readline()


def _read_ahead(file: Any) -> Optional[Tuple[int, bytes]]:
    """Where the file is and what is left of it; None when it cannot go back, or it is too much."""
    try:
        if not file.seekable():
            return None
        position = file.tell()
        data = file.read(READ_AHEAD + 1)
    except (AttributeError, OSError):
        return None
    if len(data) > READ_AHEAD:
        file.seek(position)
        return None
    return position, data


def _placed(text: str, offset: Optional[int]) -> str:
    return text if offset is None else f"{text} (offset {offset:#x})"
