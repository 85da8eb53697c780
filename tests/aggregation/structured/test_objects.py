from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.aggregation.structured import drawn

from labelmill.aggregation.structured.box import BoxModel
from labelmill.aggregation.structured.by_distance import ByDistance
from labelmill.aggregation.structured.point import PointModel
from labelmill.aggregation.structured.polygon import PolygonModel
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.schema import LabelSchema
from labelmill.domain.shapes import apart_table, iou
from labelmill.errors import NotFittedError, UsageError
from labelmill.labels.box import Box
from labelmill.labels.point import Point
from labelmill.labels.polygon import Polygon
from labelmill.quality.detection import detection_scores, precision_recall

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "images" / "coco128"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no images with gold under {DATA}")

CLASSES = ("cat", "dog", "bird")


def _gold(n_images: int, seed: int) -> tuple[drawn.Images, drawn.Sizes]:
    rng = np.random.default_rng(seed)
    sizes = {f"image {i}": (640.0, 480.0) for i in range(n_images)}
    gold: drawn.Images = {}
    for item in sizes:
        cells = rng.choice(12, 4, replace=False)
        gold[item] = sorted(
            (
                {
                    "label": CLASSES[rng.integers(3)],
                    "x": 160.0 * (cell % 4) + rng.uniform(5, 40),
                    "y": 160.0 * (cell // 4) + rng.uniform(5, 40),
                    "width": rng.uniform(40, 110),
                    "height": rng.uniform(40, 110),
                }
                for cell in cells.tolist()
            ),
            key=drawn.place,
        )
    return gold, sizes


def _boxes(
    n_images: int = 60, seed: int = 0, habits: Sequence[drawn.Habit] = drawn.PEOPLE
) -> tuple[AnswerTable, list[list[drawn.Shape]]]:
    gold, sizes = _gold(n_images, seed)
    answers = drawn.people(gold, sizes, CLASSES, seed, drawn.draw_box, drawn.invent_box, habits)
    return drawn.table(Box(classes=CLASSES), answers, sizes, CLASSES), list(gold.values())


def _values(merged: list[Merged]) -> list[Any]:
    return [value for value, *_ in merged]


def _answers(table: AnswerTable, annotator: int) -> list[Any]:
    return [table.values[position] for position in np.flatnonzero(table.annotator_index == annotator)]


@pytest.mark.parametrize("seed", range(3))
def test_merged_boxes_beat_everybody_and_the_plain_merges(seed: int) -> None:
    """F1 above the best person's, the majority's and that of the fallback."""
    table, gold = _boxes(seed=seed)
    plain = [table.kind.merge([table.values[p] for p in rows], [1.0] * len(rows)) for rows in table.by_item]

    merged = precision_recall(gold, _values(BoxModel().fit(table).predict(table))).f1

    assert merged > max(precision_recall(gold, _answers(table, j)).f1 for j in range(5))
    assert merged > precision_recall(gold, plain).f1
    assert merged > precision_recall(gold, _values(ByDistance().fit(table).predict(table))).f1


def test_everybodys_habits_are_learned() -> None:
    """Shares found, false alarms and right classes come out as they were put in."""
    habits = [habit._replace(jitter=0.03) for habit in drawn.PEOPLE]
    table, _ = _boxes(150, habits=habits)

    learned = BoxModel().fit(table).details_["annotators"]

    for j, habit in enumerate(habits):
        found = learned[f"person {j}"]
        assert found["found"] == pytest.approx(1.0 - habit.miss, abs=0.1)
        assert found["false_alarms_per_item"] == pytest.approx(habit.spurious, abs=0.25)
        assert found["right_class"] == pytest.approx(1.0 - habit.confuse * 2 / 3, abs=0.06)


def test_noise_decides_whose_edges_count() -> None:
    """Merged boxes lie nearer to gold than unweighted means, and than the most careful person's."""
    gold, sizes = _gold(80, seed=3)
    habits = [drawn.Habit(0.0, 0.0, jitter, 0.0) for jitter in (0.04, 0.05, 0.06, 0.12)]
    answers = {
        f"p{j}": drawn.person(gold, sizes, CLASSES, habit, j, drawn.draw_box, drawn.invent_box)
        for j, habit in enumerate(habits)
    }
    table = drawn.table(Box(classes=CLASSES), answers, sizes, CLASSES)

    model = BoxModel().fit(table)
    merged = _values(model.predict(table))
    plain = [table.kind.merge([table.values[p] for p in rows], [1.0] * 4) for rows in table.by_item]

    far = [
        np.mean([table.kind.distance(a, b) for a, b in zip(gold.values(), found, strict=True)])
        for found in (merged, plain, answers["p0"].values())
    ]
    assert far[0] < 0.85 * far[1]
    assert far[0] < 0.8 * far[2]
    assert sorted(model.reliability_.tolist(), reverse=True) == model.reliability_.tolist()


def test_calibration_of_parts() -> None:
    """Of boxes that are said to be right with so much, about so many are."""
    table, gold = _boxes(150, seed=5)

    merged = BoxModel(least=0.05).fit(table).predict(table)

    said, right = [], []
    for (value, _, parts), wanted in zip(merged, gold, strict=True):
        for box, part in zip(value, parts, strict=True):
            said.append(part)
            right.append(any(box["label"] == g["label"] and iou(box, g) >= 0.5 for g in wanted))
    assert np.mean(said) == pytest.approx(np.mean(right), abs=0.05)
    sure = np.array(said) > 0.9
    assert np.mean(np.array(right)[sure]) > 0.93


def test_detectors_that_agree_with_each_other_do_not_make_objects() -> None:
    """Two detectors with the same many doubtful boxes: people stay as good as they are, and so do the objects."""
    gold, sizes = _gold(60, seed=7)
    people = drawn.people(gold, sizes, CLASSES, 7, drawn.draw_box, drawn.invent_box)
    rng = np.random.default_rng(0)
    lures = {item: [drawn.invent_box(rng, size) for _ in range(8)] for item, size in sizes.items()}
    detectors = {f"detector {d}": _detector(gold, lures, sizes, seed=d) for d in range(2)}
    table = drawn.table(Box(classes=CLASSES), {**people, **detectors}, sizes, CLASSES)

    model = BoxModel().fit(table)
    hits = precision_recall(list(gold.values()), _values(model.predict(table)))

    assert model.details_["annotators"]["person 0"]["found"] > 0.8
    assert hits.precision > 0.93
    assert hits.recall > 0.93


def _detector(gold: drawn.Images, lures: dict[str, list[Any]], sizes: drawn.Sizes, seed: int) -> drawn.Images:
    rng = np.random.default_rng(seed)
    seen: drawn.Images = {}
    for item, size in sizes.items():
        wanted = [(drawn.draw_box(box, 0.05, rng, size), box["label"], rng.beta(5, 2)) for box in gold[item]]
        wanted += [(drawn.draw_box(lure, 0.05, rng, size), "cat", rng.beta(2, 8)) for lure in lures[item]]
        boxes = [{**box, "label": label, "score": float(score)} for box, label, score in wanted if box is not None]
        seen[item] = sorted(boxes, key=drawn.place)
    return seen


def test_scores_decide_between_detections() -> None:
    """A detection that the detector is sure of becomes an object sooner than one that it doubts."""
    box = {"label": "cat", "x": 10.0, "y": 10.0, "width": 50.0, "height": 50.0}
    gold, sizes = _gold(60, seed=8)
    rng = np.random.default_rng(0)
    lures = {item: [drawn.invent_box(rng, size) for _ in range(3)] for item, size in sizes.items()}
    people = drawn.people(gold, sizes, CLASSES, 8, drawn.draw_box, drawn.invent_box)
    answers = {"person 1": people["person 1"], "person 3": people["person 3"], "d": _detector(gold, lures, sizes, 0)}
    kind = Box(classes=CLASSES)
    model = BoxModel(least=0.0).fit(drawn.table(kind, answers, sizes, CLASSES))

    asked = AnswerTable(
        kind,
        ["a", "b"],
        ["d", "person 1"],
        [0, 0, 1, 1],
        [0, 1, 0, 1],
        [[{**box, "score": 0.9}], [], [{**box, "score": 0.1}], []],
    )
    sure, doubtful = model.predict(asked)

    assert sure.parts[0] > 3 * doubtful.parts[0]


def test_rotated_boxes_are_averaged_by_what_they_cover() -> None:
    """A box told as 20 x 40 turned by 90 degrees is one of 40 x 20."""
    told = [
        [{"label": "cat", "x": 100.0, "y": 100.0, "width": 40.0, "height": 20.0, "rotation": 2.0}],
        [{"label": "cat", "x": 110.0, "y": 90.0, "width": 20.0, "height": 40.0, "rotation": 90.0}],
        [{"label": "cat", "x": 100.0, "y": 100.0, "width": 40.0, "height": 20.0, "rotation": 178.0}],
    ]
    table = AnswerTable(Box(), ["a"], ["x", "y", "z"], [0, 0, 0], [0, 1, 2], told)

    (merged,) = BoxModel().fit(table).predict(table)

    assert iou(merged.value[0], {"x": 100.0, "y": 100.0, "width": 40.0, "height": 20.0}) > 0.98


def test_strangers_do_not_share_an_answer() -> None:
    """Two unknown annotators may draw the same object, each once."""
    table, _ = _boxes(20)
    model = BoxModel().fit(table)
    box = {"label": "cat", "x": 10.0, "y": 10.0, "width": 50.0, "height": 50.0}
    told = [[box], [{**box, "x": 11.0}], [{**box, "x": 12.0}]]

    (merged,) = model.predict(AnswerTable(table.kind, ["a"], ["x", "y", "z"], [0, 0, 0], [0, 1, 2], told))

    assert len(merged.value) == 1
    assert merged.value[0]["x"] == pytest.approx(11.0)


def test_unknown_labels_are_kept() -> None:
    """A class that was never seen in the fit can still be what all say."""
    table, _ = _boxes(20)
    box = {"label": "horse", "x": 10.0, "y": 10.0, "width": 50.0, "height": 50.0}
    told = [[box], [{**box, "x": 11.0}]]

    (merged,) = (
        BoxModel().fit(table).predict(AnswerTable(table.kind, ["a"], ["person 0", "person 1"], [0, 0], [0, 1], told))
    )

    assert [shape["label"] for shape in merged.value] == ["horse"]


def test_points_are_merged_at_their_own_scale() -> None:
    """The reach is learned from the gaps; merged points beat the best person."""
    gold, sizes = _gold(60, seed=2)
    dots = {item: [{"label": b["label"], "x": b["x"], "y": b["y"]} for b in row] for item, row in gold.items()}
    answers = drawn.people(dots, sizes, CLASSES, 2, drawn.draw_point, drawn.invent_point)
    table = drawn.table(Point(classes=CLASSES), answers, sizes, CLASSES)

    merged = _values(PointModel().fit(table).predict(table))

    def near(a: Any, b: Any) -> Any:
        return np.maximum(1.0 - apart_table(a, b) / 30.0, 0.0)

    scores = [
        precision_recall(list(dots.values()), found, similarity=near).f1
        for found in (merged, *(_answers(table, j) for j in range(5)))
    ]
    assert scores[0] > max(scores[1:]) + 0.02


def test_what_cannot_be_is_refused() -> None:
    """Options out of range, and asking before fitting."""
    table, _ = _boxes(2)

    with pytest.raises(UsageError, match="least must be"):
        BoxModel(least=1.0).fit(table)
    with pytest.raises(NotFittedError, match="is not fitted"):
        PolygonModel().predict(table)


@needs_data
def test_people_and_detectors_on_coco() -> None:
    """mAP50 of the merged boxes is above that of every annotator, person or detector."""
    sizes = dict(list(drawn.read_sizes(DATA).items())[:40])
    gold = drawn.read_boxes(DATA / "boxes.csv", sizes)
    classes = drawn.classes_of(gold)
    answers = {
        **drawn.people(gold, sizes, classes, 1, drawn.draw_box, drawn.invent_box),
        "nanodet": drawn.read_boxes(DATA / "model_nanodet_m.csv", sizes),
        "fastestdet": drawn.read_boxes(DATA / "model_fastestdet.csv", sizes),
    }
    table = drawn.table(Box(classes=classes), answers, sizes, classes)

    merged = BoxModel(max_iterations=15).fit(table).predict(table)

    truth = list(gold.values())
    found = detection_scores(truth, _values(merged), scores=[parts for *_, parts in merged]).mean
    assert found > 0.1 + max(detection_scores(truth, list(images.values())).mean for images in answers.values())


@needs_data
def test_polygons_on_coco() -> None:
    """Mean distance to gold is below that of every person."""
    gold = dict(list(drawn.read_polygons(DATA / "polygons.jsonl").items())[:12])
    sizes = {item: size for item, size in drawn.read_sizes(DATA).items() if item in gold}
    gold = {item: gold[item] for item in sizes}
    classes = drawn.classes_of(gold)
    answers = drawn.people(gold, sizes, classes, 1, drawn.draw_polygon, drawn.invent_polygon)
    table = drawn.table(Polygon(classes=classes), answers, sizes, classes)

    merged = _values(PolygonModel().fit(table).predict(table))
    schema = LabelSchema("objects", tuple(classes), kind="polygon", modality="image")

    far = [
        np.mean([table.kind.distance(a, b) for a, b in zip(gold.values(), found, strict=True)])
        for found in (merged, *(_answers(table, j) for j in range(5)))
    ]
    assert far[0] < min(far[1:]) - 0.02
    assert all(value == Polygon().validate(value, schema) for value in merged)


@pytest.mark.parametrize("n_seen", [1, 6, 11])
def test_what_people_did_not_look_at_is_not_bare(n_seen: int) -> None:
    """Two rules on every image, one person on some: objects are as many on the others as where the person looked."""
    gold, sizes = _gold(12, 5)
    careful = drawn.Habit(miss=0.02, spurious=0.5, jitter=0.02, confuse=0.0)
    drawings = drawn.people(gold, sizes, CLASSES, 1, drawn.draw_box, drawn.invent_box, (careful,) * 2)
    answers = [*drawings.values(), dict(list(gold.items())[:n_seen])]
    items = list(sizes)
    rows = [(items.index(item), j, images[item]) for j, images in enumerate(answers) for item in images]
    table = AnswerTable(
        Box(classes=CLASSES),
        items,
        ["rule a", "rule b", "person"],
        [item for item, _, _ in rows],
        [annotator for _, annotator, _ in rows],
        [value for _, _, value in rows],
        classes=CLASSES,
        kinds=["rule", "rule", "person"],
    )

    model = BoxModel().fit(table)

    assert 0.9 < precision_recall(list(gold.values()), _values(model.predict(table))).f1
    assert 3 < model.details_["objects_per_item"] < 6
    assert model.reliability_.min() > 0.7
