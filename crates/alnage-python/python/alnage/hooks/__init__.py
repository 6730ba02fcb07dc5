"""One hook a package: which of its functions load models, and how each is given what was verified.

A hook is a function of the module that was imported, of where replacements are kept, and of what gives the guard.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Callable, Dict

from alnage._patches import Patches
from alnage.hooks import _arrays, _keras, _onnx, _pickle, _safetensors, _torch, _transformers

Hook = Callable[[ModuleType, Patches, Any], None]

#: By the name of the module whose import brings it.
HOOKS: Dict[str, Hook] = {
    **_pickle.HOOKS,
    **_arrays.HOOKS,
    **_torch.HOOKS,
    **_safetensors.HOOKS,
    **_keras.HOOKS,
    **_onnx.HOOKS,
    **_transformers.HOOKS,
}
