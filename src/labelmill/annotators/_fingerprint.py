"""Fingerprints: equal when an annotator would vote the same, different when its code or data changed.

A function is hashed with everything of the user's own modules that it refers to, however many calls away: functions,
classes, constants, closures, defaults. Other people's modules count by name and version. Nothing depends on the
process, on memory addresses or on the seed of Python's string hash.
"""

from __future__ import annotations

import builtins
import enum
import functools
import hashlib
import re
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import numpy as np

from labelmill.annotators._source import Reference, normal_form, normal_module, references

__all__ = ["PRIVATE_PREFIX", "fingerprint_of", "is_users_file", "relocate", "version_of"]

PRIVATE_PREFIX = "labelmill_rules_"
"""Rules files are modules under a name of their own, which follows from their path."""

_RELOCATED: dict[str, str] = {}
"""Folder of an unpacked copy of the user's code -> the folder it is a copy of."""


def fingerprint_of(*parts: Any) -> str:
    """Hash of values and of the code they stand for.

    Parameters
    ----------
    *parts : values
        Numbers, texts, containers, arrays, paths (an existing file counts by its content), functions, classes, and
        objects made of these. An object with a method `fingerprint_parts()` counts by what that returns.

    Returns
    -------
    str
        64 hexadecimal digits.

    >>> fingerprint_of({"a", "b"}) == fingerprint_of({"b", "a"})
    True
    """
    hasher = _Hasher(_root_of(parts))
    tokens = [hasher.token(part) for part in parts]
    return _digest("fingerprint", *tokens, *(f"{label}={body}" for label, body in sorted(hasher.definitions.items())))


def relocate(copy: Path, original: str) -> None:
    """Let code in `copy` have the fingerprints it has in the folder `original`, for the rest of this process.

    Rules may hold paths of their own folder (`Path(__file__).parent`), and say the same wherever it lies. Only texts
    and paths that name the copy are affected, so its name should be one that occurs nowhere else.
    """
    _RELOCATED[str(copy)] = original


def _as_in_the_original(text: str) -> str:
    for copy, original in _RELOCATED.items():
        text = text.replace(copy, original)
    return text


def is_users_file(path: Path, root: Path) -> bool:
    """Whether a file below `root` is the user's own, rather than an installed package or labelmill itself."""
    if not path.is_relative_to(root) or {"site-packages", "dist-packages"} & set(path.parts):
        return False
    return not any(path.is_relative_to(place) for place in _foreign_folders())


class _Hasher:
    """Turns values into short texts; code it meets on the way is defined once under a label.

    Parameters
    ----------
    root : Path or None
        Folder of the user's own modules.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self.definitions: dict[str, str] = {}
        self._labels: dict[int, str] = {}
        self._alive: list[Any] = []  # an id is only unique while its object lives
        self._open: set[int] = set()

    def token(self, value: Any) -> str:
        """The value in a few characters, equal for equal values."""
        kind = type(value)
        if value is None or kind in {bool, int, float, complex}:
            return f"{kind.__name__}:{value!r}"
        if kind is str:
            return _digest("str", _as_in_the_original(value))
        if kind in {bytes, bytearray}:
            return _digest(kind.__name__, bytes(value).hex())
        if id(value) in self._labels:
            return self._labels[id(value)]
        if id(value) in self._open:
            return "itself"
        self._open.add(id(value))
        try:
            return self._composite(value)
        finally:
            self._open.discard(id(value))

    def _composite(self, value: Any) -> str:
        for kinds, describe in DESCRIPTIONS:
            if isinstance(value, kinds):
                return describe(self, value)
        return self._object(value)

    def all(self, name: str, values: Iterable[Any]) -> str:
        return _digest(name, *map(self.token, values))

    def mapping(self, value: Mapping[Any, Any]) -> str:
        return self.all(_kind(value), (member for pair in value.items() for member in pair))

    def unordered(self, value: Iterable[Any]) -> str:
        return _digest(_kind(value), *sorted(map(self.token, value)))

    def array(self, value: np.ndarray[Any, Any]) -> str:
        if value.dtype.hasobject:
            return self.all("array", [value.shape, value.tolist()])
        return _digest("array", str(value.dtype), str(value.shape), hashlib.sha256(value.tobytes()).hexdigest())

    def path(self, value: PurePath) -> str:
        if isinstance(value, Path) and value.is_file():
            return _digest("file", hashlib.sha256(value.read_bytes()).hexdigest())
        return _digest("path", _as_in_the_original(value.as_posix()))

    def module(self, value: ModuleType) -> str:
        path = _file_of(value)
        if path is not None and self._is_users(path):
            return _digest("module", normal_module(path))
        return _foreign(value.__name__, "")

    def function(self, value: FunctionType) -> str:
        if not self._is_users_code(value.__code__, value.__module__):
            return _foreign(value.__module__ or "", value.__qualname__)
        label = self._label(value, value.__code__.co_filename, value.__qualname__)
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        self.definitions[label] = _digest(
            "function",
            normal_form(value.__code__),
            self.token(value.__defaults__),
            self.token(value.__kwdefaults__),
            *(f"{name}={self._cell(cell)}" for name, cell in cells),
            *(f"{reference}={self._reference(reference, value.__globals__)}" for reference in _refer(value)),
        )
        return label

    def a_class(self, value: type) -> str:
        module = sys.modules.get(value.__module__)
        path = _file_of(module)
        is_users = value.__module__ == "__main__" or module is None or (path is not None and self._is_users(path))
        if not is_users:
            return _foreign(value.__module__, value.__qualname__)
        label = self._label(value, str(path or ""), value.__qualname__)
        if issubclass(value, enum.Enum):
            members: dict[str, Any] = {name: member.value for name, member in value.__members__.items()}
        else:
            members = {name: member for name, member in vars(value).items() if name not in NOT_BEHAVIOUR}
        self.definitions[label] = _digest(
            "class",
            *map(self.token, value.__bases__),
            *(f"{name}={self.token(member)}" for name, member in sorted(members.items())),
        )
        return label

    def _object(self, value: Any) -> str:
        if hasattr(type(value), "fingerprint_parts"):
            return self.all(type(value).__qualname__, value.fingerprint_parts())
        of_class = self.token(type(value))
        if of_class in self.definitions:  # the user's own class: its state is plain attributes
            slots = (slot for c in type(value).__mro__ for slot in _slots(c))
            state = {name: getattr(value, name) for name in slots if hasattr(value, name)}
            return _digest("object", of_class, self.mapping(state | getattr(value, "__dict__", {})))
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - locks, files and connections refuse in many ways: their type is all there is
            return _digest("object", of_class)
        if isinstance(reduced, str):
            return _digest("object", of_class, reduced)
        parts = [list(part) if i in {3, 4} and part is not None else part for i, part in enumerate(reduced)]
        return self.all(f"object {of_class}", parts)

    def _cell(self, cell: Any) -> str:
        try:
            return self.token(cell.cell_contents)
        except ValueError:  # not filled yet
            return "empty"

    def _reference(self, reference: Reference, names: Mapping[str, Any]) -> str:
        if reference.is_import:
            return self._imported(reference.name)
        if reference.name not in names:
            return "builtin" if hasattr(builtins, reference.name) else "missing"
        value = names[reference.name]
        for attribute in reference.attributes:
            if not isinstance(value, ModuleType):
                break
            if not hasattr(value, attribute):
                return "missing"
            value = getattr(value, attribute)
        return self.token(value)

    def _imported(self, name: str) -> str:
        """A module imported inside a function: the file if it is the user's, for it may not be loaded yet."""
        if self.root is not None:
            spec = PathFinder.find_spec(name.partition(".")[0], [str(self.root)])
            if spec is not None and spec.origin is not None and self._is_users(Path(spec.origin)):
                return _digest("module", normal_module(Path(spec.origin)))
        return _foreign(name, "")

    def _is_users_code(self, code: CodeType, module: str | None) -> bool:
        if code.co_filename.startswith("<") and not code.co_filename.startswith("<frozen"):
            return True
        return module == "__main__" or self._is_users(Path(code.co_filename).absolute())

    def _is_users(self, path: Path) -> bool:
        return self.root is not None and is_users_file(path, self.root)

    def _label(self, value: Any, filename: str, name: str) -> str:
        """A name for a definition that is the same wherever the folder lies."""
        path = Path(filename).absolute()
        place = path.relative_to(self.root).as_posix() if self.root and path.is_relative_to(self.root) else ""
        label = f"{place}:{name}"
        label = f"{label}#{sum(known.startswith(f'{label}#') for known in self.definitions)}"
        self.definitions[label] = ""
        self._labels[id(value)] = label
        self._alive.append(value)
        return label


_Describe = Callable[[_Hasher, Any], str]
DESCRIPTIONS: tuple[tuple[Any, _Describe], ...] = (
    (enum.Enum, lambda h, v: _digest("member", h.token(type(v)), v.name)),
    (FunctionType, _Hasher.function),
    (type, _Hasher.a_class),
    (ModuleType, _Hasher.module),
    (MethodType, lambda h, v: h.all("method", [v.__self__, v.__func__])),
    (functools.partial, lambda h, v: h.all("partial", [v.func, v.args, v.keywords])),
    (functools._lru_cache_wrapper, lambda h, v: h.token(v.__wrapped__)),
    (BuiltinFunctionType, lambda h, v: _digest("builtin", v.__qualname__, _self_token(h, v))),
    ((property, functools.cached_property), lambda h, v: h.all("property", [getattr(v, "fget", None) or v.func])),
    ((classmethod, staticmethod), lambda h, v: h.all(_kind(v), [v.__func__])),
    (re.Pattern, lambda h, v: h.all("pattern", [v.pattern, v.flags])),
    (np.ndarray, _Hasher.array),
    (np.generic, lambda h, v: _digest("number", str(v.dtype), h.token(v.item()))),
    (PurePath, _Hasher.path),
    ((dict, MappingProxyType), _Hasher.mapping),
    ((set, frozenset), _Hasher.unordered),
    ((list, tuple), lambda h, v: h.all(_kind(v), v)),
)
"""Type -> how its values become tokens; the first that fits."""

NOT_BEHAVIOUR = {
    "__abstractmethods__",
    "__annotate__",
    "__annotate_func__",
    "__annotations__",
    "__annotations_cache__",
    "__dataclass_fields__",
    "__dataclass_params__",
    "__dict__",
    "__doc__",
    "__firstlineno__",
    "__module__",
    "__slots__",
    "__static_attributes__",
    "__weakref__",
    "_abc_impl",
}
"""Attributes of a class that say where it stands, not what it does."""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", errors="surrogatepass")).hexdigest()


def _kind(value: Any) -> str:
    return type(value).__qualname__


def _refer(function: FunctionType) -> list[Reference]:
    return references(function.__code__)


def _slots(of_class: type) -> Iterable[str]:
    slots = vars(of_class).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _self_token(hasher: _Hasher, value: Any) -> str:
    owner = getattr(value, "__self__", None)
    return f"{value.__module__}" if owner is None or isinstance(owner, ModuleType) else hasher.token(owner)


def _foreign(module: str, name: str) -> str:
    if module.startswith(PRIVATE_PREFIX):  # what the standard library makes for a user's class, in the class's module
        module = PRIVATE_PREFIX
    return _digest("foreign", module, name, version_of(module.partition(".")[0]))


@cache
def version_of(package: str) -> str:
    """Version of an installed package; the standard library has none of its own."""
    if package in sys.stdlib_module_names:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some packages are about to drop the attribute
        version = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        return ""


@cache
def _foreign_folders() -> tuple[Path, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*map(Path, places), Path(__file__).parent.parent)


def _file_of(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).absolute() if isinstance(file, str) else None


def _root_of(parts: Iterable[Any]) -> Path | None:
    """Folder of the user's own modules: where the first code among the parts was written."""
    for part in parts:
        while isinstance(part, functools.partial):
            part = part.func
        part = getattr(part, "__wrapped__", part)
        owners = [part] if isinstance(part, FunctionType) else [*vars(type(part)).values()]
        for owner in owners:
            code = getattr(owner, "__code__", None)
            if isinstance(code, CodeType) and not code.co_filename.startswith("<"):
                return Path(code.co_filename).absolute().parent
    return None
