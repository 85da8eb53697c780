from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.aggregation.structured.made_up import plain
from tests.aggregation.structured.painted import CLASSES, Painter, answers_of, mean_iou, painted, pictures, value_of

from labelmill.aggregation.structured.mask import MaskModel
from labelmill.domain.answers import AnswerTable
from labelmill.domain.rle import encode
from labelmill.errors import NotFittedError, UsageError
from labelmill.labels.mask import Mask

CARELESS = Painter(jitter=2.5, miss=0.3, confuse=0.3, spurious=2.0)
CROWDS = {
    "three careless of five": [Painter(), Painter(), CARELESS, CARELESS, CARELESS],
    "faults of their own": [Painter(), Painter(grow=3), Painter(grow=-2), Painter(miss=0.4), Painter(confuse=0.5)],
    "three miss much": [Painter(), Painter(), Painter(miss=0.45), Painter(miss=0.45), Painter(miss=0.45)],
}


def _one_picture(*answers: list[dict[str, Any]]) -> AnswerTable:
    n = len(answers)
    return AnswerTable(
        Mask(classes=CLASSES), ["x"], [f"p{j}" for j in range(n)], [0] * n, range(n), answers, classes=CLASSES
    )


@pytest.mark.parametrize("crowd", sorted(CROWDS))
def test_who_errs_how_is_learned(crowd: str) -> None:
    """Where people differ in their faults, the mean IoU with the truth is well above that of a plain vote."""
    rng = np.random.default_rng(11)
    truths = pictures(10, rng)
    table = answers_of(truths, CROWDS[crowd], rng)

    merged = [value for value, *_ in MaskModel().fit(table).predict(table)]

    assert mean_iou(truths, merged) > mean_iou(truths, plain(table)) + 0.05


def test_equal_people_are_as_good_as_a_plain_vote() -> None:
    """Where nothing is to be learned, little is lost."""
    rng = np.random.default_rng(12)
    truths = pictures(10, rng)
    table = answers_of(truths, [Painter()] * 5, rng)

    merged = [value for value, *_ in MaskModel().fit(table).predict(table)]

    assert mean_iou(truths, merged) > mean_iou(truths, plain(table)) - 0.02


def test_sensitivity_and_specificity_are_told_by_class() -> None:
    """One who never paints the sea has none of it; one who paints every sea twice as wide paints it in vain."""
    rng = np.random.default_rng(13)
    truths = pictures(8, rng)
    blind = [np.where(truth == 2, 0, painted(truth, Painter(), rng)) for truth in truths]
    wide = [painted(np.where(truth == 2, 2, 0), Painter(grow=4, miss=0, spurious=0), rng) for truth in truths]
    good = [[painted(truth, Painter(), rng) for truth in truths] for _ in range(3)]
    n = len(truths)
    table = AnswerTable(
        Mask(classes=CLASSES),
        [f"{i}" for i in range(n)],
        ["blind", "wide", "a", "b", "c"],
        np.tile(np.arange(n), 5),
        np.repeat(np.arange(5), n),
        [value_of(labels) for each in (blind, wide, *good) for labels in each],
        classes=CLASSES,
    )

    model = MaskModel().fit(table)

    sensitivity, specificity = (model.details_[name] for name in ("sensitivity", "specificity"))
    assert sensitivity["blind"]["sea"] < 0.3 < 0.8 < sensitivity["a"]["sea"]
    assert specificity["wide"]["sea"] < specificity["a"]["sea"] - 0.02
    assert model.reliability_[2:].min() > model.reliability_[:2].max()


def test_parts_tell_which_masks_are_doubtful() -> None:
    """A mask on which all agree is surer than one that two of three have."""
    rows, columns = np.mgrid[:20, :30]
    sky = {"label": "sky", **encode(columns < 10)}
    sea = {"label": "sea", **encode((columns > 20) & (rows < 10))}
    table = _one_picture([sky, sea], [sky, sea], [sky])

    [(value, confidence, parts)] = MaskModel().fit(table).predict(table)

    assert value == [sky, sea]
    assert parts[0] > parts[1] > 0.5
    assert 0.5 < confidence < 1.0


def test_objects_stay_apart() -> None:
    """Two objects of a class that touch in nobody's answer are two in the merged one."""
    columns = np.mgrid[:20, :30][1]
    one, other = ({"label": "sky", **encode((columns >= x) & (columns < x + 8))} for x in (2, 16))
    wider = {"label": "sky", **encode((columns >= 15) & (columns < 25))}
    table = _one_picture([one, other], [one, wider], [one, other])

    assert MaskModel().fit(table).predict(table)[0].value == [one, other]


def test_attributes_are_voted_on_by_those_who_have_the_object() -> None:
    """Two of three who painted the sky say dusk; who painted it elsewhere says so of nothing else."""
    columns = np.mgrid[:20, :30][1]
    sky = [{"label": "sky", **encode(columns < 10 + k), "attributes": {"dusk": k != 1}} for k in range(3)]
    sea = {"label": "sea", **encode(columns > 20)}
    table = _one_picture([sky[0], sea], [sky[1], sea], [sky[2], sea])

    [(value, _, _)] = MaskModel().fit(table).predict(table)

    assert [mask.get("attributes") for mask in value] == [{"dusk": True}, None]


def test_the_ground_beyond_does_not_count() -> None:
    """The same drawings on a canvas of nine times the size are merged the same."""
    rng = np.random.default_rng(14)
    truths = pictures(4, rng)
    crowd = [[painted(truth, painter, rng) for truth in truths] for painter in CROWDS["faults of their own"]]

    def merged(margin: int) -> list[Any]:
        answers = [[value_of(np.pad(labels, margin)) for labels in each] for each in crowd]
        table = AnswerTable(
            Mask(classes=CLASSES),
            [f"{i}" for i in range(4)],
            [f"p{j}" for j in range(5)],
            np.tile(np.arange(4), 5),
            np.repeat(np.arange(5), 4),
            [value for each in answers for value in each],
            classes=CLASSES,
        )
        return [value for value, *_ in MaskModel().fit(table).predict(table)]

    small, large = merged(60), merged(160)

    kind = Mask()
    cut = [[{"label": m["label"], **encode(_cut(m, 100))} for m in value] for value in large]
    assert max(kind.distance(a, b) for a, b in zip(small, cut, strict=True)) < 0.01


def _cut(mask: dict[str, Any], margin: int) -> Any:
    from labelmill.domain.rle import decode

    return decode(mask)[margin:-margin, margin:-margin]


def test_misuse_is_told() -> None:
    """Predicting before fitting, and no round at all."""
    table = _one_picture([])

    with pytest.raises(NotFittedError, match="not fitted"):
        MaskModel().predict(table)
    with pytest.raises(UsageError, match="max_iterations"):
        MaskModel(max_iterations=0).fit(table)
