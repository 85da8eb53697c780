"""Masks of several painters: from file to file, and in a project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

from labelmill.domain.rle import encode


def _rectangle(label: str, left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    rows, columns = np.mgrid[:20, :30]
    return {"label": label, **encode((left <= columns) & (columns < right) & (top <= rows) & (rows < bottom))}


SKY, SEA = _rectangle("sky", 0, 0, 30, 8), _rectangle("sea", 0, 12, 30, 20)
VOTES = {
    ("a", "ann"): [SKY, SEA],
    ("a", "bob"): [SKY, SEA],
    ("a", "eve"): [_rectangle("sky", 0, 0, 30, 5)],
    ("b", "ann"): [],
    ("b", "bob"): [],
}


def _write() -> None:
    rows = [{"item": item, "annotator": name, "label": value} for (item, name), value in VOTES.items()]
    Path("votes.jsonl").write_text("\n".join(map(json.dumps, rows)))
    Path("items.csv").write_text("id,image,width,height\na,a.png,30,20\nb,b.png,30,20\n")


def test_masks_from_file_to_file(shell: Shell) -> None:
    """JSON lines in, one list of masks an item out, each with the IoU it can be expected to have."""
    _write()

    answer = shell(
        *("aggregate", "--votes", "votes.jsonl", "--label-kind", "mask", "--items", "items.csv"),
        *("--out", "merged.jsonl", "--reliabilities", "people.csv"),
    )

    assert answer.status == 0, answer.err
    merged = {row["item"]: row for row in pl.read_ndjson("merged.jsonl").iter_rows(named=True)}
    assert json.loads(merged["a"]["label"]) == [SKY, SEA]
    assert json.loads(merged["b"]["label"]) == []
    assert all(0.5 < part <= 1 for part in json.loads(merged["a"]["parts"]))
    people = dict(pl.read_csv("people.csv").select("annotator", "reliability").rows())
    assert people["eve"] < people["ann"]


def test_a_wrong_mask(shell: Shell) -> None:
    """One of another size than the picture, and two that overlap: told with file and line."""
    _write()
    files: list[str | Path] = ["--votes", "bad.jsonl", "--items", "items.csv", "--out", "m.csv"]
    thumbnail = [{**SKY, "size": [30, 20]}]
    overlap = [SKY, _rectangle("sea", 0, 5, 30, 20)]

    for value, words in ((thumbnail, "size is 30 x 20, the image is 20 x 30"), (overlap, "90 pixels that mask 0")):
        Path("bad.jsonl").write_text(json.dumps({"item": "a", "annotator": "dan", "label": value}))
        refused(
            shell, ["aggregate", "--label-kind", "mask", *files], 1, "bad.jsonl, line 1", words, "Nothing was written"
        )


def test_a_project_of_masks(shell: Shell) -> None:
    """Import, aggregate, select, export."""
    _write()
    assert shell("init", "p", "--kind", "mask", "--classes", "sky,sea", "--modality", "image").status == 0
    imported = shell("import", "items.csv", "-p", "p")
    assert imported.status == 0, imported.err
    votes = shell("import", "votes.jsonl", "-p", "p")
    assert votes.status == 0, votes.err
    told = shell("aggregate", "-p", "p", "--json")
    assert told.status == 0, told.err
    assert (json.loads(told.out)["items"], json.loads(told.out)["with_votes"]) == (2, 2)
    assert shell("select", "--count", "1", "-p", "p").status == 0

    exported = shell("export", "release", "-p", "p")

    assert exported.status == 0, exported.err
