"""Facts about the parts of an agreement, the distances it takes, and the votes it counts."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.quality.agreement_examples import CLASSES, MISSING, as_rows, table

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import SchemaError, UsageError
from labelmill.quality.agreement import Agreement, agreement, krippendorff_alpha
from labelmill.quality.coefficients import COEFFICIENTS, Metric
from labelmill.quality.distances import Level, distance_of


def parts(votes: Any, **options: Any) -> pl.DataFrame:
    """The parts alone."""
    found = agreement(votes, **{"n_resamples": 0, **options}).parts
    assert found is not None
    return found


def crowd(n_items: int, n_votes: int, n_annotators: int, n_classes: int) -> VoteTable:
    """Votes of which seven in ten name the truth."""
    rng = np.random.default_rng(0)
    item = np.repeat(np.arange(n_items), n_votes)
    annotator = (rng.integers(0, n_annotators, n_items)[:, None] + np.arange(n_votes)).reshape(-1) % n_annotators
    truth = rng.integers(0, n_classes, n_items)[item]
    label = np.where(rng.random(len(item)) < 0.7, truth, rng.integers(0, n_classes, len(item)))
    names = [str(c) for c in range(n_classes)]
    return VoteTable(
        [str(i) for i in range(n_items)], [str(j) for j in range(n_annotators)], names, item, annotator, label
    )


@pytest.mark.parametrize("metric", [m for m in COEFFICIENTS if m != "percent"])
def test_a_class_is_measured_against_the_rest(metric: Metric) -> None:
    """The same as a table in which every other class has one name."""
    votes = as_rows(table(MISSING))
    is_second = np.where(votes.label == 1, 1, 0)
    two = VoteTable(votes.items, votes.annotators, ["rest", "2"], votes.item_index, votes.annotator_index, is_second)

    second = parts(votes, metric=metric, by="class").row(1, named=True)

    assert second["class"] == "2"
    assert second["n_votes"] == 13
    assert second["value"] == pytest.approx(agreement(two, metric=metric, n_resamples=0).value)


def test_percent_of_a_class_is_specific_agreement() -> None:
    """Of 6 ordered pairs whose first vote names `a`, the second does in 4."""
    votes = VoteTable.from_matrix([[0, 0], [0, 0], [0, 1], [1, 0], [1, 1]], classes=["a", "b"])

    assert parts(votes, metric="percent", by="class")["value"].to_list() == [4 / 6, 2 / 4]


@pytest.mark.parametrize("metric", COEFFICIENTS)
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_a_pair_is_measured_alone(metric: Metric, level: Level) -> None:
    """The same as a table with the items that the two share and nobody else."""
    matrix = table(MISSING).matrix
    both = (matrix[:, [0, 2]] >= 0).all(axis=1)
    alone = VoteTable.from_matrix(matrix[both][:, [0, 2]], classes=CLASSES)

    pair = parts(table(MISSING), metric=metric, level=level, by="pair").row(1, named=True)

    assert (pair["annotator"], pair["other"], pair["n_items"]) == ("annotator_0", "annotator_2", 8)
    assert pair["value"] == pytest.approx(agreement(alone, metric=metric, level=level, n_resamples=0).value)
    assert pair["percent"] == 5 / 8


@pytest.mark.parametrize("level", ["nominal", "ordinal", "ratio"])
def test_items_make_the_whole(level: Level) -> None:
    """Alpha is the mean over items weighed by their votes, Fleiss' kappa the plain mean; rows keep their order."""
    votes = table(MISSING)
    by_votes = parts(votes, level=level, by="item")
    by_item = parts(votes, metric="fleiss", level=level, by="item")
    seen = by_votes.drop_nulls()

    assert by_votes["item"].to_list() == list(votes.items)
    assert by_votes["value"].to_list()[-1] is None
    weighed = np.average(seen["value"].to_numpy(), weights=seen["n_votes"].to_numpy())
    assert weighed == pytest.approx(krippendorff_alpha(votes, level=level))
    assert by_item["value"].mean() == pytest.approx(agreement(votes, metric="fleiss", level=level).value)


@pytest.mark.parametrize("by", ["class", "pair"])
@pytest.mark.parametrize("metric", ["krippendorff", "cohen"])
def test_parts_have_intervals_that_repeat(metric: Metric, by: Any) -> None:
    """Around the value, from the seed."""
    votes = crowd(300, 3, 4, 3)

    found = parts(votes, metric=metric, by=by, n_resamples=50, seed=1)

    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    assert found.equals(parts(votes, metric=metric, by=by, n_resamples=50, seed=1))
    assert not found.equals(parts(votes, metric=metric, by=by, n_resamples=50, seed=2))


@pytest.mark.parametrize("metric", COEFFICIENTS)
def test_many_labels_are_counted_as_few(metric: Metric) -> None:
    """Tables that keep no zeros give the values, and of one more label the intervals, of those that keep them."""
    few = crowd(400, 3, 5, 3)
    names = [str(c) for c in range(4000)]
    many = VoteTable(few.items, few.annotators, names, few.item_index, few.annotator_index, few.label)
    metric_levels: list[Level] = (
        ["nominal", "quadratic"] if metric != "krippendorff" else ["nominal", "interval", "ordinal"]
    )

    for level in metric_levels:
        one = agreement(few, metric=metric, level=level, n_resamples=20)
        other = agreement(many, metric=metric, level=level, n_resamples=20)
        if metric not in ("gwet", "percent"):  # these look at classes that nobody names
            assert one.value == pytest.approx(other.value)
            assert one.low == pytest.approx(other.low, abs=0.05)


def test_numbers_need_no_classes() -> None:
    """Interval alpha of measurements, all different, is that of the sums of squares; 1 and 1.0 are one number."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1)) + rng.normal(scale=0.5, size=(500, 2))
    votes = {"item": np.repeat(np.arange(500), 2), "annotator": np.tile(["a", "b"], 500), "label": x.reshape(-1)}
    expected = 1 - ((x[:, 0] - x[:, 1]) ** 2).mean() / (2 * x.var(ddof=1))

    found = agreement(votes, level="interval", n_resamples=50)

    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    spelled = {"item": ["1", "1", "2", "2"], "annotator": list("abab"), "label": ["1", "1.0", "2", "10"]}
    assert parts(spelled, level="interval", by="item")["percent"].to_list() == [1.0, 0.0]


def test_any_function_is_a_distance() -> None:
    """Labels that are texts come as texts; a distance of 0 or 1 is the nominal one."""
    votes = {"item": [1, 1, 2, 2, 3, 3], "annotator": list("ababab"), "label": ["a", "b", "b", "b", "c", "a"]}

    found = agreement(votes, level=lambda a, b: float(a != b))

    assert found.level == "custom"
    assert found.value == agreement(votes).value


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda a, b: float(a > b), "same both ways"),
        (lambda a, b: 1.0, "0 for equal labels"),
        (lambda a, b: -float(a != b), "not negative"),
        (lambda a, b: float("nan"), "must be finite"),
    ],
)
def test_what_is_no_distance_is_refused(function: Any, words: str) -> None:
    """Named with the two labels."""
    with pytest.raises(UsageError, match=words):
        distance_of(function, ["a", "b"])


def test_the_later_vote_of_an_annotator_counts() -> None:
    """In a table; a VoteTable that holds both counts both, but no pair of an annotator with itself."""
    votes = {"item": [1, 1, 1, 2, 2], "annotator": list("aabab"), "label": ["x", "y", "y", "x", "x"]}
    both = VoteTable.of(votes, repeats="all")

    assert agreement(votes).value == 1
    assert agreement(both).n_votes == 5
    assert agreement(both).percent == 0.5
    assert parts(both, metric="cohen", by="pair")["n_items"].to_list() == [3]
    alone = VoteTable.of({"item": [1, 1], "annotator": ["a", "a"], "label": ["x", "y"]}, repeats="all")
    assert parts(alone, metric="cohen", by="pair").is_empty()


def test_rows_that_count_often_count_in_every_part() -> None:
    """Patterns with multiplicities give the parts of the whole table."""
    rng = np.random.default_rng(4)
    whole = VoteTable.from_matrix(rng.integers(-1, 3, (200, 3)), classes=["1", "2", "3"])

    for metric in COEFFICIENTS:
        for by in ("class", "pair"):
            one, other = parts(whole.by_pattern(), metric=metric, by=by), parts(as_rows(whole), metric=metric, by=by)
            assert one["value"].to_list() == pytest.approx(other["value"].to_list())


def test_an_interval_of_a_mean_over_pairs_holds_it() -> None:
    """Many annotators who share few items: draws lie lower than the value, the interval about it."""
    found = agreement(crowd(2000, 3, 100, 3), metric="cohen")

    assert found.low < found.value < found.high
    assert found.high - found.low < 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": "krippendorf"}, "unknown metric 'krippendorf': did you mean 'krippendorff'"),
        ({"level": "nominl"}, "unknown level 'nominl': did you mean 'nominal'"),
        ({"by": "clas"}, "by 'clas': did you mean 'class'"),
        ({"by": "attribute"}, "attributes belong to shapes and regions: name their kind"),
        ({"by": "class", "level": "ordinal"}, "goes with the level nominal"),
        ({"by": "item", "metric": "cohen"}, "take krippendorff or fleiss"),
        ({"level": "interval"}, "finite numbers, found 'a'"),
        ({"level": "ordinal"}, "name the classes from low to high"),
        ({"level": "linear"}, "name the classes from low to high"),
        ({"classes": ["a", "c"]}, "unknown class 'b'"),
        ({"n_resamples": -1}, "n_resamples must be 0 or more"),
    ],
)
def test_a_wrong_question_is_refused(options: dict[str, Any], words: str) -> None:
    """With what would be right."""
    votes = {"item": [1, 1], "annotator": ["x", "y"], "label": ["a", "b"]}

    with pytest.raises((UsageError, SchemaError), match=words):
        agreement(votes, **options)


def test_ratio_starts_at_zero() -> None:
    """Below 0 shares have no meaning; 0 and 0 are no distance apart."""
    with pytest.raises(UsageError, match="from 0 up, found -1"):
        distance_of("ratio", ["-1", "2"])

    assert distance_of("ratio", ["0", "2"]).expected(np.array([1.0, 0]), np.array([1.0, 0])) == 0


def test_parts_are_plain_in_json() -> None:
    """What is not defined is null; alpha is refused of another metric."""
    found: Agreement = agreement(table(["1.", ".2"]), metric="fleiss", by="class")

    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["parts"][0] == {
        "class": "1",
        "n_votes": 0,
        "value": None,
        "low": None,
        "high": None,
    }
    with pytest.raises(UsageError, match="read `value`"):
        _ = found.alpha


def test_a_million_votes_take_a_moment() -> None:
    """Alpha with 200 draws of 200,000 items costs less than 3 CPU seconds."""
    votes = crowd(200_000, 5, 500, 4)

    start = time.process_time()
    agreement(votes)

    assert time.process_time() - start < 3


def test_the_order_of_votes_changes_nothing() -> None:
    """Sorted votes are counted a stretch at a time, others at once: the same alpha as with its interval."""
    votes = crowd(30_000, 3, 50, 4)
    order = np.random.default_rng(0).permutation(len(votes.label))
    shuffled = VoteTable(
        votes.items,
        votes.annotators,
        votes.classes,
        votes.item_index[order],
        votes.annotator_index[order],
        votes.label[order],
    )
    expected = agreement(votes, n_resamples=0).value

    assert krippendorff_alpha(votes) == pytest.approx(expected, rel=1e-12)
    assert krippendorff_alpha(shuffled) == pytest.approx(expected, rel=1e-12)


def test_too_many_labels_to_compare_two_by_two() -> None:
    """Measurements that are all different, by many annotators: said at once, with what to do."""
    n = 8000
    votes = {
        "item": np.tile(np.arange(n) // 2, 2),
        "annotator": np.arange(2 * n),
        "label": np.concatenate([np.arange(n) + 0.5, np.arange(n) + 0.75]),
    }

    with pytest.raises(UsageError, match="round the numbers"):
        agreement(votes, level="interval", by="pair", n_resamples=0)
