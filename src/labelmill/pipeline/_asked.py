"""What people were asked: an answer to it is a decision, not one voice of a crowd."""

from __future__ import annotations

from collections.abc import Iterable

from labelmill.pipeline.workspace import Workspace

__all__ = ["asked_at_random", "asked_items", "remember_asked"]

ASKED = "asked"
"""Document that remembers it."""


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
