"""Vote patterns: what they count, and when they do not serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lakes import crowd, machine_votes, project

from labelmill.domain.partition import Resources
from labelmill.engines.serial import Serial
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._patterns import PatternStep, pattern_tables, refusal
from labelmill.pipeline._reduce import Reduce
from labelmill.pipeline.votes import ballot_plan, ballots
from labelmill.pipeline.workspace import Workspace
from labelmill.stores import item_set


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 30 items."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 30)


def counted(workspace: Workspace, most: int = 1_000) -> tuple[BallotSource, pl.DataFrame]:
    plan, answers = ballot_plan(workspace)
    reduce = Reduce(workspace, Serial(), Resources(), "test", "d")
    source = BallotSource.published(reduce, plan, answers)
    return source, reduce.run("p", PatternStep(source, most), workspace.lake.item_partitions(), lambda *_: None)


@pytest.mark.parametrize("kind", ["choice", "multi_choice"])
def test_patterns_are_the_votes_counted(kind: str, tmp_path: Path) -> None:
    """Each pattern's votes, as often as it counts, are the votes of the whole table."""
    workspace = project(tmp_path / "p", 400, kind=kind)
    machine_votes(workspace, 3)
    if kind == "choice":
        crowd(workspace, 300, per_person=3)
    whole = ballots(workspace).tables

    source, counts = counted(workspace)

    tables = pattern_tables(source.plan, counts)
    for key, table in whole.items():
        counts_of_rows = tables[key].multiplicity
        assert counts_of_rows is not None
        found = np.repeat(tables[key].matrix, counts_of_rows, axis=0)
        assert (tables[key].annotators, tables[key].kinds) == (table.annotators, table.kinds)
        assert sorted(map(bytes, found)) == sorted(map(bytes, table.matrix))
        assert tables[key].n_items < table.n_items


def test_probabilities_have_no_patterns(tmp_path: Path) -> None:
    """A model that gives probabilities makes patterns useless, and that is told at once."""
    workspace = project(tmp_path / "p", 90)
    machine_votes(workspace, 2, soft=True)

    _, counts = counted(workspace)

    assert refusal(counts) == "soft"


def test_too_many_patterns(tmp_path: Path) -> None:
    """Above the limit they are given up."""
    workspace = project(tmp_path / "p", 90)
    machine_votes(workspace, 3)

    assert refusal(counted(workspace, 5)[1]) == "many"
    assert refusal(counted(project_again(workspace), 5_000)[1]) is None


def project_again(workspace: Workspace) -> Workspace:
    """The same project without the tables of the test's reduce."""
    workspace.lake.delete_tables("test")
    return workspace


COUNTS = st.dictionaries(st.tuples(st.integers(0, 2), st.binary(max_size=3)), st.integers(1, 9), max_size=8)


@given(COUNTS, COUNTS, COUNTS)
def test_the_order_of_merges_changes_nothing(
    a: dict[tuple[int, bytes], int], b: dict[tuple[int, bytes], int], c: dict[tuple[int, bytes], int]
) -> None:
    """Counts are whole numbers: any tree over the same neighbours gives the same table."""
    step = PatternStep(None, 100)  # type: ignore[arg-type]  # merging asks nothing of the source
    x, y, z = map(_frame, (a, b, c))

    assert step.merge(step.merge(x, y), z).equals(step.merge(x, step.merge(y, z)))
    assert step.merge(x, y).equals(step.merge(y, x))


def _frame(counts: dict[tuple[int, bytes], int]) -> pl.DataFrame:
    rows = [(table, pattern, n) for (table, pattern), n in counts.items()]
    schema = {"table": pl.Int32, "pattern": pl.Binary, "count": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
