"""`onnxruntime.InferenceSession`. A graph may keep its weights in other files: in a sealed folder, all of it is verified."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from alnage._patches import Patches
from alnage.hooks._common import is_path

_LOADER = "onnxruntime.InferenceSession"


def hook(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `onnxruntime`, in the class itself, so that who has it already is hooked too."""
    if hasattr(module, "InferenceSession"):
        patches.replace(module.InferenceSession, "__init__", lambda original: _init(original, current))


def _init(original: Any, current: Any) -> Any:
    def __init__(self: Any, path_or_bytes: Any, *arguments: Any, **options: Any) -> None:
        guard = current()
        if guard is None:
            original(self, path_or_bytes, *arguments, **options)
            return
        if not is_path(path_or_bytes) or isinstance(path_or_bytes, bytes):
            with guard.memory(_LOADER):
                original(self, path_or_bytes, *arguments, **options)
            return
        path = os.fsdecode(path_or_bytes)
        with guard.file(_LOADER, path) as held:
            model = held.judged.model if held is not None and held.judged is not None else None
            if held is not None and (model is None or not os.path.isdir(model)):
                # Under this name the graph has no neighbours, so that it reads no file but itself.
                original(self, held.path, *arguments, **options)
            elif model is not None:
                with guard.tree(_LOADER, model, code=False):
                    original(self, path, *arguments, **options)
            else:
                original(self, path, *arguments, **options)

    return __init__


HOOKS = {"onnxruntime": hook, "onnxruntime.capi.onnxruntime_inference_collection": hook}
