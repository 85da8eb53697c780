"""Structured answers: what is merged of spans, boxes and other answers, against gold and against peers.

    python benchmarks/structured.py [spans] [boxes] [others] [--cache FOLDER]

Real sets are read from ../shared/data where present; peers run in virtual environments of their own under the cache
folder, made on first use.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import tempfile
import venv
from pathlib import Path
from subprocess import run

CONTESTS = {"spans": "structured_spans", "boxes": "structured_boxes", "others": "structured_others"}
"""Name on the command line -> module in this folder with `report(cache: Path) -> str`."""

PEERS = {"crowd-kit": ["crowd-kit==1.4.*"], "cleanlab": ["cleanlab==2.9.*"]}


def main(arguments: list[str] | None = None) -> str:
    """Run the contests that are named, or all that are there; print and return their Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contests", nargs="*", choices=[[], *CONTESTS], default=[])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    options = parser.parse_args(arguments)
    there = [name for name, module in CONTESTS.items() if importlib.util.find_spec(module)]
    text = "\n\n".join(
        importlib.import_module(CONTESTS[name]).report(options.cache) for name in options.contests or there
    )
    print(text)
    return text


def report() -> str:
    """All contests, as Markdown."""
    return main([])


def interpreter(peer: str, cache: Path) -> str:
    """A peer's Python; its environment is made on first use."""
    folder = cache / peer
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        print(f"making an environment for {peer} in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        run([python, "-m", "pip", "install", "--quiet", *PEERS[peer]], check=True)
        done.touch()
    return str(python)


if __name__ == "__main__":
    main()
