"""Label errors as one HTML file: how many, which mix-ups, and the labels to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from labelmill.report.evidence import ErrorMatrix
from labelmill.report.figures.error_matrix import error_matrix
from labelmill.report.html import page, pair

__all__ = ["ErrorStory", "FlaggedLabel", "render_errors"]

MOST_FLAGGED: Final = 200
"""Flagged labels that are listed; a file has all of them."""


@dataclass(frozen=True, slots=True)
class FlaggedLabel:
    """A label that is probably wrong: its item, the class given, the likeliest one, and how good the label looks."""

    item: str
    given: str
    suggested: str
    score: float


@dataclass(frozen=True, slots=True)
class ErrorStory:
    """Everything the page shows.

    Parameters
    ----------
    title : str
        Of the labels, e.g. their file.
    labelmill_version : str
    n_items : int
        Labels judged.
    noise : float
        Estimated share of wrong ones.
    matrix : ErrorMatrix
    flagged : list of FlaggedLabel
        The worst first.
    filter_by, rank_by : str
        How they were chosen and ordered.
    """

    title: str
    labelmill_version: str
    n_items: int
    noise: float
    matrix: ErrorMatrix
    flagged: list[FlaggedLabel]
    filter_by: str
    rank_by: str


def render_errors(story: ErrorStory) -> str:
    """The whole page; foreign text is escaped, and nothing is asked of any network."""
    classes = []
    for k, (name, row) in enumerate(zip(story.matrix.classes, story.matrix.counts, strict=True)):
        given, gained = sum(row), sum(other[k] for other in story.matrix.counts) - row[k]
        classes.append((name, given, given - row[k], (given - row[k]) / given if given else None, gained))
    return page(
        "errors.html.j2",
        story=story,
        figure=pair(lambda width: error_matrix(story.matrix, width=width)),
        classes=sorted(classes, key=lambda row: -row[2]),
        flagged=story.flagged[:MOST_FLAGGED],
        n_hidden=max(len(story.flagged) - MOST_FLAGGED, 0),
    )
