"""Projects whose lakes are cut into many small partitions, with votes made up from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from labelmill.pipeline.votes import CURRENT, Machine, schema_fingerprint
from labelmill.pipeline.workspace import Workspace

ENGINES: list[tuple[str, int | None]] = [("serial", None), ("processes", 1), ("processes", 2), ("processes", 3)]
"""Engine and workers; the first is what the others are compared with."""


def project(
    folder: Path, n_items: int, *, kind: str = "choice", classes: Sequence[str] = ("a", "b", "c"), model: str = "auto"
) -> Workspace:
    """A project with items and no votes."""
    folder.mkdir(parents=True)
    names = ", ".join(f'"{name}"' for name in classes)
    (folder / "labelmill.toml").write_text(
        f'[schema]\nkind = "{kind}"\nclasses = [{names}]\n[annotate]\nengine = "serial"\n'
        f'[aggregate]\nmodel = "{model}"\n[train]\nlearner = ""\n'
    )
    workspace = Workspace.open(folder)
    add_items(workspace, 0, n_items)
    return workspace


def add_items(workspace: Workspace, start: int, n: int) -> None:
    """Items `i<number>`, from `start` on."""
    ids = [f"i{i}" for i in range(start, start + n)]
    with workspace.lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ids, "data": [f"text {name}" for name in ids]}))


def truth(n_items: int, n_classes: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The class of each item."""
    return np.arange(n_items) * 7 % 11 % n_classes


def machine_votes(
    workspace: Workspace, n_machines: int, *, soft: bool = False, reach: float = 0.6, seed: int = 0
) -> None:
    """Votes of machines that err now and then and abstain now and then, on all items there are."""
    lake, schema = workspace.lake, workspace.schema
    partitions = lake.item_partitions()
    rng = np.random.default_rng(seed)
    right = truth(lake.n_items, schema.n_classes)
    columns: dict[str, pl.Series] = {}
    for j in range(n_machines):
        wrong = rng.random(lake.n_items) < 0.1 + 0.05 * j
        named = np.where(wrong, rng.integers(0, schema.n_classes, lake.n_items), right)
        silent = rng.random(lake.n_items) > reach
        columns |= _votes(workspace, f"m{j}", named, silent, soft=soft and j == 0)
    frame = pl.DataFrame(columns)
    at = 0
    for partition in partitions:
        lake.publish_votes("made-up", partition.id, frame.slice(at, partition.n_rows), [])
        at += partition.n_rows
    kinds = {f"m{j}": "model" if soft and j == 0 else "rule" for j in range(n_machines)}
    with lake.writing():
        lake.seal_votes("made-up", {m: {"fingerprint": "1", "kind": kind} for m, kind in kinds.items()}, partitions)
    asked = schema_fingerprint(schema)
    how = {"model": "learned", "rule": "python"}
    machines = [Machine(name, kind, "1", how[kind], schema=asked) for name, kind in kinds.items()]  # type: ignore[arg-type]  # the kinds above
    lake.write_document(CURRENT, {"machines": [asdict(machine) for machine in machines]})


def _votes(
    workspace: Workspace,
    name: str,
    named: np.ndarray[tuple[int], np.dtype[np.int64]],
    silent: np.ndarray[tuple[int], np.dtype[np.bool_]],
    *,
    soft: bool,
) -> dict[str, pl.Series]:
    if workspace.schema.kind == "multi_choice":
        sets = [None if quiet else [int(k)] for k, quiet in zip(named, silent, strict=True)]
        return {name: pl.Series(sets, dtype=pl.List(pl.Int16))}
    columns = {name: pl.Series(np.where(silent, -1, named), dtype=pl.Int16)}
    if soft:
        k = workspace.schema.n_classes
        sure = np.full((len(named), k), 0.3 / (k - 1), dtype=np.float32)
        sure[np.arange(len(named)), named] = 0.7
        rows = [None if quiet else row for row, quiet in zip(sure.tolist(), silent, strict=True)]
        columns[f"p.{name}"] = pl.Series(rows, dtype=pl.List(pl.Float32))
    return columns


def people_votes(workspace: Workspace, answers: Mapping[str, Mapping[str, str | None]], purpose: str = "label") -> None:
    """Answers as annotator -> item -> value."""
    rows = [(item, who, value) for who, given in answers.items() for item, value in given.items()]
    frame = pl.DataFrame(rows, schema={"item": pl.String, "annotator": pl.String, "value": pl.String}, orient="row")
    with workspace.lake.writing():
        workspace.lake.append_votes(
            frame.with_columns(
                confidence=pl.lit(None, dtype=pl.Float64),
                at=pl.lit("2026-01-01T00:00:00+00:00"),
                purpose=pl.lit(purpose),
                kind=pl.lit("person"),
            ),
            source="test",
        )


def crowd(workspace: Workspace, n_people: int, *, per_person: int = 40, seed: int = 1) -> None:
    """Votes of people, each on some items of the whole lake."""
    lake, classes = workspace.lake, workspace.schema.classes
    rng = np.random.default_rng(seed)
    right = truth(lake.n_items, len(classes))
    answers: dict[str, dict[str, str | None]] = {}
    for j in range(n_people):
        items = rng.choice(lake.n_items, min(per_person, lake.n_items), replace=False)
        named = np.where(rng.random(len(items)) < 0.15, rng.integers(0, len(classes), len(items)), right[items])
        answers[f"w{j}"] = {f"i{i}": classes[k] for i, k in zip(items.tolist(), named.tolist(), strict=True)}
    people_votes(workspace, answers)


def consensus_files(workspace: Workspace) -> dict[str, str]:
    """Hash of every file of the current consensus, but for what a killed writer left half-written."""
    stored = workspace.lake.consensus()
    assert stored is not None
    folder = Path(workspace.lake.uri) / "consensus" / stored.digest
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
