"""A pretrained language model, tuned on the consensus: the learner for texts where examples are few and hard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import torch

from labelmill.domain.item import ItemBatch
from labelmill.errors import UsageError
from labelmill.learners._goals import Imbalance
from labelmill.learners._precision import Precision
from labelmill.learners._pretrained import MINILM
from labelmill.learners._text_modules import Tokens, text_module, tokenizer_of, tokens_of
from labelmill.learners._tuning import Method, TunedModel

__all__ = ["FineTuned"]


class FineTuned(TunedModel):
    """Tunes any model of Hugging Face that classifies texts, by low-rank adapters (LoRA) or as a whole.

    Sentence encoders are read by the mean of their tokens and a linear layer, other models by the classifier that
    transformers makes of them. The loss is cross-entropy to the consensus as it is: probabilities, with weights. With
    200 items or more a tenth is held out; its loss says when to stop, and the best weights are kept. On processors the
    same seed gives the same bits.

    Parameters
    ----------
    model : str or Path
        A folder (from the project's), a name on Hugging Face that is in its cache, or a package with a model inside.
        Nothing is downloaded.
    method : {"lora", "full"}
        Adapters learn from few examples about as well as the whole model, in a third of the time, and their file is
        small; it needs the model beside it. A fully tuned model stands alone.
    fields : sequence of str
        The fields read as one text.
    max_tokens : int
        Texts are cut there.
    n_epochs, batch_size, n_accumulated : int
        Most times each item is seen; items that go through at once; batches summed before each step.
    learning_rate, head_rate : float
        Of pretrained weights (0: what suits the method) and of new ones.
    weight_decay, warmup, dropout : float
        Decay of weights; share of the steps in which rates rise; of adapters.
    rank : int
        Of adapters.
    held_out, patience : float, int
        Share of the items that says when to stop; epochs without a better loss there.
    imbalance : {"none", "weights", "resampling"}
        That rare classes count as much as common ones.
    confidence_weights : bool
        Whether items weigh less the less sure the consensus is.
    teacher_share, temperature : float
        Of distillation: lambda, the teacher's share of the loss, and T; they count only where there is a teacher.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of products of matrices while it learns; auto takes bfloat16 where there are units for it.
    device : str
        E.g. "cuda:1"; the graphics card, if there is one, without it.
    n_processes : int
        Processes that train together, e.g. one a graphics card.
    checkpoints : str or Path
        Folder for trainings that are under way. `labelmill train` sets it.
    seed : int

    References
    ----------
    E. Hu et al. (2022). LoRA: Low-Rank Adaptation of Large Language Models. https://arxiv.org/abs/2106.09685
    """

    RATES: ClassVar[Mapping[str, float]] = {"lora": 2e-3, "full": 1e-4}

    def __init__(
        self,
        *,
        model: Path | str = MINILM,
        method: Method = "lora",
        fields: Sequence[str] = ("text",),
        max_tokens: int = 128,
        n_epochs: int = 20,
        batch_size: int = 16,
        n_accumulated: int = 1,
        learning_rate: float = 0.0,
        head_rate: float = 2e-3,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        dropout: float = 0.1,
        rank: int = 16,
        held_out: float = 0.1,
        patience: int = 3,
        imbalance: Imbalance = "none",
        confidence_weights: bool = False,
        teacher_share: float = 0.7,
        temperature: float = 2.0,
        precision: Precision = "auto",
        device: str = "",
        n_processes: int = 1,
        checkpoints: Path | str = "",
        seed: int = 0,
    ) -> None:
        self.options = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        self.options |= {"model": str(model), "fields": list(fields), "checkpoints": str(checkpoints)}
        if not fields:
            raise UsageError("fields must name at least one field, e.g. ['text']")
        self._prepare(seed)
        self._tokenizer: Any = None

    def _examples(self, batch: ItemBatch) -> Tokens:
        columns = [pl.lit(batch.column(name)).cast(pl.String).fill_null("") for name in self.options["fields"]]
        texts = pl.select(pl.concat_str(columns, separator="\n")).to_series().to_list() if len(batch) else []
        self._tokenizer = self._tokenizer or tokenizer_of(self.folder)
        return tokens_of(texts, self._tokenizer, self.options["max_tokens"])

    def _classifier(self, folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
        self._tokenizer = self._tokenizer or tokenizer_of(folder)
        return text_module(folder, n_classes, is_new=is_new)
