"""What can go wrong, by what the caller can do about it."""

from __future__ import annotations

import pickle
from typing import Any, Optional, Sequence, Tuple

from alnage._alnage import Failure


class AlnageError(Exception):
    """Something could not be done: wrong arguments, keys that are none, or a defect. Files that are missing or cannot be
    read are `OSError`, as everywhere."""


class NotVerified(AlnageError):
    """A model is not what somebody trusted has sealed.

    Attributes:
        path: the model, as it was named.
        reasons: one sentence each; never empty.
    """

    def __init__(self, path: str, reasons: Sequence[str]) -> None:
        self.path = path
        self.reasons = tuple(reasons)
        super().__init__(f"`{path}`: {'; '.join(self.reasons)}")

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.path, self.reasons)


class Refused(NotVerified):
    """A loader was not given a model.

    Attributes:
        loader: who wanted it: `torch.load`.
    """

    def __init__(self, path: str, reasons: Sequence[str], loader: str = "") -> None:
        super().__init__(path, reasons)
        self.loader = loader
        if loader:
            self.args = (f"{loader} refused `{path}`: {'; '.join(self.reasons)}",)

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.path, self.reasons, self.loader)


class ForbiddenGlobal(Refused, pickle.UnpicklingError):
    """A pickle names something that policy does not build.

    Attributes:
        module, name: what it names.
        offset: of the opcode that names it, in bytes from where the pickle begins; None where the stream cannot tell.
    """

    def __init__(
        self, path: str, reasons: Sequence[str], loader: str = "",
        module: str = "", name: str = "", offset: Optional[int] = None,
    ) -> None:  # fmt: skip
        super().__init__(path, reasons, loader)
        self.module = module
        self.name = name
        self.offset = offset

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.path, self.reasons, self.loader, self.module, self.name, self.offset)


class AdmissionWarning(UserWarning):
    """In the mode `warn`: a model was loaded that `enforce` would refuse."""


def translated(failure: Failure) -> AlnageError:
    """The native half's error as the one of the package."""
    return AlnageError(str(failure))
