"""ONNX models, run by ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime  # noqa: TID253 - this file is about it, and imported for such models only

from labelmill.annotators._sessions import Tensor, in_fixed_batches
from labelmill.domain.partition import Resources
from labelmill.errors import SchemaError

__all__ = ["OnnxSession", "opened"]

DTYPES: Final = {
    "float": np.float32,
    "float16": np.float16,
    "double": np.float64,
    "int64": np.int64,
    "int32": np.int32,
    "uint8": np.uint8,
    "int8": np.int8,
    "bool": np.bool_,
}

ACCELERATORS: Final = ("CUDAExecutionProvider", "ROCMExecutionProvider")

ERRORS_ONLY: Final = 3


def opened(path: Path, resources: Resources) -> OnnxSession:
    """The model, with as many threads as the worker has cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(round(resources.cpus), 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    # A thread that spins while it waits takes a core away from the other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    usable = onnxruntime.get_available_providers()
    chosen = [name for name in ACCELERATORS if resources.gpus and name in usable]
    return OnnxSession(onnxruntime.InferenceSession(str(path), options, providers=[*chosen, "CPUExecutionProvider"]))


class OnnxSession:
    """A session of ONNX Runtime as a `Session`."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs = [_tensor(one) for one in session.get_inputs()]
        self.outputs = [_tensor(one) for one in session.get_outputs()]

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[Any]:
        """What each output gives for the items, in order.

        Raises
        ------
        SchemaError
            If an input is not filled.
        """
        fitting = {}
        for tensor in self.inputs:
            if tensor.name not in feeds:
                raise SchemaError(f"the model asks for an input {tensor.name!r}, which nothing fills")
            values = feeds[tensor.name]
            fitting[tensor.name] = values if tensor.dtype is None else values.astype(tensor.dtype, copy=False)
        return in_fixed_batches(self, fitting, lambda given: list(self._session.run(None, dict(given))))


def _tensor(told: Any) -> Tensor:
    found = re.fullmatch(r"tensor\((\w+)\)", told.type)
    dtype = DTYPES.get(found[1]) if found else None
    shape = told.shape if isinstance(told.shape, list) else []
    sizes = tuple(size if isinstance(size, int) and size > 0 else -1 for size in shape)
    return Tensor(told.name, sizes, None if dtype is None else np.dtype(dtype))
