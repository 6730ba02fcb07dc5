"""Where this thread is: inside a load that was admitted, or not."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator

_inside: ContextVar[bool] = ContextVar("alnage_inside", default=False)


def is_inside() -> bool:
    """Whether what is unpickled now belongs to something that was admitted."""
    return _inside.get()


@contextmanager
def inside() -> Iterator[None]:
    """Until the end of the `with` statement, it does."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
