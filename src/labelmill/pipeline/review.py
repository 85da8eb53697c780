"""Review: the items where another opinion would change most, and the sides that stand against each other.

Every voice (a person, a rule, a model) has a reliability r, the chance that it is right: Dawid and Skene's model with
one coin for each (https://doi.org/10.2307/2346806), fitted by expectation maximisation. The weight of a voice for one
of k possible answers is ln(r (k - 1) / (1 - r)), and the share of an answer is the softmax of the summed weights.
Unlike theirs, an answer that is partly right is partly believed: by its likeness to the others, one minus the distance
of the kind of label. What a lead can gain by deciding is the expected loss of the answer that leads now: the sum over
all answers of their share times their distance from it.
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
from labelmill.stores.database.votes import GoldResult, gold_results

__all__ = ["Case", "Side", "Voice", "case_of", "contested", "reliabilities"]

USUAL = 0.8
"""Reliability of somebody of whom nothing is known."""
USUAL_COUNTS = 5
"""As many comparisons as what is usual counts for."""

LEAST, MOST = 0.02, 0.99
"""No voice is worthless, and none settles everything."""

ROUNDS = 10
"""Of believing answers by people and people by answers; by then nothing moves that a list could show."""

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


def reliabilities(database: Database, project: Project, schema: LabelSchema, kind: LabelKind) -> dict[str, float]:
    """How reliable everybody is, 0 to 1: by gold answers, and by what is believed of the items they answered."""
    gold = [(one.annotator, 1.0 - kind.distance(one.value, one.answer)) for one in _gold(database, project)]
    shared = _shared(spoken_lately(database, project), is_costly=schema.is_structured)
    return _fitted([_Ballot.of(said, kind) for said in shared], gold, schema)


def contested(
    database: Database,
    project: Project,
    schema: LabelSchema,
    kind: LabelKind,
    *,
    reliabilities: Mapping[str, float],
    accuracies: Mapping[str, float] | None = None,
) -> list[Case]:
    """Items on which voices differ and that no lead has decided, the greatest expected loss first.

    Parameters
    ----------
    reliabilities : mapping of str to float
        Annotator -> how reliable they are, as the function of that name learns it.
    accuracies : mapping of str to float, optional
        Source -> accuracy of rules and models, where a label model has learned it.
    """
    trust = _Trust(reliabilities, accuracies or {})
    numbers = _undecided(spoken_lately(database, project), is_costly=schema.is_structured)
    cases = [_case(found, trust, schema, kind) for found in voices_of(database, project, numbers)]
    return sorted((case for case in cases if len(case.sides) > 1), key=lambda case: (-case.loss, case.number))


def case_of(
    database: Database,
    project: Project,
    schema: LabelSchema,
    kind: LabelKind,
    item: str,
    *,
    reliabilities: Mapping[str, float],
    accuracies: Mapping[str, float] | None = None,
) -> Case | None:
    """One item with its sides, whether they differ or not; None if nobody was asked about it."""
    number = number_of(database, project, item)
    if number is None:
        return None
    (found,) = voices_of(database, project, [number])
    return _case(found, _Trust(reliabilities, accuracies or {}), schema, kind)


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
    """How reliable everybody is, 0 to 1."""

    def __init__(self, reliability: Mapping[str, float], accuracies: Mapping[str, float]) -> None:
        self._reliability, self._accuracies = reliability, accuracies

    def of_person(self, annotator: str) -> float:
        return _clipped(self._reliability.get(annotator, USUAL))

    def of_suggestion(self, suggestion: Mapping[str, Any]) -> float:
        """What was learned of the source; else the score it gives; else as people are judged."""
        source, score = str(suggestion.get("source", "")), suggestion.get("score")
        if source in self._accuracies:
            return _clipped(self._accuracies[source])
        return self.of_person(source) if score is None else _clipped(float(score))


def _clipped(reliability: float) -> float:
    return min(max(reliability, LEAST), MOST)


def _gold(database: Database, project: Project) -> Iterable[GoldResult]:
    return (one for one in gold_results(database, project) if one.purpose == "gold" and one.value is not None)


_Said = tuple[str, str, float | None]
"""Who, a value as JSON, and the score of a machine that gives one."""


def _shared(spoken: Sequence[Spoken], *, is_costly: bool) -> list[list[_Said]]:
    """What was said about the items of more than one voice; of as many items as can be afforded."""
    by_item: dict[int, dict[str, _Said]] = defaultdict(dict)
    for one in spoken:
        if one.value != "null" and (one.number in by_item or len(by_item) < MOST_CASES):
            by_item[one.number][one.annotator] = (one.annotator, one.value, None)
            for told in loads(one.suggestions) if one.suggestions else []:
                if told.get("value") is not None:
                    source = str(told["source"])
                    by_item[one.number][source] = (source, dumps(told["value"]), told.get("score"))
    shared = {number: list(said.values()) for number, said in by_item.items() if len(said) > 1}
    texts = {number: [value for _, value, _ in said] for number, said in shared.items()}
    return [shared[number] for number in _affordable(texts, is_costly=is_costly)]


@dataclass(frozen=True, slots=True)
class _Ballot:
    """What was said about one item: each voice's answer by its place, and how alike each two answers are."""

    voices: tuple[tuple[str, int, float | None], ...]
    likeness: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, said: Sequence[_Said], kind: LabelKind) -> _Ballot:
        places = {value: place for place, value in enumerate(dict.fromkeys(value for _, value, _ in said))}
        values = [loads(text) for text in places]
        likeness = [[1.0] * len(values) for _ in values]
        for i, j in itertools.combinations(range(len(values)), 2):
            likeness[i][j] = likeness[j][i] = 1.0 - kind.distance(values[i], values[j])
        return cls(tuple((who, places[text], score) for who, text, score in said), tuple(map(tuple, likeness)))


def _fitted(ballots: Sequence[_Ballot], gold: Sequence[tuple[str, float]], schema: LabelSchema) -> dict[str, float]:
    """Expectation maximisation: believe answers by who gives them, and people by what is believed of their answers.

    The likeness to an answer counts as far as that answer is believed; what is usual counts as `USUAL_COUNTS` items.
    """
    reliability: dict[str, float] = {}
    for _ in range(ROUNDS):
        sums: dict[str, float] = defaultdict(float)
        counts: Counter[str] = Counter()
        for annotator, likeness in gold:
            sums[annotator] += likeness
            counts[annotator] += 1
        for ballot in ballots:
            shares, _ = _shares_of(ballot, reliability, schema)
            for who, place, _ in ballot.voices:
                sums[who] += sum(share * like for share, like in zip(shares, ballot.likeness[place], strict=True))
                counts[who] += 1
        reliability = {who: (sums[who] + USUAL * USUAL_COUNTS) / (counts[who] + USUAL_COUNTS) for who in counts}
    return reliability


def _shares_of(ballot: _Ballot, reliability: Mapping[str, float], schema: LabelSchema) -> tuple[list[float], float]:
    n_answers = _n_answers(schema, len(ballot.likeness))
    weights = [0.0] * len(ballot.likeness)
    for who, place, score in ballot.voices:
        weights[place] += _weight(_clipped(reliability.get(who, USUAL) if score is None else score), n_answers)
    return _shares(weights, n_answers)


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
    n_answers = _n_answers(schema, len(groups))
    weights = [math.fsum(_weight(voices[index].reliability, n_answers) for index in group) for group in groups]
    shares, unsaid = _shares(weights, n_answers)
    sides = [
        Side(voices[group[0]].value, share, tuple(sorted(group))) for group, share in zip(groups, shares, strict=True)
    ]
    return tuple(sorted(sides, key=lambda side: (-side.share, side.voices))), unsaid


def _n_answers(schema: LabelSchema, n_given: int) -> int:
    """How many answers are possible: the classes, or those given and one that nobody thought of."""
    return max(len(schema.classes) if schema.kind in ONE_OF_CLASSES else n_given + 1, n_given, 2)


def _shares(weights: Sequence[float], n_answers: int) -> tuple[list[float], float]:
    """Shares of the answers given, and of all others together: the softmax of their weights."""
    top = max([*weights, 0.0])
    masses = [math.exp(weight - top) for weight in weights]
    unsaid = (n_answers - len(weights)) * math.exp(-top)
    total = math.fsum([*masses, unsaid])
    return [mass / total for mass in masses], unsaid / total


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
