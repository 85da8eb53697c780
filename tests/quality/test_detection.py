from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.aggregation.structured import drawn

from labelmill.errors import UsageError
from labelmill.quality.box_errors import box_suspicions
from labelmill.quality.detection import COCO_IOU, detection_scores, precision_recall

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "images" / "coco128"
CAT = {"label": "cat", "x": 0.0, "y": 0.0, "width": 10.0, "height": 10.0}
DOG = {**CAT, "label": "dog", "x": 50.0}


def test_average_precision_by_hand() -> None:
    """Right, wrong, right by falling score, of two gold: 1/2 at precision 1 and 1/2 at precision 2/3."""
    gold = [[CAT, {**CAT, "x": 30.0}]]
    predicted = [[{**CAT, "score": 0.9}, {**CAT, "x": 70.0, "score": 0.8}, {**CAT, "x": 31.0, "score": 0.7}]]

    found = detection_scores(gold, predicted)

    assert found.mean == pytest.approx(5 / 6)
    assert found.by_class == {"cat": pytest.approx(5 / 6)}
    assert detection_scores(gold, predicted, iou=(0.95,)).mean == pytest.approx(0.5)


def test_a_gold_box_is_taken_once() -> None:
    """The second box on the same object is a false alarm."""
    hits = precision_recall([[CAT]], [[CAT, {**CAT, "x": 1.0}]])

    assert (hits.precision, hits.recall) == (0.5, 1.0)
    assert precision_recall([[CAT]], [[CAT]], scores=[[0.2]], least_score=0.5).hits == 0


@pytest.mark.skipif(not DATA.exists(), reason=f"no images with gold under {DATA}")
@pytest.mark.parametrize(
    ("iou", "points", "expected"),
    [
        ((0.5,), None, 0.4773144000305444),
        ((0.5,), 101, 0.4787343813133651),
        (COCO_IOU, None, 0.3085696782975338),
        (COCO_IOU, 101, 0.3102973801570723),
    ],
)
def test_equal_to_pycocotools(iou: tuple[float, ...], points: int | None, expected: float) -> None:
    """A detector on coco128: the figures of pycocotools 2.0.11 without its limits on area and number.

    For all points its recall thresholds were set to 1/n ... n/n of each class.
    """
    sizes = drawn.read_sizes(DATA)
    gold = drawn.read_boxes(DATA / "boxes.csv", sizes)
    found = drawn.read_boxes(DATA / "model_nanodet_m.csv", sizes)

    scores = detection_scores(list(gold.values()), list(found.values()), iou=iou, recall_points=points)

    assert scores.mean == pytest.approx(expected, abs=1e-6)


def test_nothing_to_score() -> None:
    """No gold is no precision; no threshold, and lists that do not fit, are refused."""
    assert detection_scores([[]], [[CAT]]).mean == 0.0
    assert precision_recall([[]], [[]]).f1 == 1.0
    with pytest.raises(UsageError, match="one list for each"):
        detection_scores([[]], [])
    with pytest.raises(UsageError, match="one score for each"):
        detection_scores([[]], [[CAT]], scores=[[]])
    with pytest.raises(UsageError, match="threshold"):
        detection_scores([[]], [[]], iou=())


def test_each_error_is_found_where_it_is() -> None:
    """A box left out, one that was moved and one that was renamed are the most suspicious of their kind."""
    seen = [[{**CAT, "score": 0.8}, {**DOG, "score": 0.8}], [{**CAT, "score": 0.7}], [{**DOG, "score": 0.9}]]
    given = [[CAT], [{**CAT, "x": 4.0}], [{**DOG, "label": "cat"}]]

    found = box_suspicions(given, seen)

    assert found.overlooked[0][1] > 0.5 > found.overlooked[0][0]
    assert found.badly_located[1][0] > 0.5 > found.badly_located[0][0]
    assert found.swapped[2][0] > 0.9 > 0.1 > found.swapped[0][0]


def test_detectors_back_each_other() -> None:
    """What two see is more suspicious than what one sees; one without scores is refused."""
    one = [[{**CAT, "score": 0.6}, {**DOG, "score": 0.6}]]
    other = [[{**DOG, "score": 0.6}]]

    cat, dog, again = box_suspicions([[]], one, other).overlooked[0].tolist()

    assert cat < dog == again
    with pytest.raises(UsageError, match="needs a score"):
        box_suspicions([[]], [[CAT]])
    with pytest.raises(UsageError, match="one detector at least"):
        box_suspicions([[]])


def test_images_without_boxes() -> None:
    """Nothing given and nothing seen gives empty arrays, without NaN."""
    found = box_suspicions([[], [CAT]], [[], []])

    assert [len(part) for part in found.overlooked] == [0, 0]
    assert np.isfinite(found.badly_located[1]).all()
    assert found.swapped[1].tolist() == [0.5]
