from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labelmill.domain.partition import Partition
from labelmill.domain.run import Run
from labelmill.domain.vote import Fault
from labelmill.errors import StorageError, UsageError
from labelmill.stores.lake import Lake

PARTS = [Partition(f"p{i}", "items/p.parquet", 10 * i, 10 * i + 10) for i in range(3)]
VOTES = pl.DataFrame({"long": [0, -1, 1], "short": [-1, 1, 1]}, schema={"long": pl.Int16, "short": pl.Int16})
ANNOTATORS = {"long": {"fingerprint": "f1", "kind": "rule"}, "short": {"fingerprint": "f2", "kind": "rule"}}


@pytest.fixture(params=["folder", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake in a folder, and one on S3."""
    if request.param == "s3":
        return Lake(f"{request.getfixturevalue('bucket')}/project")
    return Lake(tmp_path / ".labelmill")


def test_votes_come_back(lake: Lake) -> None:
    """Votes of rules, sets of classes and probabilities are read back with their types."""
    votes = pl.DataFrame(
        {"rule": [0, -1], "set": [[0, 2], None], "model": [1, 0], "p.model": [[0.25, 0.75], None]},
        schema={"rule": pl.Int16, "set": pl.List(pl.Int16), "model": pl.Int16, "p.model": pl.List(pl.Float32)},
    )

    uri = lake.publish_votes("d1", "p0", votes, [])

    assert uri == "votes/d1/p0.parquet"
    assert lake.read_votes("d1", "p0").equals(votes)
    assert lake.read_votes("d1", "p0", ["set"]).schema == {"set": pl.List(pl.Int16)}


def test_done_is_what_is_published(lake: Lake) -> None:
    """A partition is done when its votes are there, with or without faults."""
    lake.publish_votes("d1", "p0", VOTES, [])
    lake.publish_votes("d1", "p1", VOTES, [Fault("i1", "long", "ValueError: x")])
    lake.begin_attempt("d1", "p2", b"at row -")

    assert lake.done_partitions("d1") == {"p0", "p1"}
    assert [lake.has_votes("d1", p.id) for p in PARTS] == [True, True, False]
    assert lake.done_partitions("d2") == set()


def test_the_first_votes_stay(lake: Lake) -> None:
    """A second attempt at a partition changes neither its votes nor its faults."""
    lake.publish_votes("d1", "p0", VOTES, [Fault("i1", "long", "first")])
    lake.publish_votes("d1", "p0", VOTES.head(1), [Fault("i2", "long", "second")])
    lake.seal_votes("d1", ANNOTATORS, PARTS[:1])

    assert lake.read_votes("d1", "p0").equals(VOTES)
    assert lake.read_faults("d1")["error"].to_list() == ["first"]


def test_faults_of_a_dead_attempt_do_not_count(lake: Lake) -> None:
    """Faults whose attempt died before its votes were there make way for those of the attempt that lived."""
    lake.publish_votes("d1", "p0", VOTES, [Fault("i1", "long", "died")])
    lake._files.delete("votes/d1/p0.parquet")
    lake.publish_votes("d1", "p0", VOTES, [])
    lake.seal_votes("d1", ANNOTATORS, PARTS[:1])

    assert lake.read_faults("d1").height == 0


def test_only_sealed_votes_count(lake: Lake) -> None:
    """Published votes are a set once they are sealed; what is sealed later comes beside it."""
    for partition in PARTS:
        lake.publish_votes(
            "d1", partition.id, VOTES, [Fault("i", "long", "x", "trace")] if partition.id == "p1" else []
        )
    assert lake.vote_sets() == []

    lake.seal_votes("d1", ANNOTATORS, PARTS[:1])
    assert lake.read_faults("d1").height == 0

    lake.seal_votes("d1", ANNOTATORS, PARTS[1:])
    sets = lake.vote_sets()

    assert [(s.digest, s.annotators, s.partitions) for s in sets] == [("d1", ANNOTATORS, PARTS)]
    assert lake.read_faults("d1").rows() == [("i", "long", "x", "trace")]


def test_sealing_what_is_not_there_is_refused(lake: Lake) -> None:
    """A manifest never names a partition without votes."""
    lake.publish_votes("d1", "p0", VOTES, [])

    with pytest.raises(StorageError, match="the votes on 2 partitions are not there, first 'p1'"):
        lake.seal_votes("d1", ANNOTATORS, PARTS)

    assert lake.vote_sets() == []


def test_attempts_are_counted_until_they_end(lake: Lake) -> None:
    """An attempt that did not end is left over, with the last note of its worker."""
    first, second = (lake.begin_attempt("d1", "p0", b"at row -") for _ in range(2))
    other = lake.begin_attempt("d1", "p00", b"at row -")
    second.note(b"at row 7")
    lake.end_attempt(first)

    assert lake.left_over_attempts("d1", "p0") == [b"at row 7"]

    lake.clear_attempts("d1", "p0")
    lake.end_attempt(second)

    assert lake.left_over_attempts("d1", "p0") == []
    assert len(lake.left_over_attempts("d1", "p00")) == 1
    lake.end_attempt(other)


def test_imported_votes_keep_their_order(lake: Lake) -> None:
    """Votes of several imports, the same one twice among them, come back in the order they came."""
    lake.append_votes(_votes(["a", "b"], "ann"), source="one.csv")
    lake.append_votes(_votes(["a", None], "bo"), source="two.csv")
    lake.append_votes(_votes(["a", "b"], "ann"), source="one.csv")

    votes = lake.imported_votes()

    assert votes.select("annotator", "value").rows() == [
        ("ann", "a"),
        ("ann", "b"),
        ("bo", "a"),
        ("bo", None),
        ("ann", "a"),
        ("ann", "b"),
    ]
    assert votes.schema["confidence"] == pl.Float64
    assert lake.vote_sets() == []


def test_votes_without_a_column_are_refused(lake: Lake) -> None:
    """What is no table of votes is refused with the columns expected."""
    with pytest.raises(UsageError, match="votes lack value, kind: expected the columns item, annotator"):
        lake.append_votes(_votes(["a"], "ann").drop("value", "kind"), source="x")


def test_the_last_consensus_counts(lake: Lake) -> None:
    """Each consensus is a version of its own; the current one is read, and the last three are kept."""
    for i in range(5):
        assert _consensus(lake, f"c{i}", {"model": "m", "i": i}) == i + 1

    stored = lake.consensus()

    assert stored is not None
    assert lake.read_consensus(stored.digest, "p0")["n"].to_list() == [4]
    assert stored.meta == {"model": "m", "i": 4, "version": 5}
    assert lake._files.names("consensus") == ["c2", "c3", "c4", "manifest.json"]


def test_the_same_consensus_is_the_same_version(lake: Lake) -> None:
    """What follows from the same things is not made current twice."""
    assert _consensus(lake, "c1", {}) == 1
    assert _consensus(lake, "c1", {}) == 1
    assert _consensus(lake, "c2", {}) == 2
    assert _consensus(lake, "c1", {}) == 3


def test_an_unfinished_consensus_is_passed_over(lake: Lake) -> None:
    """A version whose writer was killed before the manifest is not read; without all partitions it cannot count."""
    _consensus(lake, "c1", {})
    lake.publish_consensus("c2", "p0", pl.DataFrame({"n": [2]}))

    with pytest.raises(StorageError, match="the consensus of 2 partitions is not there, first 'p1'"):
        lake.seal_consensus("c2", PARTS, {})

    current = lake.consensus()
    assert current is not None
    assert current.number == 1
    assert lake.done_consensus("c2") == {"p0"}


def test_numbers_that_json_does_not_know_become_null(lake: Lake) -> None:
    """A reliability that is not known does not stop a consensus."""
    _consensus(lake, "c1", {"reliability": [0.5, math.nan], "deep": {"x": math.inf}})

    stored = lake.consensus()

    assert stored is not None
    assert stored.meta == {"reliability": [0.5, None], "deep": {"x": None}, "version": 1}


def test_tables_of_a_reduce_are_there_until_they_are_removed(lake: Lake) -> None:
    """Of two writers the first wins."""
    lake.publish_table("r1", "p0", pl.DataFrame({"n": [1]}))
    lake.publish_table("r1", "p0", pl.DataFrame({"n": [2]}))

    assert lake.table_names("r1") == {"p0"}
    assert lake.read_table("r1", "p0")["n"].to_list() == [1]

    lake.delete_tables("r1")

    assert lake.table_names("r1") == set()


def test_code_is_known_by_its_content(lake: Lake) -> None:
    """The same archive twice is one; what is not there is told."""
    digest = lake.publish_code(b"archive")

    assert lake.publish_code(b"archive") == digest
    assert lake.read_code(digest) == b"archive"
    with pytest.raises(StorageError, match="the code that this run needs is not in the lake"):
        lake.read_code("0" * 16)


def _consensus(lake: Lake, digest: str, meta: dict[str, Any]) -> int:
    for partition in PARTS:
        lake.publish_consensus(digest, partition.id, pl.DataFrame({"n": [int(digest[1:])]}))
    return lake.seal_consensus(digest, PARTS, meta)


def test_documents_are_kept_by_name(lake: Lake) -> None:
    """A document is what was written last, until it is deleted."""
    lake.write_document("plan", {"n": 1})
    lake.write_document("plan", {"n": 2})

    assert lake.read_document("plan") == {"n": 2}
    assert lake.read_document("other") is None

    lake.delete_document("plan")
    lake.delete_document("plan")

    assert lake.read_document("plan") is None


def test_runs_come_oldest_first(lake: Lake) -> None:
    """Runs are sorted by id; a run saved again is replaced."""
    for name in ("2026-02", "2026-01"):
        lake.save_run(Run(name, "annotate"))
    ended = Run("2026-01", "annotate").ended("finished", "2026-01-02T00:00:00+00:00", counts={"items": 3})
    lake.save_run(ended)

    assert [run.id for run in lake.runs()] == ["2026-01", "2026-02"]
    assert lake.run("2026-01") == ended
    with pytest.raises(UsageError, match="no run is called '2026-03': did you mean"):
        lake.run("2026-03")


def test_a_model_is_found_by_name(lake: Lake) -> None:
    """The model published last is current; the one before it is still there."""
    first = lake.publish_model("linear", lambda folder: _fill(folder, "one"))
    second = lake.publish_model("linear", lambda folder: _fill(folder, "two"))
    again = lake.publish_model("linear", lambda folder: _fill(folder, "two"))
    named = lake.publish_model("other", lambda folder: _fill(folder, "x"), fingerprint="abc")

    assert lake.current_model("linear") == second == again != first
    assert (first / "part" / "weights").read_text() == "one"
    assert first == lake.model_folder("linear", first.name)
    assert named == lake.model_folder("other", "abc")
    assert lake.current_model("none") is None


def test_a_model_that_fails_to_save_changes_nothing(lake: Lake) -> None:
    """While a model is being saved the one before it stays current."""
    first = lake.publish_model("linear", lambda folder: _fill(folder, "one"))

    def fail(folder: Path) -> None:
        _fill(folder, "half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="the disk is full"):
        lake.publish_model("linear", fail)

    assert lake.current_model("linear") == first
    assert lake._files.names("models/linear") == sorted([first.name, "current.json"])


def test_a_release_never_changes(lake: Lake) -> None:
    """A release lists its files with their hashes; one of the same name must be the same."""
    folder = lake.publish_release("v1.0", lambda folder: _fill(folder, "labels"))

    assert lake.release_place("v1.0") == lake._files.place("releases/v1.0")
    assert (folder / "manifest.json").read_text() == (
        '{"files":[{"name":"part/weights","bytes":6,'
        '"sha256":"d772ebb4590212c65cc31888ee55c3a893d866d8479f84a4c0ca36918a3fa75f"}]}\n'
    )
    assert lake.publish_release("v1.0", lambda folder: _fill(folder, "labels")) == folder
    with pytest.raises(UsageError, match=r"there is a release 'v1\.0' already"):
        lake.publish_release("v1.0", lambda folder: _fill(folder, "others"))
    assert lake.release_names() == ["v1.0"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 101, "a\0b", "end.", "-flag"])
def test_names_lead_out_of_no_folder(lake: Lake, name: str) -> None:
    """A name that is no plain file name is refused everywhere."""
    for call in (
        lambda: lake.publish_release(name, lambda folder: None),
        lambda: lake.publish_model(name, lambda folder: None),
        lambda: lake.write_document(name, {}),
        lambda: lake.save_run(Run(name, "annotate")),
    ):
        with pytest.raises(UsageError, match="is no name for a"):
            call()


def test_racing_attempts_leave_one_whole_result(lake: Lake) -> None:
    """Attempts that publish the same partition at once leave one set of votes, whole."""
    frames = [pl.DataFrame({"a": [i] * 1000}, schema={"a": pl.Int16}) for i in range(6)]
    threads = [threading.Thread(target=lake.publish_votes, args=("d1", "p0", frame, [])) for frame in frames]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert any(lake.read_votes("d1", "p0").equals(frame) for frame in frames)
    assert lake._files.names("votes/d1") == ["p0.parquet"]


def _votes(values: list[str | None], annotator: str) -> pl.DataFrame:
    n = len(values)
    return pl.DataFrame(
        {
            "item": [f"i{i}" for i in range(n)],
            "annotator": [annotator] * n,
            "value": values,
            "confidence": [None] * n,
            "at": [None] * n,
            "purpose": ["label"] * n,
            "kind": ["person"] * n,
        }
    )


def _fill(folder: Path, content: str) -> None:
    (folder / "part").mkdir()
    (folder / "part" / "weights").write_text(content)
