from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.aggregation.conftest import DATA
from tests.aggregation.structured.made_up import plain

from labelmill.aggregation.structured.segment import SegmentModel
from labelmill.domain.answers import AnswerTable
from labelmill.errors import NotFittedError
from labelmill.labels.segment import Segment
from labelmill.quality.segments import event_scores

Events = dict[str, list[dict[str, Any]]]
SPEECH = DATA / "audio" / "phones_words" / "events.csv"


def _people(events: Events, n_people: int, seed: int) -> AnswerTable:
    """Everybody marks every item: edges 20 ms off, late by 15 ms either way, 12 % missed, 10 % invented or mistaken."""
    draw = np.random.default_rng(seed)
    labels = sorted({event["label"] for each in events.values() for event in each})
    loose, missed, invented, mistaken = (
        np.minimum(rate * np.exp(draw.normal(0, 0.7, n_people)), 0.6) for rate in (0.02, 0.12, 0.1, 0.1)
    )
    late = draw.normal(0, 0.015, (n_people, 2))
    said = []
    for true in events.values():
        last = true[-1]["end"]
        for j in range(n_people):
            answer = []
            for event in true:
                start, end = np.array([event["start"], event["end"]]) + late[j] + loose[j] * draw.standard_t(5, size=2)
                label = labels[draw.integers(len(labels))] if draw.random() < mistaken[j] else event["label"]
                if draw.random() >= missed[j] and end - max(start, 0.0) > 0.005:
                    answer.append({"label": label, "start": max(float(start), 0.0), "end": float(end)})
            answer += [
                {"label": labels[draw.integers(len(labels))], "start": start, "end": start + 0.05}
                for start in draw.uniform(0, last, draw.poisson(invented[j] * len(true))).tolist()
            ]
            said.append(sorted(answer, key=lambda event: (event["start"], event["end"], event["label"])))
    n = len(events)
    return AnswerTable(
        Segment(),
        list(events),
        [f"person {j}" for j in range(n_people)],
        np.repeat(np.arange(n), n_people),
        np.tile(np.arange(n_people), n),
        said,
        classes=labels,
    )


def _made_up(n_items: int, seed: int) -> Events:
    """Ten sounds of four classes in ten seconds."""
    draw = np.random.default_rng(seed)
    events = {}
    for i in range(n_items):
        starts = np.sort(draw.choice(np.arange(20), 10, replace=False)) / 2 + draw.uniform(0, 0.1, 10)
        ends = starts + draw.uniform(0.15, 0.4, 10)
        names = draw.choice(list("abcd"), 10).tolist()
        events[f"{i:03}"] = [
            {"label": label, "start": start, "end": end}
            for label, start, end in zip(names, starts.tolist(), ends.tolist(), strict=True)
        ]
    return events


def _f1(truth: Events, values: list[Any]) -> float:
    return event_scores(list(truth.values()), values, collar=0.02, share=0.0).f1


@pytest.mark.parametrize("n_people", [5, 8])
def test_merge_beats_the_plain_one_and_everybody(n_people: int) -> None:
    """F1 within 20 ms: above the merge with equal weights, and above the best annotator."""
    truth = _made_up(15, seed=n_people)
    answers = _people(truth, n_people, seed=n_people)

    found = [value for value, *_ in SegmentModel().fit(answers).predict(answers)]

    score = _f1(truth, found)
    assert score > _f1(truth, plain(answers)) + 0.02
    assert score > max(_f1(truth, answers.values[j::n_people]) for j in range(n_people))


def test_real_speech_is_found_again() -> None:
    """Words of real recordings, people made up: above the best annotator."""
    if not SPEECH.exists():
        pytest.skip(f"no recordings at {SPEECH}")
    truth = _real(SPEECH, "word")
    answers = _people(truth, 6, seed=0)

    found = [value for value, *_ in SegmentModel().fit(answers).predict(answers)]

    assert _f1(truth, found) > max(_f1(truth, answers.values[j::6]) for j in range(6)) + 0.03


def _real(path: Path, tier: str) -> Events:
    events: Events = {}
    for item, start, end, label, of in pl.read_csv(path).iter_rows():
        if of == tier:
            events.setdefault(item, []).append({"label": label, "start": start, "end": end})
    return events


def test_what_people_are_like_is_found() -> None:
    """Who misses most, who invents most, and who is loosest come out as such."""
    truth = _made_up(30, seed=1)
    answers = _people(truth, 5, seed=1)
    draw = np.random.default_rng(0)
    for position in range(len(answers.values)):
        if position % 5 == 0:  # misses half
            answers.values[position] = [mark for mark in answers.values[position] if draw.random() < 0.5]
        elif position % 5 == 1:  # 80 ms late
            answers.values[position] = [
                {**mark, "start": mark["start"] + 0.08, "end": mark["end"] + 0.08} for mark in answers.values[position]
            ]

    details = SegmentModel().fit(answers).details_

    assert max(details["missed"], key=details["missed"].get) == "person 0"
    assert max(details["start_bias"], key=details["start_bias"].get) == "person 1"


def test_what_one_of_many_marks_is_dropped() -> None:
    """An event that four mark stays, one that a single one marks goes; parts are its own probabilities."""
    dog, ghost = ({"label": "dog", "start": start, "end": start + 1.0} for start in (1.0, 7.0))
    rows: list[list[Any]] = [[[dog], [dog], [dog], [dog, ghost]]] + [[[dog]] * 4] * 5
    answers = AnswerTable(
        Segment(),
        [str(i) for i in range(6)],
        list("abcd"),
        np.repeat(np.arange(6), 4),
        np.tile(np.arange(4), 6),
        [value for row in rows for value in row],
        classes=("dog",),
        facts=[{"duration": 9.0}] * 6,
    )

    value, confidence, parts = SegmentModel().fit(answers).predict(answers)[0]

    assert value == [dog]
    assert 0.9 < parts[0] <= 1.0
    assert confidence <= parts[0]


def test_the_text_with_most_support_is_taken() -> None:
    """Transcripts are voted on among marks of the class."""
    said = [
        [{"label": "word", "start": 0.0, "end": end, "text": text}]
        for end, text in ((1.0, "to"), (1.1, "two"), (1.2, "two"))
    ]
    answers = AnswerTable(Segment(), ["x"], list("abc"), [0] * 3, [0, 1, 2], said, classes=("word",))

    value = SegmentModel().fit(answers).predict(answers)[0].value

    assert [mark["text"] for mark in value] == ["two"]


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    with pytest.raises(NotFittedError, match="fit"):
        SegmentModel().predict(_people(_made_up(1, 0), 2, 0))
