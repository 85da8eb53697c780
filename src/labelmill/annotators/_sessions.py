"""Models in files, whatever runs them: named tensors in, named tensors out."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from labelmill.annotators._model_file import ModelFile
from labelmill.domain.partition import Resources
from labelmill.errors import LabelmillError, MissingDependencyError, RulesError, SchemaError, nearest
from labelmill.registry import INSTALL_EXTRAS

__all__ = ["OnDemand", "Session", "Tensor", "in_fixed_batches", "only_input", "output_named", "require"]

RUNTIMES: Final = {".onnx": "_onnx_session", ".ort": "_onnx_session", ".tflite": "_tflite_session"}
"""Ending of a model's file -> the module that runs it."""


class Tensor(NamedTuple):
    """An input or output: -1 in its shape stands for any size; `dtype` is None for texts and what is no array."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None


class Session(Protocol):
    """A model that is ready to run."""

    inputs: list[Tensor]
    outputs: list[Tensor]

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[Any]:
        """What each output gives; the first axis of every array is the item."""


class OnDemand:
    """A model's file, opened by the first who asks, once a process.

    Parameters
    ----------
    file : ModelFile
    resources : Resources
        Cores that it may use, and whether there is an accelerator for it.

    Raises
    ------
    RulesError
        If nothing runs files with that ending.
    MissingDependencyError
        If the library that does is not installed.
    """

    def __init__(self, file: ModelFile, resources: Resources) -> None:
        suffix = file.path.suffix.lower()
        if suffix not in RUNTIMES:
            raise RulesError(f"{file.path}: no model that can be run: {nearest(suffix, RUNTIMES)}")
        self.file = file
        self.resources = resources
        self._runtime = RUNTIMES[suffix]
        self._session: Session | None = None
        self._failure: LabelmillError | None = None

    def __call__(self) -> Session:
        """The open model.

        Raises
        ------
        RulesError
            If it is too big for the memory, or no model; the same one each time.
        """
        if self._failure is not None:
            raise self._failure
        if self._session is None:
            try:
                self._session = self._opened()
            except LabelmillError as error:
                self._failure = error
                raise
        return self._session

    def close(self) -> None:
        """Let go of it."""
        self._session = None

    def _opened(self) -> Session:
        self.file.check_memory()
        module = require(f"labelmill.annotators.{self._runtime}", str(self.file))
        try:
            session: Session = module.opened(self.file.path, self.resources)
        except Exception as error:  # runtimes raise whatever they come upon
            raise RulesError(f"{self.file.path} is no model that can be opened: {_first_line(error)}") from error
        return session


def require(module: str, who: str) -> Any:
    """A module that needs a library which may be missing.

    Raises
    ------
    MissingDependencyError
        Gives the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        extra = INSTALL_EXTRAS.get(missing)
        package = f"'labelmill[{extra}]'" if extra else missing
        raise MissingDependencyError(
            f"{who} needs {missing!r}, which is not installed: pip install {package}"
        ) from error


def only_input(session: Session, file: ModelFile) -> Tensor:
    """The input of a model that has one.

    Raises
    ------
    SchemaError
        If it has more.
    """
    if len(session.inputs) != 1:
        found = ", ".join(tensor.name for tensor in session.inputs)
        raise SchemaError(f"{file} has the inputs {found}, and only one can be filled from an item")
    return session.inputs[0]


def output_named(session: Session, name: str | int | None, file: ModelFile, *, default: int = 0) -> int:
    """The place of an output among all.

    Raises
    ------
    SchemaError
        If there is none of that name or number; lists them.
    """
    names = [tensor.name for tensor in session.outputs]
    if name is None:
        return default
    if isinstance(name, int) and 0 <= name < len(names):
        return name
    if name not in names:
        raise SchemaError(f"{file} has no output {name!r}: {nearest(str(name), names)}")
    return names.index(str(name))


def in_fixed_batches(
    session: Session, feeds: Mapping[str, npt.NDArray[Any]], run: Callable[[Mapping[str, npt.NDArray[Any]]], list[Any]]
) -> list[Any]:
    """Run a model whose batch has a fixed size: in so many steps, the last filled up with its last item.

    Parameters
    ----------
    session : Session
    feeds : mapping of str to ndarray
        Input -> values; the first axis is the item.
    run : callable
        Takes feeds of the model's own size, gives a list of outputs.
    """
    sizes = {tensor.shape[0] for tensor in session.inputs if tensor.shape and tensor.shape[0] > 0}
    n_items = len(next(iter(feeds.values())))
    if not sizes or sizes == {n_items}:
        return run(feeds)
    step = min(sizes)
    parts: list[list[Any]] = []
    for start in range(0, n_items, step):
        piece = {name: values[start : start + step] for name, values in feeds.items()}
        short = step - len(next(iter(piece.values())))
        if short:
            piece = {name: np.concatenate([v, np.repeat(v[-1:], short, axis=0)]) for name, v in piece.items()}
        parts.append([output[: step - short] for output in run(piece)])
    return [_joined([part[k] for part in parts]) for k in range(len(parts[0]))]


def _joined(parts: list[Any]) -> Any:
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)
    return [row for part in parts for row in part]


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]:.300}"
