"""The part of `pip install` that puts the browser app into wheels, source distributions and editable installs.

Node is needed on the machine of whoever builds from the sources, and there only if the app is not built yet: without
npm the build asks pip for Node as a Python package. A source distribution carries the built app. `LABELMILL_UI=skip`
leaves the app out; the server then says how to build it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

import build_app

ADVICE = (
    "The browser app could not be built.\n{reason}\n"
    "What to do: check that the npm registry can be reached and try again, or install without the app by "
    "`LABELMILL_UI=skip pip install ...` and build it later by `python web/build_app.py`."
)


class BrowserApp(BuildHookInterface[Any]):
    """Builds the browser app before its files are gathered."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a Python package, where it is needed and missing."""
        root = Path(self.root)
        if self._is_skipped() or build_app.is_current(root) or build_app.has_npm():
            return []
        return [f"{build_app.NODE_PACKAGE}>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build when what is there is not of these sources."""
        root = Path(self.root)
        if self._is_skipped() or build_app.is_current(root):
            return
        try:
            build_app.build(root)
        except build_app.BuildError as error:
            raise SystemExit(ADVICE.format(reason=error)) from error

    def _is_skipped(self) -> bool:
        return os.environ.get("LABELMILL_UI", "") == "skip"
