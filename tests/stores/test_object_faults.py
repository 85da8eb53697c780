from __future__ import annotations

import re
import time
from pathlib import Path

import polars as pl
import pytest
from tests.object_storage import S3, Harm, Proxy, Request

from labelmill.domain.run import Run
from labelmill.errors import StorageError, UsageError
from labelmill.stores import _opendal_store
from labelmill.stores.lake import Lake


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between attempts are short, their number is not changed."""
    monkeypatch.setattr(_opendal_store, "FIRST_DELAY", 0.01)


@pytest.fixture
def lake(proxy: Proxy, bucket: str) -> Lake:
    """A lake on S3, behind the proxy."""
    return Lake(f"{bucket}/project")


def test_a_store_that_fails_for_a_while_is_asked_again(lake: Lake, proxy: Proxy) -> None:
    """Three failures in a row at every request are not seen."""
    statuses = [500, 503, 500]
    proxy.harm = lambda request: statuses[request.n] if request.n < 3 else None

    lake.write_document("plan", {"n": 1})

    assert lake.read_document("plan") == {"n": 1}
    assert proxy.count("PUT") == 4


def test_a_store_that_fails_for_ever_is_told_once(lake: Lake, proxy: Proxy) -> None:
    """After five attempts one error names the place, what was being done, and what to do."""
    proxy.harm = lambda request: 500 if request.method == "PUT" else None

    with pytest.raises(StorageError) as failure:
        lake.write_document("plan", {})

    assert str(failure.value) == (
        f"{lake.uri}/documents/plan.json: cannot write: the store failed (status 500), 5 times: run the same command "
        "again later"
    )
    assert proxy.count("PUT") == 5


def test_a_store_that_is_too_busy_is_told(lake: Lake, proxy: Proxy) -> None:
    """Being throttled for ever is another thing than being broken."""
    proxy.harm = lambda request: 503 if request.method == "PUT" else None

    with pytest.raises(StorageError, match=r"the store is too busy \(SlowDown\), 5 times: .* with fewer workers"):
        lake.write_document("plan", {})


@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_hanging_request_ends(lake: Lake, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """A request that is never answered is given up, sent again, and told in the end."""
    lake.save_run(Run("2026-01", "annotate"))
    monkeypatch.setattr(_opendal_store, "PATIENCE", 0.2)
    monkeypatch.setattr(_opendal_store, "TRANSFER_PATIENCE", 0.2)
    _opendal_store._connect.cache_clear()
    stuck = Lake(lake.uri)
    proxy.harm = lambda request: "hang" if "/project/" in request.path and request.method in {"GET", "PUT"} else None

    with pytest.raises(StorageError, match=r"no answer, 5 times: are the network and the endpoint.* right\?"):
        stuck.runs() if verb == "read" else stuck.write_document("plan", {})


def test_a_hanging_request_is_sent_again(lake: Lake, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single answer that never comes is not seen."""
    monkeypatch.setattr(_opendal_store, "PATIENCE", 0.3)
    _opendal_store._connect.cache_clear()
    patient = Lake(lake.uri)
    proxy.harm = lambda request: "hang" if request.method == "PUT" and request.n == 0 else None

    patient.write_document("plan", {"n": 1})

    assert lake.read_document("plan") == {"n": 1}


@pytest.mark.slow
def test_a_dead_endpoint_fails_within_half_a_minute(proxy: Proxy, bucket: str) -> None:
    """An endpoint that takes connections and never answers costs half a minute, not many."""
    proxy.harm = lambda request: "hang"
    started = time.monotonic()

    with pytest.raises(StorageError, match="no answer"):
        Lake(f"{bucket}/project").write_document("plan", {})

    assert time.monotonic() - started < 40


def test_an_answer_cut_short_is_asked_for_again(lake: Lake, proxy: Proxy) -> None:
    """Half a body is no body, once or for ever."""
    lake.write_document("plan", {"text": "x" * 1000})

    proxy.harm = lambda request: "truncate" if request.method == "GET" and request.n == 0 else None
    assert lake.read_document("plan") == {"text": "x" * 1000}

    proxy.harm = lambda request: "empty" if request.method == "GET" else None
    with pytest.raises(StorageError, match=r"documents/plan\.json: cannot read: .*5 times: run the same command"):
        lake.read_document("plan")


def test_a_cut_range_is_asked_for_again(lake: Lake, proxy: Proxy) -> None:
    """The same for a part of a Parquet file."""
    frame = _wide()
    lake.publish_votes("d1", "p0", frame, [])
    proxy.harm = lambda request: "truncate" if request.method == "GET" and request.n in {0, 2} else None

    assert lake.read_votes("d1", "p0", ["c3"]).equals(frame.select("c3"))

    proxy.harm = lambda request: "empty" if request.method == "GET" else None
    with pytest.raises(StorageError, match=r"votes/d1/p0\.parquet: cannot read: "):
        lake.read_votes("d1", "p0", ["c4"])


def test_a_lost_answer_does_no_harm(lake: Lake, proxy: Proxy) -> None:
    """A write whose answer was lost is sent again and finds its own file."""

    def lose(request: Request) -> Harm | None:
        return "lose_answer" if request.method == "PUT" and request.n == 0 else None

    proxy.harm = lose
    lake.publish_votes("d1", "p0", _wide(), [])

    with lake.writing():
        lake.write_document("plan", {"n": 1})

    assert lake.read_votes("d1", "p0").equals(_wide())
    assert lake.read_document("plan") == {"n": 1}
    assert lake._files.names("votes/d1") == ["p0.parquet"]
    assert not lake._files.exists("lock")


def test_a_missing_bucket_is_told(bucket: str) -> None:
    """It is not taken for an empty lake."""
    lake = Lake("s3://no-such-bucket/project")

    for call in (lambda: lake.n_items, lake.runs, lambda: lake.write_document("plan", {})):
        with pytest.raises(
            StorageError, match=r"s3://no-such-bucket/project.*there is no such bucket \(NoSuchBucket\)"
        ):
            call()


def test_no_permission_is_told(lake: Lake, proxy: Proxy) -> None:
    """Without any right the first call says so."""
    proxy.harm = lambda request: 403

    with pytest.raises(StorageError, match=r"no permission \(AccessDenied\): the credentials need the right to list"):
        _ = lake.n_items


def test_a_read_only_bucket_is_told(lake: Lake, proxy: Proxy) -> None:
    """Who may only read can read; writing is refused at once, and said so."""
    lake.write_document("plan", {"n": 1})
    proxy.harm = lambda request: 403 if request.method == "PUT" else None

    assert Lake(lake.uri).read_document("plan") == {"n": 1}
    with pytest.raises(StorageError, match=r"documents/plan\.json: cannot write: no permission \(AccessDenied\)"):
        lake.write_document("plan", {"n": 2})
    with pytest.raises(StorageError, match=r"lock: cannot write: no permission"), lake.writing():
        pass


def test_an_endpoint_that_is_not_there_is_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection names the endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:9 cannot be reached \(.*Connection refused"):
        Lake(f"{bucket}/project").runs()


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that knows no key, and has no role to ask for one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


def test_missing_credentials_are_told(bucket: str, no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variables; once they are set, the same call works."""
    lake = Lake(f"{bucket}/project")

    with pytest.raises(StorageError, match="no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET"):
        lake.runs()

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert Lake(lake.uri).runs() == []


def test_a_profile_is_used(
    bucket: str, no_credentials: None, s3_server: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keys, region and endpoint may stand in the files of a profile."""
    endpoint = s3_server.environment["AWS_ENDPOINT_URL"]
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[profile mine]\nregion = eu-west-1\nendpoint_url = {endpoint}\n")
    (tmp_path / ".aws" / "credentials").write_text("[mine]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_PROFILE", "mine")

    assert Lake(f"{bucket}/project").runs() == []


def test_a_missing_region_is_told(bucket: str, no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without region and endpoint the call says which variable to set."""
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)

    with pytest.raises(UsageError, match="in which region"):
        Lake(f"{bucket}/project")


def test_the_endpoint_of_s3_alone_comes_first(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL_S3 stands above AWS_ENDPOINT_URL."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")

    with pytest.raises(StorageError, match=re.escape("http://127.0.0.1:9 cannot be reached")):
        Lake(f"{bucket}/project").runs()


def _wide() -> pl.DataFrame:
    """A frame whose columns do not compress, so that each takes its bytes."""
    numbers = pl.int_range(40_000, eager=True)
    return pl.DataFrame({f"c{j}": (numbers + j * 7_919).hash(j).cast(pl.Int64, wrap_numerical=True) for j in range(12)})
