"""What the next answers are worth: wrong labels they are expected to avoid, and what the last ones did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.pipeline._asked import drawn_at_random
from labelmill.pipeline._decided import decided_items, latest_answers
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.audit_plan import allowed_wrongs
from labelmill.quality.audit_size import cheapest_audit
from labelmill.quality.bounds import wilson_interval
from labelmill.quality.routes import Source, expected_gain
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = [
    "AHEAD",
    "Moment",
    "Worth",
    "answers_to_certify",
    "gains_of",
    "moments",
    "people_accuracy",
    "posterior_of",
    "remember_moment",
    "the_moment",
    "worth_of",
]

Floats = npt.NDArray[np.float64]

AHEAD: Final = 100
"""Answers that a forecast speaks of."""

HISTORY: Final = "select-history"
"""Document with what was expected at each selection, oldest first."""

USUAL_ACCURACY: Final = 0.95
"""Of people, as long as nothing is known of them."""

USUAL_VOTES: Final = 20
"""Votes that this belief counts for."""

MOST_ITEMS: Final = 200_000
"""More are not read to forecast the certificate unless a stopping rule asks for it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was expected when something was selected.

    Parameters
    ----------
    answers : int
        People's answers until then.
    n_items : int
        Items with a label.
    expected_wrong : float
        Labels among them that are wrong, by the consensus's own probabilities.
    to_certify : float or None
        Answers that the project's certificate would still cost; None where it was not looked at.
    """

    answers: int
    n_items: int
    expected_wrong: float
    to_certify: float | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """A forecast of what the next `AHEAD` answers bring.

    Parameters
    ----------
    now : Moment
    avoided : float
        Wrong labels that as many answers to questions like those selected are expected to avoid on the items asked
        about; what the learner learns from them comes on top.
    before : Moment or None
        An earlier selection, some answers ago: what they did in all.
    n_drawn, n_drawn_wrong : int
        Items drawn at random that people have answered, and those among them whose label was wrong when they were
        asked about: measured, not expected.
    """

    now: Moment
    avoided: float
    before: Moment | None = None
    n_drawn: int = 0
    n_drawn_wrong: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def words(self) -> list[str]:
        """The forecast in sentences."""
        now = self.now
        lines = [
            f"The next {AHEAD} answers to questions like these: about {self.avoided:,.1f} of {now.expected_wrong:,.0f} "
            f"wrong labels fewer ({now.n_items:,} labels, by the consensus's own probabilities)."
        ]
        if self.before is not None:
            given = now.answers - self.before.answers
            less = self.before.expected_wrong - now.expected_wrong
            what = f"took {less:,.0f} away" if less >= 0 else f"brought {-less:,.0f} more to light"
            lines.append(f"The last {given:,} answers, and what was learned from them, {what}.")
        if self.n_drawn:
            low, high = wilson_interval(self.n_drawn_wrong, self.n_drawn)
            lines.append(
                f"Measured: of {self.n_drawn:,} items drawn at random, {self.n_drawn_wrong:,} had a wrong label when "
                f"they were asked about ({float(low):.1%} to {float(high):.1%})."
            )
        if now.to_certify is not None:
            lines.append(f"The certificate would cost about {now.to_certify:,.0f} answers from here.")
        return lines


def worth_of(workspace: Workspace, stored: ConsensusVersion, picked: pl.DataFrame, now: Moment) -> Worth | None:
    """The forecast for questions like those picked; None where none is left.

    Parameters
    ----------
    picked : polars.DataFrame
        Columns `item`, `partition`, `row`, `confidence`.
    """
    if not picked.height:
        return None
    person = Source("one person", 0.0, people_accuracy(stored))
    gains = gains_of(workspace, posterior_of(workspace, stored, picked), picked["confidence"].to_numpy(), person)
    earlier = [moment for moment in moments(workspace) if moment.answers < now.answers]
    drawn, n_wrong = _drawn(workspace)
    return Worth(now, float(gains.mean()) * AHEAD, earlier[-1] if earlier else None, drawn, n_wrong)


def gains_of(
    workspace: Workspace,
    probabilities: npt.NDArray[np.float64] | None,
    confidence: npt.NDArray[np.float64],
    who: Source,
) -> npt.NDArray[np.float64]:
    """Wrong labels avoided by asking about each item, shape (n_items,).

    Where an answer is more than one class, it is right or it is not: whoever is asked is right as often as they are.
    """
    if probabilities is None or workspace.schema.kind != "choice":
        return np.maximum(who.accuracy - confidence, 0.0)
    return expected_gain(probabilities, who)


def people_accuracy(stored: ConsensusVersion) -> float:
    """How often people are right, as the label model learned it, drawn to `USUAL_ACCURACY` where it saw little."""
    rows = [
        row for row in stored.meta.get("annotators", []) if row["kind"] == "person" and row["reliability"] is not None
    ]
    known = [(row["votes"], row["reliability"]) for row in rows if np.isfinite(row["reliability"])]
    n = sum(votes for votes, _ in known)
    right = sum(votes * accuracy for votes, accuracy in known)
    return float((right + USUAL_VOTES * USUAL_ACCURACY) / (n + USUAL_VOTES))


def posterior_of(workspace: Workspace, stored: ConsensusVersion, picked: pl.DataFrame) -> Floats | None:
    """Class probabilities of the picked items, shape (n_items, n_classes); None where answers are no classes."""
    if workspace.schema.is_structured:
        return None
    columns = [f"p_{name}" for name in workspace.schema.classes]
    found = np.empty((picked.height, len(columns)))
    places = picked.with_row_index("place")
    for (name,), part in places.group_by("partition", maintain_order=True):
        frame = workspace.lake.read_consensus(stored.digest, str(name), columns)
        found[part["place"].to_numpy()] = frame[part["row"].to_list()].select(columns).to_numpy()
    return found


def the_moment(workspace: Workspace, stored: ConsensusVersion, *, certifies: bool) -> Moment:
    """What is expected now.

    Parameters
    ----------
    certifies : bool
        Look at what the certificate would cost, however many items there are.
    """
    summary = read_consensus(workspace).summary
    n = summary.n_voted
    wrong = n * (1 - summary.mean_confidence) if summary.mean_confidence is not None else 0.0
    looks = workspace.schema.kind == "choice" and (certifies or summary.n_items <= MOST_ITEMS)
    cost = answers_to_certify(workspace) if looks and stored.partitions else None
    return Moment(n_answers(workspace), n, wrong, cost)


def n_answers(workspace: Workspace) -> int:
    """Answers of people, audits and reviews among them."""
    votes = people_votes(workspace, ("label", "review", "audit", "gold"))
    return int(votes.filter(pl.col("kind").fill_null("person") == "person").height)


def answers_to_certify(workspace: Workspace) -> float:
    """Answers that the project's certificate is expected to cost from here: the audit, and what it leaves to people.

    By the consensus's own probabilities alone: a hope that the machine is better than it says would end the asking
    before it is.
    """
    consensus = read_consensus(workspace).consensus
    decided = decided_items(workspace)
    is_open = np.array([item not in decided for item in consensus.items], dtype=np.bool_)
    unsure = np.sort((1 - consensus.confidence)[is_open & consensus.has_votes])
    n_unlabelled = int((is_open & ~consensus.has_votes).sum())
    project, n_items = workspace.project, len(consensus.items)
    target, risk = project["certify.error"], round(1 - project["certify.confidence"], 12)
    n_allowed = allowed_wrongs(n_items, target)
    size = cheapest_audit(unsure, n_allowed=n_allowed, target=target, risk=risk, is_trusted=True)
    return size.expected_answers + n_unlabelled


def moments(workspace: Workspace) -> list[Moment]:
    """What was expected at earlier selections, oldest first."""
    return [Moment(**told) for told in (workspace.lake.read_document(HISTORY) or {}).get("moments", [])]


def remember_moment(workspace: Workspace, now: Moment) -> None:
    """Put it behind the others; of several with the same answers the last one stays."""
    kept = [moment for moment in moments(workspace) if moment.answers < now.answers]
    workspace.lake.write_document(HISTORY, {"moments": [asdict(moment) for moment in [*kept, now]]})


def _drawn(workspace: Workspace) -> tuple[int, int]:
    """Items drawn at random that people have answered by now, and those of them that had another label."""
    labels = drawn_at_random(workspace)
    if not labels:
        return 0, 0
    votes = people_votes(workspace, ("label", "review", "gold")).filter(pl.col("item").is_in(list(labels)))
    said: Mapping[str, str | None] = latest_answers(votes.filter(pl.col("value").is_not_null()))
    wrong: Sequence[bool] = [labels[item] != value for item, value in said.items()]
    return len(wrong), sum(wrong)
