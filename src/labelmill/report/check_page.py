"""The report of a check as one HTML file that needs nothing else."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from labelmill.report import wording
from labelmill.report.check_story import CheckStory, ConfusionMap
from labelmill.report.figures import cells
from labelmill.report.figures.agreement_bars import agreement_bars
from labelmill.report.figures.balance import balance_bars
from labelmill.report.figures.confusion_map import confusion_map
from labelmill.report.figures.pair_dots import pair_dots
from labelmill.report.figures.trend_lines import trend_lines
from labelmill.report.html import page, pair

__all__ = ["render_check"]

MOST_FINDINGS, MOST_ANNOTATORS, MOST_MAPS, MOST_TRENDS = 100, 60, 5, 6


def render_check(story: CheckStory) -> str:
    """The whole page, closed to foreign text and to the network like that of `labelmill.report.html.render`.

    Returns
    -------
    str
        HTML, to be written as UTF-8.
    """
    scale = cells.quality_scale(story.annotators)
    rows = story.annotators[:MOST_ANNOTATORS]
    return page(
        "check.html.j2",
        story=story,
        findings=[(row, _odds(row.level)) for row in story.findings[:MOST_FINDINGS]],
        n_hidden_findings=max(len(story.findings) - MOST_FINDINGS, 0),
        rows=[(row, cells.quality_dots(row, scale)) for row in rows],
        n_hidden=story.n_annotators - len(rows),
        axis=cells.accuracy_axis(scale),
        kinds=[kind for kind in ("rule", "model", "person") if any(row.kind == kind for row in rows)],
        has_truth=any(row.true_accuracy is not None for row in rows),
        has_seconds=any(row.seconds is not None for row in rows),
        figures=_figures(story),
    )


def _figures(story: CheckStory) -> dict[str, Any]:
    agreement, balance, trends = story.agreement, story.balance, story.trends[:MOST_TRENDS]
    maps = [(confusion.name, _map(confusion, i)) for i, confusion in enumerate(story.confusion[:MOST_MAPS])]
    return {
        "agreement": pair(lambda width: agreement_bars(agreement, width=width)) if agreement else Markup(""),
        "balance": pair(lambda width: balance_bars(balance, width=width)) if balance else Markup(""),
        "trends": pair(lambda width: trend_lines(trends, width=width)),
        "pairs": pair(lambda width: pair_dots(story.pairs, width=width)),
        "maps": [(name, drawn) for name, drawn in maps if drawn],
    }


def _map(confusion: ConfusionMap, i: int) -> Markup:
    return pair(lambda width: confusion_map(confusion, unique=str(i), width=width))


def _odds(level: float) -> str:
    """How sure a finding is.

    >>> _odds(0.002), _odds(1e-9)
    ('one in 500', 'under one in a million')
    """
    return "under one in a million" if level < 1e-6 else f"one in {wording.count(round(1 / level))}"
