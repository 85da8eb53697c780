"""What a server says of a project that has been worked on: for tests of the pages for leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.web.fake_server import FakeServer, choice_schema, suggestion, task

from labelmill import registry
from labelmill.pipeline.feedback import told_feedback
from labelmill.stores.database.feedback import Judged


def person(name: str, votes: int, value: float | None, **rest: Any) -> dict[str, Any]:
    """An annotator's figures."""
    half = 0.0 if value is None else 0.4 / votes**0.5
    known = {
        "annotator": f"p-{name}",
        "name": name,
        "kind": "person",
        "votes": votes,
        "reliability": value,
        "low": None if value is None else max(0.0, value - half),
        "high": None if value is None else min(1.0, value + half),
        "ms_median": 3200.0,
        "ms_low": 2100.0,
        "ms_high": 5400.0,
        "gold": None,
        "last_at": "2026-03-20T15:00:00.000+00:00",
    }
    return known | rest


def machine(name: str, value: float, *, kind: str = "rule", **rest: Any) -> dict[str, Any]:
    """A rule's or a model's figures."""
    return person(name, 400, value, kind=kind, annotator=name, ms_median=None, ms_low=None, ms_high=None, **rest)


def rule(name: str, *shares: float | None, is_measured: bool = False) -> dict[str, Any]:
    """A row of the table of rules."""
    names = ("coverage", "overlap", "conflict", "accuracy")
    return {"name": name, "kind": "rule", "is_measured": is_measured} | dict(zip(names, shares, strict=True))


def feedback(*, is_empty: bool = False) -> dict[str, Any]:
    """What became of the suggestions of two versions; the second is accepted more often."""
    kind = registry.find("label_kind", "choice")(classes=("billing", "bug"))
    start = 20_521 * 86_400_000  # 9 March 2026
    rows = [
        Judged(
            start + day * 86_400_000,
            n,
            "auto",
            "3f2a91c0" if day < 6 else "b7701e55",
            0.6 + 0.3 * (n % 2),
            "bug",
            "bug" if n % 10 < 6 + day // 3 else "billing",
            "blind" if n % 7 == 0 else "accepted" if n % 10 < 6 + day // 3 else "edited",
            None,
        )
        for day in (0, 1, 2, 5, 6, 7, 9)
        for n in range(60)
    ]
    return told_feedback([] if is_empty else rows, kind)


def figures(**changes: Any) -> dict[str, Any]:
    """The dashboard of a project with people, rules and a model, twelve days old."""
    daily = [38, 52, 61, 0, 0, 70, 66, 81, 77, 64, 0, 31]
    done = [sum(daily[: i + 1]) for i in range(len(daily))]
    days = [f"2026-03-{9 + i:02}T00:00:00.000+00:00" for i, n in enumerate(daily) if n]
    worked = [n for n, on_day in zip(done, daily, strict=True) if on_day]
    few = {"right": 11, "n": 20, "low": 0.342, "high": 0.742}
    gold = {"right": 18, "n": 20, "low": 0.699, "high": 0.972}
    told: dict[str, Any] = {
        "at": "2026-03-20T15:30:00.000+00:00",
        "kind": "choice",
        "progress": [{"at": at, "done": n} for at, n in zip(days, worked, strict=True)],
        "items": {"done": 262, "total": 600},
        "answers": {"held": 540, "wanted": 1200, "missing": 676},
        "hours_left": 0.62,
        "forecast": {
            "per_day": 46.3,
            "n_days": 11,
            "done_at": "2026-04-04T06:00:00.000+00:00",
            "soonest": "2026-03-30T18:00:00.000+00:00",
            "latest": "2026-04-08T20:00:00.000+00:00",
        },
        "annotators": [
            person("ana", 214, 0.93, gold=gold),
            person("bartholomew", 180, 0.87, ms_median=5100.0, ms_low=3300.0, ms_high=9700.0),
            person(
                "李雷",
                120,
                0.71,
                ms_median=1400.0,
                ms_low=900.0,
                ms_high=2300.0,
                gold=few,
            ),
            person("dora", 26, None, ms_median=None, ms_low=None, ms_high=None),
            machine("contains_refund", 0.91),
            machine("many_exclamation_marks", 0.62, low=None, high=None),
            machine("tfidf_linear", 0.89, kind="model"),
        ],
        "agreement": {"measure": "alpha", "value": 0.71, "low": 0.63, "high": 0.78, "n_items": 248},
        "confusion": {"classes": ["billing", "bug", "praise"], "matrix": [[180, 22, 4], [22, 140, 9], [4, 9, 96]]},
        "pairs": {"names": [], "matrix": []},
        "rules": [
            rule("contains_refund", 0.31, 0.22, 0.04, 0.91, is_measured=True),
            rule("many_exclamation_marks", 0.08, 0.08, 0.05, 0.62),
            rule("tfidf_linear", 1.0, 0.6, 0.14, 0.89, is_measured=True),
        ],
        "suggestions": [
            {
                "source": "dawid_skene",
                "version": "",
                "shown": {"accepted": 320, "edited": 41, "rejected": 17},
                "blind": {"agreed": 36, "differed": 14},
            }
        ],
        "feedback": feedback(),
        "balance": [
            {"class": "billing", "count": 228},
            {"class": "bug", "count": 191},
            {"class": "praise", "count": 121},
        ],
    }
    return told | changes


def nothing_yet() -> dict[str, Any]:
    """The dashboard of a project in which nobody has answered."""
    nothing = {"value": None, "low": None, "high": None}
    return figures(
        progress=[],
        items={"done": 0, "total": 600},
        answers={"held": 0, "wanted": 1200, "missing": 1200},
        hours_left=None,
        forecast=None,
        annotators=[],
        agreement={"measure": "alpha", **nothing, "n_items": 0},
        confusion={"classes": ["billing", "bug", "praise"], "matrix": [[0] * 3 for _ in range(3)]},
        rules=[],
        suggestions=[],
        feedback=feedback(is_empty=True),
        balance=[{"class": name, "count": 0} for name in ("billing", "bug", "praise")],
    )


def of_boxes() -> dict[str, Any]:
    """The dashboard of a project of shapes: distances stand in for confusions."""
    return figures(
        kind="box",
        agreement={"measure": "nearness", "value": 0.82, "low": 0.79, "high": 0.85, "n_items": 120},
        confusion={"classes": [], "matrix": []},
        pairs={
            "names": ["ana", "bartholomew", "李雷"],
            "matrix": [[None, 0.12, 0.24], [0.12, None, 0.2], [0.24, 0.2, None]],
        },
        rules=[],
    )


def member(name: str, role: str = "annotator", **rest: Any) -> dict[str, Any]:
    """A row of the page of people."""
    found: dict[str, Any] = next((one for one in figures()["annotators"] if one["name"] == name), {})
    names = ("votes", "ms_median", "reliability", "low", "high", "gold", "last_at")
    known = {one: found.get(one) for one in names} | {"votes": found.get("votes", 0)}
    shown = {"annotator": f"p-{name}", "name": name, "role": role, "is_disabled": False, "is_me": False}
    return shown | known | {"seen_at": None, "n_open": 0} | rest


def people() -> dict[str, Any]:
    """Four members and a machine."""
    return {
        "people": [
            member("ana", "admin", is_me=True, seen_at="2026-03-20T15:20:00.000+00:00"),
            member("bartholomew", "lead"),
            member("李雷", n_open=4),
            member("dora"),
            member("nightly", "machine"),
        ]
    }


def set_up(**changes: Any) -> dict[str, Any]:
    """The settings of a project of texts whose file the server has."""
    sample = task(
        1,
        suggestions=[suggestion("bug"), suggestion("praise", score=0.4, source="thanks", kind="rule")],
    )
    settings = {
        "name": "Tickets",
        "kind": "choice",
        "classes": ["billing", "bug", "praise"],
        "guidelines": choice_schema()["guidelines"],
        "overlap": 2,
        "gold_share": 0.05,
        "blind_share": 0.1,
        "threshold": 0.5,
        "lease_minutes": 10.0,
        "late": "extra",
        "strategy": "margin",
        "error": 0.05,
        "confidence": 0.95,
    }
    told: dict[str, Any] = {
        "version": "3.abc",
        "kept_in": "file",
        "place": "/srv/tickets/labelmill.toml",
        "can_change": True,
        "settings": settings,
        "schema_version": 1,
        "guidelines_file": "",
        "modality": "text",
        "differs": [],
        "n_answers": 0,
        "data": {
            "n_items": 12_400,
            "sources": ["tickets.csv"],
            "n_queued": 600,
            "n_done": 262,
            "columns": [{"name": "channel", "example": "mail"}, {"name": "sent", "example": "2026-02-11"}],
        },
        "machines": [
            {"name": "contains_refund", "kind": "rule", "evaluation": "compiled"},
            {"name": "tfidf_linear", "kind": "model", "evaluation": "learned"},
        ],
        "people": {"admin": 1, "lead": 1, "annotator": 3},
        "code": "rules.py",
        "to_be_run": [],
        "kinds": ["box", "choice", "multi_choice", "number", "rating", "text"],
        "strategies": ["entropy", "margin", "random"],
        "sample": sample,
    }
    return told | changes


def items_page() -> dict[str, Any]:
    """Two items, and no more."""
    line = {"purpose": "label", "state": "done", "n_answers": 2, "overlap": 2, "priority": 0.0}
    return {
        "items": [
            {"key": "1", "item": "ticket-17"} | line,
            {"key": "2", "item": "ticket-18"} | line | {"purpose": "gold", "overlap": 1000},
        ],
        "after": None,
    }


def item_history() -> dict[str, Any]:
    """What two people said about an item."""
    said = {
        "kind": "label",
        "purpose": "label",
        "note": None,
        "outcome": "accepted",
        "at": "2026-03-18T10:00:00Z",
    }
    return {
        "item": "ticket-17",
        "data": {"text": "My card was charged twice."},
        "meta": {},
        "votes": [
            {"annotator": "p-ana", "name": "ana", "value": "billing", **said},
            {
                "annotator": "p-李雷",
                "name": "李雷",
                "value": "bug",
                **said,
                "outcome": "edited",
                "note": "the app did it",
            },
        ],
    }


def worked_on() -> dict[tuple[str, str], Any]:
    """All that the pages for leads ask for."""
    return {
        ("GET", "/dashboard"): figures(),
        ("GET", "/people"): people(),
        ("GET", "/settings"): set_up(),
        ("GET", "/items"): items_page(),
        ("GET", "/items/ticket-17"): item_history(),
        ("GET", "/api/tokens"): {"tokens": []},
    }


@dataclass
class LeadersServer(FakeServer):
    """A server of a project that has been worked on.

    Parameters
    ----------
    told : dict
        Method and path within the project (or the whole of others) -> what is answered there, or what makes status
        and answer of the body.
    asked : list of (str, str, dict)
        Method, path and body or query of what was asked besides labelling.
    """

    role: str = "admin"
    told: dict[tuple[str, str], Any] = field(default_factory=worked_on)
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def more(
        self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None] | None:
        """What is told there."""
        if (method, path) not in self.told:
            return None
        self.asked.append((method, path, query if method == "GET" else body))
        found = self.told[method, path]
        status, answer = found(body) if callable(found) else (200, found)
        return status, answer

    def did(self, method: str, path: str) -> list[Mapping[str, Any]]:
        """Bodies, or queries, of what was asked there."""
        with self.lock:
            return [given for how, where, given in self.asked if (how, where) == (method, path)]
