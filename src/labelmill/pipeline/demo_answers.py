"""Demo of answers that are more than classes: rules mark, a simulated person marks some, and gold says how well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labelmill.domain.consensus import StructuredConsensus
from labelmill.domain.ports import Progress
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.demo import PERSON, made_project
from labelmill.pipeline.examples import gold_of, opened_example
from labelmill.pipeline.export import Exported, export
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.score import AnswerScore
from labelmill.pipeline.select import select
from labelmill.pipeline.simulated_person import SimulatedMarker
from labelmill.pipeline.submit import submit
from labelmill.pipeline.votes import machine_answers
from labelmill.pipeline.workspace import Workspace, unwatched

__all__ = ["AnswersDemonstration", "Measurement", "demo_answers"]

LEAST_ROUNDS = 3
"""The person is asked in so many rounds, or more."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """How good some answers are, against gold.

    Parameters
    ----------
    name : str
        Whose they are.
    kind : {"rule", "model", "consensus"}
    n_answers : int
        Answers that the person had given by then.
    n_items : int
        Items measured on.
    figures : mapping of str to float
        Name of a figure -> 0 to 1, higher is better; see `AnswerScore.figures`.
    """

    name: str
    kind: str
    n_answers: int
    n_items: int
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class AnswersDemonstration:
    """What the demo made.

    Parameters
    ----------
    folder : Path
        The project.
    n_items : int
    faults : mapping of str to int
        Rule -> items it failed on.
    measured : list of Measurement
        Rules alone, the consensus before and after the person's answers.
    release : Exported
    """

    folder: Path
    n_items: int
    release: Exported
    faults: Mapping[str, int] = field(default_factory=dict)
    measured: list[Measurement] = field(default_factory=list)


def demo_answers(
    folder: Path,
    *,
    example: str,
    n_answers: int = 300,
    per_round: int = 50,
    overlooks: float = 0.0,
    seed: int = 0,
    workers: int | None = None,
    watch: Callable[[str], Progress] = unwatched,
) -> AnswersDemonstration:
    """Import, let rules mark, merge, ask a simulated person about some, merge again, export; measured against gold.

    Parameters
    ----------
    folder : Path
        Where the project is made.
    example : str
        Name of an example whose answers are more than classes.
    n_answers : int
        Answers the person gives, to half of the items at most.
    per_round : int
        After how many of them, at most, all is merged anew.
    overlooks : float
        Share of the elements that the person does not see.
    seed : int
    workers : int, optional
    watch : callable
        Progress.
    """
    with opened_example(example) as source:
        workspace = made_project(source, folder, workers=workers, watch=watch)
        person = SimulatedMarker(gold_of(source), overlooks=overlooks, seed=seed)
        score = AnswerScore(gold_of(source), workspace.schema)
        measured = [*_alone(workspace, score), *_asked(workspace, score, person, n_answers, per_round)]
        faults = Counter(fault.annotator for fault in current_faults(workspace))
        return AnswersDemonstration(folder, workspace.lake.n_items, export(workspace), faults, measured)


def _alone(workspace: Workspace, score: AnswerScore) -> Iterator[Measurement]:
    """Each rule by itself."""
    votes = machine_answers(workspace)
    for (name, kind), said in votes.group_by("annotator", "kind", maintain_order=True):
        answers = dict(said.select("item", "value").iter_rows())
        yield Measurement(str(name), str(kind), 0, workspace.lake.n_items, score.figures(answers))


def _asked(
    workspace: Workspace,
    score: AnswerScore,
    person: SimulatedMarker,
    n_answers: int,
    per_round: int,
) -> Iterator[Measurement]:
    """The consensus of the rules, and what it is after the answers, on the items that nobody was asked about too."""
    wanted = min(n_answers, workspace.lake.n_items // 2)
    step = max(min(per_round, wanted // LEAST_ROUNDS), 1)
    items, parts = _merged(workspace)
    yield Measurement("consensus", "consensus", 0, len(items), score.figures(items, parts=parts))
    asked: set[str] = set()
    progress = workspace.watch("ask")
    while len(asked) < wanted:
        chosen = [task.item for task in select(workspace, count=min(step, wanted - len(asked))).tasks]
        if not chosen:
            break
        submit(workspace, person.answer(chosen), by=PERSON)
        asked.update(chosen)
        items, parts = _merged(workspace)
        progress(len(asked), wanted)
    if asked:
        rest = [item for item in items if item not in asked]
        yield Measurement("consensus", "consensus", len(asked), len(items), score.figures(items, parts=parts))
        found = score.figures(items, items=rest, parts=parts)
        yield Measurement("consensus, items not asked about", "consensus", len(asked), len(rest), found)


def _merged(workspace: Workspace) -> tuple[dict[str, str | None], dict[str, Sequence[float]]]:
    """Item -> consensus, and item -> how likely each of its elements is right."""
    consensus = aggregate(workspace).consensus
    assert isinstance(consensus, StructuredConsensus)  # noqa: S101 -- of an example whose answers are more than classes
    items = list(consensus.items)
    return dict(zip(items, consensus.labels, strict=True)), dict(zip(items, consensus.parts, strict=True))
