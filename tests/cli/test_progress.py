from __future__ import annotations

import io
import json
import time

import pytest
from rich.console import Console

from labelmill.cli import _progress
from labelmill.cli._progress import bars, json_lines

DETAIL = {
    "partitions": {"done": 1, "total": 4, "failed": 0, "retried": 2},
    "faults": 3,
    "hosts": {"a": 1, "b": 2},
    "shares": {"quick": 0.1, "slow": 0.9},
}


def test_lines_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand steps in a moment make two lines: the first and the last."""
    stream = io.StringIO()

    with json_lines(stream) as watch:
        progress = watch("annotate")
        for done in range(1000):
            progress(done, 0)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["done"] for line in lines] == [0, 999]
    assert {key: lines[0][key] for key in ("what", "total", "rate", "eta_s")} == {
        "what": "annotate",
        "total": None,
        "rate": None,
        "eta_s": None,
    }


def test_the_rate_is_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier run had done counts neither for the rate nor for the time that is left."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()

    with json_lines(stream) as watch:
        progress = watch("annotate")
        progress(900, 1000, DETAIL)
        now = 110.0
        progress(950, 1000, DETAIL)

    last = json.loads(stream.getvalue().splitlines()[-1])
    assert (last["rate"], last["eta_s"]) == (5.0, 10.0)
    assert {key: last[key] for key in DETAIL} == DETAIL


def test_a_bar_has_its_detail_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the bar stands what went wrong, where it runs and what takes the time."""
    shown = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(file=shown, force_terminal=True, width=120))

    with bars() as watch:
        watch("annotate")(25, 100, DETAIL)

    assert "25/100" in shown.getvalue()
    assert "partitions 1/4  ·  2 retried  ·  3 faults  ·  2 hosts  ·  time: slow 90%, quick 10%" in shown.getvalue()


def test_names_cannot_steer_the_terminal() -> None:
    """A control character in an annotator's name is shown by its number."""
    told = _progress._told({"shares": {"\x1b[2J": 0.5, "b": 0.5}})

    assert "\x1b" not in told
