"""Review: the items where another opinion would change most, and the sides that stand against each other.

Every voice (a person, a rule, a model) has a reliability r, the chance that it is right. With one parameter for each
(Dawid and Skene's model with one coin, https://doi.org/10.2307/2346806), the weight of a voice for one of k possible
answers is ln(r (k - 1) / (1 - r)), and the share of an answer is the softmax of the summed weights. What a lead can
gain by deciding is the expected loss of the answer that leads now: the sum over all answers of their share times their
distance from it, by the distance of the kind of label.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import LabelSchema
from labelmill.domain.strict_json import dumps, loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.voices import ItemVoices, Spoken, number_of, spoken_lately, voices_of
from labelmill.stores.database.votes import gold_results

__all__ = ["Case", "Side", "Voice", "case_of", "contested"]

USUAL = 0.8
"""Reliability of somebody of whom nothing is known."""
USUAL_COUNTS = 5
"""As many comparisons as what is usual counts for."""

LEAST, MOST = 0.02, 0.99
"""No voice is worthless, and none settles everything."""

NEAR = 0.15
"""Answers of as many regions of the same classes, this close by the kind's distance, are one side."""

MOST_CASES = 5_000
MOST_STRUCTURED = 400
"""Items whose sides are worked out, the newest first."""

REGION_CHARACTERS = 60
AFFORDABLE = 400_000
"""Regions compared with regions in one look at the list, as far as the length of their JSON tells; a few seconds."""

ONE_OF_CLASSES = frozenset({"choice", "rating"})


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody says about an item.

    Parameters
    ----------
    annotator : str
        Public id of a person, name of a rule or model.
    kind : {"person", "rule", "model", "consensus"}
    value : Any
    reliability : float
        The chance that they are right, as far as is known.
    at : str or None
        When they said it, for people.
    """

    annotator: str
    kind: str
    value: Any
    reliability: float
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """Voices that say the same: the value of the most reliable of them, their share of the belief, their places."""

    value: Any
    share: float
    voices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """An item under review: the voices, the sides with the greatest share first, the expected loss of the first."""

    number: int
    item: str
    content: Mapping[str, Any]
    voices: tuple[Voice, ...]
    sides: tuple[Side, ...]
    loss: float


def contested(
    database: Database,
    project: Project,
    schema: LabelSchema,
    kind: LabelKind,
    *,
    accuracies: Mapping[str, float] | None = None,
) -> list[Case]:
    """Items on which voices differ and that no lead has decided, the greatest expected loss first.

    Parameters
    ----------
    accuracies : mapping of str to float, optional
        Source -> accuracy of rules and models, where a label model has learned it.
    """
    spoken = spoken_lately(database, project)
    trust = _Trust.of(database, project, kind, spoken, accuracies or {}, is_costly=schema.is_structured)
    numbers = _undecided(spoken, is_costly=schema.is_structured)
    cases = [_case(found, trust, schema, kind) for found in voices_of(database, project, numbers)]
    return sorted((case for case in cases if len(case.sides) > 1), key=lambda case: (-case.loss, case.number))


def case_of(
    database: Database,
    project: Project,
    schema: LabelSchema,
    kind: LabelKind,
    item: str,
    *,
    accuracies: Mapping[str, float] | None = None,
) -> Case | None:
    """One item with its sides, whether they differ or not; None if nobody was asked about it."""
    number = number_of(database, project, item)
    if number is None:
        return None
    spoken = spoken_lately(database, project)
    trust = _Trust.of(database, project, kind, spoken, accuracies or {}, is_costly=schema.is_structured)
    (found,) = voices_of(database, project, [number])
    return _case(found, trust, schema, kind)


def _undecided(spoken: Sequence[Spoken], *, is_costly: bool) -> list[int]:
    """Items, newest first, on which stored values differ and that no review has decided; as many as can be afforded.

    Whether the difference matters is looked at later.
    """
    values: dict[int, set[str]] = defaultdict(set)
    decided: set[int] = set()
    suggested: dict[int, str] = {}
    for one in spoken:
        if one.purpose == "review":
            decided.add(one.number)
        elif one.value != "null":
            values[one.number].add(one.value)
            suggested[one.number] = one.suggestions or ""
    differing = {
        number: [*said, suggested[number]]
        for number, said in values.items()
        if number not in decided and (len(said) > 1 or _says_otherwise(suggested[number], next(iter(said))))
    }
    return _affordable(differing, is_costly=is_costly)


def _affordable(texts: Mapping[int, Sequence[str]], *, is_costly: bool) -> list[int]:
    """The first items whose values can all be compared with one another in reasonable time; one at least."""
    if not is_costly:
        return list(texts)[:MOST_CASES]
    spent, found = 0, list[int]()
    for number in list(texts)[:MOST_STRUCTURED]:
        sizes = [len(text) // REGION_CHARACTERS + 1 for text in texts[number]]
        spent += sum(a * b for i, a in enumerate(sizes) for b in sizes[:i])
        if spent > AFFORDABLE and found:
            break
        found.append(number)
    return found


def _says_otherwise(suggestions: str, value: str) -> bool:
    """Whether some suggestion is not exactly this value, as the same writer wrote both."""
    return suggestions.count('"value":') != suggestions.count(f'"value":{value}')


class _Trust:
    """How reliable everybody is: by gold answers, and by what the others say."""

    def __init__(self, likeness: Mapping[str, tuple[float, int]], accuracies: Mapping[str, float]) -> None:
        self._likeness, self._accuracies = likeness, accuracies

    @classmethod
    def of(
        cls,
        database: Database,
        project: Project,
        kind: LabelKind,
        spoken: Sequence[Spoken],
        accuracies: Mapping[str, float],
        *,
        is_costly: bool,
    ) -> _Trust:
        """Everybody compared with everybody else on the items they share, people with gold besides."""
        pairs = [*_gold_pairs(database, project), *_pairs_of_voices(spoken, is_costly=is_costly)]
        sums: dict[str, float] = defaultdict(float)
        counts: Counter[str] = Counter()
        for annotators, value, other in pairs:
            likeness = 1.0 if value == other else 1.0 - kind.distance(loads(value), loads(other))
            for annotator in annotators:
                sums[annotator] += likeness
                counts[annotator] += 1
        return cls({name: (sums[name], counts[name]) for name in counts}, accuracies)

    def of_person(self, annotator: str) -> float:
        total, n = self._likeness.get(annotator, (0.0, 0))
        return _clipped((total + USUAL * USUAL_COUNTS) / (n + USUAL_COUNTS))

    def of_suggestion(self, suggestion: Mapping[str, Any]) -> float:
        """What was learned of the source; else the score it gives; else as people are judged."""
        source, score = str(suggestion.get("source", "")), suggestion.get("score")
        if source in self._accuracies:
            return _clipped(self._accuracies[source])
        return self.of_person(source) if score is None else _clipped(float(score))


def _clipped(reliability: float) -> float:
    return min(max(reliability, LEAST), MOST)


_Pair = tuple[tuple[str, ...], str, str]
"""Whose likeness it tells, and two values as JSON."""


def _gold_pairs(database: Database, project: Project) -> Iterable[_Pair]:
    for one in gold_results(database, project):
        if one.purpose == "gold" and one.value is not None:
            yield (one.annotator,), dumps(one.value), dumps(one.answer)


def _pairs_of_voices(spoken: Sequence[Spoken], *, is_costly: bool) -> Iterable[_Pair]:
    """Each two voices on one item beside each other, of as many items as can be afforded."""
    by_item: dict[int, dict[str, str]] = defaultdict(dict)
    for one in spoken:
        if one.value != "null":
            by_item[one.number][one.annotator] = one.value
            for suggestion in loads(one.suggestions) if one.suggestions else []:
                if suggestion.get("score") is None and suggestion.get("value") is not None:
                    by_item[one.number][str(suggestion["source"])] = dumps(suggestion["value"])
    shared = {number: list(said.values()) for number, said in by_item.items() if len(said) > 1}
    for number in _affordable(shared, is_costly=is_costly):
        for a, b in itertools.combinations(by_item[number], 2):
            yield (a, b), by_item[number][a], by_item[number][b]


def _case(found: ItemVoices, trust: _Trust, schema: LabelSchema, kind: LabelKind) -> Case:
    voices = [
        Voice(one.annotator, "person", one.value, trust.of_person(one.annotator), one.at)
        for one in found.people
        if one.value is not None
    ]
    voices += [
        Voice(str(one["source"]), str(one.get("kind", "model")), one["value"], trust.of_suggestion(one))
        for one in found.suggestions
        if one.get("value") is not None
    ]
    sides, rest = _sides(voices, schema, kind)
    best = sides[0] if sides else None
    loss = rest + math.fsum(side.share * kind.distance(best.value, side.value) for side in sides[1:]) if best else 0.0
    return Case(found.number, found.item, found.content, tuple(voices), sides, loss)


def _sides(voices: Sequence[Voice], schema: LabelSchema, kind: LabelKind) -> tuple[tuple[Side, ...], float]:
    """Sides with their shares, and the share of answers that nobody gave."""
    groups: list[list[int]] = []
    for index in sorted(range(len(voices)), key=lambda i: (-voices[i].reliability, i)):
        value = voices[index].value
        near = (group for group in groups if _is_one_side(voices[group[0]].value, value, kind))
        (next(near, None) or _new(groups)).append(index)
    is_of_classes = schema.kind in ONE_OF_CLASSES
    n_answers = max(len(schema.classes) if is_of_classes else len(groups) + 1, len(groups), 2)
    weights = [math.fsum(_weight(voices[index].reliability, n_answers) for index in group) for group in groups]
    top = max([*weights, 0.0])
    masses = [math.exp(weight - top) for weight in weights]
    unsaid = (n_answers - len(groups)) * math.exp(-top)
    total = math.fsum([*masses, unsaid])
    sides = [
        Side(voices[group[0]].value, mass / total, tuple(sorted(group)))
        for group, mass in zip(groups, masses, strict=True)
    ]
    return tuple(sorted(sides, key=lambda side: (-side.share, side.voices))), unsaid / total


def _new(groups: list[list[int]]) -> list[int]:
    groups.append([])
    return groups[-1]


def _weight(reliability: float, n_answers: int) -> float:
    """Nobody speaks against their own answer, however often they were wrong: 0 at the least."""
    return max(math.log(reliability * (n_answers - 1) / (1.0 - reliability)), 0.0)


def _is_one_side(a: Any, b: Any, kind: LabelKind) -> bool:
    """Whether two answers are the same, or the same regions drawn by two hands."""
    if a == b:
        return True
    if not (_is_regions(a) and _is_regions(b)) or _classes_of(a) != _classes_of(b):
        return False
    return kind.distance(a, b) <= NEAR


def _is_regions(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _classes_of(value: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(one.get("label")) for one in value)
