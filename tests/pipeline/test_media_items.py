"""A folder of pictures or recordings as a source of items."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from labelmill.errors import BadInputError, UsageError
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace


@pytest.fixture
def cells(tmp_path: Path) -> Workspace:
    """An image project of two classes, with pictures in folders of their classes."""
    init(tmp_path / "cells", classes=["red", "white"], modality="image")
    for name, size in {"red/1.png": (30, 20), "red/2.jpg": (8, 9), "white/1.png": (5, 5)}.items():
        path = tmp_path / "cells" / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(path)
    (tmp_path / "cells" / "pictures" / ".hidden").write_text("not looked at")
    return Workspace.open(tmp_path / "cells")


def test_a_picture_is_an_item(cells: Workspace) -> None:
    """Its id is its path below the folder, its data the path below the project; its size is known."""
    done = ingest(cells, cells.project.folder / "pictures")

    items = cells.lake.items(["red/1.png", "red/2.jpg", "white/1.png"]).items
    assert done.n_items == 3
    assert [item.image for item in items] == ["pictures/red/1.png", "pictures/red/2.jpg", "pictures/white/1.png"]
    assert [(item.width, item.height) for item in items] == [(30, 20), (8, 9), (5, 5)]
    assert "label" not in items[0].meta
    assert people_votes(cells).height == 0


def test_folders_are_classes_where_somebody_says_so(cells: Workspace) -> None:
    """With `labels_by` the names of the folders are votes."""
    ingest(cells, cells.project.folder / "pictures", labels_by="folders")

    said = dict(people_votes(cells).select("item", "value").iter_rows())
    assert said == {"red/1.png": "red", "red/2.jpg": "red", "white/1.png": "white"}


def test_what_is_no_picture_is_a_bad_row(cells: Workspace, tmp_path: Path) -> None:
    """By its first bytes, whatever it is called; links, and pictures that end too soon, too."""
    folder = cells.project.folder / "pictures"
    (folder / "liar.png").write_text("<svg/>")
    whole = io.BytesIO()
    Image.new("L", (9, 9)).save(whole, "PNG")
    (folder / "torn.png").write_bytes(whole.getvalue()[:12])
    (tmp_path / "outside.png").write_bytes(whole.getvalue())
    (folder / "way-out.png").symlink_to(tmp_path / "outside.png")

    with pytest.raises(BadInputError) as refused:
        ingest(cells, folder)
    done = ingest(cells, folder, on_bad_rows="skip")

    reasons = {row.reason for row in refused.value.bad_rows}
    assert reasons == {row.reason for row in done.bad_rows}
    assert any("'liar.png' is no picture" in reason for reason in reasons)
    assert any("'torn.png' is damaged" in reason for reason in reasons)
    assert any("'way-out.png' is a link" in reason for reason in reasons)
    assert (len(reasons), done.n_items) == (3, 3)


def test_files_that_nobody_would_see_are_refused(cells: Workspace, tmp_path: Path) -> None:
    """A folder outside the project needs to be listed; then its files are named as seen from there."""
    outside = tmp_path / "camera" / "june"
    outside.mkdir(parents=True)
    Image.new("L", (4, 4)).save(outside / "1.png")
    with pytest.raises(UsageError, match=r"\[storage\] media"):
        ingest(cells, outside)
    path = cells.project.folder / "labelmill.toml"
    path.write_text(path.read_text() + '\n[storage]\nmedia = [".", "../camera"]\n')
    listed = Workspace.open(cells.project.folder)

    ingest(listed, outside)

    assert listed.lake.items(["1.png"]).items[0].image == "june/1.png"


def test_recordings_are_items(tmp_path: Path) -> None:
    """A folder in an audio project; a picture in it is a bad row, an empty folder holds nothing."""
    init(tmp_path / "birds", classes=["song"], kind="segment", modality="audio")
    workspace = Workspace.open(tmp_path / "birds")
    folder = tmp_path / "birds" / "sound"
    folder.mkdir()
    with pytest.raises(BadInputError, match="holds no files"):
        ingest(workspace, folder)
    soundfile.write(folder / "a.wav", np.zeros(100), 8000)
    Image.new("L", (4, 4)).save(folder / "b.png")

    done = ingest(workspace, folder, on_bad_rows="skip")

    assert done.n_items == 1
    assert workspace.lake.items(["a.wav"]).items[0].audio == "sound/a.wav"
    assert "no recording" in done.bad_rows[0].reason
