"""The script that builds the app, as a module: it lies outside of every package, for pip runs it first."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@cache
def load_build_app() -> ModuleType:
    """`web/build_app.py`."""
    spec = importlib.util.spec_from_file_location("build_app", ROOT / "web" / "build_app.py")
    if spec is None or spec.loader is None:
        raise SystemExit("web/build_app.py is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_app"] = module
    spec.loader.exec_module(module)
    return module
