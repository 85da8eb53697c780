"""Texts and pretrained models of them, as the training loop takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from labelmill.errors import UsageError
from labelmill.learners._pretrained import quiet

__all__ = ["PooledClassifier", "Tokens", "headed", "text_module", "tokenizer_of", "tokens_of"]

_POOLING: Final = Path("1_Pooling") / "config.json"
_HEAD_DROPOUT: Final = 0.1


class Tokens:
    """Texts as token numbers.

    Parameters
    ----------
    numbers : list of ndarray of int
        One array a text.
    padding : int
        The number that fills short texts up.
    """

    def __init__(self, numbers: list[npt.NDArray[np.int64]], padding: int) -> None:
        self.numbers, self.padding = numbers, padding
        self.lengths = np.array([len(each) for each in numbers], dtype=np.int64)
        self.is_readable = np.ones(len(numbers), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.numbers)

    def inputs(self, rows: npt.NDArray[np.intp], device: torch.device) -> dict[str, torch.Tensor]:
        """The module's arguments, filled up to the longest of the rows."""
        longest = max(1, int(self.lengths[rows].max(initial=1)))
        numbers = np.full((len(rows), longest), self.padding, dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for at, row in enumerate(rows):
            numbers[at, : self.lengths[row]] = self.numbers[row]
            mask[at, : self.lengths[row]] = 1
        return {
            "input_ids": torch.from_numpy(numbers).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }


def tokenizer_of(folder: Path) -> Any:
    """What makes token numbers for the model in the folder.

    Raises
    ------
    UsageError
        If the folder has no tokenizer.
    """
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder} has no tokenizer that can be read ({error}): get the model's files anew") from error


def tokens_of(texts: Sequence[str], tokenizer: Any, max_tokens: int) -> Tokens:
    """The texts as token numbers, cut at so many."""
    most = min(max_tokens, tokenizer.model_max_length)
    found = tokenizer(list(texts), truncation=True, max_length=most)["input_ids"] if texts else []
    padding = next((n for n in (tokenizer.pad_token_id, tokenizer.eos_token_id) if n is not None), 0)
    # A text without a token would leave attention nothing to look at.
    return Tokens([np.array(each or [padding], dtype=np.int64) for each in found], padding)


class PooledClassifier(torch.nn.Module):
    """A sentence encoder, the mean over its tokens, and a linear layer that starts at zero."""

    def __init__(self, backbone: torch.nn.Module, width: int, n_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = torch.nn.Dropout(_HEAD_DROPOUT)
        self.head = torch.nn.Linear(width, n_classes)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n_texts, n_classes)."""
        tokens = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(dim=1) / mask.sum(dim=1)
        logits: torch.Tensor = self.head(self.dropout(mean))
        return logits


class HeadedClassifier(torch.nn.Module):
    """A classifier of transformers as it is."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n_items, n_classes)."""
        logits: torch.Tensor = self.backbone(**inputs).logits
        return logits


def text_module(folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
    """A classifier of texts, and the names of its parameters that are not pretrained.

    Sentence encoders (which say how they pool) are read by the mean of their tokens, other models by the classifier
    that transformers makes of them.

    Parameters
    ----------
    is_new : bool
        Whether it is to be trained; otherwise the folder's weights are left out, since others are about to be set.
    """
    if (folder / _POOLING).is_file():
        return _pooled(folder, n_classes, is_new=is_new)
    return headed(AutoModelForSequenceClassification, folder, n_classes, is_new=is_new)


def _pooled(folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
    with quiet():
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if is_new:
            backbone = AutoModel.from_pretrained(folder, config=config, local_files_only=True, use_safetensors=True)
        else:
            backbone = AutoModel.from_config(config)  # type: ignore[no-untyped-call]  # transformers' own
    for name, parameter in backbone.named_parameters():
        if name.startswith("pooler."):  # nothing reads it
            parameter.requires_grad = False
    module = PooledClassifier(backbone, config.hidden_size, n_classes)
    torch.nn.init.zeros_(module.head.weight)
    torch.nn.init.zeros_(module.head.bias)
    return module, {"head.weight", "head.bias"}


def headed(kind: type, folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
    """A classifier of transformers with so many classes, whose last layer starts at zero."""
    options = {"num_labels": n_classes}
    missing: set[str] = set()
    with quiet():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, **options)
        if getattr(config, "pad_token_id", 0) is None:
            config.pad_token_id = config.eos_token_id
        if is_new:
            backbone, told = kind.from_pretrained(  # type: ignore[attr-defined]
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
            missing = {f"backbone.{name}" for name in told["missing_keys"]}
        else:
            backbone = kind.from_config(config)  # type: ignore[attr-defined]
    module = HeadedClassifier(backbone)
    name, last = [(n, m) for n, m in module.named_modules() if getattr(m, "out_features", 0) == n_classes][-1]
    torch.nn.init.zeros_(last.weight)
    if last.bias is not None:
        torch.nn.init.zeros_(last.bias)
    return module, missing | {f"{name}.{part}" for part, _ in last.named_parameters()}
