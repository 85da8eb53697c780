"""The engine `spark`, beyond what every engine promises. All tests share one Spark on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark import SparkContext

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.engines import _pieces, _versions, spark
from labelmill.engines.spark import Spark
from labelmill.errors import AnnotationError, UsageError
from labelmill.testing.engine import Calls, ManyRows, calls, partitions_of, record


@dataclass(frozen=True)
class KillsItsWorker:
    """Kills the Python worker of Spark, its parent, the first `n_times` it meets the partition `victim`."""

    folder: Path
    victim: str
    n_times: int

    def __call__(self, partition: Partition) -> Receipt:
        """Kill it, or not."""
        record(self.folder, partition)
        if partition.id == self.victim and calls(self.folder)[self.victim] <= self.n_times:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)  # the end of the parent ends this process as well
        return Receipt(partition.id, partition.n_rows)


@dataclass(frozen=True)
class Unopenable:
    """Ends the process that opens it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (7,)

    def __call__(self, partition: Partition) -> Receipt:
        """Never called."""
        return Receipt(partition.id)


@dataclass(frozen=True)
class SeesAccelerators:
    """Says which accelerators its process may use."""

    def __call__(self, partition: Partition) -> Receipt:
        """Look."""
        time.sleep(0.5)
        return Receipt(partition.id, uri=os.environ.get("CUDA_VISIBLE_DEVICES", ""))  # noqa: TID251 -- the point


@dataclass(frozen=True)
class Alone:
    """Says whether another partition was at work at the same time."""

    folder: Path

    def __call__(self, partition: Partition) -> Receipt:
        """Look who else is here."""
        mine = self.folder / partition.id
        mine.touch()
        n_here = len(list(self.folder.iterdir()))
        time.sleep(0.05)
        mine.unlink()
        return Receipt(partition.id, rows=n_here)


@pytest.fixture
def engine(local_spark: SparkContext) -> Iterator[Spark]:
    """An engine that joins it."""
    with closing(Spark()) as engine:
        yield engine


def test_a_killed_python_worker_costs_nothing(engine: Spark, tmp_path: Path) -> None:
    """Spark tries the task again, all are done once, and the child of the killed worker is gone."""
    stage = KillsItsWorker(tmp_path, "p001", n_times=1)

    receipts = list(engine.map(stage, partitions_of(4), Resources()))

    assert [f"p{i:03d}" for i in range(4)] == sorted(receipt.partition for receipt in receipts)
    assert [None] * 4 == [receipt.error for receipt in receipts]
    assert calls(tmp_path)["p001"] == 2


def test_spark_gives_up_in_our_words(engine: Spark, tmp_path: Path) -> None:
    """A partition whose worker is lost at every try ends the map with what to do next."""
    stage = KillsItsWorker(tmp_path, "p000", n_times=99)

    with pytest.raises(AnnotationError, match=r"lost the worker .* run the same command again"):
        list(engine.map(stage, partitions_of(1), Resources()))

    assert calls(tmp_path)["p000"] == 4


@pytest.mark.parametrize("need", [Resources(workers=1), Resources(cpus=2)], ids=["workers", "cpus"])
def test_no_more_at_a_time_than_asked_for(engine: Spark, tmp_path: Path, need: Resources) -> None:
    """With one worker, or with the cores for one, partitions are done one by one."""
    receipts = list(engine.map(Alone(tmp_path), partitions_of(4), need))

    assert [(1, None)] * 4 == [(receipt.rows, receipt.error) for receipt in receipts]


def test_many_partitions_share_tasks(engine: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is known that they are short, a task does several partitions, and each has its receipt."""
    monkeypatch.setattr(_pieces, "PIECES_PER_WORKER", 1)
    tasks: list[list[Partition]] = []
    build = spark._Job._rdd

    def noted(job: Any, groups: list[list[Partition]]) -> Any:
        tasks.extend(groups)
        return build(job, groups)

    monkeypatch.setattr(spark._Job, "_rdd", noted)
    partitions = partitions_of(40)

    receipts = list(engine.map(Calls(tmp_path), partitions, Resources()))

    assert sorted(p.id for p in partitions) == sorted(receipt.partition for receipt in receipts)
    assert 1 == len(tasks[0]) < len(tasks[-1])
    assert set(calls(tmp_path).values()) == {1}


def test_waiting_for_room_is_logged(
    engine: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A map that finds all slots taken says so once."""
    before = engine.map(Calls(tmp_path, seconds=3), partitions_of(2), Resources())
    first = threading.Thread(target=lambda: list(before))
    first.start()
    while calls(tmp_path).total() < 2:
        time.sleep(0.05)
    monkeypatch.setattr(spark, "STALL_SECONDS", 0.5)

    list(engine.map(Calls(tmp_path), partitions_of(1), Resources()))

    first.join()
    assert caplog.text.count("spark_gives_no_worker") == 1


def test_a_session_that_was_there_stays(local_spark: SparkContext, tmp_path: Path) -> None:
    """An engine that joined a session does not stop it."""
    with closing(Spark()) as engine:
        list(engine.map(Calls(tmp_path), partitions_of(1), Resources()))

    assert local_spark.parallelize([1, 2, 3], 1).sum() == 6


def test_the_handler_of_ctrl_c_stays(local_spark: SparkContext) -> None:
    """Starting Spark leaves SIGINT to who had it."""
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_master_is_refused(local_spark: SparkContext) -> None:
    """One process has one Spark; asking for another is told so."""
    with pytest.raises(UsageError, match=r"master 'local\[2,4\]' is active .* 'local\[7\]' was asked for"):
        list(Spark("local[7]").map(ManyRows(b""), partitions_of(1), Resources()))


def test_spark_connect_is_refused() -> None:
    """Spark Connect runs no tasks of ours; the error says what does."""
    with pytest.raises(UsageError, match=r"Spark Connect .* spark://host:7077"):
        list(Spark("sc://localhost:15002").map(ManyRows(b""), partitions_of(1), Resources()))


def test_other_versions_stop_the_map(engine: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with another version of a library does nothing; the error names both versions."""
    monkeypatch.setattr(spark, "versions", lambda *names: _versions.versions(*names) | {"numpy": "0.1"})

    with pytest.raises(AnnotationError, match=r"the driver has numpy 0\.1"):
        list(engine.map(Calls(tmp_path), partitions_of(4), Resources()))

    assert calls(tmp_path).total() == 0


def test_workers_without_labelmill_are_told_so(
    engine: Spark, local_spark: SparkContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that has no labelmill is a matter of installation."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(local_spark, "pythonExec", str(bare))

    with pytest.raises(AnnotationError, match="labelmill is not installed where Spark runs its workers"):
        list(engine.map(Calls(tmp_path), partitions_of(1), Resources()))


def test_nodes_without_python_are_told_so(
    engine: Spark, local_spark: SparkContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that does not exist is named with the setting that chooses it."""
    monkeypatch.setattr(local_spark, "pythonExec", "/nowhere/python")

    with pytest.raises(AnnotationError, match="PYSPARK_PYTHON"):
        list(engine.map(Calls(tmp_path), partitions_of(1), Resources()))


def test_what_cannot_be_opened_stops_the_map(engine: Spark) -> None:
    """A stage that ends every process that opens it is not tried for each partition."""
    with pytest.raises(AnnotationError, match="died before they could work"):
        list(engine.map(Unopenable(), partitions_of(50), Resources()))


def test_no_workers_are_a_mistake() -> None:
    """The number of workers is at least 1."""
    with pytest.raises(UsageError, match="1 or more, found 0"):
        list(Spark(workers=0).map(ManyRows(b""), partitions_of(1), Resources()))


def test_a_master_that_does_not_answer_is_told_soon(tmp_path: Path) -> None:
    """Where nobody listens there is no waiting."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"spark://127.0.0.1:{reserved.getsockname()[1]}"
        started = time.monotonic()

        done = _fresh(address, {})

    assert f"AnnotationError: no Spark master answers at {address[8:]}" in done.stderr
    assert time.monotonic() - started < 30


def test_a_wrong_address_shows_a_right_one() -> None:
    """The port belongs to the address of a master."""
    assert "found 'spark://host'" in _fresh("spark://host", {}).stderr


def test_old_java_is_told_its_version(tmp_path: Path) -> None:
    """The error names the version found and the one needed."""
    _fake_java(tmp_path, 'openjdk version "11.0.2" 2019-01-15')

    done = _fresh("local[1]", {"PATH": f"{tmp_path}:/usr/bin:/bin"})

    assert f"UsageError: Spark needs Java 17 or later and {tmp_path}/java is Java 11" in done.stderr


def test_java_8_is_told_by_the_name_people_use(tmp_path: Path) -> None:
    """Java 8 says 1.8 of itself."""
    _fake_java(tmp_path / "bin", 'java version "1.8.0_392"')

    assert "is Java 8: install Java 17" in _fresh("local[1]", {"JAVA_HOME": str(tmp_path)}).stderr


def test_missing_java_is_told(tmp_path: Path) -> None:
    """Without any Java the error says how to get it."""
    done = _fresh("local[1]", {"PATH": str(tmp_path)})

    assert "none was found (JAVA_HOME is not set and the PATH has none): install Java 17" in done.stderr


def test_spark_starts_and_ends_without_a_word(tmp_path: Path) -> None:
    """A session of ours, started and stopped, prints nothing, and Ctrl-C is as it was."""
    done = _fresh("local[1]", {})

    assert (0, "", "done p000\n") == (done.returncode, done.stderr, done.stdout)


@pytest.mark.slow
def test_accelerators_are_those_spark_gave(tmp_path: Path) -> None:
    """Where a node has two accelerators, a task that asks for one sees one, and one that asks for two sees both."""
    discovery = tmp_path / "gpus"
    discovery.write_text("""#!/bin/sh\necho '{"name": "gpu", "addresses": ["0", "1"]}'\n""")
    discovery.chmod(0o755)

    done = _python(_ACCELERATORS.format(discovery=str(discovery)), {"PYSPARK_PYTHON": sys.executable})

    assert "seen ['0', '1']\nseen ['0,1']\n" == done.stdout, done.stderr


_ACCELERATORS = """
from pyspark import SparkConf, SparkContext
from labelmill.domain.partition import Resources
from labelmill.engines.spark import Spark
from labelmill.testing.engine import partitions_of
from tests.engines.test_spark import SeesAccelerators
conf = SparkConf().setMaster("local-cluster[1,2,1024]").setAppName("test").set("spark.ui.enabled", "false")
for kind in ("worker", "executor"):
    conf.set(f"spark.{{kind}}.resource.gpu.amount", "2")
    conf.set(f"spark.{{kind}}.resource.gpu.discoveryScript", {discovery!r})
conf.set("spark.task.resource.gpu.amount", "0.5")
SparkContext(conf=conf)
for gpus in (1, 2):
    print("seen", sorted({{r.uri for r in Spark().map(SeesAccelerators(), partitions_of(6), Resources(gpus=gpus))}}))
"""


def _fake_java(folder: Path, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "java").write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    (folder / "java").chmod(0o755)


def _fresh(master: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What a program that uses Spark says."""
    return _python(_PROGRAM.format(master=master), environment)


_PROGRAM = """
from labelmill.domain.partition import Resources
from labelmill.engines.spark import Spark
from labelmill.testing.engine import ManyRows, partitions_of
engine = Spark({master!r})
for receipt in engine.map(ManyRows(b"x"), partitions_of(1), Resources()):
    print("done", receipt.partition)
engine.close()
"""


def _python(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = os.environ  # noqa: TID251 -- a test hands its own on
    clean = {name: value for name, value in inherited.items() if name not in {"JAVA_HOME", "PYSPARK_PYTHON"}}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=200, check=False)
