"""When asking should stop: the budget is spent, the certificate will not get cheaper, or the curve is flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from labelmill.pipeline.worth import Moment

__all__ = ["Stopping", "stopping"]

PATIENCE: Final = 2
"""Selections in a row that bring nothing before that is believed."""

MOST_OPEN: Final = 0.5
"""Share of the open items; a certificate that leaves more to people is not one to stop for."""

FLAT: Final = 0.001
"""Expected share of wrong labels; a curve that falls by less per 100 answers is flat."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """Whether to go on asking.

    Parameters
    ----------
    n_left : int or None
        Answers that may still be asked for; None for any number.
    reason : str
        Why asking stops, in a sentence; empty while it goes on.
    """

    n_left: int | None = None
    reason: str = ""


def stopping(settings: Any, earlier: Sequence[Moment], now: Moment) -> Stopping:
    """What the rule `[select] stop` says.

    Parameters
    ----------
    settings : project
        `select.stop`: "budget", "certificate", "flat" or "" for never; `select.budget`; what the certificate promises.
    earlier : sequence of Moment
        Earlier selections, oldest first.
    now : Moment
        With `to_certify` where the rule is "certificate".
    """
    rule = settings["select.stop"]
    before = [moment for moment in earlier if moment.answers < now.answers]
    if rule == "budget":
        return _budget(settings["select.budget"], now)
    if rule == "certificate":
        promise = f"{settings['certify.error']:.0%} at {settings['certify.confidence']:.0%}"
        return _certificate(promise, before, now)
    if rule == "flat":
        return _flat(before, now)
    return Stopping()


def _budget(budget: int, now: Moment) -> Stopping:
    if now.answers < budget:
        return Stopping(budget - now.answers)
    return Stopping(
        0, f"Stopped: the budget of {budget:,} answers is spent ({now.answers:,} were given); raise [select] budget."
    )


def _certificate(promise: str, before: Sequence[Moment], now: Moment) -> Stopping:
    """An answer that lessens what the certificate costs by less than one answer is better spent on its audit.

    As long as the certificate leaves most items to people, chosen questions are among those and cost nothing.
    """
    known = [moment for moment in before if moment.to_certify is not None]
    n_open = now.n_items - now.answers
    if now.to_certify is None or len(known) < PATIENCE or now.to_certify > MOST_OPEN * n_open:
        return Stopping()
    best = min(moment.answers + (moment.to_certify or 0.0) for moment in known[: len(known) - PATIENCE + 1])
    latest = [moment.answers + (moment.to_certify or 0.0) for moment in [*known[len(known) - PATIENCE + 1 :], now]]
    if min(latest) < best:
        return Stopping()
    return Stopping(
        0,
        f"Stopped: more chosen answers do not make the certificate ({promise}) cheaper. It takes about "
        f"{now.to_certify:,.0f} answers from here: labelmill certify --plan --out audit.csv",
    )


def _flat(before: Sequence[Moment], now: Moment) -> Stopping:
    if len(before) <= PATIENCE or not now.n_items:
        return Stopping()
    start = before[-PATIENCE - 1]
    given = now.answers - start.answers
    fall = (start.expected_wrong / max(start.n_items, 1) - now.expected_wrong / now.n_items) * 100 / given
    if fall >= FLAT:
        return Stopping()
    return Stopping(
        0,
        f"Stopped: the curve is flat. The last {given:,} answers changed the expected share of wrong labels by "
        f"{-100 * fall:+.2f} points per 100 answers, where {100 * FLAT:.1f} less were worth going on for.",
    )
