"""The reference page of keys, which follows from the one table that the app uses too.

After a change of the table, write it anew:

    python tests/web/test_keys_page.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "keys.md"
INTRO = """\
<!-- Written from web/src/keys/table.ts by tests/web/test_keys_page.py: do not edit. -->
# Keys

Keys of the browser app. They act while the focus is in no field; `?` shows those of the screen one is on, and there
each can be changed for oneself: the server keeps it. A key that does something else on the same screen is refused.
Keys of one character can be switched off. A class of the schema may bring a key of its own.
"""


def page_of(rows: list[dict[str, Any]]) -> str:
    """The page: a table for each place."""
    parts = [INTRO]
    for scope in dict.fromkeys(row["scope"] for row in rows):
        acts = [row for row in rows if row["scope"] == scope]
        lines = [f"| {_keys(act['keys'])} | {act['words']} | `{act['name']}` |" for act in acts]
        parts.append("\n".join([f"## {scope}\n", "| key | what it does | act |", "|---|---|---|", *lines, ""]))
    return "\n".join(parts)


def _keys(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def read_table(build_app: ModuleType) -> list[dict[str, Any]]:
    """The table, from the sources."""
    command = build_app.node_command("build.mjs", "--keys")
    printed = subprocess.run(command, cwd=ROOT / "web", check=True, capture_output=True, text=True).stdout
    rows: list[dict[str, Any]] = json.loads(printed)
    return rows


@pytest.mark.usefixtures("static")
def test_the_page_says_what_the_table_says(build_app: ModuleType) -> None:
    """The page in the repository follows from the table: write it anew as the head of this file says."""
    assert PAGE.read_text(encoding="utf-8") == page_of(read_table(build_app))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests.web.app_build import load_build_app

    load_build_app().install_packages()
    PAGE.write_text(page_of(read_table(load_build_app())), encoding="utf-8")
