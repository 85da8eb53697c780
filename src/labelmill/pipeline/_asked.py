"""What people were asked: an answer to it is a decision, not one voice of a crowd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labelmill.pipeline.workspace import Workspace

__all__ = ["asked_at_random", "asked_items", "drawn_at_random", "remember_asked", "remember_drawn"]

ASKED = "asked"
"""Document that remembers it."""

DRAWN = "drawn-at-random"
"""Document with the items that were drawn and not chosen, and the label that each had when it was asked about."""


def asked_items(workspace: Workspace) -> set[str]:
    """Items that people were asked about, answered or not."""
    return set((workspace.lake.read_document(ASKED) or {}).get("items", []))


def asked_at_random(workspace: Workspace) -> set[str]:
    """Those among them that were drawn at random from all that nobody had answered, whatever was known of them."""
    return set((workspace.lake.read_document(ASKED) or {}).get("at_random", []))


def remember_asked(workspace: Workspace, items: Iterable[str], at_random: Iterable[str] = ()) -> None:
    """Add items to them, and say which of these were drawn at random."""
    asked = sorted(asked_items(workspace).union(items))
    drawn = sorted(asked_at_random(workspace).union(at_random))
    workspace.lake.write_document(ASKED, {"items": asked, **({"at_random": drawn} if drawn else {})})


def drawn_at_random(workspace: Workspace) -> dict[str, str | None]:
    """Items that were drawn at random among those without an answer -> the label they had then.

    Answers to them measure how good labels were, which answers to chosen questions cannot.
    """
    return dict((workspace.lake.read_document(DRAWN) or {}).get("labels", {}))


def remember_drawn(workspace: Workspace, labels: Mapping[str, str | None]) -> None:
    """Add items to them; one that was drawn before keeps the label of that time."""
    if labels:
        workspace.lake.write_document(DRAWN, {"labels": {**labels, **drawn_at_random(workspace)}})
