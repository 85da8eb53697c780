from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from tests.object_storage import Proxy

from labelmill.errors import StorageError, UsageError
from labelmill.stores._environment import options
from labelmill.stores._object_files import ObjectFiles
from labelmill.stores._object_store import Changed, ObjectStore
from labelmill.stores.lake import Lake


@pytest.fixture
def lake(proxy: Proxy, bucket: str) -> Lake:
    """A lake on S3, behind the proxy that counts."""
    return Lake(f"{bucket}/project")


@pytest.fixture
def store(lake: Lake) -> ObjectStore:
    """What the lake's files are made of."""
    assert isinstance(lake._files, ObjectFiles)
    return lake._files.store


def test_one_column_costs_its_own_bytes(lake: Lake, store: ObjectStore, proxy: Proxy) -> None:
    """Reading a column of a wide file fetches little more than that column."""
    frame = _wide(n_columns=20)
    lake.publish_votes("d1", "p0", frame, [])
    status = store.stat("votes/d1/p0.parquet")
    assert status is not None
    before = proxy.n_bytes

    column = lake.read_votes("d1", "p0", ["c7"])

    assert column.equals(frame.select("c7"))
    assert status.size > 3_000_000
    assert proxy.n_bytes - before < status.size / 20 + 100_000


def test_some_rows_cost_their_row_groups(lake: Lake, proxy: Proxy) -> None:
    """Batches of a file are read one by one: each costs its own rows, and the footer is fetched once."""
    frame = _wide(n_columns=20)
    files = lake._files
    lake.publish_votes("d1", "p0", frame, [])
    key, n_rows = "votes/d1/p0.parquet", 8_192
    before, n_looks = proxy.n_bytes, proxy.count("HEAD", key)

    parts = [files.read_frame(key, start=start, length=n_rows) for start in range(0, frame.height, n_rows)]

    assert pl.concat(parts).equals(frame)
    assert proxy.n_bytes - before < 8 * frame.height * 20 * 1.1
    assert proxy.count("HEAD", key) == n_looks + 1


@pytest.mark.parametrize(("start", "length"), [(0, 1), (8_191, 2), (20_000, None), (39_999, 5), (40_000, 5)])
def test_any_rows_can_be_asked_for(lake: Lake, start: int, length: int | None) -> None:
    """Rows within, across and beyond row groups are those of the frame."""
    frame = _wide(n_columns=4)
    lake.publish_votes("d1", "p0", frame, [])

    part = lake._files.read_frame("votes/d1/p0.parquet", ["c2", "c0"], start=start, length=length)

    assert part.equals(frame.select("c2", "c0").slice(start, length))


def test_a_large_file_keeps_its_types(lake: Lake) -> None:
    """Lists, texts, whole numbers and nothings come back by ranges as they went in."""
    n = 30_000
    frame = pl.DataFrame(
        {
            "rule": pl.Series([-1, 0, 7] * (n // 3), dtype=pl.Int16),
            "set": pl.Series([[0, 2], None, []] * (n // 3), dtype=pl.List(pl.Int16)),
            "p.rule": pl.Series([[0.25, 0.75], None, [0.5, 0.5]] * (n // 3), dtype=pl.List(pl.Float32)),
            "data": [f"text {i} é💩" for i in range(n)],
            "meta.none": pl.Series([None] * n, dtype=pl.Null),
            "noise": pl.int_range(n, eager=True).hash(1),
        }
    )
    lake.publish_votes("d1", "p0", frame, [])

    for names in (frame.columns, ["rule"], ["set", "p.rule"], ["meta.none", "data"]):
        assert lake.read_votes("d1", "p0", names).equals(frame.select(names))
        assert lake.read_votes("d1", "p0", names).schema == frame.select(names).schema
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        lake.read_votes("d1", "p0", ["nobody"])


def test_a_file_that_was_replaced_is_opened_anew(lake: Lake) -> None:
    """A footer that was kept does not outlive its file."""
    files = lake._files
    for n_columns in (4, 3):
        frame = _wide(n_columns)
        files.delete("votes/d1/p0.parquet")
        Lake(lake.uri).publish_votes("d1", "p0", frame, [])

        assert files.read_frame("votes/d1/p0.parquet", ["c1"]).equals(frame.select("c1"))


def test_a_large_damaged_file_is_named(lake: Lake) -> None:
    """Also where ranges are read."""
    lake._files.replace("votes/d1/p0.parquet", bytes(1_000_000))

    with pytest.raises(StorageError, match=r"votes/d1/p0\.parquet: cannot read: the file is damaged"):
        lake.read_votes("d1", "p0", ["a"])


def test_of_racing_publishers_one_wins(lake: Lake) -> None:
    """Of publishers of the same key at once exactly one creates the file, and it holds that one's content."""
    barrier = threading.Barrier(8)

    def publish(content: bytes) -> bool:
        barrier.wait()
        return lake._files.publish("a", content)

    contents = [b"%d" % i for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(publish, contents))

    assert sum(created) == 1
    assert lake._files.read("a") == contents[created.index(True)]


def test_of_racing_swaps_one_wins(store: ObjectStore) -> None:
    """Of writers that all want to replace what they saw, one does."""
    store.put("a", b"old")
    seen = store.stat("a")
    assert seen is not None
    barrier = threading.Barrier(8)

    def swap(content: bytes) -> bool:
        barrier.wait()
        return store.swap("a", content, seen.stamp)

    contents = [b"%d" % i for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        swapped = list(pool.map(swap, contents))

    assert sum(swapped) == 1
    assert store.read("a") == contents[swapped.index(True)]
    assert not store.swap("none", b"new", seen.stamp)


def test_what_was_replaced_is_not_read_by_its_old_stamp(store: ObjectStore) -> None:
    """Parts of two objects are never mixed."""
    store.put("a", b"old")
    seen = store.stat("a")
    assert seen is not None
    assert store.read("a", start=1, size=1, stamp=seen.stamp) == b"l"
    store.put("a", b"new")

    with pytest.raises(Changed):
        store.read("a", start=1, size=1, stamp=seen.stamp)


def test_work_on_a_partition_lists_nothing(lake: Lake, proxy: Proxy) -> None:
    """Looking, reading and publishing cost requests for their objects; names are listed for planning only."""
    with lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["a"], "data": ["x"]}))
    partition = lake.item_partitions()[0]
    worker = Lake(lake.uri)
    n_lists = proxy.count("GET", "list-type")

    worker.has_votes("d1", partition.id)
    worker.read_items(partition)
    worker.publish_votes("d1", partition.id, pl.DataFrame({"a": [1]}), [])
    worker.read_votes("d1", partition.id)

    assert proxy.count("GET", "list-type") == n_lists


def test_notes_of_attempts_are_objects(lake: Lake) -> None:
    """A note is a request here, and says so; it outlives its writer."""
    token = lake.begin_attempt("d1", "p0", b"at row -")
    token.note(b"at row 7")

    assert not token.is_cheap
    assert Lake(lake.uri).left_over_attempts("d1", "p0") == [b"at row 7"]


def test_another_process_is_seen(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process imports counts here after a moment, and at once for who begins to write."""
    monkeypatch.setattr(ObjectFiles, "fresh_for", 3600.0)
    other = Lake(lake.uri)
    assert other.n_items == 0
    with lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["a"], "data": ["x"]}))

    assert (lake.n_items, other.n_items) == (1, 0)
    with other.writing():
        assert other.n_items == 1


def test_a_model_is_fetched_where_it_is_needed(lake: Lake) -> None:
    """Another process takes a model by name and fingerprint, as a folder of its own that is gone afterwards."""
    folder = lake.publish_model("linear", _fill, fingerprint="f1")
    program = """
import sys
from labelmill.stores._object_store import Changed, ObjectStore
from labelmill.stores.lake import Lake
folder = Lake(sys.argv[1]).model_folder("linear", "f1")
print(folder, (folder / "part" / "weights").read_text())
"""

    shown = subprocess.run([sys.executable, "-c", program, lake.uri], capture_output=True, text=True, check=True)

    path, content = shown.stdout.split()
    assert content == "numbers"
    assert Path(path) != folder == lake.current_model("linear")
    assert not Path(path).exists()


def test_a_folder_counts_with_its_manifest(lake: Lake, proxy: Proxy) -> None:
    """A publisher that dies before the manifest leaves no model; the next one publishes it."""
    proxy.harm = lambda request: 403 if request.method == "PUT" and request.path.endswith("manifest.json") else None
    with pytest.raises(StorageError, match="no permission"):
        lake.publish_model("linear", _fill, fingerprint="f1")
    with pytest.raises(StorageError, match="models/linear/f1: is not there"):
        lake.model_folder("linear", "f1")
    assert lake.current_model("linear") is None

    proxy.harm = lambda request: None
    folder = lake.publish_model("linear", _fill, fingerprint="f1")

    assert (folder / "part" / "weights").read_text() == "numbers"


def test_a_copy_is_what_the_manifest_says(lake: Lake) -> None:
    """A file that was changed behind the manifest's back is not handed out."""
    lake._files.replace("models/linear/f2/w", b"other")
    lake._files.write_json("models/linear/f2/manifest.json", {"files": [{"name": "w", "bytes": 5, "sha256": "0" * 64}]})

    with pytest.raises(StorageError, match="models/linear/f2/w: is not what its manifest says"):
        lake.model_folder("linear", "f2")


@pytest.mark.slow
def test_more_names_than_a_page_holds(lake: Lake) -> None:
    """A listing of 1500 names is whole."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: lake._files.publish(f"votes/d1/{i}.parquet", b"x"), range(1500)))

    assert len(lake.done_partitions("d1")) == 1500


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("hdsf://host/x", "no lake can lie there: did you mean 'hdfs'.*s3://bucket/prefix; gs://"),
        ("ftp://host/x", "no lake can lie there: Known: az, file, gs, hdfs, s3"),
        ("s3:///x", "names no bucket: write s3://bucket/prefix"),
        ("s3://key:secret@bucket/x", "s3://bucket/x: a lake's URI has no .*: credentials and endpoints come from"),
        ("s3://bucket/x?region=a", "credentials and endpoints come from the environment"),
        ("file://host/x", "write a local folder as file:///path"),
        (Path("s3://bucket/x"), "give a URI as text, not as a Path"),
    ],
)
def test_a_place_that_is_none_is_explained(place: str | Path, message: str) -> None:
    """A URI that cannot be meant is refused with the ways to write one, and no secret is repeated."""
    with pytest.raises(UsageError, match=message) as refusal:
        Lake(place)

    assert "secret" not in str(refusal.value)


def test_local_places_are_folders(tmp_path: Path) -> None:
    """A path and a file URI are the same folder."""
    plain, as_uri = Lake(tmp_path / "a b"), Lake((tmp_path / "a b").as_uri())
    plain.write_document("plan", {"n": 1})

    assert as_uri.read_document("plan") == {"n": 1}
    assert as_uri.uri == plain.uri == str(tmp_path / "a b")


def test_a_lake_on_s3_has_no_root(lake: Lake) -> None:
    """It says what to use instead; its address is as it was given, without the last slash."""
    assert Lake(f"{lake.uri}/").uri == lake.uri
    assert repr(lake) == f"Lake({lake.uri!r})"
    with pytest.raises(AttributeError, match="has a `uri` and no `root`"):
        _ = lake.root


@pytest.mark.parametrize(
    ("missing", "place", "extra"),
    [("opendal", "s3://b/x", "storage"), ("pyarrow", "s3://b/x", "storage"), ("hdfs_native", "hdfs://n:1/x", "hdfs")],
)
def test_a_missing_library_is_named(missing: str, place: str, extra: str) -> None:
    """Without the library for a scheme the message says what to install; folders work all the same."""
    program = f"""
import sys
sys.modules[{missing!r}] = None
from labelmill.errors import MissingDependencyError
from labelmill.stores._object_store import Changed, ObjectStore
from labelmill.stores.lake import Lake
Lake(".").uri
try:
    Lake({place!r})
except MissingDependencyError as error:
    print(error)
"""

    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert f"needs {missing!r}, which is not installed: pip install 'labelmill[{extra}]'" in shown.stdout


def test_azure_is_found_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account and its key come from single variables or a connection string."""
    for name in ("ACCOUNT_NAME", "ACCOUNT", "ACCOUNT_KEY", "KEY", "SAS_TOKEN", "ENDPOINT", "CONNECTION_STRING"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    with pytest.raises(UsageError, match="Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"):
        options("az", "c")

    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=me;AccountKey=a2V5==;EndpointSuffix=core.x.net")
    by_string = options("az", "c")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "you")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:10000/you")

    assert by_string == {
        "container": "c",
        "account_name": "me",
        "endpoint": "https://me.blob.core.x.net",
        "account_key": "a2V5==",
    }
    assert options("az", "c") == by_string | {"account_name": "you", "endpoint": "http://127.0.0.1:10000/you"}


@pytest.mark.parametrize("uri", ["gs://bucket/x", "az://container/x"])
def test_other_stores_open_without_asking_anybody(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opendal takes the options we give it; that the stores answer was not tried."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "me")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")

    assert Lake(uri).uri == uri


def _wide(n_columns: int) -> pl.DataFrame:
    """A frame whose columns do not compress, so that each takes its bytes."""
    numbers = pl.int_range(40_000, eager=True)
    return pl.DataFrame({f"c{j}": numbers.hash(j) for j in range(n_columns)})


def _fill(folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "part" / "weights").write_text("numbers")
