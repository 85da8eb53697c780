from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelmill.aggregation.structured._chains import LEAST, Shape, legal_steps, posterior
from labelmill.aggregation.structured._span_choice import best_threshold, without_overlap
from labelmill.aggregation.structured._span_tokens import Key, layers, pieces
from labelmill.aggregation.structured.span import TagChain
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.errors import NotFittedError, UsageError
from labelmill.labels.span import Span
from labelmill.quality.span_scores import span_scores

CLASSES = ("PER", "LOC")


def _spans(*rows: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in rows]


def _table(rows: list[list[Any]], facts: list[dict[str, Any]] | None = None) -> AnswerTable:
    """Row i: what annotators 0, 1, ... answer on item i."""
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    columns = [[cell[n] for cell in cells] for n in range(3)]
    names = [f"ann {j}" for j in range(max(len(row) for row in rows))]
    return AnswerTable(
        Span(classes=CLASSES), [str(i) for i in range(len(rows))], names, *columns, classes=CLASSES, facts=facts
    )


def _crowd(misses: list[float], n_items: int = 40, seed: int = 0) -> tuple[AnswerTable, list[Any]]:
    """Texts of 30 words with three names each; annotator j misses a name with the probability given, slips at ends."""
    draw = np.random.default_rng(seed)
    text = " ".join(["word"] * 30)
    truth, rows = [], []
    for _ in range(n_items):
        places = np.sort(draw.choice(14, 3, replace=False)) * 2
        names = [(int(p) * 5, int(p) * 5 + 9, CLASSES[draw.integers(2)]) for p in places]
        truth.append(_spans(*names))
        row = []
        for miss in misses:
            kept = [
                (start, end - 5 * int(draw.random() < 0.15), label)
                for start, end, label in names
                if draw.random() > miss
            ]
            row.append(_spans(*kept))
        rows.append(row)
    return _table(rows, [{"text": text}] * n_items), truth


def test_what_most_miss_is_found() -> None:
    """Five who each miss two names in five: the chain finds more of them than any one, and than the majority does."""
    table, truth = _crowd([0.4] * 5)

    found = [merged.value for merged in TagChain().fit(table).predict(table)]
    plain = [table.kind.merge([table.values[p] for p in rows], [1.0] * 5) for rows in table.by_item]
    single = [table.values[rows[0]] for rows in table.by_item]

    scores = [span_scores(truth, spans).strict.f1 for spans in (found, plain, single)]
    assert scores[0] > max(scores[1:]) + 0.05


def test_reliabilities_are_in_the_true_order() -> None:
    """Who misses more is trusted less."""
    table, _ = _crowd([0.05, 0.3, 0.5, 0.7], n_items=60)

    reliability = TagChain().fit(table).reliability_

    assert (np.diff(reliability) < 0).all()


def test_overlapping_spans_survive() -> None:
    """A name in a name that most mark is merged with it, of two classes and of one; all layers are counted."""
    nested = _spans((0, 19, "LOC"), (5, 9, "PER"))
    twice = _spans((0, 19, "LOC"), (10, 14, "LOC"))
    facts = [{"text": " ".join(["word"] * 8)}] * 8
    table = _table([[nested, nested, nested[1:]], [twice, twice, twice[:1]]] * 4, facts)

    model = TagChain().fit(table)
    merged = model.predict(table)

    assert [nested, twice] == [value for value, *_ in merged[:2]]
    assert model.details_["layers"] == 2
    assert all(len(m.parts) == 2 for m in merged)


def test_probabilities_fall_with_doubt() -> None:
    """A name that three of four mark is less sure than one that all mark, and so is the whole value."""
    one, two = _spans((0, 4, "PER")), _spans((0, 4, "PER"), (10, 14, "LOC"))
    table, _ = _crowd([0.2] * 4, n_items=20)
    rows = [[table.values[p] for p in rows] for rows in table.by_item]
    full = _table([*rows, [two] * 4, [two, two, two, one]], [{"text": " ".join(["word"] * 30)}] * 22)

    *_, sure, doubted = TagChain().fit(full).predict(full)

    assert two == sure.value == doubted.value
    assert sure.parts[1] > doubted.parts[1]
    assert sure.confidence > doubted.confidence


def test_a_class_that_was_not_fitted_is_refused() -> None:
    """The message names the class and those known."""
    model = TagChain().fit(_table([[_spans((0, 4, "PER"))] * 2]))

    with pytest.raises(UsageError, match=r"'ORG' was not among those fitted \(PER, LOC\)"):
        model.predict(_table([[_spans((0, 4, "ORG"))]]))


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    with pytest.raises(NotFittedError, match="fit"):
        TagChain().predict(_table([[[]]]))


def test_nobody_marks_anything_in_no_text() -> None:
    """Without text and spans there are no tokens: nothing is there, the surer the more say so."""
    table = _table([[[], [], []], [[]]])

    assert [Merged([], 0.75), Merged([], 0.5)] == TagChain().fit(table).predict(table)


def test_hundreds_at_odds_leave_no_gap() -> None:
    """Half mark a name, half another that begins within it: numbers stay numbers."""
    halves = [_spans((0, 14, "PER"))] * 300 + [_spans((5, 19, "LOC"))] * 300
    table = _table([halves] * 2, [{"text": " ".join(["word"] * 5)}] * 2)

    model = TagChain().fit(table)

    assert np.isfinite(model.reliability_).all()
    for _, confidence, parts in model.predict(table):
        assert np.isfinite([confidence, *parts]).all()


def test_no_class_and_no_span_is_a_table_too() -> None:
    """Everybody looked, and nothing is there."""
    table = AnswerTable(Span(), ["t"], ["a", "b"], [0, 0], [0, 1], [[], []], facts=[{"text": "a b c"}])

    merged = TagChain().fit(table).predict(table)

    assert merged[0].value == []
    assert merged[0].confidence == 1.0


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"tokens": [[0, 4], [5, 9]]}, [(0, 4), (5, 7), (7, 9), (9, 10)]),
        ({"text": "word word !"}, [(0, 4), (5, 7), (7, 9), (9, 10), (10, 11)]),
        ({}, [(0, 7), (7, 10)]),
    ],
)
def test_tokens_are_cut_where_spans_end(facts: dict[str, Any], expected: list[Any]) -> None:
    """A span may end within a word, or with a space: it can be told from one that does not."""
    assert expected == pieces(facts, [Key(0, 7, "PER"), Key(0, 10, "PER")])


def test_rivals_share_a_layer() -> None:
    """Two who end a name differently compete; two spans of one answer that overlap do not."""
    a, longer, inner = Key(0, 9, "PER"), Key(0, 14, "PER"), Key(5, 9, "LOC")

    assert {a: 0, longer: 0} == layers([[a], [longer]])
    place = layers([[a, inner], [longer], [a]])
    assert place[a] == place[longer] == 0
    assert place[inner] == 1


def test_forward_backward_is_exact() -> None:
    """Against the sum over all paths of a chain of four tokens and three tags."""
    draw = np.random.default_rng(0)
    step = draw.random((3, 3)) * legal_steps(1)
    step /= step.sum(axis=1, keepdims=True)
    first = np.array([0.6, 0.4, 0.0])
    log = np.log(draw.random((4, 3)))
    paths = np.array(np.meshgrid(*[range(3)] * 4, indexing="ij")).reshape(4, -1).T
    weight = first[paths[:, 0]] * step[paths[:, :-1], paths[:, 1:]].prod(axis=1)
    weight = weight * np.exp(log[np.arange(4), paths].sum(axis=1))
    weight /= weight.sum()

    found = posterior(Shape(np.array([4])), log, step, first)

    for tag in range(3):
        np.testing.assert_allclose(found.tag[:, tag], [weight[paths[:, t] == tag].sum() for t in range(4)])
    closed = np.column_stack([paths, np.zeros(len(paths), dtype=int)])
    spans = {}
    for i in range(4):
        for j in range(i + 1, 5):
            is_span = (paths[:, i] == 1) & (paths[:, i + 1 : j] == 2).all(axis=1) & (closed[:, j] != 2)
            spans[i, j] = float(weight[is_span].sum())
    likely = {place: p for place, p in spans.items() if p >= LEAST}
    assert likely == pytest.approx({(i, j): p for p, i, j, _ in found.spans(0, 4)})
    k = int(weight.argmax())
    assert found.path(0, paths[k]) == pytest.approx(weight[k])


def test_the_threshold_is_half_of_the_best_f1() -> None:
    """By hand: taking the first two of three gives 2 * 1.6 / (2 + 1.8)."""
    assert best_threshold(np.array([0.9, 0.2, 0.7])) == pytest.approx(1.6 / 3.8)


def test_overlapping_candidates_are_chosen_for_their_sum() -> None:
    """Two short ones beat the long one that is likelier than either."""
    spans = [(0.7, 0, 6, 0), (0.6, 0, 3, 0), (0.65, 3, 6, 1), (0.3, 7, 8, 0)]

    assert [(0.6, 0, 3, 0), (0.65, 3, 6, 1)] == without_overlap(spans, 0.4)


@pytest.mark.parametrize(("step", "least"), [(6, 0.68), pytest.param(1, 0.75, marks=pytest.mark.slow)])
def test_the_conll_crowd_beats_its_best_member(step: int, least: float) -> None:
    """47 people, every sixth document and all 399: the majority on each token has an F1 of 0.61."""
    from tests.conll_spans import HERE, read

    if not HERE.is_dir():
        pytest.skip(f"no spans with gold at {HERE}")
    marked = read()
    rows = range(0, marked.answers.n_items, step)
    answers, gold = marked.answers.select(rows), [marked.gold[i] for i in rows]

    found = [merged.value for merged in TagChain().fit(answers).predict(answers)]

    assert span_scores(gold, found).strict.f1 >= least
    hits = []
    for j in range(answers.n_annotators):
        own = {int(answers.item_index[p]): answers.values[p] for p in np.flatnonzero(answers.annotator_index == j)}
        if len(own) * step >= 30:
            truth = [gold[i] for i in own]
            hits.append([span_scores(truth, s).strict.f1 for s in (list(own.values()), [found[i] for i in own])])
    alone, merged_too = max(hits)
    assert merged_too > alone, "on the documents of the best single annotator"
