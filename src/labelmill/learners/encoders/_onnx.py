"""ONNX files as functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from labelmill.errors import UsageError, nearest

__all__ = ["OnnxModel"]


class OnnxModel:
    """An ONNX file, run in one thread on the processor, or on an accelerator where onnxruntime has one.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        If it is no model that onnxruntime can run.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # engines run a worker on each core
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        known = onnxruntime.get_available_providers()
        wanted = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in known]
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
        except Exception as error:  # onnxruntime's errors have no common class of their own
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UsageError(f"{path} is no model that onnxruntime can run: {reason}") from error
        self.path = path
        self.inputs: dict[str, list[Any]] = {one.name: list(one.shape) for one in self._session.get_inputs()}
        self.types: dict[str, str] = {one.name: one.type for one in self._session.get_inputs()}
        self.outputs: list[str] = [one.name for one in self._session.get_outputs()]

    def sole_input(self) -> tuple[str, list[Any]]:
        """Name and shape of the one input; names and None stand for what is open.

        Raises
        ------
        UsageError
            If there are several.
        """
        if len(self.inputs) != 1:
            raise UsageError(f"{self.path} takes {', '.join(self.inputs)}: expected a model with one input")
        ((name, shape),) = self.inputs.items()
        return name, shape

    def output(self, asked: str | None, preferred: Sequence[str] = ()) -> str:
        """The output that was asked for, else the first preferred one that there is, else the first.

        Raises
        ------
        UsageError
            If the one asked for is not there; names the nearest.
        """
        if asked is not None and asked not in self.outputs:
            raise UsageError(f"{self.path} has no output {asked!r}: {nearest(asked, self.outputs)}")
        return asked or next((name for name in preferred if name in self.outputs), self.outputs[0])

    def run(self, output: str, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """One output for some inputs, as float32."""
        (found,) = self._session.run([output], dict(inputs))
        return np.asarray(found, dtype=np.float32)
