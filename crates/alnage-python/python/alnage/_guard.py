"""What decides for every hook: asks the gate about files, and the policy about bytes that have none."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from alnage import _alnage
from alnage._context import inside, is_inside
from alnage._errors import AdmissionWarning, ForbiddenGlobal, Refused
from alnage._held import Held, Stamp, stamp_of
from alnage.pickle import objection

#: How many decisions are kept in memory.
MOST_DECISIONS = 10_000

#: Modules that pickle between processes of one program, by whatever they were given by it.
CHANNELS = ("multiprocessing", "concurrent.futures", "joblib.externals.loky", "torch.multiprocessing")


@dataclass(frozen=True)
class Decision:
    """What was decided about one load.

    `decision` is `admitted`, `refused`, or in the modes `warn` and `observe` `not-refused`. `path` is empty for bytes that
    have no file.
    """

    loader: str
    decision: str
    path: str
    formats: Tuple[str, ...] = ()
    model: Optional[str] = None
    digest: Optional[str] = None
    signer: Optional[str] = None
    reason: Optional[str] = None


class Guard:
    """One policy. Many threads may ask at once."""

    def __init__(
        self,
        gate: _alnage.Gate,
        memory: str = "restrict",
        channels: Tuple[str, ...] = (),
        heard: Optional[Callable[[Decision], None]] = None,
    ) -> None:
        self.gate = gate
        self.mode = gate.mode
        self.memory_policy = memory
        self.channels = CHANNELS + channels
        self.decisions: List[Decision] = []
        self.code: Set[str] = set()
        self._heard = heard
        self._lock = threading.Lock()
        self._known: Dict[Stamp, int] = {}
        self._repositories: Dict[Tuple[str, int], bool] = {}

    # Files.

    @contextmanager
    def file(self, loader: str, path: Any, takes: str = "", inner: str = "") -> Iterator[Optional[Held]]:
        """While `loader` loads the file at `path`: what it is to load instead; None for the file itself.

        `takes` is the format that the loader takes the file for, whatever it looks like; `inner` that of all that can do harm
        in it when it is in no file.
        """
        place = os.fspath(path)
        if os.path.exists(place) and not os.path.isfile(place):
            # A pipe or a device: what comes out of it cannot be judged before.
            with self.memory(loader, takes or inner):
                yield None
            return
        with self._judged(loader, place, None, takes) as held:
            yield held

    @contextmanager
    def stream(self, loader: str, file: Any, takes: str = "", inner: str = "") -> Iterator[Optional[Held]]:
        """The same of an open file object, or of one that reads from memory."""
        descriptor = _regular(file)
        if descriptor is None:
            with self.memory(loader, takes or inner):
                yield None
            return
        name = getattr(file, "name", None)
        path = name if isinstance(name, str) else f"/proc/self/fd/{descriptor}"
        with self._judged(loader, path, descriptor, takes) as held:
            yield held if type(file).__module__ in ("_io", "io") else None

    @contextmanager
    def memory(self, loader: str, takes: str = "") -> Iterator[None]:
        """While `loader` loads bytes that have no file, and so no seal."""
        restricted = takes == "pickle" and self.memory_policy == "restrict"
        if not is_inside() and not restricted and self.memory_policy != "allow":
            self.refuse(loader, "", ["bytes that are in no file have no seal; `memory=\"allow\"` lets them through"])
        if self.memory_policy == "allow":
            with inside():
                yield
        else:
            yield

    @contextmanager
    def tree(self, loader: str, path: str, code: bool) -> Iterator[None]:
        """While `loader` loads what lies in the directory `path`. With `code`, its programs must be sealed too."""
        stamps: Dict[str, Optional[Stamp]] = {}
        admitted = 0
        for place in _files(path):
            stamps[place] = stamp_of(place)
            judged = self._judge(loader, place, None)
            if judged is None:
                continue
            if judged.decision == "admitted":
                admitted += 1
                self._note(loader, judged)
                if place.endswith(".py"):
                    self.code.add(_digest(judged))
            elif judged.decision == "refused":
                self.refuse(loader, place, [judged.reason or ""], judged)
                stamps.pop(place)
            elif judged.decision == "no-model" and code and judged.size and place.endswith((".py", ".so", ".pyc")):
                self.refuse(loader, place, ["code that no seal covers"], judged)
        if not admitted and stamps:
            self.refuse(loader, path, ["no seal covers it"])
        known = [stamp for stamp in stamps.values() if stamp]
        with self._knowing(known), inside():
            yield
        changed = [place for place, stamp in stamps.items() if stamp_of(place) != stamp]
        if changed:
            self.refuse(loader, changed[0], ["somebody wrote to it while it was loaded"])

    @contextmanager
    def _judged(
        self, loader: str, path: str, descriptor: Optional[int], takes: str
    ) -> Iterator[Optional[Held]]:
        if self._is_known(stamp_of(path if descriptor is None else descriptor)):
            with inside():
                yield None
            return
        judged = self._judge(loader, path, descriptor)
        if judged is None or not judged.size:
            # What is not there, or is empty, is the loader's to complain about.
            yield None
            return
        reason = self._objection(judged, takes)
        if reason is not None:
            self.refuse(loader, path, [reason], judged)
            with inside():
                yield None
            return
        if judged.decision != "admitted":
            with inside():
                yield None
            return
        self._note(loader, judged)
        held = Held(judged)
        try:
            with self._knowing([held.stamp] if held.stamp else []), inside():
                yield held
            if held.has_changed():
                self.refuse(loader, path, ["somebody wrote to it while it was loaded"])
        finally:
            held.close()

    def _judge(self, loader: str, path: str, descriptor: Optional[int]) -> Optional[_alnage.Judged]:
        try:
            return self.gate.judge(path, descriptor)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except (OSError, _alnage.Failure) as error:
            # What could not be judged is not waved through: somebody may be writing to it just now.
            self.refuse(loader, path, [f"it could not be judged: {error}"])
            return None

    def _objection(self, judged: _alnage.Judged, takes: str) -> Optional[str]:
        if judged.decision == "exempt":
            return None
        if judged.decision == "refused":
            return re.sub(r"`--allow-format ([^`]*)`", r'`allow_format="\1"`', judged.reason or "")
        if takes and self.gate.bans(takes):
            return f'the format `{takes}` is banned; `allow_format="{takes}"` lifts that'
        return None if judged.decision == "admitted" else "no seal covers it"

    # Names of pickles that nobody asked about as a whole.

    def find_class(self, module: str, name: str) -> None:
        """A pickle resolves `module.name` outside of what was admitted."""
        if self.memory_policy == "allow" or self._is_channel():
            return
        why = objection(module, name)
        if why is None:
            return
        reason = f"`{module}.{name}` is not built from bytes that have no seal: {why}"
        self._decide(Decision("pickle", self._word(), "", ("pickle",), reason=reason))
        if self.mode == "enforce":
            raise ForbiddenGlobal("<pickle>", [reason], "pickle", module, name)

    def _is_channel(self) -> bool:
        frame = sys._getframe(1)
        for _ in range(12):
            module = frame.f_globals.get("__name__", "") if frame else ""
            if any(module == known or module.startswith(f"{known}.") for known in self.channels):
                return True
            if frame is None or frame.f_back is None:
                return False
            if module not in ("pickle", "_compat_pickle") and not module.startswith("alnage"):
                return False
            frame = frame.f_back
        return False

    # Code.

    def source(self, name: str, origin: str) -> Optional[_alnage.Judged]:
        """Judges the file `origin` of the module `name`; the verified file, or None when it is nobody's model."""
        judged = self._judge("import", origin, None)
        if judged is None or judged.decision == "exempt" or not judged.size:
            return None
        if judged.decision == "admitted":
            self._note("import", judged)
            return judged
        if judged.decision == "refused":
            self.refuse("import", origin, [judged.reason or ""], judged)
        elif name.split(".")[0] == "transformers_modules":
            if _digest(judged) not in self.code:
                self.refuse("import", origin, ["it is a copy of code that lies in no sealed model"])
        elif self._is_repository(os.path.dirname(origin)):
            self.refuse("import", origin, ["it lies beside a model, and no seal covers it"])
        return None

    def _is_repository(self, folder: str) -> bool:
        """Whether `folder` holds a model as hubs keep them: weights, and a configuration beside them."""
        most = 64
        try:
            key = (folder, os.stat(folder).st_mtime_ns)
            if key not in self._repositories:
                names = os.listdir(folder)
                configured = any(name.endswith("config.json") or name == "model_index.json" for name in names)
                weights = [name for name in names if not name.endswith((".py", ".json", ".md", ".txt"))][:most]
                places = (os.path.join(folder, name) for name in weights)
                files = (place for place in places if os.path.isfile(place))
                judged = (self._judge("import", place, None) for place in files)
                self._repositories[key] = configured and any(found is not None and found.formats for found in judged)
            return self._repositories[key]
        except OSError:
            return False

    # Decisions.

    def refuse(
        self, loader: str, path: str, reasons: List[str], judged: Optional[_alnage.Judged] = None
    ) -> None:
        """Raises Refused, warns or notes, as the mode says."""
        formats = tuple(judged.formats) if judged else ()
        self._decide(Decision(loader, self._word(), path, formats, reason="; ".join(reasons)))
        if self.mode == "enforce":
            raise Refused(path or "<bytes>", reasons, loader)

    def _word(self) -> str:
        return "refused" if self.mode == "enforce" else "not-refused"

    def _note(self, loader: str, judged: _alnage.Judged) -> None:
        self._decide(
            Decision(loader, "admitted", judged.path, tuple(judged.formats), judged.model, judged.digest, judged.signer)
        )

    def _decide(self, decision: Decision) -> None:
        with self._lock:
            if len(self.decisions) < MOST_DECISIONS:
                self.decisions.append(decision)
            if self.gate.audit is not None:
                self._write(decision)
        if self._heard is not None:
            self._heard(decision)
        if decision.decision == "not-refused" and self.mode == "warn":
            text = f"{decision.loader} would be refused `{decision.path or '<bytes>'}`: {decision.reason}"
            warnings.warn(text, AdmissionWarning, stacklevel=6)

    def _write(self, decision: Decision) -> None:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": "load", "mode": self.mode,
            "decision": decision.decision, "loader": decision.loader, "path": decision.path, "process": os.getpid(),
        }  # fmt: skip
        for name in ("formats", "model", "digest", "signer", "reason"):
            value = getattr(decision, name)
            if value:
                line[name] = value
        descriptor = os.open(str(self.gate.audit), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, (json.dumps(line) + "\n").encode())
        finally:
            os.close(descriptor)

    # What was admitted and is being loaded.

    @contextmanager
    def _knowing(self, stamps: List[Stamp]) -> Iterator[None]:
        with self._lock:
            for stamp in stamps:
                self._known[stamp] = self._known.get(stamp, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                for stamp in stamps:
                    self._known[stamp] -= 1
                    if not self._known[stamp]:
                        del self._known[stamp]

    def _is_known(self, stamp: Optional[Stamp]) -> bool:
        return stamp in self._known


def _regular(file: Any) -> Optional[int]:
    """The descriptor of a file object that reads from a regular file."""
    try:
        descriptor = file.fileno()
        return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except (AttributeError, OSError, TypeError, ValueError):
        return None


def _files(folder: str) -> Iterator[str]:
    """Every file below `folder`, links to files included; git's own are nobody's model."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in sorted(names):
            if os.path.isfile(os.path.join(place, name)):
                yield os.path.join(place, name)


def _digest(judged: _alnage.Judged) -> str:
    with open(f"/proc/self/fd/{judged.fileno()}", "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
