"""What people were asked: an answer to it is a decision, not one voice of a crowd."""

from __future__ import annotations

from collections.abc import Iterable

from labelmill.pipeline.workspace import Workspace

__all__ = ["asked_items", "remember_asked"]

ASKED = "asked"
"""Document that remembers it."""


def asked_items(workspace: Workspace) -> set[str]:
    """Items that people were asked about, answered or not."""
    return set((workspace.lake.read_document(ASKED) or {}).get("items", []))


def remember_asked(workspace: Workspace, items: Iterable[str]) -> None:
    """Add items to them."""
    workspace.lake.write_document(ASKED, {"items": sorted(asked_items(workspace).union(items))})
