"""Replacing functions of other packages, so that it can be undone."""

from __future__ import annotations

import functools
import threading
from typing import Any, Callable, List, Tuple

#: Stands for what an owner does not have itself.
_ABSENT = object()


class Patches:
    """What was replaced, in order."""

    def __init__(self) -> None:
        self._replaced: List[Tuple[Any, str, Any, Any]] = []
        self._lock = threading.RLock()

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
        """Sets `owner.name` to what `make` makes of it, once. Gives whether there is such a thing."""
        with self._lock:
            present = vars(owner).get(name, _ABSENT)
            original: Any = getattr(owner, name, _ABSENT)
            if original is _ABSENT:
                return False
            if getattr(present, "__alnage__", False):
                # Another module's, which this one has imported when it was replaced already.
                if (owner, name) not in [(known, named) for known, named, _, _ in self._replaced]:
                    self._replaced.append((owner, name, present.__wrapped__, present))
                return True
            unbound = present.__func__ if isinstance(present, classmethod) else original
            made = make(unbound)
            if not isinstance(made, type):
                functools.update_wrapper(made, unbound)
                made.__alnage__ = True
            put = classmethod(made) if isinstance(present, classmethod) else made
            setattr(owner, name, put)
            self._replaced.append((owner, name, present, put))
            return True

    def undo(self) -> None:
        """Puts back what was there, except where somebody else has replaced it since."""
        with self._lock:
            for owner, name, original, put in reversed(self._replaced):
                if vars(owner).get(name) is not put:
                    continue
                if original is _ABSENT:
                    delattr(owner, name)
                else:
                    setattr(owner, name, original)
            self._replaced.clear()
