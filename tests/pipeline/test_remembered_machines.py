from __future__ import annotations

from pathlib import Path

import polars as pl

from labelmill.pipeline.dashboard import MACHINES, remember_machines
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.imported_votes import COLUMNS


def test_models_that_give_numbers_are_remembered(tmp_path: Path) -> None:
    """Where answers are numbers, their model tells how reliable each machine is, and how far it reaches."""
    init(tmp_path / "sizes", classes=[], kind="number")
    (tmp_path / "items.csv").write_text("id,text\n" + "".join(f"m{i},text {i}\n" for i in range(4)))
    workspace = Workspace.open(tmp_path / "sizes")
    ingest(workspace, tmp_path / "items.csv")
    said = [("m0", "ruler", 1.0), ("m1", "ruler", 2.0), ("m0", "ana", 1.0), ("m1", "ana", 2.0), ("m1", "bob", 5.0)]
    kinds = {"ruler": "model"}
    rows = [(item, who, str(value), None, None, "label", kinds.get(who, "person"), None) for item, who, value in said]
    with workspace.lake.writing():
        workspace.lake.append_votes(pl.DataFrame(rows, schema=COLUMNS, orient="row"), source="test")

    remember_machines(workspace)

    (row,) = (workspace.lake.read_document(MACHINES) or {})["rows"]
    assert (row["name"], row["kind"], row["n_votes"], row["coverage"]) == ("ruler", "model", 2, 0.5)
    assert 0 < row["learned_accuracy"] <= 1
