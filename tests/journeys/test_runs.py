"""Runs that are stopped: seen for what they are, ended from elsewhere, taken up again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.conftest import Shell
from tests.journeys.test_bad_ends import SLOW, command, start, wide, workers_alive

from labelmill.domain.run import Run
from labelmill.errors import AnnotationError, StorageError
from labelmill.pipeline._plan import read_plan
from labelmill.pipeline.mill import Mill
from labelmill.stores._lease import Lease

__all__ = ["wide"]


def only_run(shell: Shell, project: Path, verb: str = "annotate") -> dict[str, object]:
    """The latest run of a verb, as `runs list` shows it."""
    runs = shell("runs", "list", "-p", project, "--json").json["runs"]
    return next(run for run in runs if run["verb"] == verb)


def test_cancel_from_another_process(shell: Shell, wide: Path) -> None:
    """A run is ended through the lake within seconds; no worker is left, and `resume` does the rest."""
    (wide / "rules.py").write_text(SLOW)
    driver = start(wide)
    run = only_run(shell, wide)
    began = time.monotonic()

    asked = shell("runs", "cancel", str(run["id"]), "-p", wide)
    _, err = driver.communicate(timeout=20)

    assert run["state"] == "running"
    assert asked.status == 0, asked.err
    assert time.monotonic() - began < 10
    assert (driver.returncode, "was cancelled on request" in err) == (130, True), err
    assert only_run(shell, wide)["state"] == "cancelled"
    assert workers_alive(wide, within=5) == []
    (wide / "fast").touch()
    resumed = shell("runs", "resume", str(run["id"]), "-p", wide, "--json")
    assert resumed.status == 0, resumed.err
    assert resumed.json["state"] == "finished"
    assert resumed.json["parameters"] == {"workers": 2, "timeout": 100.0}
    assert shell("aggregate", "-p", wide, "--json").json["with_votes"] == 160


def test_a_killed_driver_is_seen(shell: Shell, wide: Path) -> None:
    """The record of a run whose driver was killed says `interrupted`, and how to go on; it can be cancelled at once."""
    (wide / "rules.py").write_text(SLOW)
    driver = start(wide)
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=10)
    run = str(only_run(shell, wide)["id"])

    shown = shell("runs", "show", run, "-p", wide).out
    cancelled = shell("runs", "cancel", run, "-p", wide, "--json").json

    assert "interrupted" in shown
    assert f"labelmill runs resume {run}" in shown
    assert cancelled["state"] == "cancelled"


def test_a_second_driver_is_refused(shell: Shell, wide: Path) -> None:
    """While a run is under way another one is refused, resuming too."""
    (wide / "rules.py").write_text(SLOW)
    driver = start(wide)
    try:
        second = shell("annotate", "-p", wide)
        resumed = shell("runs", "resume", str(only_run(shell, wide)["id"]), "-p", wide)
    finally:
        driver.kill()
        driver.communicate()

    assert second.status == 1
    assert "another labelmill is writing" in second.err
    assert resumed.status == 2
    assert "is under way" in resumed.err


@pytest.mark.parametrize(("word", "told"), [("cancel", "there is nothing to cancel"), ("resume", "nothing to resume")])
def test_a_finished_run(shell: Shell, project: Path, word: str, told: str) -> None:
    """There is nothing to cancel or resume about it."""
    shell("import", project / "items.csv", "-p", project)
    run = shell("annotate", "-p", project, "--json").json["run"]

    answer = shell("runs", word, run, "-p", project)

    assert answer.status == 2
    assert told in answer.err


@pytest.mark.parametrize("word", ["show", "cancel", "resume"])
def test_a_run_that_is_not_there(shell: Shell, project: Path, word: str) -> None:
    """The nearest is named."""
    shell("import", project / "items.csv", "-p", project)
    run = shell("annotate", "-p", project, "--json").json["run"]

    answer = shell("runs", word, f"{run[:-1]}x", "-p", project)

    assert answer.status == 2
    assert f"did you mean {run!r}" in answer.err


def test_resume_of_other_verbs(shell: Shell, project: Path) -> None:
    """They go on with the parameters they had; an option they do not take is refused."""
    shell("import", project / "items.csv", "-p", project)
    shell("annotate", "-p", project)
    mill = Mill.open(project)
    ask = project / "ask.csv"
    parameters: dict[str, dict[str, Any]] = {
        "aggregate": {"model": "majority_vote"},
        "select": {"count": 7, "out": str(ask)},
        "train": {"learner": "tfidf_linear"},
    }
    for verb in parameters:
        mill.lake.save_run(Run(f"2020-01-01T000000-{verb}-0001", verb, parameters=parameters[verb]))

    for verb in parameters:
        done = shell("runs", "resume", f"2020-01-01T000000-{verb}-0001", "-p", project, "--json")
        assert done.status == 0, done.err
        assert (done.json["verb"], done.json["state"]) == (verb, "finished")
    refused = shell("runs", "resume", "2020-01-01T000000-train-0001", "--workers", "2", "-p", project)

    assert len(ask.read_text().splitlines()) == 8
    assert refused.status == 2
    assert "takes no --workers" in refused.err


def test_a_driver_that_lost_the_lake_ends(project: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver whose lease another has taken over stops at the next receipt."""
    monkeypatch.setattr(Lease, "TTL", 1.5)
    with (project / "labelmill.toml").open("a") as file:
        file.write(f'[storage]\nlake = "{bucket}/mails"\n')
    mill = Mill.open(project)

    with pytest.raises(StorageError, match="the right to write here was lost"), mill.lake.writing():  # noqa: PT012 -- it is lost inside
        mill.obey()
        mill.lake._files.delete("lock")
        time.sleep(1.5)
        mill.obey()
        pytest.fail("it went on")


def test_where_the_time_went(shell: Shell, project: Path) -> None:
    """`runs show` has the seconds of each annotator, the most first."""
    (project / "rules.py").write_text(
        "import time\nfrom labelmill import keyword, labeling_function\n\n"
        'quick = keyword("spam", ["free"])\n\n\n@labeling_function()\ndef slow(x):\n    time.sleep(0.002)\n'
    )
    shell("import", project / "items.csv", "-p", project)
    run = shell("annotate", "-p", project, "--json").json["run"]

    shown = shell("runs", "show", run, "-p", project)
    record = shell("runs", "show", run, "-p", project, "--json").json

    assert record["timings"]["slow"] > 0.24 > record["timings"]["quick"]
    assert sum(record["hosts"].values()) == 1
    table = shown.out[shown.out.index("seconds") :]
    assert table.index("slow") < table.index("quick")


def test_progress_for_programs(shell: Shell, wide: Path) -> None:
    """`--progress json` writes an object a line on standard error, the result stays alone on standard output."""
    answer = shell("annotate", "-p", wide, "--progress", "json", "--json")

    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert answer.json["items"] == 160
    assert {line["what"] for line in lines} == {"annotate"}
    assert (lines[-1]["done"], lines[-1]["total"]) == (160, 160)
    assert lines[-1]["partitions"] == {"done": 2, "total": 2, "failed": 0, "retried": 0}
    assert set(lines[-1]) == {"what", "done", "total", "rate", "eta_s", "partitions", "faults", "hosts", "shares"}


def test_a_lake_elsewhere(shell: Shell, project: Path, bucket: str) -> None:
    """A project whose lake is an object store works like any other, and keeps nothing beside its files."""
    with (project / "labelmill.toml").open("a") as file:
        file.write(f'[storage]\nlake = "{bucket}/mails"\n')

    for words in (["import", project / "items.csv"], ["annotate"], ["aggregate"]):
        answer = shell(*words, "-p", project)
        assert answer.status == 0, answer.err

    assert not (project / ".labelmill").exists()
    assert [run["state"] for run in shell("runs", "list", "-p", project, "--json").json["runs"]] == ["finished"] * 2


def test_a_folder_that_a_worker_does_not_see(shell: Shell, wide: Path) -> None:
    """A worker to which the lake's folder is not there says so once, with the host and what to set."""
    mill = Mill.open(wide)
    partition = mill.lake.item_partitions()[0]
    planned = mill.plan_annotate()
    plan = read_plan(mill, planned.run.id)
    assert plan is not None
    stage = plan.stage(plan.jobs[0], str(wide / "not-here"), isolated=False)

    with pytest.raises(AnnotationError, match=r'the host \S+ does not see the lake in .*\[storage\] lake = "s3://'):
        stage(partition)


def test_kinds_of_worker_run_side_by_side(shell: Shell, project: Path) -> None:
    """Annotators that need other workers run at the same time: here each waits until the other one has begun."""
    (project / "rules.py").write_text(TWO_KINDS)
    shell("import", project / "items.csv", "-p", project)

    answer = shell("annotate", "--engine", "processes", "--workers", "1", "-p", project, "--json")
    again = shell("annotate", "-p", project, "--json")

    assert answer.status == 0, answer.err
    assert answer.json["faults"] == {}
    assert answer.json["partitions"] == 2
    assert again.json["ran"] == []
    votes = {row["name"]: row["n_votes"] for row in shell("analyze", "-p", project, "--json").json["annotators"]}
    assert {"light": 120, "heavy": 120}.items() <= votes.items()


TWO_KINDS = """\
import time
from pathlib import Path

from labelmill import labeling_function
from labelmill.domain.partition import Resources

HERE = Path(__file__).parent


def meet(mine, other):
    (HERE / mine).touch()
    for _ in range(400):
        if (HERE / other).exists():
            return "ham"
        time.sleep(0.02)
    raise RuntimeError("nobody came")


@labeling_function()
def light(x):
    return meet("light", "heavy")


@labeling_function()
def heavy(x):
    return meet("heavy", "light")


heavy.resources = Resources(cpus=2)
"""


def test_cancel_while_kinds_run_side_by_side(shell: Shell, project: Path) -> None:
    """Ctrl-C and cancel end the workers of all kinds."""
    (project / "rules.py").write_text(
        TWO_KINDS.replace('            return "ham"', '            (HERE / "met").touch()\n            time.sleep(60)')
    )
    shell("import", project / "items.csv", "-p", project)
    words = command("annotate", "--engine", "processes", "--workers", "1", "--timeout", "100", "-p", project)
    driver = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (project / "met").exists():
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)

    shell("runs", "cancel", str(only_run(shell, project)["id"]), "-p", project)
    _, err = driver.communicate(timeout=20)

    assert driver.returncode == 130, err
    assert only_run(shell, project)["state"] == "cancelled"
