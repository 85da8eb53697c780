"""Projects about pictures, from `init` on."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from PIL import Image
from tests.journeys.conftest import Shell


def test_a_folder_of_files_becomes_a_project(shell: Shell) -> None:
    """Init, import of a folder, the whole turn, answers, and a release; no classifier reads the files' names."""
    made = shell("init", "p", "--classes", "quiet,loud", "--modality", "image")
    assert "labelmill import FOLDER" in made.out
    Path("p/files").mkdir()
    for i in range(4):
        Image.new("L", (4, 4 + i)).save(f"p/files/{i}.png")
    brought = shell("import", "p/files", "-p", "p")
    assert "4 new items" in brought.out, brought.err

    turned = shell("run", "-p", "p", "--json", "--workers", "1")

    assert turned.status == 0, turned.err
    asked = pl.read_csv("p/ask.csv", infer_schema=False)
    assert asked.height == 4
    assert {row["kind"] for row in turned.json["story"]["annotators"]} <= {"rule"}
    answered = asked.with_columns(label=pl.lit("quiet"))
    answered.write_csv("p/ask.csv")
    assert shell("import", "p/ask.csv", "--votes-by", "ann", "-p", "p").status == 0
    assert shell("run", "-p", "p", "--workers", "1").status == 0
    assert shell("export", "out", "-p", "p").status == 0
    assert set(pl.read_csv("out/labels.csv")["label"]) == {"quiet"}


def test_a_folder_into_a_project_of_boxes(shell: Shell) -> None:
    """The next step that `init` tells is one that works: the folder, then the server."""
    made = shell("init", "p", "--kind", "box", "--classes", "coin", "--modality", "image")
    Path("p/files").mkdir()
    Image.new("L", (4, 4)).save("p/files/a.png")

    brought = shell("import", "p/files", "-p", "p")
    turned = shell("run", "-p", "p")

    assert "labelmill import FOLDER && labelmill serve" in made.out
    assert "1 new item" in brought.out, brought.err
    assert turned.status == 0, turned.err
    assert "1 item, 0 with answers" in turned.out
