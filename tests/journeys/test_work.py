"""One planned run, done by several processes that know nothing of each other."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.conftest import Shell
from tests.journeys.test_bad_ends import command

from labelmill.cli.main import cli
from labelmill.stores import item_set

DEPLOY = Path(__file__).parents[2] / "deploy" / "kubernetes"

SLOWLY = """

import time
from pathlib import Path

WORDS = Path(__file__).with_name("words.txt").read_text().split()


@labeling_function()
def slowly(x):
    time.sleep(0.004)
    return "spam" if any(word in x.text for word in WORDS) else None
"""

OVERLAPPING = ("0/2", "1/2", "0/3", "1/4")


@pytest.fixture
def cut(shell: Shell, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of ten partitions, whose lake lies beside it."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 12)
    with (project / "labelmill.toml").open("a") as file:
        file.write(f'[storage]\nlake = "{project.parent}/lake"\n')
    with (project / "rules.py").open("a") as file:
        file.write(SLOWLY)
    (project / "words.txt").write_text("prize\n")
    assert shell("import", project / "items.csv", "-p", project).status == 0
    return project


def votes_in(lake: Path) -> dict[str, str]:
    """Name -> hash of every file of votes that counts, and of the manifests."""
    files = [path for path in (lake / "votes").rglob("*") if path.is_file()]
    return {path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def undisturbed(shell: Shell, project: Path) -> dict[str, str]:
    """What a plain `annotate` makes of a copy of the project."""
    copy = project.parent / "undisturbed"
    shutil.copytree(project, copy / "mails")
    shutil.copytree(project.parent / "lake", copy / "lake")
    settings = (copy / "mails" / "labelmill.toml").read_text()
    (copy / "mails" / "labelmill.toml").write_text(settings.replace(f"{project.parent}/lake", f"{copy}/lake"))
    assert shell("annotate", "-p", copy / "mails").status == 0
    return votes_in(copy / "lake")


def bare(project: Path) -> Path:
    """Another machine: labelmill.toml and nothing else, the project folder is not there."""
    folder = project.parent / "node"
    folder.mkdir()
    shutil.copy(project / "labelmill.toml", folder)
    shutil.move(project, project.parent / "out-of-reach")
    return folder


def begin(node: Path, run: str, shard: str) -> subprocess.Popen[str]:
    """A worker with a process group of its own."""
    words = command("work", run, "--shard", shard, "--workers", "1", "-p", node)
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def test_overlapping_shares_one_killed(shell: Shell, cut: Path) -> None:
    """Four shares overlap, one is killed and run again: the votes are those of a plain run, byte for byte."""
    expected = undisturbed(shell, cut)
    planned = shell("annotate", "--plan", "-p", cut, "--json")
    assert planned.status == 0, planned.err
    run = planned.json["run"]
    assert planned.json["partitions"] == 10
    node = bare(cut)
    lake = node.parent / "lake"

    workers = {shard: begin(node, run, shard) for shard in OVERLAPPING}
    deadline = time.monotonic() + 60
    while not any(name.endswith(".parquet") for name in votes_in(lake)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    victim = workers.pop("1/2")
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    ended = {shard: worker.communicate(timeout=60) for shard, worker in workers.items()}
    before = shell("runs", "show", run, "-p", node, "--json").json
    again = shell("work", run, "--shard", "1/2", "-p", node, "--json")

    assert [worker.returncode for worker in workers.values()] == [0, 0, 0], ended
    assert before["state"] == "planned"
    assert again.status == 0, again.err
    assert again.json["state"] == "finished"
    assert again.json["partitions_done"] == 10
    assert votes_in(lake) == expected
    assert shell("aggregate", "-p", node, "--json").json["with_votes"] == 120
    finished = shell("runs", "show", run, "-p", node, "--json").json
    assert finished["state"] == "finished"
    assert finished["timings"]["slowly"] > 0


def test_all_finish_at_once(shell: Shell, cut: Path) -> None:
    """Workers that end in the same moment all end well, and one of them seals."""
    run = shell("annotate", "--plan", "-p", cut, "--json").json["run"]

    workers = [begin(cut, run, "0/1") for _ in range(3)]
    ended = [worker.communicate(timeout=90) for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0, 0], ended
    assert shell("runs", "show", run, "-p", cut, "--json").json["state"] == "finished"


def test_work_through_an_object_store(shell: Shell, project: Path, bucket: str) -> None:
    """Nothing but the bucket is shared: rules and model come from there, the votes go there."""
    with (project / "labelmill.toml").open("a") as file:
        file.write(f'[storage]\nlake = "{bucket}/mails"\n')
    (project / "more.csv").write_text("id,text\nnew1,a free prize for you\n")
    steps: list[list[str | Path]] = [["import", project / "items.csv"], ["annotate"], ["train"]]
    steps += [["import", project / "more.csv"]]
    for words in steps:
        assert shell(*words, "-p", project).status == 0
    runs = [shell(verb, "--plan", "-p", project, "--json").json["run"] for verb in ("annotate", "predict")]
    node = bare(project)

    worked = [shell("work", run, "--workers", "1", "-p", node, "--json") for run in runs]

    assert [answer.status for answer in worked] == [0, 0], worked[0].err + worked[1].err
    assert [answer.json["state"] for answer in worked] == ["finished", "finished"]
    votes = {row["name"]: row["n_votes"] for row in shell("analyze", "-p", node, "--json").json["annotators"]}
    assert votes["tfidf_linear"] == 121


def test_a_cancelled_plan(shell: Shell, cut: Path) -> None:
    """It is worked on no more until it is resumed, which this machine then does alone."""
    run = shell("annotate", "--plan", "-p", cut, "--json").json["run"]

    cancelled = shell("runs", "cancel", run, "-p", cut)
    refused = shell("work", run, "-p", cut)
    resumed = shell("runs", "resume", run, "-p", cut, "--json")

    assert cancelled.status == 0
    assert refused.status == 2
    assert f"labelmill runs resume {run}" in refused.err
    assert resumed.json["state"] == "finished", resumed.err


def test_cancel_ends_workers(shell: Shell, cut: Path) -> None:
    """Workers that are under way look for the request themselves."""
    rules = (cut / "rules.py").read_text()
    (cut / "rules.py").write_text(rules.replace("time.sleep(0.004)", "time.sleep(1)"))
    run = shell("annotate", "--plan", "-p", cut, "--json").json["run"]
    worker = begin(cut, run, "0/1")
    deadline = time.monotonic() + 30
    while not list((cut.parent / "lake" / "votes").rglob("_try/*")):
        assert worker.poll() is None, worker.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)

    shell("runs", "cancel", run, "-p", cut)
    _, err = worker.communicate(timeout=20)

    assert worker.returncode == 130, err
    assert shell("runs", "show", run, "-p", cut, "--json").json["state"] == "cancelled"


def test_a_plan_that_newer_rules_have_overtaken(shell: Shell, cut: Path) -> None:
    """Its votes are kept, and do not take the place of the newer rules'."""
    run = shell("annotate", "--plan", "-p", cut, "--json").json["run"]
    rules = (cut / "rules.py").read_text()
    (cut / "rules.py").write_text(rules.replace("slowly", "newer"))
    assert shell("annotate", "-p", cut).status == 0

    # The plan's own rules are only in the lake now.
    worked = shell("work", run, "-p", cut, "--json")

    assert worked.json["state"] == "finished", worked.err
    names = {row["name"] for row in shell("analyze", "-p", cut, "--json").json["annotators"]}
    assert "newer" in names
    assert "slowly" not in names


def test_other_versions_than_where_it_was_planned(shell: Shell, cut: Path) -> None:
    """A worker with another library refuses, and names both versions."""
    run = shell("annotate", "--plan", "-p", cut, "--json").json["run"]
    plan = cut.parent / "lake" / "documents" / f"plan-{run}.json"
    data = json.loads(plan.read_text())
    data["versions"]["polars"] = "0.1"
    plan.write_text(json.dumps(data))

    answer = shell("work", run, "-p", cut)

    assert answer.status == 1
    assert "the driver has polars 0.1: install the same versions" in answer.err


@pytest.mark.parametrize("shard", ["1", "2/2", "a/b", "-1/2", "0/0", "1/2/3", ""])
def test_a_shard_that_does_not_exist(shell: Shell, cut: Path, shard: str) -> None:
    """It is refused before anything is done."""
    answer = shell("work", "any", "--shard", shard, "-p", cut)

    assert answer.status == 2
    assert "write I/N" in answer.err


def test_a_run_that_was_not_planned(shell: Shell, cut: Path) -> None:
    """The message says how to plan one."""
    shell("annotate", "-p", cut)
    runs = shell("runs", "list", "-p", cut, "--json").json["runs"]
    (cut.parent / "lake" / "runs" / f"{runs[0]['id']}.json").write_text(
        (cut.parent / "lake" / "runs" / f"{runs[0]['id']}.json").read_text().replace('"finished",', '"failed",', 1)
    )

    answer = shell("work", runs[0]["id"], "-p", cut)

    assert answer.status == 2
    assert "labelmill annotate --plan" in answer.err


def _documents() -> list[dict[str, Any]]:
    yaml = importlib.import_module("yaml")
    return list(yaml.safe_load_all((DEPLOY / "annotate.yaml").read_text()))


def test_the_kubernetes_job_calls_us_rightly() -> None:
    """Its command line is one that our parser takes, for every pod of the job."""
    _, job = _documents()
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]

    for index in (0, spec["completions"] - 1):
        words = [word.replace("$(JOB_COMPLETION_INDEX)", str(index)) for word in container["args"]]
        name, work, rest = cli.resolve_command(
            cli.make_context("labelmill", list(words), resilient_parsing=True), words
        )
        assert work is not None
        context = work.make_context(name, rest)
        assert context.params["shard"] == (index, spec["completions"])

    assert spec["completionMode"] == "Indexed"
    assert spec["parallelism"] == spec["completions"]


def test_the_kubernetes_project_is_one_of_ours(tmp_path: Path) -> None:
    """The project file in the ConfigMap is valid."""
    from labelmill.pipeline.project import Project

    config, _ = _documents()

    project = Project.of(tmp_path, config["data"]["labelmill.toml"].encode())

    assert project.lake == "s3://my-bucket/mails"
