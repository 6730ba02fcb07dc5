"""Keras: `load_model`, which goes by the ending of the name, and loads directories too."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from alnage._patches import Patches
from alnage.hooks._common import by_path_or_file

_load = by_path_or_file("keras.models.load_model", "filepath", ending=True)

_MODULES = (
    "keras.models", "keras.saving", "keras.src.saving.saving_api", "keras.src.saving", "tf_keras.models",
    "tensorflow.keras.models", "keras.api.models", "keras.api.saving",
)  # fmt: skip


def hook(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of each module that offers `load_model`."""
    patches.replace(module, "load_model", _load(current))


HOOKS = {name: hook for name in _MODULES}
