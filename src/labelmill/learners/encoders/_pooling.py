"""How a model's vectors of tokens become one vector of a text, as its folder says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from labelmill.errors import UsageError

__all__ = ["Recipe"]

_MODES: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Keys of older folders -> what newer ones call the same."""

KNOWN: Final = ("mean", "cls", "max", "mean_sqrt_len_tokens", "lasttoken")


@dataclass(frozen=True)
class Recipe:
    """What is done before and after the model, as folders of sentence-transformers tell it.

    Parameters
    ----------
    pooling : str
        One of `KNOWN`; the mean over tokens where the folder does not say.
    most_tokens : int or None
        Of a text; what is beyond is not read. None where the folder does not say.
    lowers : bool
        Whether texts are written small first.
    """

    pooling: str = "mean"
    most_tokens: int | None = None
    lowers: bool = False

    @classmethod
    def of(cls, folder: Path) -> Recipe:
        """The recipe of a model's folder.

        Raises
        ------
        UsageError
            If it asks for something that is not done here.
        """
        modules = _read(folder / "modules.json") or []
        spoken = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
        unknown = [name for name in spoken if name not in {"Transformer", "Pooling", "Normalize", "Dropout"}]
        if unknown:
            raise UsageError(
                f"the model in {folder} has a layer of the type {unknown[0]!r} after its tokens, which is not "
                "supported: use a model that only pools"
            )
        pooling = next((m["path"] for m, name in zip(modules, spoken, strict=True) if name == "Pooling"), "1_Pooling")
        limits = _read(folder / "sentence_bert_config.json") or {}
        told = _read(folder / pooling / "config.json") or {}
        return cls(_mode(told, folder), limits.get("max_seq_length"), bool(limits.get("do_lower_case", False)))


def _mode(told: dict[str, Any], folder: Path) -> str:
    mode = told.get("pooling_mode") or [name for key, name in _MODES.items() if told.get(key)] or "mean"
    modes = [mode] if isinstance(mode, str) else list(mode)
    if len(modes) != 1 or modes[0] not in KNOWN:
        raise UsageError(
            f"the model in {folder} pools by {' and '.join(modes)}, which is not supported: {', '.join(KNOWN)} are"
        )
    return str(modes[0])


def _read(path: Path) -> Any:
    """A JSON file; None if there is none."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON ({error}): fetch the model again") from error
