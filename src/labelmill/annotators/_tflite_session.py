"""TensorFlow Lite models, run by LiteRT."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from labelmill.annotators._sessions import Tensor, in_fixed_batches
from labelmill.domain.partition import Resources
from labelmill.errors import SchemaError

__all__ = ["TfliteSession", "opened"]


def opened(path: Path, resources: Resources) -> TfliteSession:
    """The model, with as many threads as the worker has cores."""
    with _without_chatter():
        interpreter = Interpreter(model_path=str(path), num_threads=max(round(resources.cpus), 1))
        interpreter.allocate_tensors()
    return TfliteSession(interpreter)


class TfliteSession:
    """An interpreter as a `Session`; integers of quantised models are numbers again on both sides."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._inputs = interpreter.get_input_details()
        self._outputs = interpreter.get_output_details()
        self.inputs, self.outputs = list(map(_tensor, self._inputs)), list(map(_tensor, self._outputs))

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[Any]:
        """What each output gives for the items, in order.

        Raises
        ------
        SchemaError
            If an input is not filled, or has another shape than the model's.
        """
        for tensor in self.inputs:
            if tensor.name not in feeds:
                raise SchemaError(f"the model asks for an input {tensor.name!r}, which nothing fills")
            found, asked = feeds[tensor.name].shape[1:], tensor.shape[1:]
            if len(found) != len(asked) or any(a not in {-1, f} for a, f in zip(asked, found, strict=True)):
                raise SchemaError(f"the model takes shape {asked} for an item, found {found}")
        return in_fixed_batches(self, feeds, self._run)

    def _run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[Any]:
        for details in self._inputs:
            self._interpreter.set_tensor(details["index"], _as_stored(feeds[details["name"]], details))
        self._interpreter.invoke()
        return [_as_numbers(self._interpreter.get_tensor(details["index"]), details) for details in self._outputs]


def _tensor(details: Mapping[str, Any]) -> Tensor:
    shape = tuple(int(size) for size in details["shape"])
    return Tensor(details["name"], shape, np.dtype(details["dtype"]))


def _as_stored(values: npt.NDArray[Any], details: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype, (scale, zero) = np.dtype(details["dtype"]), details["quantization"]
    if scale and np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.round(values / scale) + zero, limits.min, limits.max)
    return np.ascontiguousarray(values, dtype=dtype)


def _as_numbers(values: npt.NDArray[Any], details: Mapping[str, Any]) -> npt.NDArray[Any]:
    scale, zero = details["quantization"]
    return (values.astype(np.float32) - zero) * np.float32(scale) if scale else values


@contextmanager
def _without_chatter() -> Iterator[None]:
    """What the library writes to standard error while it opens a model goes nowhere: it cannot be told not to."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error
        yield
        return
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
