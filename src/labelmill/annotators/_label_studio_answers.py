"""Label Studio's regions and choices as values of our kinds of label, and the configuration that asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError

__all__ = ["KINDS", "label_config", "value_of"]

Region = Mapping[str, Any]
Named = Callable[[str], str | None]
"""Class of the backend -> class of the question, None for one that is left out."""


def value_of(regions: Sequence[Region], schema: LabelSchema, item: Item, named: Named) -> Any:
    """The answer that a prediction's `result` gives to the question; None where it gives none.

    Parameters
    ----------
    regions : sequence of mapping
        As Label Studio stores them: percentages of the picture, rotation about the top left corner.
    named : callable

    Raises
    ------
    SchemaError
        If a region lacks what its type needs.
    """
    try:
        return _READ[schema.kind](regions, item, named)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise SchemaError(f"a region of the backend's answer cannot be read: {type(error).__name__}: {error}") from None


def label_config(schema: LabelSchema, field: str) -> str:
    """The configuration that asks the question in Label Studio's own words.

    Examples
    --------
    >>> print(label_config(LabelSchema("spam", ("ham", "spam")), "text"))
    <View>
      <Text name="data" value="$text"/>
      <Choices name="label" toName="data"><Choice value="ham"/><Choice value="spam"/></Choices>
    </View>
    """
    media = {"text": "Text", "image": "Image", "audio": "Audio"}[schema.modality]
    tag, member = _TAGS[schema.kind]
    many = ' choice="multiple"' if schema.kind == "multi_choice" else ""
    members = "".join(f"<{member} value={quoteattr(name)}/>" for name in schema.classes) if member else ""
    question = f'<{tag} name="label" toName="data"{many}>{members}</{tag}>'
    return f'<View>\n  <{media} name="data" value="${field}"/>\n  {question}\n</View>'


_TAGS: Final = {
    "choice": ("Choices", "Choice"),
    "multi_choice": ("Choices", "Choice"),
    "box": ("RectangleLabels", "Label"),
    "polygon": ("PolygonLabels", "Label"),
    "point": ("KeyPointLabels", "Label"),
    "span": ("Labels", "Label"),
    "segment": ("Labels", "Label"),
    "number": ("Number", ""),
    "text": ("TextArea", ""),
}


def _of_type(regions: Sequence[Region], *types: str) -> list[Region]:
    return [region for region in regions if str(region.get("type", "")).lower() in types]


def _labels(region: Region, named: Named) -> list[str]:
    value = region["value"]
    found = value.get(region["type"]) or value.get("labels") or []
    return [known for label in found if (known := named(str(label))) is not None]


def _choice(regions: Sequence[Region], _: Item, named: Named) -> str | None:
    chosen = _choices(regions, named)
    if chosen and len(chosen) > 1:
        raise SchemaError(f"the backend chose {len(chosen)} classes for a question with one answer")
    return chosen[0] if chosen else None


def _choices(regions: Sequence[Region], named: Named) -> list[str] | None:
    found = _of_type(regions, "choices")
    if not found:
        return None
    told = [str(choice) for region in found for choice in region["value"]["choices"]]
    return list(dict.fromkeys(known for choice in told if (known := named(choice)) is not None))


def _boxes(regions: Sequence[Region], item: Item, named: Named) -> list[dict[str, Any]]:
    found = []
    for region in _of_type(regions, "rectanglelabels", "rectangle"):
        across, down = _size(region, item)
        value = region["value"]
        x, y = float(value["x"]) * across, float(value["y"]) * down
        width, height = float(value["width"]) * across, float(value["height"]) * down
        turn = float(value.get("rotation", 0.0))
        box: dict[str, Any] = {"x": x, "y": y, "width": width, "height": height}
        if turn % 360:
            c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            centre = x + c * width / 2 - s * height / 2, y + s * width / 2 + c * height / 2
            box |= {"x": centre[0] - width / 2, "y": centre[1] - height / 2, "rotation": turn % 180}
        found += [{"label": label, **box, **_score(region)} for label in _labels(region, named)]
    return found


def _polygons(regions: Sequence[Region], item: Item, named: Named) -> list[dict[str, Any]]:
    found = []
    for region in _of_type(regions, "polygonlabels", "polygon"):
        across, down = _size(region, item)
        points = [[float(x) * across, float(y) * down] for x, y in region["value"]["points"]]
        found += [{"label": label, "points": points, **_score(region)} for label in _labels(region, named)]
    return found


def _points(regions: Sequence[Region], item: Item, named: Named) -> list[dict[str, Any]]:
    found = []
    for region in _of_type(regions, "keypointlabels", "keypoint"):
        across, down = _size(region, item)
        place = {"x": float(region["value"]["x"]) * across, "y": float(region["value"]["y"]) * down}
        found += [{"label": label, **place, **_score(region)} for label in _labels(region, named)]
    return found


def _spans(regions: Sequence[Region], _: Item, named: Named) -> list[dict[str, Any]]:
    return [
        {"label": label, "start": int(region["value"]["start"]), "end": int(region["value"]["end"])}
        for region in _of_type(regions, "labels")
        for label in _labels(region, named)
    ]


def _segments(regions: Sequence[Region], _: Item, named: Named) -> list[dict[str, Any]]:
    return [
        {"label": label, "start": float(region["value"]["start"]), "end": float(region["value"]["end"])}
        for region in _of_type(regions, "labels", "timeserieslabels")
        for label in _labels(region, named)
    ]


def _number(regions: Sequence[Region], _: Item, __: Named) -> float | None:
    found = _of_type(regions, "number")
    return float(found[0]["value"]["number"]) if found else None


def _text(regions: Sequence[Region], _: Item, __: Named) -> str | None:
    found = _of_type(regions, "textarea")
    if not found:
        return None
    told = found[0]["value"]["text"]
    return told if isinstance(told, str) else "\n".join(map(str, told))


_READ: Final[Mapping[str, Callable[[Sequence[Region], Item, Named], Any]]] = {
    "choice": _choice,
    "multi_choice": lambda regions, _, named: _choices(regions, named),
    "box": _boxes,
    "polygon": _polygons,
    "point": _points,
    "span": _spans,
    "segment": _segments,
    "number": _number,
    "text": _text,
}

KINDS: Final = tuple(_READ)
"""Kinds of label that can be read."""


def _size(region: Region, item: Item) -> tuple[float, float]:
    """Pixels of a hundredth of the picture's width and height."""
    width = region.get("original_width") or item.facts.get("width")
    height = region.get("original_height") or item.facts.get("height")
    if not width or not height:
        raise SchemaError("a region tells no original_width and original_height, and the item no width and height")
    return float(width) / 100, float(height) / 100


def _score(region: Region) -> dict[str, float]:
    score = region.get("score", region["value"].get("score"))
    return {} if score is None else {"score": min(max(float(score), 0.0), 1.0)}
