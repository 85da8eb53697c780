"""The fake server with what leads ask for: items on which voices differ, and open items with a suggestion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.web.fake_server import FakeServer, suggestion


def voice(name: str, value: Any, *, kind: str = "person", reliability: float = 0.9) -> dict[str, Any]:
    """What somebody says."""
    at = "2030-01-01T00:00:00Z" if kind == "person" else None
    return {
        "annotator": f"id-{name}" if kind == "person" else name,
        "name": name,
        "kind": kind,
        "value": value,
        "reliability": reliability,
        "at": at,
    }


def case(number: int, *values: Any, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An item with one voice for each value, each a side of its own: ana, then a model, then bob, cem, dia."""
    speakers = [("ana", "person"), ("model v7", "model"), ("bob", "person"), ("cem", "person"), ("dia", "person")]
    voices = [
        voice(name, value, kind=kind, reliability=0.92 - 0.11 * i)
        for i, ((name, kind), value) in enumerate(zip(speakers, values, strict=False))
    ]
    shares = [0.64, 0.31, 0.03, 0.02][: len(values)]
    made = {
        "item": f"i{number}",
        "data": data or {"text": f"Message number {number}: the invoice is wrong."},
        "meta": {},
        "loss": round(0.5 - number / 100, 4),
        "voices": voices,
        "sides": [
            {"value": value, "share": share, "voices": [i]}
            for i, (value, share) in enumerate(zip(values, shares, strict=False))
        ],
        "sent_back": [],
    }
    return made | changes


def card(number: int, label: str = "spam", *, score: float = 0.91, **changes: Any) -> dict[str, Any]:
    """An open item for which a class is suggested."""
    made = {
        "item": f"c{number}",
        "data": {"text": f"Card {number}: win a prize now, call the number below."},
        "thumbnail": None,
        "meta": {},
        "suggestion": suggestion(label, score=score),
    }
    return made | changes


@dataclass
class LeadServer(FakeServer):
    """As `FakeServer`, for a lead.

    Parameters
    ----------
    cases : list of dict
        What the review page shows, in order.
    cards : list of dict
        What lies in the grid.
    """

    role: str = "lead"
    cases: list[dict[str, Any]] = field(default_factory=lambda: [case(n, "billing", "bug") for n in range(1, 6)])
    cards: list[dict[str, Any]] = field(default_factory=list)
    sent_back: list[dict[str, Any]] = field(default_factory=list)

    def page_of(self, name: str) -> str:
        """The address of a page."""
        return f"{self.url}/p/tickets/{name}"

    def more(
        self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None] | None:
        """Reviews, send-backs, the grid."""
        match method, path:
            case "GET", "/disagreements":
                return 200, self._disagreements(query)
            case "GET", "/send-backs":
                return 200, {"send_backs": self.sent_back}
            case "POST", "/send-back":
                self.sent_back.append(body | {"name": body["annotator"].removeprefix("id-"), "state": "waiting"})
                return 204, None
            case "GET", "/grid":
                return 200, self._grid(query)
            case "POST", "/reviews" | "/grid":
                return 200, self.store(body)
        return None

    def _disagreements(self, query: Mapping[str, str]) -> dict[str, Any]:
        back = {one["item"] for one in self.sent_back}
        found = [
            one | {"sent_back": [told for told in self.sent_back if told["item"] == one["item"]]}
            if one["item"] in back
            else one
            for one in self.cases
        ]
        if "item" in query:
            return {"items": [one for one in found if one["item"] == query["item"]], "after": None, "total": 1}
        decided = self.answers()
        left = [one for one in found if one["item"] not in decided]
        start, limit = int(query.get("after", 0)), int(query["limit"])
        after = str(start + limit) if start + limit < len(left) else None
        return {"items": left[start : start + limit], "after": after, "total": len(left)}

    def _grid(self, query: Mapping[str, str]) -> dict[str, Any]:
        answered = self.answers()
        held = [one for one in self.cards if one["item"] not in answered]
        wanted = [one for one in held if query.get("class") in {"", None, one["suggestion"]["value"]}]
        if near := query.get("near"):
            wanted.sort(key=lambda one: one["item"] != near)
        places = {one["item"]: place for place, one in enumerate(self.cards, start=1)}
        start, n = int(query.get("after", 0)), int(query["n"])
        wanted = [one for one in wanted if places[one["item"]] > start]
        labels = sorted({one["suggestion"]["value"] for one in held})
        counts = [{"class": name, "count": sum(one["suggestion"]["value"] == name for one in held)} for name in labels]
        after = str(places[wanted[n - 1]["item"]]) if len(wanted) >= n else None
        return {"items": wanted[:n], "after": after, "classes": counts, "neighbours": True}

    def answers(self) -> dict[str, Any]:
        """As in the fake server; without its lock, which whoever asks for a route holds."""
        held: dict[str, Any] = {}
        for vote in list(self.votes.values()):
            if vote["kind"] == "label":
                held[vote["item"]] = vote["value"]
            elif vote["kind"] == "retract":
                held.pop(vote["item"], None)
        return held


@contextmanager
def starting(static: Path) -> Iterator[Callable[..., LeadServer]]:
    """Starts servers with such contents; they end with the block."""
    started: list[LeadServer] = []

    def start(**contents: Any) -> LeadServer:
        started.append(LeadServer(static, **contents))
        return started[-1]

    yield start
    for server in started:
        server.stop()
