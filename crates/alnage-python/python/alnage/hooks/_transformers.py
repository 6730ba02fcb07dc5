"""Transformers and Diffusers: `from_pretrained`, and the code that comes with a model."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, Dict, Tuple

from alnage._patches import Patches

#: The classes whose `from_pretrained` the others inherit, by module.
_CLASSES: Dict[str, Tuple[str, ...]] = {
    "transformers.modeling_utils": ("PreTrainedModel",),
    "transformers.modeling_tf_utils": ("TFPreTrainedModel",),
    "transformers.modeling_flax_utils": ("FlaxPreTrainedModel",),
    "transformers.configuration_utils": ("PretrainedConfig", "PreTrainedConfig"),
    "transformers.generation.configuration_utils": ("GenerationConfig",),
    "transformers.tokenization_utils_base": ("PreTrainedTokenizerBase",),
    "transformers.feature_extraction_utils": ("FeatureExtractionMixin",),
    "transformers.image_processing_base": ("ImageProcessingMixin",),
    "transformers.processing_utils": ("ProcessorMixin",),
    "transformers.models.auto.auto_factory": ("_BaseAutoModelClass",),
    "transformers.models.auto.configuration_auto": ("AutoConfig",),
    "transformers.models.auto.tokenization_auto": ("AutoTokenizer",),
    "transformers.models.auto.processing_auto": ("AutoProcessor",),
    "transformers.models.auto.feature_extraction_auto": ("AutoFeatureExtractor",),
    "transformers.models.auto.image_processing_auto": ("AutoImageProcessor",),
    "diffusers.pipelines.pipeline_utils": ("DiffusionPipeline",),
    "diffusers.models.modeling_utils": ("ModelMixin",),
}


def hook(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of each module with such a class."""
    for name in _CLASSES.get(module.__name__, ()):
        owner = getattr(module, name, None)
        if owner is not None and "from_pretrained" in vars(owner):
            patches.replace(owner, "from_pretrained", lambda original: _from_pretrained(original, current))


def _from_pretrained(original: Any, current: Any) -> Any:
    def from_pretrained(cls: Any, *arguments: Any, **options: Any) -> Any:
        guard = current()
        source = arguments[0] if arguments else options.get("pretrained_model_name_or_path")
        if guard is None or source is None:
            return original(cls, *arguments, **options)
        loader = f"{cls.__name__}.from_pretrained"
        path = os.fsdecode(source)
        trusts_code = bool(options.get("trust_remote_code"))
        if os.path.isdir(path):
            with guard.tree(loader, path, code=trusts_code):
                return original(cls, *arguments, **options)
        if os.path.isfile(path):
            with guard.file(loader, path):
                return original(cls, *arguments, **options)
        if trusts_code:
            guard.refuse(loader, path, ["code from a hub has no seal; load the folder of a sealed copy"])
        return original(cls, *arguments, **options)

    return from_pretrained


def dynamic(module: ModuleType, patches: Patches, current: Any) -> None:
    """Of `transformers.dynamic_module_utils`, which every class from a model's own code goes through."""

    def make(original: Any) -> Any:
        def get_class(class_reference: str, pretrained_model_name_or_path: Any, *arguments: Any, **options: Any) -> Any:
            guard = current()
            if guard is None:
                return original(class_reference, pretrained_model_name_or_path, *arguments, **options)
            loader = "transformers.dynamic_module_utils"
            elsewhere, _, _ = class_reference.rpartition("--")
            path = elsewhere or os.fsdecode(pretrained_model_name_or_path)
            if not os.path.isdir(path):
                guard.refuse(loader, path, ["code from a hub has no seal; load the folder of a sealed copy"])
                return original(class_reference, pretrained_model_name_or_path, *arguments, **options)
            with guard.tree(loader, path, code=True):
                return original(class_reference, pretrained_model_name_or_path, *arguments, **options)

        return get_class

    patches.replace(module, "get_class_from_dynamic_module", make)


HOOKS = {**{name: hook for name in _CLASSES}, "transformers.dynamic_module_utils": dynamic}
