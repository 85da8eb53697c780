"""Commands that are stopped, killed or run out of disk, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journeys.conftest import Answer, Shell
from tests.journeys.refusals import assert_refusal, listing

MARKS = """\
import os, signal, time
from pathlib import Path
from labelmill import labeling_function

HERE = Path(__file__).parent
"""

SLOW = f"""\
{MARKS}

@labeling_function()
def slow(x):
    (HERE / f"worker-{{os.getpid()}}").touch()
    if x.id == "a7" and not (HERE / "fast").exists():
        (HERE / "reached").touch()
        time.sleep(60)
    return "ham"
"""

DEADLY = f"""\
{MARKS}

@labeling_function()
def deadly(x):
    if x.id in {{WHICH}}:
        os.kill(os.getpid(), signal.SIGKILL)
    return "ham"


@labeling_function()
def well(x):
    return "spam"
"""


@pytest.fixture
def wide(shell: Shell, project: Path) -> Path:
    """A project of two partitions: 120 mails, and 40 more."""
    rows = "".join(f"a{i},hello number {i}\n" for i in range(40))
    (project / "more.csv").write_text(f"id,text\n{rows}")
    for name in ("items.csv", "more.csv"):
        assert shell("import", project / name, "-p", project).status == 0
    return project


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "labelmill.cli.main", *map(str, words)]


def start(project: Path) -> subprocess.Popen[str]:
    """`annotate` in two workers, at the moment when one of them sleeps on an item."""
    words = command("annotate", "--engine", "processes", "--workers", "2", "--timeout", "100", "-p", project)
    driver = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (project / "reached").exists():
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return driver


def workers_alive(project: Path, within: float) -> list[int]:
    """Workers that live on after so many seconds."""
    deadline = time.monotonic() + within
    while True:
        alive = [pid for path in project.glob("worker-*") if _lives(pid := int(path.name.partition("-")[2]))]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a dead process that nobody has waited for is no orphan
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_in_the_middle(shell: Shell, wide: Path, number: signal.Signals, status: int) -> None:
    """It ends at once, leaves no worker behind and nothing half-written; the same command finishes the work."""
    (wide / "rules.py").write_text(SLOW)
    driver = start(wide)

    began = time.monotonic()
    driver.send_signal(number)
    out, err = driver.communicate(timeout=10)

    assert driver.returncode == status
    assert time.monotonic() - began < 5
    assert out == ""
    assert err.strip() == ("" if status < 0 else "stopped; finished work is kept, the same command goes on")
    assert workers_alive(wide, within=5) == []
    (wide / "fast").touch()
    again = shell("annotate", "-p", wide, "--json")
    assert again.status == 0, again.err
    assert again.json["faults"] == {}
    assert shell("aggregate", "-p", wide, "--json").json["with_votes"] == 160
    assert [name for name in listing(wide) if "_try/" in name or ".tmp" in name] == []


def annotated(shell: Shell, project: Path) -> Answer:
    """What two workers make of the rules."""
    return shell("annotate", "--engine", "processes", "--workers", "2", "-p", project, "--json")


def test_a_rule_that_kills_its_worker_on_one_item(shell: Shell, wide: Path) -> None:
    """The run finishes; the item is a fault of that rule alone, and every other vote is there."""
    (wide / "rules.py").write_text(DEADLY.replace("{WHICH}", '{"a7"}'))

    told = annotated(shell, wide)
    shown = shell("runs", "show", told.json["run"], "-p", wide).out

    assert told.status == 0, told.err
    assert told.json["faults"] == {"deadly": 1}
    assert "deadly on item a7: killed its worker 3 times; left out" in shown
    votes = {row["name"]: row["n_votes"] for row in shell("analyze", "-p", wide, "--json").json["annotators"]}
    assert {"deadly": 159, "well": 160}.items() <= votes.items()
    assert [name for name in listing(wide) if "_try/" in name] == []


def test_a_rule_that_kills_its_worker_on_every_item(shell: Shell, wide: Path) -> None:
    """It is not asked forever: after some items it is left out, and the others' votes are kept."""
    (wide / "rules.py").write_text(DEADLY.replace("{WHICH}", "{f'a{i}' for i in range(40)}"))
    began = time.monotonic()

    told = annotated(shell, wide)

    assert told.status == 0, told.err
    assert told.json["faults"] == {"deadly": 40}
    assert time.monotonic() - began < 60


FULL = {
    "import": ["import", "mails/items.csv", "-p", "fresh"],
    "init": ["init", "new", "--classes", "a,b"],
    "annotate": ["annotate", "-p", "mails"],
    "aggregate": ["aggregate", "--model", "majority_vote", "-p", "mails"],
    "export": ["export", "out", "-p", "mails"],
    "labels": ["aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--reliabilities", "people.csv"],
    "packed": ["aggregate", "--votes", "votes.csv", "--out", "labels.parquet"],
    "votes": ["annotate", "--items", "mails/items.csv", "--code", "mails/rules.py", "--out", "labels.csv"],
}


NO_ROOM = """
import contextlib, io, json, resource, sys
from labelmill.cli.main import main

commands = json.load(sys.stdin)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
answers = {}
for name, words in commands.items():
    out, err, status = io.StringIO(), io.StringIO(), 0
    sys.argv = ["labelmill", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as error:
            status = error.code
    answers[name] = status, out.getvalue(), err.getvalue()
print(json.dumps(answers))
"""
"""A process that may write no file of more than 300 bytes runs the commands one after another."""


def test_a_full_disk(shell: Shell, project: Path) -> None:
    """Where there is no room, everything stays as it was; the message says so."""
    shell("init", "fresh", "--classes", "ham,spam")
    shell("import", project / "items.csv", "-p", project)
    shell("aggregate", "-p", project)
    Path("votes.csv").write_text("item,annotator,label\n" + "".join(f"a{i},u,x\n" for i in range(100)))
    Path("labels.csv").write_text("mine")
    before = listing(Path.cwd())

    run = subprocess.run(
        [sys.executable, "-c", NO_ROOM], input=json.dumps(FULL), stdout=subprocess.PIPE, text=True, check=True
    )

    for name, told in json.loads(run.stdout).items():
        assert_refusal(Answer(*told), 1)
        assert "too large" in told[2] or "larger than" in told[2], name
    assert listing(Path.cwd()) == before


def test_a_full_standard_output(shell: Shell) -> None:
    """A result that nobody can take is an error, told once."""
    Path("votes.csv").write_text("item,annotator,label\na,u,x\n")
    words = command("aggregate", "--votes", "votes.csv", "--out", "labels.csv")

    with Path("/dev/full").open("w") as full:
        run = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert_refusal(Answer(run.returncode, "", run.stderr), 1, "No space left on device")


def test_a_reader_that_goes_away(shell: Shell) -> None:
    """`labelmill ... | head` ends without a word."""
    Path("votes.csv").write_text("item,annotator,label\na,u,x\n")
    words = command("aggregate", "--votes", "votes.csv", "--out", "labels.csv")

    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    told = run.stderr.read()

    assert run.wait(timeout=30) == 1
    assert told == ""
    run.stderr.close()
