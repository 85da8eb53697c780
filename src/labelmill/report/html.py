"""The report as one HTML file that needs nothing else: no network, no script to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from labelmill.report import wording
from labelmill.report.figures import cells
from labelmill.report.figures._drawing import NARROW, WIDE
from labelmill.report.figures.acceptance import acceptance
from labelmill.report.figures.balance import balance_bars
from labelmill.report.figures.conflict_map import conflict_map, most_quarrelsome
from labelmill.report.figures.curve import learning_curve
from labelmill.report.figures.error_ruler import error_ruler
from labelmill.report.figures.funnel import funnel
from labelmill.report.figures.reliability import reliability
from labelmill.report.headline import saved_by_learner, split_of_answers, told
from labelmill.report.story import DoubtfulItem, ItemVote, Story

__all__ = ["page", "pair", "render"]

MOST_ANNOTATORS, MOST_DOUBTFUL, MOST_RUNS = 100, 20, 50
EXCERPT, MOST_CLASSES, MOST_NAME, MOST_REASONS, MOST_VOTES = 600, 6, 80, 12, 12


def render(story: Story) -> str:
    """The whole page.

    Every text of the story is foreign: it is escaped, its controls are made visible, and the page's policy runs no
    script and loads no style but the ones in this package, known by their hashes, and nothing from any network.

    Parameters
    ----------
    story : Story

    Returns
    -------
    str
        HTML, to be written as UTF-8.
    """
    figures = _figures(story)
    return page(
        "report.html.j2",
        story=story,
        headline=told(story.headline),
        answers=split_of_answers(story.headline),
        saved=saved_by_learner(story.headline),
        figures=figures,
        contents=_contents(story, figures),
        missing=_missing(story, figures),
        **_tables(story),
    )


def page(template: str, **content: Any) -> str:
    """A template filled in, with the style, the script and the policy that allows nothing else."""
    css, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .get_template(template)
        .render(
            css=Markup(css),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=_policy(css, script),
            **content,
        )
    )


@dataclass(frozen=True, slots=True)
class _ClassVotes:
    """One class of a doubtful item: its probability and who voted for it."""

    name: str
    probability: float | None
    votes: list[ItemVote]
    n_hidden: int


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A doubtful item as the page shows it."""

    id: str
    text: str
    label: str
    gold: str | None
    is_wrong: bool
    bar: Markup
    classes: list[_ClassVotes]
    n_abstained: int


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("labelmill.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_made_safe,
    )
    environment.filters |= {
        "amount": wording.amount,
        "breakable": _breakable,
        "bound_percent": wording.bound_percent,
        "column_percent": wording.column_percent,
        "count": wording.count,
        "percent": wording.percent,
        "score": wording.score,
        "seconds": wording.seconds,
        "shortened": wording.shortened,
        "sortable": _sortable,
        "coverage_bar": cells.coverage_bar,
        "mark": cells.mark,
    }
    return environment


def _made_safe(value: Any) -> Any:
    """Foreign text with its controls visible; markup of our own passes."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else wording.safe(value)


def _sortable(value: float | None) -> str:
    """A number for the sorting script; nothing for what is not known."""
    found = wording.known(value)
    return "" if found is None else repr(found)


def _breakable(name: str) -> Markup:
    """A name that may be broken after its underscores, dots and slashes; cut when it is absurdly long."""
    pieces = re.split(r"(?<=[_./])", wording.shortened(wording.safe(name), MOST_NAME))
    return Markup("<wbr>").join(pieces)


@cache
def _asset(name: str) -> str:
    return (resources.files("labelmill.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(css: str, script: str) -> str:
    """Content security policy: only this style, only this script, no network at all."""
    style, code = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, script))
    only_ours = f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{code}'"
    return f"{only_ours}; base-uri 'none'; form-action 'none'"


def _figures(story: Story) -> dict[str, Markup]:
    promise = story.certificate.epsilon if story.certificate else None
    conflicts, balance, calibration = story.conflicts, story.balance, story.calibration
    suggested = story.suggestions
    none = Markup("")
    return {
        "error_ruler": pair(lambda width: error_ruler(story.headline, width=width)),
        "funnel": pair(lambda width: funnel(story.funnel, width=width)),
        "curve": pair(lambda width: learning_curve(story.curves, promise=promise, width=width)),
        "conflict_map": pair(lambda width: conflict_map(conflicts, width=width)) if conflicts else none,
        "balance": pair(lambda width: balance_bars(balance, width=width)) if balance else none,
        "reliability": pair(lambda width: reliability(calibration, width=width)) if calibration else none,
        "acceptance": pair(lambda width: acceptance(suggested, width=width)) if suggested else none,
        "answers": cells.answers_bar([n for _, n in split_of_answers(story.headline)]),
    }


def pair(drawn: Callable[[int], Markup]) -> Markup:
    """The drawing for a screen and the one for a phone; the style sheet shows one of them."""
    wide, narrow = drawn(WIDE), drawn(NARROW)
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(wide, narrow) if wide else wide


def _contents(story: Story, figures: dict[str, Markup]) -> list[tuple[str, str]]:
    parts = [
        ("notes", "Worth knowing", bool(story.notes)),
        ("funnel", "From import to release", bool(figures["funnel"])),
        ("certificate", "Certificate", True),
        ("curve", "Human answers", bool(figures["curve"])),
        ("annotators", "Annotators", bool(story.annotators)),
        ("conflicts", "Conflicts", bool(figures["conflict_map"])),
        ("balance", "Class balance", bool(figures["balance"])),
        ("calibration", "Calibration", bool(figures["reliability"])),
        ("suggestions", "Suggestions", story.suggestions is not None),
        ("doubtful", "Doubtful", bool(story.doubtful)),
        ("label-model", "Label model", story.label_model is not None),
        ("repairs", "Repairs", bool(story.repairs)),
        ("faults", "Faults", bool(story.faults)),
        ("provenance", "Provenance", bool(story.runs or story.fingerprints or story.versions)),
    ]
    return [(anchor, name) for anchor, name, is_there in parts if is_there]


def _missing(story: Story, figures: dict[str, Markup]) -> list[tuple[str, str]]:
    """Parts that cannot be shown, and what would bring them."""
    gold = "import known answers: labelmill import gold.csv --votes-by NAME --purpose gold"
    parts = [
        ("Error of the release and true accuracy of the annotators", gold, story.headline.real_error is None),
        ("What each human answer bought", "needs gold answers and at least two rounds of select", not figures["curve"]),
        ("Calibration", "needs gold or audit answers", not figures["reliability"]),
        ("Annotators", "write a rule in rules.py, then labelmill annotate", not story.annotators),
        ("Conflicts", "needs two annotators that vote on the same items", not figures["conflict_map"]),
    ]
    return [(name, how) for name, how, is_missing in parts if is_missing]


def _tables(story: Story) -> dict[str, Any]:
    rows = story.annotators
    if len(rows) > MOST_ANNOTATORS:
        busiest = sorted(rows, key=lambda row: -row.n_votes)[:MOST_ANNOTATORS]
        rows = [row for row in rows if row in busiest]
    scale = cells.accuracy_scale(rows)
    return {
        "annotators": [(row, cells.accuracy_dots(row, scale)) for row in rows],
        "accuracy_axis": cells.accuracy_axis(scale),
        "kinds": [kind for kind in ("rule", "model", "person") if any(row.kind == kind for row in rows)],
        "n_hidden_annotators": len(story.annotators) - len(rows),
        "n_hidden_conflicts": _n_hidden_conflicts(story),
        "has_truth": any(row.true_accuracy is not None for row in rows),
        "has_timing": any(row.seconds is not None for row in rows),
        "has_evaluation": any(row.evaluation for row in rows),
        "reasons": [(row.name, row.evaluation_reason) for row in rows if row.evaluation_reason][:MOST_REASONS],
        "has_bounds": any(point.bound is not None for curve in story.curves for point in curve.points),
        "has_reference": story.balance is not None and any(series.is_reference for series in story.balance.series),
        "has_gold": any(item.gold is not None for item in story.doubtful),
        "doubtful": [_doubt(item, story.classes) for item in story.doubtful[:MOST_DOUBTFUL]],
        "runs": story.runs[-MOST_RUNS:],
        "n_hidden_runs": max(len(story.runs) - MOST_RUNS, 0),
    }


def _n_hidden_conflicts(story: Story) -> int:
    return len(story.conflicts.annotators) - len(most_quarrelsome(story.conflicts)) if story.conflicts else 0


def _doubt(item: DoubtfulItem, classes: list[str]) -> _Doubt:
    probability = dict(zip(classes, item.probabilities, strict=False))
    voted = {vote.label for vote in item.votes if vote.label is not None}
    names = classes if len(classes) <= MOST_CLASSES else _likeliest(classes, probability, voted)
    names = [*names, *sorted(voted.difference(classes))]
    return _Doubt(
        id=wording.shortened(item.id, MOST_NAME),
        text=wording.shortened(item.text, EXCERPT),
        label=item.label if item.label is not None else "no label",
        gold=item.gold,
        is_wrong=item.gold is not None and item.gold != item.label,
        bar=cells.probability_bar(item.probabilities),
        classes=[_class_votes(item, name, probability.get(name)) for name in names],
        n_abstained=sum(vote.label is None for vote in item.votes),
    )


def _class_votes(item: DoubtfulItem, name: str, probability: float | None) -> _ClassVotes:
    votes = [vote for vote in item.votes if vote.label == name]
    return _ClassVotes(name, probability, votes[:MOST_VOTES], max(len(votes) - MOST_VOTES, 0))


def _likeliest(classes: list[str], probability: dict[str, float], voted: set[str]) -> list[str]:
    """Of many classes, those voted for and the likeliest ones, in schema order."""
    best = sorted(classes, key=lambda name: -(probability.get(name) or 0.0))[: MOST_CLASSES // 2]
    return [name for name in classes if name in voted or name in best]
