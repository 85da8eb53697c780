"""The user's file of annotators: import it by its path, and take every annotator it holds."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, cast

from labelmill.annotators._declared import RULES_FOLDER
from labelmill.annotators._faults import sentence
from labelmill.annotators._fingerprint import PRIVATE_PREFIX
from labelmill.annotators._guard import guard
from labelmill.domain.ports import Annotator
from labelmill.errors import RulesError

__all__ = ["load_rules"]


def load_rules(path: Path) -> list[Annotator]:
    """Every annotator among the globals of a Python file, in the order of their definition.

    An annotator without a name gets the name of its variable. Modules beside the file can be imported by it. Loading
    it again after an edit, to it or to such a module, gives the new code.

    Raises
    ------
    RulesError
        If the file is missing, cannot be run, holds no annotator, or two have the same name. Names file and line.
    """
    path = path.absolute()
    code = _compiled(path)
    module = ModuleType(f"{PRIVATE_PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:16]}")
    module.__file__ = str(path)
    with _importing_beside(path.parent), guard():
        sys.modules[module.__name__] = module  # dataclasses and enums look their module up
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's rules is the point
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises, the user hears where
            del sys.modules[module.__name__]
            raise RulesError(_told(error, path)) from None
    return _named(_annotators_in(vars(module), path), path)


def _compiled(path: Path) -> Any:
    try:
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        place = f"{path}, line {error.lineno}" if error.lineno else str(path)
        shown = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        raise RulesError(f"{place}: {error.msg}{shown}\nmend this line and run the command again") from None
    except ValueError as error:
        raise RulesError(f"{path}: {error}: save it as a Python file in UTF-8") from None
    except FileNotFoundError:
        raise RulesError(
            f"no file {path}: write your labeling functions there, or set `code` in [annotators] of labelmill.toml"
        ) from None
    except OSError as error:
        raise RulesError(f"{path} cannot be read: {error.strerror}") from None


def _told(error: BaseException, path: Path) -> str:
    """Where in the user's own files it failed, and why."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}\nmend this line and run the command again"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(path.parent)]
    beside = [frame for frame in own if "site-packages" not in frame.filename]
    place = f"{beside[-1].filename}, line {beside[-1].lineno}" if beside else str(path)
    advice = "mend this line and run the command again"
    if isinstance(error, ModuleNotFoundError) and error.name:
        advice = f"put {error.name.partition('.')[0]}.py beside {path.name}, or install the package"
    return f"{place}: {sentence(error)}\n{advice}"


def _annotators_in(names: dict[str, Any], path: Path) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in names.items():
        if _is_annotator(value) and all(value is not other for _, other in found):
            found.append((name, value))
    if not found:
        raise RulesError(
            f"{path} holds no annotator: decorate a function with @labeling_function, or assign one such as "
            'money = keyword("spam", ["prize", "cash"]) to a name'
        )
    return found


def _is_annotator(value: Any) -> bool:
    """Whether it has an annotator's attributes, asked without running properties."""
    if isinstance(value, type | ModuleType) or not callable(getattr(type(value), "annotate", None)):
        return False
    missing = object()
    return all(
        inspect.getattr_static(value, name, missing) is not missing
        for name in ("name", "kind", "resources", "fingerprint")
    )


def _named(found: Sequence[tuple[str, Any]], path: Path) -> list[Annotator]:
    seen: dict[str, str] = {}
    for variable, annotator in found:
        annotator.name = annotator.name or variable
        if annotator.name in seen:
            raise RulesError(
                f"{path}: {seen[annotator.name]!r} and {variable!r} are both named {annotator.name!r}: "
                "give one of them another name"
            )
        seen[annotator.name] = variable
    return [cast("Annotator", annotator) for _, annotator in found]


@contextmanager
def _importing_beside(folder: Path) -> Iterator[None]:
    """While inside, modules in the folder come first, are read anew, and leave no compiled files behind."""
    _Siblings.forget()
    before = set(sys.modules)
    token = RULES_FOLDER.set(folder)
    wrote_nothing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        sys.dont_write_bytecode = wrote_nothing
        RULES_FOLDER.reset(token)
        _Siblings.remember(folder, set(sys.modules) - before)


class _Siblings(MetaPathFinder):
    """Modules beside rules files.

    As a finder it serves imports inside the user's functions, when nothing else has the name.
    """

    folders: ClassVar[list[Path]] = []
    loaded: ClassVar[set[str]] = set()
    """Top-level names of the modules that a rules file brought in."""

    @classmethod
    def remember(cls, folder: Path, new: set[str]) -> None:
        """The folder serves later imports; of the new modules, those in it are forgotten at the next load."""
        cls.folders[:] = [folder, *(known for known in cls.folders if known != folder)]
        cls.loaded |= {name for name in new if "." not in name and _lies_in(folder, sys.modules.get(name))}
        if not any(isinstance(finder, cls) for finder in sys.meta_path):
            sys.meta_path.append(cls())

    @classmethod
    def forget(cls) -> None:
        """Take them out of `sys.modules`, so that they are read anew."""
        for name in list(sys.modules):
            if name.partition(".")[0] in cls.loaded:
                del sys.modules[name]
        cls.loaded.clear()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None:
            return None
        spec = PathFinder.find_spec(fullname, [str(folder) for folder in self.folders], target)
        if spec is not None:
            self.loaded.add(fullname)
        return spec


def _lies_in(folder: Path, module: ModuleType | None) -> bool:
    """Whether a top-level module, or package, is an entry of the folder."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or (module is not None and module.__name__.startswith(PRIVATE_PREFIX)):
        return False
    path = Path(file)
    return folder == (path.parent.parent if path.name == "__init__.py" else path.parent)
