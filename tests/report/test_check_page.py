"""The page of a check: complete, closed, and deaf to what is written in the data."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report.test_report_html import ATTACKS, Page

from labelmill.report.check_page import render_check
from labelmill.report.check_story import (
    AgreementBars,
    CheckedRow,
    CheckStory,
    ConfusionMap,
    FindingRow,
    PairDot,
    TrendLine,
    TrendPoint,
)
from labelmill.report.evidence import Balance, BalanceSeries, Interval

NAME = "ann"


def _story(name: str = NAME) -> CheckStory:
    points = [TrendPoint(n, 0.9 - n / 200, 0.8 - n / 200, 0.95 - n / 200) for n in (10, 30, 50)]
    return CheckStory(
        title=name,
        model=name,
        n_items=3,
        n_votes=60,
        tests=["spammers", "copies"],
        findings=[FindingRow("spammer", f"{name} guesses", f"talk to {name}", 1e-4)],
        annotators=[
            CheckedRow(
                name, "person", 60, 0.7, Interval(0.6, 0.8), 0.75, Interval(0.5, 0.9), 0.1, name, name, 3.2, ["spammer"]
            )
        ],
        n_annotators=1,
        confusion=[ConfusionMap(name, [name, "b"], [[0.7, 0.3], None])],
        agreement=AgreementBars([0, 2, 1], 0.5),
        trends=[TrendLine(name, points, 30, 0.9, 0.6, is_found=True)],
        pairs=[PairDot(name, "bob", 20, 19, 12.0, 3.0, 1e-3, is_found=True)],
        balance=Balance([name, "b"], [BalanceSeries("votes", [0.4, 0.6])]),
        balance_note=name,
    )


def test_everything_is_on_the_page() -> None:
    """A section with a figure for each kind of evidence, and a finding with its odds."""
    html = render_check(_story())

    page = Page(html)
    assert [] == page.open
    assert "one in 10,000" in html
    assert {"findings", "annotators", "confusion", "pairs", "drift", "agreement", "balance"} <= {
        value for name, value in page.attributes if name == "id"
    }


def test_what_is_not_there_is_not_drawn() -> None:
    """Without findings, votes and times the page says so and has no empty section."""
    html = render_check(CheckStory(title="votes.csv"))

    assert [] == Page(html).open
    assert "No findings" in html
    assert "<section" not in html
    assert "<svg" not in html


@pytest.mark.parametrize("attack", ATTACKS)
def test_foreign_text_stays_text(attack: str) -> None:
    """Names of annotators, classes and files bring no tag and no attribute into the page."""
    tame, hostile = Page(render_check(_story())), Page(render_check(_story(attack)))

    assert [] == hostile.open
    assert tame.tags.count("script") == hostile.tags.count("script")
    assert "img" not in hostile.tags
    assert not [name for name, _ in hostile.attributes if name.startswith("on")]


def test_long_lists_are_cut_and_counted() -> None:
    """Of 500 annotators 60 are listed, and the others counted."""
    rows = [CheckedRow(f"annotator {j}", "person", 10) for j in range(500)]

    html = render_check(replace(_story(), annotators=rows, n_annotators=500))

    assert html.count('<th scope="row"') == 60
    assert "440 more annotators" in html


@pytest.mark.parametrize("value", [float("nan"), 0.0, 1.0, None])
def test_strange_numbers_are_drawn(value: float | None) -> None:
    """What is not known, and both ends of every scale, make no NaN in any drawing."""
    row = CheckedRow("ann", "person", 0, value, None, value, None, None)

    html = render_check(replace(_story(), annotators=[row]))

    assert '"nan' not in html.lower()
