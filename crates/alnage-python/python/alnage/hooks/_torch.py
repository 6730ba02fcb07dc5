"""`torch.load` and `torch.jit.load`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from alnage._patches import Patches
from alnage.hooks._common import by_path_or_file

_load = by_path_or_file("torch.load", "f", takes="pickle")
_jit = by_path_or_file("torch.jit.load", "f")


def torch(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `torch` or `torch.serialization`."""
    patches.replace(module, "load", _load(current))


def jit(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `torch.jit` or `torch.jit._serialization`."""
    patches.replace(module, "load", _jit(current))


HOOKS = {"torch": torch, "torch.serialization": torch, "torch.jit": jit, "torch.jit._serialization": jit}
