"""How an item reaches the browser: a text as it is, a picture or a recording by an address of this server."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from labelmill.server.desk import Desk
from labelmill.stores.database.projects import Project

__all__ = ["example_content", "item_of_address", "media_address", "shown_data"]


def shown_data(desk: Desk, project: Project, item: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The item's data as the browser app takes it; sizes are of the original, lengths in seconds."""
    modality, facts = desk.question(project).schema.modality, content.get("facts", {})
    if modality == "image":
        return {
            "image": media_address(project, item, "preview"),
            "width": facts.get("width", 0),
            "height": facts.get("height", 0),
        }
    if modality == "audio":
        return {
            "audio": media_address(project, item, "original"),
            "duration": facts.get("duration", 0.0),
            "peaks": media_address(project, item, "peaks"),
            "spectrogram": media_address(project, item, "spectrogram"),
        }
    return {"text": str(content.get("data", ""))}


def example_content(project: Project, item: str) -> Mapping[str, Any] | None:
    """What an example of the guideline shows; None if it shows no such item."""
    shown = project.settings.get("examples", [])
    return next((one["content"] for one in shown if one["item"] == item), None)


def media_address(project: Project, item: str, what: str) -> str:
    """Where one form of an item's file is to be had; it names the item, never the file."""
    name = base64.urlsafe_b64encode(item.encode()).decode().rstrip("=")
    return f"/media/{project.public_id}/{name}/{what}"


def item_of_address(name: str) -> str | None:
    """The item that an address names; None if it names none."""
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except ValueError:
        return None
