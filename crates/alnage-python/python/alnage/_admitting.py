"""`admit`: the files of a sealed model, each as it was verified."""

from __future__ import annotations

import os
from types import TracebackType
from typing import BinaryIO, Dict, List, Optional, Tuple, Type

from alnage import _alnage
from alnage._errors import NotVerified, translated
from alnage._held import Held
from alnage._options import Paths, StrPath, Texts, flags, trust_flags


class Admitted:
    """A sealed model whose files can be read as they were verified. Use it in a `with` statement.

    Attributes:
        path: the model as it was named.
        names: the files that the seal names, relative to the model; of a model that is one file, its name.
        signer: who sealed it, for a person.
        digest: of the whole model as it was signed, SHA-256 in hexadecimal.
    """

    def __init__(self, path: str, gate: _alnage.Gate, lazy: bool) -> None:
        self.path = path
        self.signer = ""
        self.digest = ""
        self._gate = gate
        self._held: Dict[str, Held] = {}
        self._is_file = not os.path.isdir(path)
        if self._is_file:
            self.names: Tuple[str, ...] = (os.path.basename(path),)
        else:
            names, reason = gate.sealed_files(path, False)
            if names is None:
                raise NotVerified(path, [reason or "its seal does not count"])
            self.names = tuple(names)
            missing = [f"`{name}` was signed and is missing" for name in names if not os.path.exists(self._place(name))]
            if missing:
                raise NotVerified(path, missing)
        try:
            for name in self.names[: 1 if lazy else None]:
                self._judge(name)
        except BaseException:
            self._close()
            raise

    def open(self, name: Optional[str] = None) -> BinaryIO:
        """The verified file `name`, for reading; without a name, the only one.

        Raises NotVerified when it is not what was signed, KeyError when the seal names no such file.
        """
        return self._judge(self._name(name)).open()

    def read(self, name: Optional[str] = None) -> bytes:
        """Its bytes."""
        with self.open(name) as file:
            return file.read()

    def file_path(self, name: Optional[str] = None, *, ending: bool = False) -> str:
        """A path that leads to the verified file `name` while the `with` statement lasts, in this process.

        It is `/proc/self/fd/N`; with `ending`, one that ends with the file's own name, for loaders that go by it.
        """
        name = self._name(name)
        held = self._judge(name)
        return held.named(os.path.basename(name)) if ending else held.path

    def __fspath__(self) -> str:
        return self.file_path()

    def __enter__(self) -> Admitted:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        changed = [name for name, held in self._held.items() if held.has_changed()]
        self._close()
        if changed and kind is None:
            raise NotVerified(self.path, [f"somebody wrote to `{name}` while it was in use" for name in changed])

    def _name(self, name: Optional[str]) -> str:
        if name is None and len(self.names) == 1:
            return self.names[0]
        if name is None:
            raise KeyError(f"`{self.path}` has {len(self.names)} files; name one")
        if name not in self.names:
            raise KeyError(f"the seal of `{self.path}` names no file `{name}`")
        return name

    def _place(self, name: str) -> str:
        return self.path if self._is_file else os.path.join(self.path, name)

    def _judge(self, name: str) -> Held:
        if name in self._held:
            return self._held[name]
        try:
            judged = self._gate.judge(self._place(name))
        except _alnage.Failure as failure:
            raise translated(failure) from None
        if judged.size and judged.decision != "admitted":
            raise NotVerified(self._place(name), [judged.reason or "no seal covers it"])
        self.signer = judged.signer or self.signer
        self.digest = judged.digest or self.digest
        self._held[name] = Held(judged)
        return self._held[name]

    def _close(self) -> None:
        for held in self._held.values():
            held.close()
        self._held.clear()
        self._gate.keep()


def admit(
    path: StrPath,
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
    ban: Texts = None,
    allow_format: Texts = None,
    require_verdict: bool = False,
    max_age: Optional[str] = None,
    require_receipt: bool = False,
    log: Optional[StrPath] = None,
    cache: bool = True,
    lazy: bool = False,
) -> Admitted:
    """Opens the sealed model at `path`, a file or a directory, so that what is read is what was verified.

    Files up to 8 MiB are copied into memory that nobody can write to. Longer ones are held open and looked at again in
    the end: leaving the `with` statement raises NotVerified when somebody wrote to them.

    Args:
        keys … revocations: whom to trust, as for `verify`.
        ban: formats that are refused even when they are sealed, instead of `pickle`; `"none"` for none.
        allow_format: formats that are not banned after all.
        require_verdict, max_age, require_receipt: whether a signed verdict is needed, of what age (`"30d"`), with a receipt
            of the log.
        log: the directory of the log.
        cache: whether digests of unchanged files are remembered.
        lazy: whether files are verified when they are first asked for. Without, all of them now.

    Raises:
        NotVerified: no seal of theirs covers it, or it is not what was signed.
        OSError, AlnageError: as for `verify`.
    """
    arguments: List[str] = trust_flags(
        keys, ca, cert_chain, identity, identity_provider, trusted_root, issuer, crl, trust, revocations
    ) + flags(
        ban=ban, allow_format=allow_format, require_verdict=require_verdict, max_age=max_age,
        require_receipt=require_receipt, log=log, no_cache=not cache,
    )  # fmt: skip
    place = os.fspath(path)
    if not os.path.exists(place):
        raise FileNotFoundError(2, "there is no such model", place)
    try:
        return Admitted(place, _alnage.Gate([*arguments, "--", "python"]), lazy)
    except _alnage.Failure as failure:
        raise translated(failure) from None
