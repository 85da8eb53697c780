"""Low-rank adapters (LoRA) in a pretrained model, by peft."""

from __future__ import annotations

from peft import LoraConfig, inject_adapter_in_model
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from transformers import PreTrainedModel

from labelmill.errors import UsageError

__all__ = ["adapt"]


def adapt(model: PreTrainedModel, *, rank: int, dropout: float) -> None:
    r"""Freeze the model and add trainable matrices of low rank: :math:`W + \frac{2r}{r} B A` (Hu et al. 2021).

    Where peft knows the kind of model, queries and values of its attention are adapted, elsewhere all linear layers.
    B starts at zero, so that the model is at first what it was.

    Raises
    ------
    UsageError
        If it has no linear layer to adapt.
    """
    known = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(model.config.model_type)
    targets = list(known) if known else "all-linear"
    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=dropout, target_modules=targets)
    try:
        inject_adapter_in_model(config, model)
    except ValueError as error:
        raise UsageError(
            f"a model of the kind {model.config.model_type!r} has no linear layers to adapt: choose method = 'full'"
        ) from error
