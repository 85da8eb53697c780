"""Facts about `labelmill.quality.label_errors`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from labelmill.errors import UsageError
from labelmill.quality import _label_passes
from labelmill.quality.label_errors import FILTERS, RANKINGS, FilterBy, find_label_errors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BY_CLEANLAB = json.loads(Path(__file__).with_name("confident_learning.json").read_text(encoding="utf-8"))
"""What cleanlab 2.9.0 answers for the 90 labels in the same file; see `source` there."""

SETS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "labelerr"


def _noisy(
    n_items: int = 3000, n_classes: int = 5, *, sharpness: float = 2.0, noise: float = 0.15, seed: int = 0
) -> tuple[Ints, Floats, Ints]:
    """Given labels, probabilities and true labels."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, size=n_items, p=rng.dirichlet(np.ones(n_classes) * 3))
    scores = rng.normal(size=(n_items, n_classes))
    scores[np.arange(n_items), truth] += sharpness
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    other = (truth + rng.choice(n_classes - 1, size=n_items) + 1) % n_classes
    given = np.where(rng.random(n_items) < noise, other, truth)
    return given.astype(np.int64), p, truth.astype(np.int64)


def _flags_item_by_item(given: Ints, p: Floats, filter_by: str) -> list[int]:
    """The definitions, slowly: whole matrices and loops, without ties."""
    n, n_classes = p.shape
    t = np.array([p[given == k, k].mean() for k in range(n_classes)]) - 1e-6
    confident = []
    for row in p:
        reached = np.flatnonzero(row >= t)
        confident.append(-1 if not len(reached) else reached[0] if len(reached) == 1 else int(row.argmax()))
    if filter_by == "confident_learning":
        return [i for i in range(n) if confident[i] not in (-1, given[i]) and p[i].argmax() != given[i]]
    joint = find_label_errors(given, p).joint
    lowest: set[int] = set()
    leading: set[int] = set()
    for k in range(n_classes):
        of_class = np.flatnonzero(given == k)
        n_wrong = len(of_class) - max(joint[k, k], 1)
        lowest |= set(of_class[np.argsort(p[of_class, k])][:n_wrong].tolist())
        for j in set(range(n_classes)) - {k}:
            lead = p[of_class, j] - p[of_class, k]
            leading |= set(of_class[np.argsort(-lead)][: joint[k, j]].tolist())
    found = {"prune_by_class": lowest, "prune_by_noise_rate": leading, "both": lowest & leading}[filter_by]
    return sorted(i for i in found if p[i].argmax() != given[i])


@pytest.mark.parametrize("case", BY_CLEANLAB["flags"], ids=lambda c: "-".join(str(v) for v in list(c.values())[:3]))
def test_flags_are_those_of_cleanlab(case: dict[str, Any]) -> None:
    """Item for item, for every filter, with classes kept and with part of the noise."""
    options = {name: value for name, value in case.items() if name != "flagged"}

    found = find_label_errors(BY_CLEANLAB["labels"], BY_CLEANLAB["probabilities"], **options)

    assert case["flagged"] == np.flatnonzero(found.mask).tolist()


@pytest.mark.parametrize("rank_by", RANKINGS)
def test_order_is_that_of_cleanlab(rank_by: Any) -> None:
    """The flagged labels come in its order, by each of its scores."""
    found = find_label_errors(
        BY_CLEANLAB["labels"], BY_CLEANLAB["probabilities"], filter_by="predicted_neq_given", rank_by=rank_by
    )

    assert BY_CLEANLAB["orders"][rank_by] == found.index.tolist()
    assert (np.diff(found.score) >= 0).all()


def test_joint_is_that_of_cleanlab() -> None:
    """The calibrated confident joint, whose rows sum to the labels given."""
    found = find_label_errors(BY_CLEANLAB["labels"], BY_CLEANLAB["probabilities"])

    assert BY_CLEANLAB["joint"] == found.joint.tolist()
    assert np.bincount(BY_CLEANLAB["labels"]).tolist() == found.joint.sum(axis=1).tolist()


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_passes_find_what_the_definitions_say(filter_by: FilterBy, sharpness: float) -> None:
    """Also where the model is weak, so that more labels are expected wrong than it finds others likelier for."""
    given, p, _ = _noisy(600, 6, sharpness=sharpness, noise=0.4)

    found = find_label_errors(given, p, filter_by=filter_by)

    assert _flags_item_by_item(given, p, filter_by) == np.flatnonzero(found.mask).tolist()


@pytest.mark.parametrize("filter_by", FILTERS)
def test_chunks_change_nothing(filter_by: FilterBy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A memory map read a few rows at a time gives the same flags as the array at once."""
    given, p, _ = _noisy(500)
    np.save(tmp_path / "p.npy", p)
    whole = find_label_errors(given, p, filter_by=filter_by)

    monkeypatch.setattr(_label_passes, "CELLS", 35)
    part = find_label_errors(given, np.load(tmp_path / "p.npy", mmap_mode="r"), filter_by=filter_by)

    assert whole.index.tolist() == part.index.tolist()
    np.testing.assert_allclose(whole.thresholds, part.thresholds, rtol=1e-12)


def test_rows_are_read_in_order_and_few_twice() -> None:
    """The second pass asks only for rows that are open: here none of those the model agrees with clearly."""
    given, p, _ = _noisy(2000, sharpness=6.0, noise=0.02)
    asked: list[int] = []

    class Watched:
        dtype, shape, ndim = p.dtype, p.shape, 2

        def __len__(self) -> int:
            return len(p)

        def __getitem__(self, key: Any) -> Floats:
            rows: Floats = p[key]
            asked.append(len(rows))
            return rows

    found = find_label_errors(given, Watched())

    assert find_label_errors(given, p).index.tolist() == found.index.tolist()
    assert sum(asked) < 1.4 * len(p)


def test_the_estimate_is_near_the_truth() -> None:
    """With good out-of-sample probabilities the estimated noise is close, and most flags are right."""
    given, p, truth = _noisy(20_000, sharpness=4.0, noise=0.1)

    found = find_label_errors(given, p, filter_by="both")

    wrong = given != truth
    assert abs(found.noise - wrong.mean()) < 0.03
    assert wrong[found.index].mean() > 0.9
    assert (truth[found.index] == found.suggested).mean() > 0.85
    assert found.noise_by_class.shape == (5,)


def test_half_precision_is_rescaled() -> None:
    """Rows in float16 no longer sum to 1: they are divided by their sum, as doing it beforehand would."""
    given, p, _ = _noisy(800)
    coarse = p.astype(np.float16)
    exact = coarse.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)

    assert find_label_errors(given, exact).index.tolist() == find_label_errors(given, coarse).index.tolist()


def test_a_class_that_nobody_was_given() -> None:
    """No prediction of it is confident; nothing is flagged for it, and nothing is undefined."""
    given, p, _ = _noisy(300, 3)
    wider = np.c_[p * 0.9, np.full(len(p), 0.1)]

    found = find_label_errors(given, wider)

    assert found.thresholds[3] == 2.0
    assert found.joint[3].sum() == 0
    assert np.isfinite(found.noise_by_class).all()


@pytest.mark.parametrize("filter_by", FILTERS)
@pytest.mark.parametrize(
    ("labels", "p"),
    [
        ([], np.zeros((0, 3))),
        ([0], [[1.0, 0.0]]),
        ([0, 0, 0], [[1.0], [1.0], [1.0]]),
        ([1, 1], [[1.0, 0.0], [1.0, 0.0]]),
        ([0, 1, 2, 0], np.full((4, 3), 1 / 3)),
    ],
)
def test_few_labels_and_ties_are_no_trouble(filter_by: FilterBy, labels: list[int], p: Any) -> None:
    """No item, one item, one class, everything wrong, everything level: an answer, and no NaN."""
    for rank_by in RANKINGS:
        found = find_label_errors(labels, np.asarray(p), filter_by=filter_by, rank_by=rank_by)

        assert np.isfinite(found.score).all()
        assert 0.0 <= found.noise <= 1.0


def test_frame_names_items_and_classes() -> None:
    """Positions and indices become ids and names."""
    p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]]

    frame = find_label_errors([0, 0, 0, 1, 1, 1], p).to_frame(items=list("abcdef"), classes=["no", "yes"])

    assert frame.rows() == [("c", "no", "yes", 0.1, 0.1)]


@pytest.mark.parametrize(
    ("labels", "p", "options", "message"),
    [
        ([0, 1], [[1.0, 0.0]], {}, "one label each"),
        ([0], [1.0, 0.0], {}, "two axes"),
        ([2], [[1.0, 0.0]], {}, "label 2 of item 0 is no class"),
        ([-1], [[1.0, 0.0]], {}, "is no class"),
        (["a"], [[1.0, 0.0]], {}, "turn names into indices"),
        ([0], [[np.nan, 1.0]], {}, "row 0: nan is no probability"),
        ([0, 0], [[1.0, 0.0], [1.5, -0.5]], {}, "row 1: 1.5 is no probability"),
        ([0, 0], [[1.0, 0.0], [0.5, 0.3]], {}, "row 1: the classes sum to 0.8"),
        ([0], [["x", "y"]], {}, "probabilities are numbers"),
        ([0], [[1.0, 0.0]], {"filter_by": "prune_by_clas"}, "did you mean 'prune_by_class'"),
        ([0], [[1.0, 0.0]], {"rank_by": "margin"}, "did you mean 'normalized_margin'|Known"),
        ([0], [[1.0, 0.0]], {"frac_noise": 1.5}, "from 0 to 1"),
        ([0], [[1.0, 0.0]], {"min_examples_per_class": -1}, "from 0 up"),
    ],
)
def test_what_cannot_be_is_refused(labels: Any, p: Any, options: dict[str, Any], message: str) -> None:
    """The message names the row or option, and what is allowed."""
    with pytest.raises(UsageError, match=message):
        find_label_errors(labels, np.asarray(p), **options)


@pytest.mark.parametrize(("name", "least"), [("20news", 0.55), ("mnist", 0.7)])
def test_scores_rank_what_people_confirmed(name: str, least: float) -> None:
    """Of labels that five people reviewed, those found wrong score lower (real data, where it lies beside)."""
    if not (SETS / name).is_dir():
        pytest.skip(f"no reviewed labels at {SETS}")
    data = np.load(SETS / name / "given_and_probs.npz")
    reviewed = pl.read_csv(SETS / name / "reviewed.csv")
    items, verdict = reviewed["item"].to_numpy(), reviewed["consensus3of5"].to_numpy()

    quality = find_label_errors(data["given"], data["probs"]).self_confidence[items]

    wrong, rest = (
        quality[(verdict != "given") & (verdict != "none")],
        quality[(verdict == "given") | (verdict == "none")],
    )
    lower = (wrong[:, None] < rest) + 0.5 * (wrong[:, None] == rest)
    assert lower.mean() > least
