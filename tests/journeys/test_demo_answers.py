"""The examples with pictures and sound: rules, the server, a person's answer, the consensus, the release."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

from labelmill.client import Client
from labelmill.domain.strict_json import dumps
from labelmill.pipeline import examples
from labelmill.pipeline.demo_answers import demo_answers
from labelmill.pipeline.export import export
from labelmill.pipeline.run import run
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace

PACKAGES = {"faces": "skimage", "phones": "espeakng_loader"}
"""Example -> what it is made of."""


def need(example: str) -> None:
    """Skip where the example cannot be made."""
    package = PACKAGES.get(example)
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install 'labelmill[examples]'")


@contextmanager
def served(example: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`labelmill demo EXAMPLE --serve`, and the address that it printed."""
    command = [sys.executable, "-m", "labelmill.cli.main", "demo", example, "--serve", "--out", str(folder)]
    words = ["--port", "0", "--no-open", "--workers", "1"]
    with subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = []
        try:
            for line in process.stderr:
                told.append(line)
                found = re.search(r"(http://\S+)", line)
                if found:
                    yield process, found.group(1)
                    return
            raise AssertionError("".join(told))
        finally:
            process.kill()


def test_coins_are_measured_against_gold(shell: Shell) -> None:
    """One command prints how good the rules are, each alone and together, and what a person's answers add."""
    answer = shell("demo", "coins", "--out", "made", "--workers", "1", "--json")

    assert answer.status == 0, answer.err
    measured = {(one["name"], one["n_answers"]): one for one in answer.json["measured"]}
    alone = [one["figures"]["f1"] for one in answer.json["measured"] if one["kind"] == "rule"]
    before, after = measured["consensus", 0], measured["consensus", 6]
    assert len(alone) == 2
    assert 0.7 < min(alone)
    assert min(alone) < before["figures"]["f1"] <= 1
    assert before["figures"]["f1"] <= after["figures"]["f1"] + 0.02
    assert measured["consensus, items not asked about", 6]["n_items"] == 6
    assert {"f1", "map50"} == set(before["figures"])
    release = pl.read_csv(Path(answer.json["release"]) / "labels.csv")
    assert release.height == 12
    assert not list(Path("made").rglob(examples.GOLD))


def test_the_table_for_people(shell: Shell) -> None:
    """Without --json it is a table, and what to do next."""
    answer = shell("demo", "coins", "--out", "made", "--workers", "1", "--answers", "0")

    assert answer.status == 0, answer.err
    for words in ("brighter_than_the_ground", "restless_surface", "map50", "labelmill demo coins --serve"):
        assert words in answer.out


def test_who_overlooks_coins_helps_less(tmp_path: Path) -> None:
    """The simulated person's misses are felt; the rules are the same."""
    careful = demo_answers(tmp_path / "a", example="coins", workers=1)
    careless = demo_answers(tmp_path / "b", example="coins", overlooks=0.7, workers=1)

    assert careful.measured[:3] == careless.measured[:3]
    assert careless.measured[-2].figures["f1"] < careful.measured[-2].figures["f1"]


@pytest.mark.parametrize("example", ["coins", "faces", "phones"])
def test_from_one_command_to_a_release(example: str, tmp_path: Path) -> None:
    """Rules vote, the server hands out an item with what they suggest and its file, a person's answer counts."""
    need(example)
    folder = tmp_path / example
    value: Any
    with served(example, folder) as (process, link):
        root, _, token = link.partition("/set-up/")
        with Client(root) as client:
            client.set_up(token, "ana", "long enough")
            (project,) = client.projects()
            tasks = client.next(project["project"], 4)["tasks"]
            if example == "faces":  # what no rule knows comes first
                task, value = tasks[0], "face"
            else:
                task = next(one for one in tasks if one["suggestions"])
                sources = [one["source"] for one in task["suggestions"]]
                marked = task["suggestions"][0]["value"][1:]
                value = [{name: told for name, told in one.items() if name != "score"} for one in marked]
                assert sources[0] == "consensus"
                assert len(sources) == 3
                assert [one for one in marked if "score" in one] == (marked if example == "coins" else [])
            client.answer(project["project"], task, value)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0

    workspace = Workspace.open(folder)
    turned = run(workspace)
    answers = people_votes(workspace)
    assert answers["item"].to_list() == [task["item"]]
    assert answers["value"][0] == (value if example == "faces" else dumps(value))
    label = dict(zip(turned.aggregated.consensus.items, turned.aggregated.consensus.labels, strict=True))
    assert label[task["item"]] == answers["value"][0]
    kinds = dict(turned.aggregated.annotators.select("kind", "votes").iter_rows())
    assert kinds["person"] == 1
    assert task["item"] not in {one.item for one in turned.selected.tasks}
    assert {"image", "audio"} & set(task["data"])
    release = pl.read_csv(Path(export(workspace, formats=["csv"]).place) / "labels.csv", infer_schema=False)
    assert dict(release.select("item", "decided_by").iter_rows())[task["item"]] == "people (asked)"


def test_answers_of_people_are_never_replaced(shell: Shell) -> None:
    """A demo where somebody has answered in the browser is not made anew."""
    Path("made/.labelmill").mkdir(parents=True)
    for name in (".labelmill-demo", ".labelmill/people.db"):
        Path("made", name).write_text("")

    refused(shell, ["demo", "coins", "--out", "made"], 1, "holds what people answered", "--out")


def test_what_is_missing_is_told(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example that cannot be made here says what to install, and leaves nothing behind."""
    source = examples.example_folder("phones")
    bare = tmp_path / "examples" / "phones"
    bare.mkdir(parents=True)
    for name in ("labelmill.toml", "rules.py"):
        (bare / name).write_bytes((source / name).read_bytes())
    (bare / "prepare.py").write_text("import sys\nsys.exit('the voice is missing: pip install it')\n")
    monkeypatch.setattr(examples, "_root", lambda: tmp_path / "examples")

    refused(shell, ["demo", "phones", "--out", "made"], 2, "the voice is missing: pip install it")
    assert not Path("made").exists()
