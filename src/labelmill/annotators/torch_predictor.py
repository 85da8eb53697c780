"""Modules of torch vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._item_inputs import ItemInputs, Takes
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._places import class_names, resources_of
from labelmill.annotators._scores import Gives
from labelmill.annotators._sessions import require
from labelmill.annotators.predictor import Predictor
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources

__all__ = ["TorchPredictor"]


class TorchPredictor(Predictor):
    """Votes by a module of torch; for `rules.py`, since a module is code.

    Parameters
    ----------
    module : torch.nn.Module, or function that makes one
        Takes a tensor of what `takes` says (or, with a tokenizer, its inputs by name) and gives scores of shape
        (n_items, n_classes), or something whose `logits` are these.
    classes : sequence of str, or path
        Class names in the order of its outputs, or a file that holds them.
    weights : path, optional
        A `.safetensors` file that fills the module; pickles are not opened.
    gives : {"logits", "probabilities", "log_probabilities"}
        What the scores are.
    rename, takes, field, fields, tokenizer, max_tokens, picture, folder, min_confidence, batch_size, name, resources
        See `onnx_predictor`. With `gpus` in the resources the module goes to the accelerator.

    Raises
    ------
    RulesError
        If a file is missing, or an option is none.
    MissingDependencyError
        When it is first asked: `pip install 'labelmill[torch]'`.
    """

    reason = "a module of torch is run on batches"

    def __init__(
        self,
        module: Any,
        *,
        classes: Sequence[str] | str | Path,
        weights: str | Path | None = None,
        rename: Mapping[str, str] | None = None,
        takes: Takes = "text",
        field: str = "text",
        fields: Sequence[str] = (),
        tokenizer: str | Path | None = None,
        max_tokens: int = 256,
        picture: Any = None,
        folder: Any = None,
        gives: Gives = "logits",
        min_confidence: float = 0.0,
        batch_size: int = 32,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        need = resources_of(resources)
        inputs = ItemInputs(
            takes,
            field=field,
            fields=fields,
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            picture=picture,
            folder=folder,
        )
        super().__init__(
            _Module(module, None if weights is None else ModelFile(weights), inputs, need),
            classes=class_names(classes),
            rename=rename,
            takes="items",
            field=field,
            gives=gives,
            min_confidence=min_confidence,
            batch_size=batch_size,
            name=name,
            resources=need,
        )


class _Module:
    """A module as the model inside a predictor."""

    one_for_two = True

    def __init__(
        self, module: Any | Callable[[], Any], weights: ModelFile | None, inputs: ItemInputs, resources: Resources
    ) -> None:
        self.module = module
        self.weights = weights
        self.inputs = inputs
        self.resources = resources
        self._runner: Any = None

    @property
    def fingerprint(self) -> str:
        """Of the module's code and weights, and of how items are read."""
        runner = require("labelmill.annotators._torch_runner", "torch_predictor")
        return fingerprint_of(*runner.state_of(self.module), self.weights, self.inputs)

    def check(self) -> None:
        """Fill the module with its weights."""
        if self.weights is not None:
            self.weights.check_memory()
        self._opened()
        self.inputs.check()

    def predict_with_faults(self, batch: ItemBatch) -> tuple[Any, Mapping[int, BaseException]]:
        """The scores of the items, and why some could not be read."""
        failures: dict[int, BaseException] = {}
        runner = self._opened()
        filled = self.inputs.read(batch, np.arange(len(batch)), runner.inputs(self.inputs), failures.__setitem__)
        if not len(filled.rows):
            return [], failures
        answer = runner.run(filled.feeds)
        table = np.zeros((len(batch), *answer.shape[1:]), dtype=np.float64)
        if len(answer) == len(filled.rows):
            table[filled.rows] = answer
            return table, failures
        return answer, failures

    def _opened(self) -> Any:
        if self._runner is None:
            runner = require("labelmill.annotators._torch_runner", "torch_predictor")
            weights = None if self.weights is None else self.weights.path
            self._runner = runner.TorchRunner(self.module, weights, gpus=self.resources.gpus)
        return self._runner
