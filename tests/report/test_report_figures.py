"""Every figure draws on every data, also on hardly any."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.report.evidence import ErrorMatrix
from labelmill.report.figures import cells
from labelmill.report.figures._drawing import NARROW, WIDE, element, fitted, text_width
from labelmill.report.figures._scale import Scale, spread, ticks
from labelmill.report.figures.balance import balance_bars
from labelmill.report.figures.conflict_map import MOST_SHOWN, conflict_map, most_quarrelsome
from labelmill.report.figures.curve import learning_curve
from labelmill.report.figures.error_matrix import error_matrix, most_mistaken
from labelmill.report.figures.error_ruler import error_ruler
from labelmill.report.figures.funnel import funnel
from labelmill.report.figures.reliability import reliability
from labelmill.report.story import (
    AnnotatorRow,
    Balance,
    BalanceSeries,
    Calibration,
    CalibrationBin,
    ConflictMatrix,
    Curve,
    CurvePoint,
    FunnelStep,
    Headline,
    Interval,
)

HOSTILE = '"><script>alert(1)</script>\0\u202e'

DRAWN: dict[str, Callable[[int], str]] = {
    "funnel of one step": lambda width: funnel([FunnelStep("a", 1)], width=width),
    "funnel of nothing but zeros": lambda width: funnel([FunnelStep("a", 0), FunnelStep("b", 0, "why")], width=width),
    "funnel with hostile names": lambda width: funnel([FunnelStep(HOSTILE * 9, 5, HOSTILE * 9, "rule")], width=width),
    "conflicts of two": lambda width: conflict_map(_matrix(2, conflict=3, shared=9), width=width),
    "conflicts without conflict": lambda width: conflict_map(_matrix(3, conflict=0, shared=9), width=width),
    "conflicts of many": lambda width: conflict_map(_matrix(80, conflict=1, shared=2), width=width),
    "curve of one point": lambda width: learning_curve([Curve("a", [CurvePoint(5, 0.1)])], promise=0.05, width=width),
    "curve without error": lambda width: learning_curve([Curve("a", _points(0.0))], width=width),
    "curve of bounds only": lambda width: learning_curve([Curve(HOSTILE, [CurvePoint(1, None, 0.3)])], width=width),
    "curve with gaps": lambda width: learning_curve(
        [Curve("a", [*_points(0.1), CurvePoint(9, math.nan), CurvePoint(10, None, 1.0)])], promise=math.nan, width=width
    ),
    "six curves": lambda width: learning_curve([Curve(f"curve {i}", _points(0.1)) for i in range(6)], width=width),
    "balance of one class": lambda width: balance_bars(Balance(["a"], [BalanceSeries("votes", [1.0])]), width=width),
    "balance of nothing but zeros": lambda width: balance_bars(
        Balance(
            ["a", HOSTILE], [BalanceSeries("votes", [0.0, None]), BalanceSeries("gold", [0.0, 0.0], is_reference=True)]
        ),
        width=width,
    ),
    "balance of gold only": lambda width: balance_bars(
        Balance(["a", "b"], [BalanceSeries("gold", [0.5, 0.5], is_reference=True)]), width=width
    ),
    "balance of a thousand": lambda width: balance_bars(
        Balance([str(k) for k in range(1000)], [BalanceSeries("votes", [0.001] * 1000)]), width=width
    ),
    "calibration of one bin": lambda width: reliability(
        Calibration([CalibrationBin(0.9, 1.0, 1, 0.95, 1.0, Interval(0.02, 1.0))]), width=width
    ),
    "calibration with empty bins": lambda width: reliability(
        Calibration([CalibrationBin(0.0, 0.5, 0, math.nan), CalibrationBin(0.5, 1.0, 7, 0.8, 0.0)], math.nan, HOSTILE),
        width=width,
    ),
    "errors of two classes": lambda width: error_matrix(ErrorMatrix(["a", HOSTILE * 9], [[9, 1], [0, 0]]), width=width),
    "errors of many classes": lambda width: error_matrix(
        ErrorMatrix([f"{HOSTILE}{k}" for k in range(60)], [[9_999_999] * 60] * 60), width=width
    ),
    "ruler of a promise": lambda width: error_ruler(Headline(1, certified_bound=0.05), width=width),
    "ruler of perfection": lambda width: error_ruler(Headline(1, real_error=0.0), width=width),
    "ruler of catastrophe": lambda width: error_ruler(
        Headline(1, certified_bound=1.0, confidence=0.95, real_error=1.0, random_error=1.0), width=width
    ),
}

NOTHING: dict[str, str] = {
    "funnel": funnel([]),
    "conflicts": conflict_map(ConflictMatrix([], [], [], [])),
    "no classes": error_matrix(ErrorMatrix([], [])),
    "no errors": error_matrix(ErrorMatrix(["a", "b"], [[5, 0], [0, 5]])),
    "conflicts of one": conflict_map(ConflictMatrix(["a"], ["rule"], [[0]], [[5]])),
    "conflicts that never meet": conflict_map(
        ConflictMatrix(["a", "b"], ["rule", "person"], [[0, 0], [0, 0]], [[1, 0], [0, 1]])
    ),
    "curve": learning_curve([]),
    "curve without points": learning_curve([Curve("a"), Curve("b", [CurvePoint(3), CurvePoint(4, math.nan)])]),
    "balance": balance_bars(Balance([], [])),
    "balance unknown": balance_bars(Balance(["a"], [BalanceSeries("votes", [None])])),
    "calibration": reliability(Calibration([])),
    "calibration unknown": reliability(Calibration([CalibrationBin(0, 1, 5, 0.5)])),
    "ruler": error_ruler(Headline(5)),
    "probabilities": cells.probability_bar([]),
    "answers": cells.answers_bar([0, 0]),
}


def _matrix(n: int, *, conflict: int, shared: int) -> ConflictMatrix:
    return ConflictMatrix([f"{HOSTILE}{i}" for i in range(n)], ["model"] * n, [[conflict] * n] * n, [[shared] * n] * n)


def _points(error: float) -> list[CurvePoint]:
    return [CurvePoint(n, error, error + 0.5, error, error) for n in (0, 3, 7)]


class _Balanced(HTMLParser):
    """Fails on the first tag that closes another than the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_whole_on_any_data(name: str, width: int) -> None:
    """Balanced, described, without script, and without a place that is not a number."""
    svg = DRAWN[name](width)

    parser = _Balanced()
    parser.feed(svg)
    assert parser.open == []
    assert svg.startswith("<svg")
    assert "<title" in svg
    assert "<desc" in svg
    assert re.search(r'(?:x|y|x1|x2|y1|y2|cx|cy|width|height|points)="[^"]*(?:nan|inf|None)', svg) is None
    assert re.search(r'(?:width|height)="-', svg) is None
    assert "\0" not in svg
    assert "\u202e" not in svg


@pytest.mark.parametrize("name", NOTHING)
def test_no_data_no_figure(name: str) -> None:
    """What has nothing to show is empty, so that the page can leave it out."""
    assert NOTHING[name] == ""


@pytest.mark.parametrize("value", [None, math.nan, 0.0, 0.3, 1.0])
def test_cells_draw_any_row(value: float | None) -> None:
    """A row of the table draws with every number unknown, zero or one."""
    row = AnnotatorRow("a", "rule", coverage=value or 0.0, learned_accuracy=value, true_accuracy=value)

    drawn = [cells.coverage_bar(row), cells.accuracy_dots(row, cells.accuracy_scale([row])), cells.mark("rule")]

    assert all(svg.startswith("<svg") and "nan" not in svg for svg in drawn)


def test_the_worst_accuracy_is_on_the_scale() -> None:
    """The scale of accuracies starts at one half, or at the tenth below the worst."""
    good, bad = AnnotatorRow("a", "rule", learned_accuracy=0.9), AnnotatorRow("b", "rule", learned_accuracy=0.34)

    assert cells.accuracy_scale([good]).low == 0.5
    assert cells.accuracy_scale([good, bad]).low == 0.3


def test_of_many_annotators_the_most_quarrelsome_are_mapped() -> None:
    """More annotators than fit are cut down to those with the most conflicts."""
    n = MOST_SHOWN + 5
    conflicts = [[0 if i < 5 or j < 5 else 1 for j in range(n)] for i in range(n)]
    matrix = ConflictMatrix([str(i) for i in range(n)], ["rule"] * n, conflicts, [[1] * n] * n)

    assert list(range(5, n)) == most_quarrelsome(matrix)


def test_elements_escape_text_and_attributes() -> None:
    """Neither content nor an attribute can become markup."""
    drawn = element("text", "<b>&", class_='"><i>')

    assert drawn == '<text class="&#34;&gt;&lt;i&gt;">&lt;b&gt;&amp;</text>'


@given(st.text(max_size=60), st.floats(0, 300))
def test_fitted_text_fits(text: str, room: float) -> None:
    """Cut text is no wider than its room, an ellipsis aside."""
    assert text_width(fitted(text, room)) <= max(room, text_width("…"))


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(1, 10))
def test_ticks_are_few_and_inside(low: float, extent: float, n: int) -> None:
    """Ticks lie within the scale, in order, about as many as asked for."""
    marks = ticks(low, low + extent, n)

    assert len(marks) <= 2.5 * n + 2
    assert marks == sorted(marks)
    assert all(low - 1e-6 * max(extent, 1) <= mark <= low + extent + 1e-6 * max(extent, 1) for mark in marks)


@given(st.lists(st.floats(0, 300), max_size=8))
def test_labels_keep_their_distance(places: list[float]) -> None:
    """Labels stand a gap apart where there is room, in their order."""
    moved = spread(places, 16, 0, 300)

    by_place = [moved[i] for i in sorted(range(len(places)), key=lambda i: (places[i], i))]
    assert all(b - a >= 16 - 1e-6 for a, b in itertools.pairwise(by_place))


def test_a_scale_keeps_what_lies_outside_on_its_border() -> None:
    """Values beyond the ends are drawn at the ends; a scale without extent does not divide by zero."""
    scale = Scale(0, 1, 10, 20)

    assert (scale(-5), scale(0.5), scale(7)) == (10, 15, 20)
    assert Scale(3, 3, 10, 20)(3) == 10


def test_the_matrix_shows_the_classes_with_most_errors() -> None:
    """More classes than fit are cut down to those that are mistaken most, in their order."""
    n = 40
    counts = [[100 if j == k else int(k >= 10 and j >= 10) for j in range(n)] for k in range(n)]

    shown = most_mistaken(ErrorMatrix([str(k) for k in range(n)], counts))

    assert shown == sorted(shown)
    assert len(shown) == 24
    assert min(shown) >= 10


def test_the_matrix_counts_in_words() -> None:
    """Each square says how many labels of its row truly are of its column."""
    svg = str(error_matrix(ErrorMatrix(["cat", "dog"], [[8, 2], [0, 5]])))

    assert "of 10 labels cat, 2 truly are dog (20\N{NO-BREAK SPACE}%)" in svg
    assert "of 5 labels dog, 5 are right" in svg
    assert "2 of 15 labels are estimated wrong" in svg
