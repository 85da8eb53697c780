"""Dashboard: how far people are, how far they can be trusted, and what became of suggestions."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from labelmill.domain.schema import OF_CLASSES, LabelSchema
from labelmill.errors import LabelmillError
from labelmill.pipeline.analyze import analyze
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.agreement import agreement
from labelmill.quality.bounds import wilson_interval
from labelmill.stores.database.connect import Database
from labelmill.stores.database.figures import HeldAnswer, answers_by_day, held_answers, suggestion_counts
from labelmill.stores.database.projects import Project
from labelmill.stores.database.votes import iso_time

__all__ = ["accuracies_of_machines", "dashboard", "remember_machines"]

MACHINES = "machines"
"""Document with what was last found out about rules and models."""


def remember_machines(workspace: Workspace) -> None:
    """Put what is known of rules and models where the dashboard finds it."""
    rows = [row for row in analyze(workspace).to_dict()["annotators"] if row["kind"] != "person"]
    workspace.lake.write_document(MACHINES, {"rows": rows})


def accuracies_of_machines(folder: Path) -> dict[str, float]:
    """Name -> accuracy of the rules and models of a project, as far as it is known."""
    known = {row["name"]: _accuracy(row) for row in _machines(folder)}
    return {name: accuracy for name, accuracy in known.items() if accuracy is not None}


def dashboard(
    database: Database, project: Project, schema: LabelSchema, *, folder: Path | None = None
) -> dict[str, Any]:
    """Everything that the page of the lead shows, as plain data.

    People are measured against the others: the share of items on which somebody says what most others say. Machines
    by what the label model learned of them.

    Parameters
    ----------
    folder : Path, optional
        The project's folder, where rules and models are described.
    """
    answers = held_answers(database, project)
    spoken = [one for one in answers if one.purpose != "review"] if schema.kind in OF_CLASSES else []
    machines = [] if folder is None else _machines(folder)
    return {
        "progress": [{"at": iso_time(at), "done": done} for at, done in answers_by_day(database, project)],
        "annotators": [*_people(answers, spoken), *(_annotator(row) for row in machines)],
        "agreement": _agreement(spoken),
        "confusion": _confusion(spoken, schema),
        "rules": [_rule(row) for row in machines],
        "suggestions": suggestion_counts(database, project),
        "balance": _balance(spoken, schema),
    }


def _people(answers: Sequence[HeldAnswer], spoken: Sequence[HeldAnswer]) -> list[dict[str, Any]]:
    votes, times, names = Counter[str](), defaultdict[str, list[int]](list), dict[str, str]()
    for one in answers:
        votes[one.annotator] += 1
        names[one.annotator] = one.name
        if one.ms_active is not None:
            times[one.annotator].append(one.ms_active)
    agreed = _against_others(spoken)
    rows = []
    for annotator, n in votes.most_common():
        right, compared = agreed.get(annotator, (0, 0))
        low, high = wilson_interval(right, compared)
        rows.append(
            {
                "name": names[annotator],
                "kind": "person",
                "votes": n,
                "reliability": right / compared if compared else None,
                "low": _known(float(low)),
                "high": _known(float(high)),
                "ms_median": median(times[annotator]) if times[annotator] else None,
            }
        )
    return rows


def _against_others(spoken: Sequence[HeldAnswer]) -> dict[str, tuple[int, int]]:
    """For each annotator: items on which most others say the same, and items on which most others say something."""
    by_item: dict[str, dict[str, str]] = defaultdict(dict)
    for one in spoken:
        if one.value is not None:
            by_item[one.item][one.annotator] = _label(one)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for said in by_item.values():
        counts = Counter(said.values())
        for annotator, label in said.items():
            others = counts.copy()
            others[label] -= 1
            best = others.most_common(2)
            if best[0][1] == 0 or (len(best) > 1 and best[0][1] == best[1][1]):
                continue
            found[annotator][0] += label == best[0][0]
            found[annotator][1] += 1
    return {annotator: (right, n) for annotator, (right, n) in found.items()}


def _label(one: HeldAnswer) -> str:
    return one.value if isinstance(one.value, str) else " + ".join(one.value)


def _agreement(spoken: Sequence[HeldAnswer]) -> dict[str, float | None]:
    rows = [one for one in spoken if one.value is not None]
    nothing: dict[str, float | None] = {"value": None, "low": None, "high": None}
    if not rows:
        return nothing
    table = {
        "item": [one.item for one in rows],
        "annotator": [one.annotator for one in rows],
        "label": [_label(one) for one in rows],
    }
    try:
        found = agreement(table)
    except LabelmillError:
        return nothing
    return {"value": _known(found.value), "low": _known(found.low), "high": _known(found.high)}


def _confusion(spoken: Sequence[HeldAnswer], schema: LabelSchema) -> dict[str, Any]:
    """Pairs of answers of different people on the same item: row the one's, column the other's, both ways."""
    if schema.kind != "choice":
        return {"classes": [], "matrix": []}
    place = {name: k for k, name in enumerate(schema.classes)}
    matrix = [[0] * len(place) for _ in place]
    by_item: dict[str, Counter[str]] = defaultdict(Counter)
    for one in spoken:
        if one.value in place:
            by_item[one.item][one.value] += 1
    for counts in by_item.values():
        for a, n in counts.items():
            for b, m in counts.items():
                matrix[place[a]][place[b]] += n * (n - 1) if a == b else n * m
    return {"classes": list(schema.classes), "matrix": matrix}


def _balance(spoken: Sequence[HeldAnswer], schema: LabelSchema) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for one in spoken:
        counts.update([one.value] if isinstance(one.value, str) else one.value or [])
    return [{"class": name, "count": counts[name]} for name in schema.classes]


def _machines(folder: Path) -> list[dict[str, Any]]:
    try:
        document = Workspace.open(folder).lake.read_document(MACHINES)
    except LabelmillError:
        return []
    return list((document or {}).get("rows", []))


def _annotator(row: Mapping[str, Any]) -> dict[str, Any]:
    interval = row["true_interval"] or {}
    return {
        "name": row["name"],
        "kind": row["kind"],
        "votes": row["n_votes"],
        "reliability": _accuracy(row),
        "low": interval.get("low"),
        "high": interval.get("high"),
        "ms_median": None,
    }


def _rule(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "coverage": row["coverage"],
        "overlap": row["overlaps"],
        "conflict": row["conflicts"],
        "accuracy": _accuracy(row),
    }


def _accuracy(row: Mapping[str, Any]) -> float | None:
    """The true accuracy where gold tells it, else what was learned."""
    found: float | None = row["learned_accuracy"] if row["true_accuracy"] is None else row["true_accuracy"]
    return found


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
