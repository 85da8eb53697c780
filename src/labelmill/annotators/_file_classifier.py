"""A classifier in a file, as the model inside a predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labelmill.annotators._fingerprint import fingerprint_of, version_of
from labelmill.annotators._item_inputs import ItemInputs
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._sessions import OnDemand, output_named
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.errors import RulesError, SchemaError

__all__ = ["FileClassifier"]


class FileClassifier:
    """Reads items, runs the model, gives one of its outputs.

    Parameters
    ----------
    file : ModelFile
    inputs : ItemInputs
    output : str or int, optional
        Name or number of the output with the classes; without it the first that is a table of numbers, or a list of
        mappings.
    runtime : str
        Package that runs it, whose version counts.
    n_classes : int
    resources : Resources
    """

    one_for_two = True

    def __init__(
        self,
        file: ModelFile,
        inputs: ItemInputs,
        *,
        output: str | int | None,
        runtime: str,
        n_classes: int,
        resources: Resources,
    ) -> None:
        self.file = file
        self.inputs = inputs
        self.output = output
        self.runtime = runtime
        self.n_classes = n_classes
        self.session = OnDemand(file, resources)

    @property
    def fingerprint(self) -> str:
        """Of the file's bytes, how items are read, and what runs it."""
        return fingerprint_of(self.file, self.inputs, self.output, version_of(self.runtime))

    def check(self) -> None:
        """Open the model, and compare its outputs with the classes.

        Raises
        ------
        LabelmillError
            If it cannot be opened, or has another number of classes.
        """
        session = self.session()
        self.inputs.check()
        tensor = session.outputs[self._output()]
        columns = [size for size in tensor.shape[1:] if size != 1]
        if len(columns) == 1 and columns[0] not in {-1, self.n_classes}:
            raise RulesError(
                f"{self.file} gives {columns[0]} classes in its output {tensor.name!r}, and {self.n_classes} are "
                "named: name them all in the model's order, and use rename= for those that count"
            )
        self.session.close()  # workers open their own

    def predict_with_faults(self, batch: ItemBatch) -> tuple[Any, Mapping[int, BaseException]]:
        """The output for the items, and why some could not be read."""
        session = self.session()
        failures: dict[int, BaseException] = {}
        filled = self.inputs.read(batch, np.arange(len(batch)), session.inputs, failures.__setitem__)
        if not len(filled.rows):
            return [], failures
        answer = session.run(filled.feeds)[self._output()]
        if len(answer) != len(filled.rows):
            raise SchemaError(f"{self.file} gave {len(answer)} answers for {len(filled.rows)} items")
        return (_spread(answer, filled.rows.tolist(), len(batch)) if failures else answer), failures

    def _output(self) -> int:
        outputs = self.session().outputs
        fits = [k for k, tensor in enumerate(outputs) if tensor.dtype is None or tensor.dtype.kind == "f"]
        # scikit-learn's converters give the label first, then probabilities; a label is a text or a whole number.
        named = [k for k in fits if len(outputs[k].shape) != 1]
        return output_named(self.session(), self.output, self.file, default=(named or fits or [0])[0])


def _spread(answer: Any, rows: list[int], n_rows: int) -> Any:
    """The answer for all rows, with a copy of its first where one failed."""
    place = dict.fromkeys(range(n_rows), 0) | {row: k for k, row in enumerate(rows)}
    order = [place[row] for row in range(n_rows)]
    return answer[order] if isinstance(answer, np.ndarray) else [answer[k] for k in order]
