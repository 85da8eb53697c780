"""A shell for journeys: the real command line, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labelmill.cli.main import main

RULES = """\
from labelmill import keyword, labeling_function, regex

money = keyword("spam", ["free", "prize", "winner"])
shouting = regex("spam", r"[A-Z]{5,}")
thanks = keyword("ham", ["thanks", "meeting", "lunch"])


@labeling_function()
def short(x):
    return "ham" if len(x.text) < 25 else None
"""

PROJECT = """\
[schema]
name = "spam"
classes = ["ham", "spam"]
[annotate]
engine = "serial"
"""


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, as JSON."""
        return json.loads(self.out)


Shell = Callable[..., Answer]

CLUSTERS = {"ray": "local_ray", "spark": "local_spark"}
"""Engine -> the fixture whose cluster it joins, so that not every command starts one."""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """Runs `labelmill WORDS...` in an empty folder; returns status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Answer:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["labelmill", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        out, err = capfd.readouterr()
        return Answer(status, out, err)

    return run


def texts(n: int) -> list[tuple[str, str, str]]:
    """Small mails as (id, text, true class): every third is spam."""
    rows = []
    for i in range(n):
        spam = i % 3 == 0
        words = (
            f"you are the winner number {i} of a free prize" if spam else f"thanks for the meeting number {i} at noon"
        )
        rows.append((f"m{i}", words, "spam" if spam else "ham"))
    return rows


def join(engine: str, request: pytest.FixtureRequest) -> None:
    """See that there is the cluster which the engine joins."""
    if engine in CLUSTERS:
        request.getfixturevalue(CLUSTERS[engine])


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project with four rules and a file of 120 mails; its engine is the one `--engine` names.

    Its lake is a folder; with the indirect parameter "s3" it lies on an object store.
    """
    folder = tmp_path / "mails"
    folder.mkdir()
    lake = request.getfixturevalue("bucket") if getattr(request, "param", "folder") == "s3" else ""
    engine = request.config.getoption("--engine")
    join(engine, request)
    (folder / "labelmill.toml").write_text(
        PROJECT.replace('"serial"', f'"{engine}"') + (f'[storage]\nlake = "{lake}/mails"\n' if lake else "")
    )
    (folder / "rules.py").write_text(RULES)
    lines = ["id,text", *(f"{name},{text}" for name, text, _ in texts(120))]
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    return folder
