"""How model servers are asked, and how they answer: one class for each protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Protocol
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from labelmill.annotators._model_server import ModelServer
from labelmill.annotators._sessions import Tensor
from labelmill.errors import SchemaError, nearest

__all__ = ["DIALECTS", "About", "Dialect", "named"]

Feeds = Mapping[str, npt.NDArray[Any]]

NAMES: Final = ("classes", "class_names", "labels")
"""Where servers that say their classes say them."""


class About(NamedTuple):
    """What a server tells of a model: its inputs, and the classes of its numbers, if it does."""

    inputs: list[Tensor]
    classes: Sequence[str] | None = None


class Dialect(Protocol):
    """One protocol of model servers."""

    name: ClassVar[str]

    def ready(self, model: str) -> str:
        """Path that answers when the model is loaded."""

    def about(self, server: ModelServer, model: str, /) -> About:
        """The model, as far as the server tells."""

    def ask(self, server: ModelServer, model: str, feeds: Feeds, output: str | None) -> Any:
        """A table of numbers, or a list of mappings (class -> number)."""


class OpenInference:
    """The Open Inference Protocol, version 2: KServe, Triton, MLServer, OpenVINO, TorchServe.

    https://github.com/kserve/open-inference-protocol, its REST side. Texts travel as BYTES. Of the answer's outputs
    the one named counts, else the first table of numbers, else labels: Triton's `value:index:label`, or plain ones.
    """

    name: ClassVar[str] = "oip"

    datatypes: ClassVar[Mapping[str, str]] = {
        "float32": "FP32",
        "float64": "FP64",
        "float16": "FP16",
        "int64": "INT64",
        "int32": "INT32",
        "uint8": "UINT8",
        "bool": "BOOL",
        "object": "BYTES",
    }

    def ready(self, model: str) -> str:
        """Path that answers when the model is loaded."""
        return f"/v2/models/{quote(model)}/ready"

    def about(self, server: ModelServer, model: str, /) -> About:
        """The model as its metadata tell."""
        told = server.get(f"/v2/models/{quote(model)}")
        known = {spoken: name for name, spoken in self.datatypes.items() if name != "object"}
        found = []
        for one in _list(told, "inputs"):
            shape = tuple(int(size) for size in one.get("shape", ()))
            dtype = known.get(one.get("datatype", ""))
            found.append(Tensor(str(one.get("name", "")), shape, None if dtype is None else np.dtype(dtype)))
        return About(found, _names_of(told.get("parameters")))

    def ask(self, server: ModelServer, model: str, feeds: Feeds, output: str | None) -> Any:
        """The output that holds the classes."""
        inputs = [
            {
                "name": name,
                "shape": list(values.shape),
                "datatype": self.datatypes[values.dtype.name],
                "data": values.ravel().tolist(),
            }
            for name, values in feeds.items()
        ]
        answer = server.post(f"/v2/models/{quote(model)}/infer", {"inputs": inputs})
        outputs = {str(one.get("name", k)): one for k, one in enumerate(_list(answer, "outputs"))}
        if output is not None and output not in outputs:
            raise SchemaError(f"{server.url} gave no output {output!r}: {nearest(output, outputs)}")
        chosen = outputs[output] if output is not None else _telling(outputs)
        table = self._table(chosen)
        if table.dtype == object:
            return [_labels_of(row) for row in table.reshape(len(table), -1).tolist()]
        names = _names_of(chosen.get("parameters")) or _names_of(answer.get("parameters"))
        return table if names is None else named(table, names)

    def _table(self, output: Mapping[str, Any]) -> npt.NDArray[Any]:
        is_text = output.get("datatype") == "BYTES"
        try:
            flat = np.array(_flat(output["data"]), dtype=object if is_text else np.float64)
            return flat.reshape([int(size) for size in output["shape"]])
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"an output whose data are not of its shape: {error}") from None


class TensorFlowServing:
    """TensorFlow Serving's REST protocol: `POST /v1/models/NAME:predict` with rows.

    https://www.tensorflow.org/tfx/serving/api_rest. A prediction is a list of numbers; a mapping of outputs, of which
    the one named counts, else `probabilities`, `scores`, or the only one; with `classes` beside it, these name it.
    """

    name: ClassVar[str] = "tensorflow"

    def ready(self, model: str) -> str:
        """Path that answers when the model is there."""
        return f"/v1/models/{quote(model)}"

    def about(self, _server: ModelServer, _model: str, /) -> About:
        """Nothing: a row is given as it is, or under the name that is told."""
        return About([])

    def ask(self, server: ModelServer, model: str, feeds: Feeds, output: str | None) -> Any:
        """The predictions."""
        columns = {name: values.tolist() for name, values in feeds.items()}
        if list(columns) == [""]:
            instances = columns[""]
        else:
            instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        answer = server.post(f"/v1/models/{quote(model)}:predict", {"instances": instances})
        return [self._row(row, output) for row in _list(answer, "predictions")]

    def _row(self, row: Any, output: str | None) -> Any:
        if not isinstance(row, Mapping):
            return row
        keys = [output] if output is not None else [*(k for k in ("probabilities", "scores") if k in row), *row]
        if not keys or keys[0] not in row:
            raise SchemaError(f"a prediction has no {output!r}: {nearest(str(output), map(str, row))}")
        names = row.get("classes")
        scores = row[keys[0]]
        if isinstance(names, list) and isinstance(scores, list) and all(isinstance(n, str) for n in names):
            if len(names) != len(scores):
                raise SchemaError(f"a prediction has {len(scores)} numbers for {len(names)} classes")
            return dict(zip(names, scores, strict=True))
        return scores


DIALECTS: Final[Mapping[str, Dialect]] = {"oip": OpenInference(), "tensorflow": TensorFlowServing()}
"""By the name they have in a project file."""


def _list(answer: Any, key: str) -> list[Any]:
    found = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(found, list):
        raise SchemaError(f"the server's answer has no list {key!r}: {answer!s:.120}")
    return found


def _flat(data: Any) -> list[Any]:
    return [leaf for one in data for leaf in _flat(one)] if isinstance(data, list) else [data]


def _telling(outputs: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first table of numbers, else the first output."""
    if not outputs:
        raise SchemaError("the server's answer has no outputs")
    tables = [one for one in outputs.values() if one.get("datatype") != "BYTES" and len(one.get("shape", ())) > 1]
    return (tables or list(outputs.values()))[0]


def _names_of(parameters: Any) -> Sequence[str] | None:
    for key in NAMES:
        names = parameters.get(key) if isinstance(parameters, Mapping) else None
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            return names
    return None


def named(table: npt.NDArray[Any], names: Sequence[str]) -> list[dict[str, float]]:
    """Rows of numbers with their classes beside them.

    Raises
    ------
    SchemaError
        If there are more or fewer numbers than classes.
    """
    rows = table.reshape(len(table), -1)
    if rows.shape[1] != len(names):
        raise SchemaError(f"the server names {len(names)} classes and gives {rows.shape[1]} numbers for an item")
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]


def _labels_of(texts: Sequence[Any]) -> dict[str, float]:
    """Triton's classification (`value:index:label`), or a label that has it all."""
    parts = [str(text).split(":", 2) for text in texts]
    if all(len(part) == 3 for part in parts):
        return {label: float(value) for value, _, label in parts}
    if len(texts) != 1:
        raise SchemaError(f"an item got {len(texts)} labels without numbers: name the output that holds the numbers")
    return {str(texts[0]): 1.0}
