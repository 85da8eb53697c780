"""What a certificate costs: human answers until at most 5 % wrong is proved with 95 % confidence, in three ways.

    python benchmarks/certificate_economy.py [--sets sms_spam ...] [--items 4000] [--learner tfidf_linear]
        [--encoder NAME] [--strategy margin]

Each set goes through the whole loop as a project: questions are asked until `[select] stop = "certificate"` says that
more of them would not make the certificate cheaper, then its audit is drawn, answered, and what it leaves to people is
answered, too. `chosen` asks what the strategy chooses, `random` asks at random, and both have the learner; `no learner`
has none, so that on sets without rules people answer nearly everything. The spam example has its rules in all three. A
simulated person answers from gold. Texts are read from ../shared/data where present.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.annotate import annotate
from labelmill.pipeline.certify import certify, plan_certificate
from labelmill.pipeline.examples import copy_example, gold_of, opened_example
from labelmill.pipeline.export import release_frame
from labelmill.pipeline.ingest import ingest_sources
from labelmill.pipeline.score import Score
from labelmill.pipeline.select import select
from labelmill.pipeline.simulated_person import SimulatedPerson
from labelmill.pipeline.submit import submit
from labelmill.pipeline.train import train
from labelmill.pipeline.workspace import Workspace

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
SETS = ("sms_spam", "trec_questions", "ag_news", "sentence_polarity")
PER_ROUND = 50
ERROR, CONFIDENCE = 0.05, 0.95


@dataclass(frozen=True)
class Spent:
    """What a certificate took.

    Parameters
    ----------
    asked, audited, deferred : int
        Answers to questions of the strategy, to the audit, and on what it leaves to people.
    error : float
        Share of the released labels that are wrong, by gold.
    seconds : float
        CPU.
    """

    asked: int
    audited: int
    deferred: int
    error: float
    seconds: float

    @property
    def answers(self) -> int:
        """In all."""
        return self.asked + self.audited + self.deferred


def main(arguments: list[str] | None = None) -> str:
    """Measure, print Markdown and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["spam", *SETS])
    parser.add_argument("--items", type=int, default=4_000)
    parser.add_argument("--learner", default="tfidf_linear")
    parser.add_argument("--encoder", default="")
    parser.add_argument("--strategy", default="margin")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    lines = [
        f"**Answers until at most {ERROR:.0%} wrong is certified at {CONFIDENCE:.0%}; learner {asked.learner}, "
        f"strategy {asked.strategy}, seed {asked.seed}; asked + audited + left to people**",
        "",
        "| set | items | chosen, with the learner | random, with the learner | chosen, no learner "
        "| saved by choosing | saved by the learner | wrong by gold: chosen, random, none | CPU s |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|",
    ]
    print("\n".join(lines), flush=True)
    for name in asked.sets:
        if name == "spam" or (DATA / name).is_dir():
            lines.append(row(name, asked))
            print(lines[-1], flush=True)
    return "\n".join(lines)


def report() -> str:
    """The tables, as Markdown: bags of words, and a regression on static vectors of words."""
    return "\n\n".join([main([]), main(["--learner", "linear_head", "--encoder", "wordllama"])])


def row(name: str, asked: argparse.Namespace) -> str:
    """One set, three ways."""
    spent = []
    with tempfile.TemporaryDirectory() as scratch:
        for place, (strategy, learner) in enumerate(ways(asked)):
            workspace, gold = made(name, Path(scratch) / str(place), asked)
            workspace.project.settings["train.learner"] = learner  # type: ignore[index]  # a benchmark's own copy
            spent.append(certified(workspace, gold, strategy, asked.seed))
            n_items = workspace.lake.n_items
    chosen, random, none = spent
    cells = [f"**{one.answers:,}** ({one.asked:,} + {one.audited:,} + {one.deferred:,})" for one in spent]
    saved = [f"{1 - chosen.answers / other.answers:.0%}" for other in (random, none)]
    wrong = ", ".join(f"{one.error:.1%}" for one in spent)
    seconds = sum(one.seconds for one in spent)
    return f"| {name} | {n_items:,} | {' | '.join([*cells, *saved])} | {wrong} | {seconds:.0f} |"


def ways(asked: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Strategy and learner."""
    yield from ((asked.strategy, asked.learner), ("random", asked.learner), (asked.strategy, ""))


def made(name: str, folder: Path, asked: argparse.Namespace) -> tuple[Workspace, Path]:
    """A project with its items, and the file of gold outside of it."""
    if name == "spam":
        with opened_example(name) as source:
            workspace = Workspace.open(copy_example(source, folder))
            gold = folder.with_suffix(".gold.parquet")
            gold.write_bytes(gold_of(source).read_bytes())
        ingest_sources(workspace)
        annotate(workspace, engine="serial")
        return _stopping(workspace), gold
    folder.mkdir()
    items = pl.read_csv(DATA / name / "items.csv").join(
        pl.read_csv(DATA / name / "truth.csv", schema_overrides={"label": pl.String}), on="item"
    )
    kept = np.sort(np.random.default_rng(asked.seed).permutation(items.height)[: asked.items])
    items = items[kept]
    gold = folder.with_suffix(".gold.parquet")
    items.select(id="item", label="label").write_parquet(gold)
    items.select(id="item", text="text").write_csv(folder / "items.csv")
    classes = ", ".join(f'"{label}"' for label in sorted(set(items["label"])))
    (folder / "labelmill.toml").write_text(
        f'[schema]\nclasses = [{classes}]\n[source]\nitems = ["items.csv"]\n[annotate]\nengine = "serial"\n'
        f'[features]\nencoder = "{asked.encoder}"\n'
    )
    workspace = _stopping(Workspace.open(folder))
    ingest_sources(workspace)
    return workspace, gold


def _stopping(workspace: Workspace) -> Workspace:
    """The same, told when to stop and what to certify."""
    told: dict[str, Any] = {"select.stop": "certificate", "certify.error": ERROR, "certify.confidence": CONFIDENCE}
    return Workspace(replace(workspace.project, settings={**workspace.project.settings, **told}))


def certified(workspace: Workspace, gold: Path, strategy: str, seed: int) -> Spent:
    """Ask until the rule stops it, then certify."""
    started = time.process_time()
    person = SimulatedPerson(gold, workspace.schema.classes, seed=seed)
    while True:
        if workspace.project["train.learner"] and (person.n_answers or workspace.project.code is not None):
            train(workspace, keep=False, promote="always")
        aggregate(workspace)
        tasks = select(workspace, count=PER_ROUND, strategy=strategy, seed=seed + person.n_answers).tasks
        if not tasks or not (workspace.project["train.learner"] or workspace.project.code is not None):
            break
        submit(workspace, person.answer([task.item for task in tasks]), by="person")
    asked = person.n_answers
    plan = plan_certificate(workspace)
    submit(workspace, person.answer(plan.sample), by="person", purpose="audit")
    missing = certify(workspace).missing
    submit(workspace, person.answer(missing), by="person")
    frame, _ = release_frame(workspace)
    error = Score(gold).error(dict(frame.select("item", "label").iter_rows()))
    return Spent(asked, len(plan.sample), len(missing), error, time.process_time() - started)


if __name__ == "__main__":
    main()
