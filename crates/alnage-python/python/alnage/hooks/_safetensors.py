"""`safetensors`: `safe_open` and `load_file`, in each module that offers them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from alnage._patches import Patches
from alnage.hooks._common import by_path_or_file

_open = by_path_or_file("safetensors.safe_open", "filename")
_load = by_path_or_file("safetensors.load_file", "filename")


def hook(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `safetensors`, or of its module for a framework."""
    patches.replace(module, "safe_open", _open(current))
    patches.replace(module, "load_file", _load(current))
    patches.replace(module, "load", lambda original: _bytes(original, current))


def _bytes(original: Any, current: Any) -> Any:
    def load(*arguments: Any, **options: Any) -> Any:
        guard = current()
        if guard is None:
            return original(*arguments, **options)
        with guard.memory("safetensors.load"):
            return original(*arguments, **options)

    return load


HOOKS = {
    name: hook
    for name in ["safetensors"]
    + [f"safetensors.{framework}" for framework in ("numpy", "torch", "tensorflow", "flax", "mlx", "paddle")]
}
