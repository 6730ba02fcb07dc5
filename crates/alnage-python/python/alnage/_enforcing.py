"""`enforce`: the loaders of this process take nothing but what is sealed."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import Any, Callable, List, Optional, Tuple, Type

from alnage import _alnage
from alnage._context import is_inside
from alnage._errors import AlnageError, translated
from alnage._finder import Finder
from alnage._guard import Decision, Guard
from alnage._options import Paths, StrPath, Texts, flags, several, trust_flags
from alnage._patches import Patches

_lock = threading.RLock()
_guards: List[Guard] = []
_patches: Optional[Patches] = None
_finder: Optional[Finder] = None
_listens = False


def current() -> Optional[Guard]:
    """The guard that decides now: the latest that was not undone."""
    try:
        return _guards[-1]
    except IndexError:
        return None


class Enforcement:
    """What `enforce` gives: `undo` ends it, as leaving a `with` statement does."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @property
    def mode(self) -> str:
        """`enforce`, `warn` or `observe`."""
        return self._guard.mode

    @property
    def decisions(self) -> Tuple[Decision, ...]:
        """What was decided so far, the first 10,000."""
        return tuple(self._guard.decisions)

    def undo(self) -> None:
        """Ends it. What it hooked is as it was, when no other enforcement is left. Doing so twice does nothing."""
        with _lock:
            if self._guard in _guards:
                _guards.remove(self._guard)
                self._guard.gate.keep()
            if not _guards:
                _uninstall()

    def __enter__(self) -> Enforcement:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.undo()


def enforce(
    *,
    keys: Paths = None,
    ca: Paths = None,
    cert_chain: Paths = None,
    identity: Texts = None,
    identity_provider: Texts = None,
    trusted_root: Paths = None,
    issuer: Texts = None,
    crl: Paths = None,
    trust: Optional[StrPath] = None,
    revocations: Paths = None,
    mode: str = "enforce",
    ban: Texts = None,
    allow_format: Texts = None,
    require_verdict: bool = False,
    max_age: Optional[str] = None,
    require_receipt: bool = False,
    ignore_unsigned_files: bool = False,
    exempt: Paths = None,
    audit: Optional[StrPath] = None,
    log: Optional[StrPath] = None,
    cache: bool = True,
    memory: str = "restrict",
    channels: Texts = None,
    heard: Optional[Callable[[Decision], None]] = None,
) -> Enforcement:
    """From now on, the loaders of this process load no model but those whose seal verifies.

    Hooked are `pickle`, `numpy.load`, `joblib.load`, `torch.load`, `torch.jit.load`, `safetensors`, Keras, Transformers,
    `onnxruntime.InferenceSession`, and imports of code from the folders of models, each when it is imported; nothing is
    imported for it. It is a seat belt: code that already runs here can take it off. The wall is `alnage run`.

    Args:
        keys … revocations: whom to trust, as for `verify`.
        mode: `enforce` raises Refused; `warn` loads and warns (AdmissionWarning); `observe` loads and notes.
        ban: formats that are refused even when they are sealed, instead of `pickle` and all that hold pickles; `"none"`
            for none.
        allow_format: formats that are not banned after all.
        require_verdict, max_age, require_receipt: as for `admit`.
        ignore_unsigned_files: whether files in a sealed model that were not signed, and are no models, are let through.
        exempt: paths that are not looked at, with what is below.
        audit: a file that gets a line of JSON for each decision.
        log: the directory of the log.
        cache: whether digests of unchanged files are remembered.
        memory: what becomes of bytes that are in no file. `restrict`: pickles build only what is known to be harmless, other
            models are refused; `refuse`: pickles too; `allow`: everything is loaded.
        channels: modules whose pickles come from this program itself, besides those of `multiprocessing`.
        heard: called with each decision.

    Raises:
        AlnageError: nobody is named whose signature would count, or an argument has no meaning.
        OSError: a key cannot be read.

    A later call counts until it is undone.
    """
    arguments = trust_flags(
        keys, ca, cert_chain, identity, identity_provider, trusted_root, issuer, crl, trust, revocations
    ) + flags(
        mode=mode, ban=ban, allow_format=allow_format, require_verdict=require_verdict, max_age=max_age,
        require_receipt=require_receipt, ignore_unsigned_files=ignore_unsigned_files, exempt=exempt, audit=audit,
        log=log, no_cache=not cache,
    )  # fmt: skip
    if memory not in ("restrict", "refuse", "allow"):
        raise AlnageError(f"`memory` is `restrict`, `refuse` or `allow`, not `{memory}`")
    try:
        gate = _alnage.Gate([*arguments, "--", "python"])
    except _alnage.Failure as failure:
        raise translated(failure) from None
    return enforce_with(gate, memory, tuple(several(channels)), heard)


def enforce_with(
    gate: _alnage.Gate,
    memory: str = "restrict",
    channels: Tuple[str, ...] = (),
    heard: Optional[Callable[[Decision], None]] = None,
) -> Enforcement:
    """The same with a gate that was made already."""
    guard = Guard(gate, memory, channels, heard)
    with _lock:
        _guards.append(guard)
        _install()
    return Enforcement(guard)


def _install() -> None:
    global _patches, _finder, _listens
    if not _listens:
        # There is no way to stop listening: without a guard, nothing comes of it.
        sys.addaudithook(_hear)
        _listens = True
    if _finder is None:
        _patches = Patches()
        _finder = Finder(_patches, current)
        _finder.install()


def _uninstall() -> None:
    global _patches, _finder
    if _finder is not None and _patches is not None:
        _finder.remove()
        _patches.undo()
    _finder = _patches = None


def _hear(event: str, arguments: Tuple[Any, ...]) -> None:
    """Python asks before a pickle resolves a name, also for unpicklers that were taken hold of before `enforce`."""
    if event != "pickle.find_class" or is_inside():
        return
    guard = current()
    if guard is not None:
        guard.find_class(os.fsdecode(arguments[0]), os.fsdecode(arguments[1]))
