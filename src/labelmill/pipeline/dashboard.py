"""Dashboard: how far people are, how far they can be trusted, and what became of suggestions."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.known_answers import is_right
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import OF_CLASSES, LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.errors import LabelmillError
from labelmill.pipeline._compared_classes import compare_classes
from labelmill.pipeline._compared_values import Nearness, compare_values, items_to_compare
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.analyze import analyze
from labelmill.pipeline.feedback import feedback
from labelmill.pipeline.forecast import DAY_MS, forecast
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.agreement import agreement
from labelmill.quality.bounds import wilson_interval
from labelmill.stores.database.connect import Database
from labelmill.stores.database.figures import (
    PURPOSES,
    AnswerColumns,
    Someone,
    answer_columns,
    answers_compared,
    answers_wanted,
    everybody,
    gold_answers_of,
    suggestion_counts,
)
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import progress
from labelmill.stores.database.votes import iso_time

__all__ = ["accuracies_of_machines", "dashboard", "remember_machines"]

MACHINES = "machines"
"""Document with what was last found out about rules and models."""

ONE_CLASS: Final = frozenset({"choice", "rating"})
"""Kinds whose answer names one class: two answers can be confused with each other."""

MOST_CLASSES: Final = 40
"""In the matrix of confusions; the most frequent ones. More are no picture any more."""

MOST_PEOPLE: Final = 20
"""In the matrix of who differs from whom."""

Columns = npt.NDArray[np.int64]


class _Views(NamedTuple):
    """What people's answers show when they are held against each other.

    `reliability` is user -> value, low, high.
    """

    reliability: Mapping[int, tuple[float | None, float | None, float | None]]
    agreement: dict[str, Any]
    confusion: dict[str, Any]
    pairs: dict[str, Any]
    balance: list[dict[str, Any]]


def remember_machines(workspace: Workspace) -> None:
    """Put what is known of rules and models where the dashboard finds it."""
    if workspace.schema.is_structured:
        rows = _machines_by_distance(workspace)
    else:
        rows = [row for row in analyze(workspace).to_dict()["annotators"] if row["kind"] != "person"]
    workspace.lake.write_document(MACHINES, {"rows": rows})


def _machines_by_distance(workspace: Workspace) -> list[dict[str, Any]]:
    """Rows as `analyze` gives them, as far as the model of shapes, spans, numbers or texts tells."""
    n_items = workspace.lake.n_items
    unknown = dict.fromkeys(("overlaps", "conflicts", "true_accuracy", "true_interval"))
    return [
        {
            "name": row["annotator"],
            "kind": row["kind"],
            "n_votes": row["votes"],
            "coverage": row["votes"] / n_items if n_items else None,
            "learned_accuracy": None if row["reliability"] is None else _known(row["reliability"]),
            **unknown,
        }
        for row in aggregate(workspace).annotators.iter_rows(named=True)
        if row["kind"] in {"rule", "model"}
    ]


def accuracies_of_machines(folder: Path) -> dict[str, float]:
    """Name -> accuracy of the rules and models of a project, as far as it is known."""
    known = {row["name"]: _accuracy(row) for row in _machines(folder)}
    return {name: accuracy for name, accuracy in known.items() if accuracy is not None}


def dashboard(
    database: Database, project: Project, schema: LabelSchema, *, folder: Path | None = None
) -> dict[str, Any]:
    """Everything that the page of the lead shows, as plain data.

    People are measured against the others: for classes by the share of items on which somebody says what most others
    say, for shapes, spans, numbers and texts by how near they come to the others. Machines by what the label model
    learned of them.

    Parameters
    ----------
    folder : Path, optional
        The project's folder, where rules and models are described.
    """
    now = database.clock()
    kind = kind_of(schema)
    is_named = schema.kind in OF_CLASSES | ONE_CLASS
    answers = answer_columns(database, project, with_values=is_named)
    people = everybody(database, project, set(answers.users))
    seen = {one.number: one for one in people}
    views = _of_classes(answers, schema) if is_named else _of_values(database, project, answers, kind, schema, seen)
    machines = [] if folder is None else _machines(folder)
    return {
        "at": iso_time(now),
        "kind": schema.kind,
        **_progress(database, project, answers, now),
        "annotators": [
            *_people(answers, people, views, _gold(database, project, kind)),
            *(_annotator(row) for row in machines),
        ],
        "agreement": views.agreement,
        "confusion": views.confusion,
        "pairs": views.pairs,
        "rules": [_rule(row) for row in machines],
        "suggestions": suggestion_counts(database, project),
        "feedback": feedback(database, project, schema),
        "balance": views.balance,
    }


def _progress(database: Database, project: Project, answers: AnswerColumns, now: int) -> dict[str, Any]:
    stands = progress(database, project)
    wanted, missing = answers_wanted(database, project)
    by_day = Counter(at - at % DAY_MS for at in answers.at)
    days = sorted(by_day)
    timed = [ms for ms in answers.ms_active if ms >= 0]
    ahead = forecast(by_day, missing, now)
    return {
        "progress": [
            {"at": iso_time(day), "done": done}
            for day, done in zip(days, accumulate(by_day[day] for day in days), strict=True)
        ],
        "items": {"done": stands.n_done, "total": stands.n_tasks},
        "answers": {"held": len(answers), "wanted": wanted, "missing": missing},
        "hours_left": round(missing * float(np.median(timed)) / 3_600_000, 2) if timed else None,
        "forecast": None
        if ahead is None
        else {
            "per_day": ahead.per_day,
            "n_days": ahead.n_days,
            "done_at": _time(ahead.done_at),
            "soonest": _time(ahead.soonest),
            "latest": _time(ahead.latest),
        },
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else iso_time(ms)


def _people(
    answers: AnswerColumns, people: Sequence[Someone], views: _Views, gold: Mapping[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    """Whoever has answered, the most diligent first."""
    users, ms, at = (np.frombuffer(column, dtype=np.int64) for column in (answers.users, answers.ms_active, answers.at))
    rows = []
    for one in people:
        mine = users == one.number
        if not mine.any():
            continue
        timed = ms[mine & (ms >= 0)]
        value, low, high = views.reliability.get(one.number, (None, None, None))
        quarter, middle, three = np.quantile(timed, [0.25, 0.5, 0.75]).tolist() if len(timed) else (None,) * 3
        rows.append(
            {
                "annotator": one.annotator,
                "name": one.name,
                "kind": "person",
                "votes": int(mine.sum()),
                "reliability": value,
                "low": low,
                "high": high,
                "ms_median": middle,
                "ms_low": quarter,
                "ms_high": three,
                "gold": _share(*gold[one.number]) if one.number in gold else None,
                "last_at": iso_time(int(at[mine].max())),
            }
        )
    return sorted(rows, key=lambda row: -row["votes"])


def _share(right: int, n: int) -> dict[str, Any]:
    low, high = wilson_interval(right, n)
    return {"right": right, "n": n, "low": _known(float(low)), "high": _known(float(high))}


def _gold(database: Database, project: Project, kind: LabelKind) -> dict[int, tuple[int, int]]:
    """User -> right ones, and all, among answers on items whose answer is known."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for user, said, known in gold_answers_of(database, project):
        found[user][0] += said == known or is_right(kind, loads(said), loads(known))
        found[user][1] += 1
    return {user: (right, n) for user, (right, n) in found.items()}


def _of_classes(answers: AnswerColumns, schema: LabelSchema) -> _Views:
    labels, code_of_text, members = _labels(answers.texts, schema)
    codes = np.array([*code_of_text, -1], dtype=np.int64)[np.frombuffer(answers.values, dtype=np.int32)]
    is_said = np.frombuffer(answers.purposes, dtype=np.int8) != PURPOSES.index("review")
    items, users = (np.frombuffer(column, dtype=np.int64)[is_said] for column in (answers.items, answers.users))
    codes = codes[is_said]
    compared = compare_classes(items, users, codes, labels)
    reliability = {}
    for user, (right, n) in compared.against_others.items():
        low, high = wilson_interval(right, n)
        reliability[user] = (right / n, _known(float(low)), _known(float(high)))
    counts = Counter(codes[codes >= 0].tolist())
    balance = Counter(dict.fromkeys(schema.classes, 0))
    for code, n in counts.items():
        balance.update(dict.fromkeys(members[code], n))
    level = "ordinal" if schema.kind == "rating" else "nominal"
    return _Views(
        reliability,
        _alpha(compared.table, level),
        _confusion(compared.confusion, schema),
        {"names": [], "matrix": []},
        [{"class": name, "count": balance[name]} for name in schema.classes],
    )


def _labels(texts: Sequence[str], schema: LabelSchema) -> tuple[list[str], list[int], list[tuple[str, ...]]]:
    """All labels, those of the schema first; the label of each text; and the classes of each label."""
    labels = [] if schema.kind == "multi_choice" else list(schema.classes)
    members: list[tuple[str, ...]] = [(name,) for name in labels]
    place = {name: code for code, name in enumerate(labels)}
    codes = []
    for text in texts:
        value = loads(text)
        names = () if value is None else (value,) if isinstance(value, str) else tuple(value)
        label = " + ".join(names)
        if value is not None and label not in place:
            place[label] = len(labels)
            labels.append(label)
            members.append(names)
        codes.append(-1 if value is None else place[label])
    return labels, codes, members


def _alpha(table: Any, level: Any) -> dict[str, Any]:
    told = {"measure": "alpha", "value": None, "low": None, "high": None, "n_items": 0}
    if not table.n_items:
        return told
    try:
        found = agreement(table, level=level)
    except LabelmillError:
        return told
    ends = {"value": _known(found.value), "low": _known(found.low), "high": _known(found.high)}
    return {**told, **ends, "n_items": found.n_items}


def _confusion(matrix: npt.NDArray[np.int64], schema: LabelSchema) -> dict[str, Any]:
    if schema.kind not in ONE_CLASS:
        return {"classes": [], "matrix": []}
    own = matrix[: schema.n_classes, : schema.n_classes]
    kept = np.sort(np.argsort(-own.sum(axis=1), kind="stable")[:MOST_CLASSES])
    return {"classes": [schema.classes[k] for k in kept], "matrix": own[np.ix_(kept, kept)].tolist()}


def _of_values(
    database: Database,
    project: Project,
    answers: AnswerColumns,
    kind: LabelKind,
    schema: LabelSchema,
    seen: Mapping[int, Someone],
) -> _Views:
    is_said = np.frombuffer(answers.purposes, dtype=np.int8) != PURPOSES.index("review")
    chosen = items_to_compare(np.frombuffer(answers.items, dtype=np.int64)[is_said])
    compared = compare_values(answers_compared(database, project, chosen), kind)
    near = compared.all
    return _Views(
        {user: near[:3] for user, near in compared.by_user.items()},
        {"measure": "nearness", **_ends(near), "n_items": near.n_items},
        {"classes": [], "matrix": []},
        _pairs(compared.apart, seen),
        [{"class": name, "count": compared.classes.get(name, 0)} for name in schema.classes],
    )


def _ends(near: Nearness) -> dict[str, float | None]:
    return {"value": near.value, "low": near.low, "high": near.high}


def _pairs(apart: Mapping[tuple[int, int], tuple[float, int]], seen: Mapping[int, Someone]) -> dict[str, Any]:
    """Mean distance of each two people, None where they share no item; those who share the most."""
    shared = Counter[int]()
    for pair, (_, n) in apart.items():
        shared.update(dict.fromkeys(pair, n))
    kept = sorted(user for user, _ in shared.most_common(MOST_PEOPLE))
    matrix = [[apart.get((min(one, other), max(one, other)), (None, 0))[0] for other in kept] for one in kept]
    return {"names": [seen[user].name if user in seen else str(user) for user in kept], "matrix": matrix}


def _machines(folder: Path) -> list[dict[str, Any]]:
    try:
        document = Workspace.open(folder).lake.read_document(MACHINES)
    except LabelmillError:
        return []
    return list((document or {}).get("rows", []))


def _annotator(row: Mapping[str, Any]) -> dict[str, Any]:
    interval = row["true_interval"] or {}
    return {
        "annotator": row["name"],
        "name": row["name"],
        "kind": row["kind"],
        "votes": row["n_votes"],
        "reliability": _accuracy(row),
        "low": interval.get("low"),
        "high": interval.get("high"),
        "ms_median": None,
        "ms_low": None,
        "ms_high": None,
        "gold": None,
        "last_at": None,
    }


def _rule(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "kind": row["kind"],
        "coverage": row["coverage"],
        "overlap": row["overlaps"],
        "conflict": row["conflicts"],
        "accuracy": _accuracy(row),
        "is_measured": row["true_accuracy"] is not None,
    }


def _accuracy(row: Mapping[str, Any]) -> float | None:
    """The true accuracy where gold tells it, else what was learned."""
    found: float | None = row["learned_accuracy"] if row["true_accuracy"] is None else row["true_accuracy"]
    return found


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
